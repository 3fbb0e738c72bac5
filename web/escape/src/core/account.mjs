// SPDX-License-Identifier: Apache-2.0
// What the chain says of an account, all at one block, and held against what the recovery file alone proves.
import { Malformed, call, decode } from './abi.mjs'
import { slice } from './bytes.mjs'
import { IMPLEMENTATION_SLOT, proxyInitCodeHashOf, proxyRuntime } from './init-data.mjs'
import { Problem, require } from './problem.mjs'

/** `frozenUntil` of a freeze by a vote. */
export const FOREVER = 2n ** 48n - 1n
const MAX_SLOT = 7

/** Asks a view function; `result` is the text of what it returns. */
export async function view(rpc, to, signature, values, result, block) {
  const data = await rpc.call({ to, data: call(signature, ...values) }, block)
  try {
    return decode(result, data)
  } catch (error) {
    if (error instanceof Malformed) throw new Problem('rpc_answer_malformed', { host: rpc.host, method: signature })
    throw error
  }
}

/** The chain behind an RPC, which must be the one that is wanted. */
export async function chainIdOf(rpc, wanted) {
  const chainId = await rpc.count('eth_chainId')
  require(chainId < 2n ** 53n, 'rpc_answer_malformed', { host: rpc.host, method: 'eth_chainId' })
  if (wanted !== undefined && chainId !== BigInt(wanted)) throw new Problem('wrong_chain', { wanted, found: chainId })
  return Number(chainId)
}

async function passkeysOf(rpc, account, slots, block) {
  const found = []
  for (let slot = 0; slot <= MAX_SLOT; slot++) {
    if (((slots >> BigInt(slot)) & 1n) === 0n) continue
    const [passkey] = await view(rpc, account, 'passkey(uint256)', [slot], '((uint256,uint256,bytes32))', block)
    found.push({ slot, passkey })
  }
  return found
}

// The address commits to the proxy's code, so other code there is a lie; which implementation it runs is in a slot.
async function isUpgraded(rpc, file, code, block) {
  require(code === proxyRuntime, 'rpc_lies', { what: 'account code' })
  // Of one that came from another node the file does not know what it began with.
  if (file.proxyInitCodeHash === null) return false
  const word = await rpc.storage(file.account, IMPLEMENTATION_SLOT, block)
  return proxyInitCodeHashOf(slice(word, 12)) !== file.proxyInitCodeHash
}

/** An account that was never made on this chain: it will begin with its init data. */
function unborn(file, base, factoryExists) {
  const { init } = file
  require(init !== null, 'account_elsewhere')
  return {
    ...base,
    deployed: false,
    entryPoint: file.entryPoint,
    factoryExists,
    upgraded: false,
    serverKey: init.serverKey,
    escapeKey: init.escapeKey,
    keyEpoch: 0n,
    frozenUntil: 0n,
    passkeys: init.passkeys.map((passkey, slot) => ({ slot, passkey })),
    guardians: { hash: init.guardiansHash, threshold: init.guardianThreshold, recoveryDelay: init.recoveryDelay },
  }
}

/** Everything the page shows and decides on. */
export async function readAccount(rpc, file, chainId) {
  const block = await rpc.block()
  const at = block.number
  const [code, factoryCode, balance] = await Promise.all([
    rpc.code(file.account, at),
    file.factory === null ? '0x' : rpc.code(file.factory, at),
    rpc.balance(file.account, at),
  ])
  const base = { chainId, account: file.account, block, balance }
  if (code === '0x') return unborn(file, base, factoryCode !== '0x')
  const ask = (signature, result) => view(rpc, file.account, signature, [], result, at)
  const [
    upgraded,
    [serverKey, escapeKey, keyEpoch, slots],
    [frozenUntil],
    [entryPoint],
    [hash, threshold, recoveryDelay],
  ] = await Promise.all([
    isUpgraded(rpc, file, code, at),
    ask('keys()', '(address,address,uint32,uint8)'),
    ask('frozen()', '(uint48,uint48)'),
    ask('entryPoint()', '(address)'),
    ask('guardians()', '(bytes32,uint8,uint32)'),
  ])
  return {
    ...base,
    deployed: true,
    entryPoint,
    factoryExists: true,
    upgraded,
    serverKey,
    escapeKey,
    keyEpoch,
    frozenUntil,
    passkeys: await passkeysOf(rpc, file.account, slots, at),
    guardians: { hash, threshold, recoveryDelay },
  }
}

const COMPARED = [
  'entryPoint',
  'deployed',
  'upgraded',
  'serverKey',
  'escapeKey',
  'keyEpoch',
  'frozenUntil',
  'passkeys',
  'guardians',
]

/** Two servers must say the same of everything that matters; a block or two between them is no lie. */
export function compareStates(one, other) {
  const text = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part))
  for (const field of COMPARED) {
    require(text(one[field]) === text(other[field]), 'rpcs_disagree', { what: field })
  }
}

/** The recovery file's key must still be the account's: a later change of keys may have replaced it. */
export function requireOwnVote(file, state) {
  require(state.escapeKey === file.escapeAddress, 'escape_key_replaced', { current: state.escapeKey })
}

/** Whether these keys are the account's now, and in which slot the passkey is; null when not. */
export function slotOf(state, keys) {
  if (!keys || state.serverKey !== keys.serverKey) return null
  const found = state.passkeys.find(({ passkey }) => passkey.every((part, i) => part === keys.passkey[i]))
  return found ? found.slot : null
}
