// SPDX-License-Identifier: Apache-2.0
// A user operation, signed by both new keys and put into the EntryPoint by whoever pays. Its fees are zero: the sender
// of the transaction pays for the gas, the account for nothing.
import { call, decode, encode, topic } from './abi.mjs'
import { slotOf, view } from './account.mjs'
import { typed } from './actions.mjs'
import { concat, keccak, uint, utf8 } from './bytes.mjs'
import { Problem, require } from './problem.mjs'
import { isOverLimit, explain, readRevert } from './reverts.mjs'
import { dualSignature } from './signing.mjs'

const ENTRY_POINT_07 = '0x0000000071727de22e5e9d8baf0edac6f37da032'
const OPERATION = '(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)'
const HANDLE_OPS = `handleOps(${OPERATION}[],address)`
const OPERATION_TYPE =
  'PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 ' +
  'accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)'
const OPERATION_EVENT = topic('UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)')
const REVERT_EVENT = topic('UserOperationRevertReason(bytes32,address,uint256,bytes)')

const BATCH_MODE = '0x01' + '00'.repeat(31)
export const CALLS = '((address,uint256,bytes)[])'
const EXECUTE = 'execute(bytes32,bytes)'
/** P-256 without the precompile takes 250,000 gas; what is not used costs nothing. */
const VERIFICATION_GAS = 1_000_000n

export const executeData = (calls) => call(EXECUTE, BATCH_MODE, encode(CALLS, [calls]))

/** What both keys sign (EntryPoint 0.8 on: EIP-712; 0.7: its own packing). */
export function operationHash(operation, entryPoint, chainId) {
  const [sender, nonce, initCode, callData, gasLimits, preVerificationGas, gasFees, paymasterAndData] = operation
  const fields = [
    sender,
    nonce,
    keccak(initCode),
    keccak(callData),
    gasLimits,
    preVerificationGas,
    gasFees,
    keccak(paymasterAndData),
  ]
  const types = 'address,uint256,bytes32,bytes32,bytes32,uint256,bytes32,bytes32'
  if (entryPoint === ENTRY_POINT_07) {
    return keccak(encode('(bytes32,address,uint256)', [keccak(encode(`(${types})`, fields)), entryPoint, chainId]))
  }
  const domain = keccak(
    encode('(bytes32,bytes32,bytes32,uint256,address)', [
      keccak(utf8('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')),
      keccak(utf8('ERC4337')),
      keccak(utf8('1')),
      chainId,
      entryPoint,
    ]),
  )
  return typed(domain, keccak(encode(`(bytes32,${types})`, [keccak(utf8(OPERATION_TYPE)), ...fields])))
}

/** Runs call data as the EntryPoint would: null when it passes, the refusal when a limit is in the way. */
export async function tryExecute(rpc, file, callData) {
  try {
    await rpc.call({ from: file.entryPoint, to: file.account, data: callData })
    return null
  } catch (error) {
    const problem = explain(error)
    if (problem.reverted && isOverLimit(problem.reverted)) return problem.reverted
    throw problem
  }
}

async function callGas(rpc, file, callData, calls) {
  const most = 150_000n + 250_000n * BigInt(calls)
  try {
    const gas = await rpc.count('eth_estimateGas', [{ from: file.entryPoint, to: file.account, data: callData }])
    return (gas * 3n) / 2n + 50_000n
  } catch {
    // Some servers estimate for no sender that has code.
    return most
  }
}

/** `handleOps` with one operation of the account, which names the day of `state`. `calls`: how many its batch holds. */
export async function operationCall(rpc, { file, state, keys, callData, calls, beneficiary }) {
  const slot = slotOf(state, keys)
  require(slot !== null, 'keys_not_in_force')
  require(state.entryPoint === file.entryPoint, 'entry_point_other', { current: state.entryPoint })
  const [nonce] = await view(rpc, file.entryPoint, 'getNonce(address,uint192)', [file.account, 0], '(uint256)')
  const gasLimits = concat(uint(VERIFICATION_GAS, 16), uint(await callGas(rpc, file, callData, calls), 16))
  const unsigned = [file.account, nonce, '0x', callData, gasLimits, 0n, uint(0), '0x']
  const hash = operationHash(unsigned, file.entryPoint, state.chainId)
  // Another answer means an EntryPoint that this page does not know; it signs its own hash only.
  const [theirs] = await view(rpc, file.entryPoint, `getUserOpHash(${OPERATION})`, [[...unsigned, '0x']], '(bytes32)')
  require(theirs === hash, 'entry_point_unknown')
  const signature = dualSignature({
    passkeySecret: keys.passkeySecret,
    rpId: keys.rpId,
    slot,
    serverSecret: keys.serverSecret,
    hash,
    day: state.block.timestamp / 86_400n,
  })
  return { hash, to: file.entryPoint, data: call(HANDLE_OPS, [[...unsigned, signature]], beneficiary) }
}

/** Reads what became of an operation; a problem when it reverted although its transaction did not. */
export function operationOutcome(receipt, entryPoint, hash) {
  const logs = receipt.logs.filter(
    (log) => log.address?.toLowerCase() === entryPoint && log.topics?.[1]?.toLowerCase() === hash,
  )
  const event = logs.find((log) => log.topics[0].toLowerCase() === OPERATION_EVENT)
  require(event, 'operation_not_found')
  const [, success] = decode('(uint256,bool,uint256,uint256)', event.data)
  if (success) return
  const reason = logs.find((log) => log.topics[0].toLowerCase() === REVERT_EVENT)
  const revert = reason ? readRevert(decode('(uint256,bytes)', reason.data)[1]) : { name: 'nothing', values: [] }
  throw new Problem('operation_reverted', {
    rule: revert.name,
    details: revert.values.map(String).join(', ').slice(0, 200),
  })
}
