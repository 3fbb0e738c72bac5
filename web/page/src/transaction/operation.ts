// SPDX-License-Identifier: Apache-2.0
// User operations as the account and its EntryPoint read them (ERC-4337; spec/wire-formats.md, spec/account.md section 3).
import { call, decode, decodeCall, encode } from '../../../escape/src/core/abi.mjs'
import { concat, uint, ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import { queueId } from '../../../escape/src/core/items.mjs'
import { transferOf } from '../../../escape/src/core/money.mjs'
import { CALLS, executeData, operationHash } from '../../../escape/src/core/operation.mjs'
import type { Call, QueueOrder, UserOperation } from './models'
import { type Reading, readCall } from './reading'

const BATCH_MODE = `0x01${'00'.repeat(31)}`
const EXECUTE = 'execute(bytes32,bytes)'
const SEND_PIECE = 'safeTransferFrom(address,address,uint256)'
const QUEUE = 'queue(uint8,bytes,uint256)'
const CONFIRM = 'confirm(uint8,bytes,uint256)'
/** `queue` takes them by number. */
const QUEUE_KINDS = ['spend', 'limit', 'gasCap', 'domain', 'allowedCall'] as const

type Row = readonly [string, bigint, string]

const lower = (hex: string) => hex.toLowerCase()
const row = ({ to, value, data }: Call): Row => [lower(to), value, lower(data)]
const fromRow = ([to, value, data]: Row): Call => ({ to, value, data })

/** One call that pays `amount` of the native currency (token null) or of a token. */
export const paymentOf = (token: string | null, to: string, amount: bigint): Call =>
  fromRow(transferOf(token === null ? ZERO_ADDRESS : lower(token), lower(to), amount) as unknown as Row)

/** One call that gives the piece `id` of an ERC-721 away; a contract that takes none refuses it. */
export const pieceOf = (token: string, from: string, to: string, id: bigint): Call => ({
  to: lower(token),
  value: 0n,
  data: call(SEND_PIECE, lower(from), lower(to), id),
})

export const executeCalls = (calls: readonly Call[]): string => executeData(calls.map(row))

/** The calls of a batch in its canonical encoding; null for other call data. Throws Malformed. */
export function readBatch(callData: string): Call[] | null {
  const values = decodeCall(EXECUTE, callData) as [string, string] | null
  if (!values || values[0] !== BATCH_MODE) return null
  const [rows] = decode(CALLS, values[1]) as [Row[]]
  const calls = rows.map(fromRow)
  return executeCalls(calls) === lower(callData) ? calls : null
}

/** What EntryPoint 0.8 hashes, out of the form of ERC-7769. */
export function packed(o: UserOperation): readonly unknown[] {
  const pair = (high: string, low: string) => concat(uint(high, 16), uint(low, 16))
  const sponsor = o.paymaster
    ? concat(
        o.paymaster,
        pair(o.paymasterVerificationGasLimit ?? '0x0', o.paymasterPostOpGasLimit ?? '0x0'),
        o.paymasterData ?? '0x',
      )
    : '0x'
  return [
    lower(o.sender),
    BigInt(o.nonce),
    o.factory ? lower(concat(o.factory, o.factoryData ?? '0x')) : '0x',
    lower(o.callData),
    pair(o.verificationGasLimit, o.callGasLimit),
    BigInt(o.preVerificationGas),
    pair(o.maxPriorityFeePerGas, o.maxFeePerGas),
    lower(sponsor),
  ]
}

/** The hash that passkey and server key sign: EIP-712 of EntryPoint 0.8. */
export const hashOf = (operation: UserOperation, entryPoint: string, chainId: number): string =>
  operationHash(packed(operation), lower(entryPoint), chainId)

/** wei that whoever pays is liable for: all gas at the highest price. */
export function maxCostOf(o: UserOperation): bigint {
  const gas = [
    o.preVerificationGas,
    o.verificationGasLimit,
    o.callGasLimit,
    o.paymasterVerificationGasLimit ?? '0x0',
    o.paymasterPostOpGasLimit ?? '0x0',
  ].reduce((sum, one) => sum + BigInt(one), 0n)
  return gas * BigInt(o.maxFeePerGas)
}

/** Call data of the factory that makes the account (spec/wire-formats.md, section 2). */
export const createAccountData = (initData: string): string => call('createAccount(bytes)', lower(initData))

// --- what waits a day ---------------------------------------------------------------------------------------------

export interface Queued {
  readonly kind: (typeof QUEUE_KINDS)[number]
  readonly content: string
  readonly salt: bigint
}

/** Content of a queued order as the account takes it. */
export function queueContent(order: QueueOrder): string {
  switch (order.kind) {
    case 'spend':
      return encode(CALLS, [
        order.calls.map(({ to, value, data }) => [lower(to), BigInt(value ?? 0), lower(data ?? '0x')]),
      ])
    case 'limit':
      return encode('(address,uint256)', [lower(order.token ?? ZERO_ADDRESS), BigInt(order.perDay)])
    case 'gasCap':
      return encode('(uint256)', [BigInt(order.maxCost)])
    case 'domain':
      return encode('(bytes32)', [lower(order.domainSeparator)])
    default:
      return encode('(address,bytes4)', [lower(order.target), lower(order.selector)])
  }
}

/** What a batch puts into the account's queue, or confirms of it: its single call to the account itself. */
export function readQueued(calls: readonly Call[], account: string, which: 'queue' | 'confirm'): Queued | null {
  const [only] = calls
  if (!only || calls.length !== 1 || only.to !== lower(account) || only.value !== 0n) return null
  const signature = which === 'queue' ? QUEUE : CONFIRM
  const values = decodeCall(signature, only.data) as [bigint, string, bigint] | null
  const kind = values && QUEUE_KINDS[Number(values[0])]
  if (!values || !kind || call(signature, ...values) !== only.data) return null
  return { kind, content: values[1], salt: values[2] }
}

/** The item's id follows from everything that it does. */
export const queuedId = (chainId: number, account: string, queued: Queued, keyEpoch: number): string =>
  queueId(chainId, lower(account), QUEUE_KINDS.indexOf(queued.kind), queued.content, queued.salt, keyEpoch)

/** What a queued content will do; null when it is not in its canonical encoding. Throws Malformed. */
export function readContent({ kind, content }: Queued): Reading[] | null {
  const canonical = <T extends readonly unknown[]>(types: string): T | null => {
    const values = decode(types, content) as unknown as T
    return encode(types, values) === content ? values : null
  }
  switch (kind) {
    case 'spend': {
      const values = canonical<[Row[]]>(CALLS)
      return values ? values[0].map((one) => readCall(fromRow(one))) : null
    }
    case 'limit': {
      const values = canonical<[string, bigint]>('(address,uint256)')
      if (!values) return null
      const to = values[0] === ZERO_ADDRESS ? null : values[0]
      return [{ meaning: 'changeLimit', to, value: 0n, amount: values[1] }]
    }
    case 'gasCap': {
      const values = canonical<[bigint]>('(uint256)')
      return values && [{ meaning: 'changeGasCap', to: null, value: 0n, amount: values[0] }]
    }
    case 'domain': {
      const values = canonical<[string]>('(bytes32)')
      return values && [{ meaning: 'listDomain', to: null, value: 0n, hash: values[0] }]
    }
    default: {
      const values = canonical<[string, string]>('(address,bytes4)')
      return values && [{ meaning: 'allowCall', to: values[0], value: 0n, selector: values[1] }]
    }
  }
}
