// SPDX-License-Identifier: Apache-2.0
// Whether what the node prepared is what the person ordered. The digest that the passkey signs is computed here, from
// bytes that were compared with the order: a node that puts in another recipient, amount, account or nonce is found out
// before anybody touches anything.
import { Malformed } from '../../../escape/src/core/abi.mjs'
import { executeData } from '../../../escape/src/core/operation.mjs'
import type { Chain, Wallet } from '../api/models'
import { actionDigest, actionOf, stampOf } from './actions'
import type { Call, Transaction, TransactionOrder, UserOperation } from './models'
import {
  createAccountData,
  hashOf,
  maxCostOf,
  queueContent,
  queuedId,
  readBatch,
  readContent,
  readQueued,
} from './operation'
import { agrees, type Reading, readCall } from './reading'

/** What differs, named for the page's words and for a report to whoever runs the node. */
export type TransactionDifference =
  | 'wallet-other'
  | 'chain-other'
  | 'kind-other'
  | 'account-other'
  | 'content-missing'
  | 'calls-other'
  | 'content-other'
  | 'item-other'
  | 'entry-point-other'
  | 'factory-other'
  | 'payer-other'
  | 'cost-other'
  | 'value-other'
  | 'summary-other'
  | 'key-epoch-other'
  | 'deadline-far'
  | 'digest-other'

export class TransactionRefused extends Error {
  constructor(
    readonly difference: TransactionDifference,
    readonly words = '',
  ) {
    super(`${difference} ${words}`.trim())
    this.name = 'TransactionRefused'
  }
}

export interface Place {
  readonly wallet: Wallet
  readonly chain: Chain
  /** Of the account's state that the page shows. */
  readonly keyEpoch: number
  /** The later of this device's clock and, on a development chain, the block's: seconds since 1970. */
  readonly now: number
}

export interface Checked {
  readonly transaction: Transaction
  /** What the passkey signs; null where nobody does. */
  readonly digest: string | null
  /** What it does, read out of the bytes; empty for plain functions, whose order says it all. */
  readonly readings: readonly Reading[]
  /** wei that the payer of an operation is liable for. */
  readonly maxCost: bigint
}

/** The node stamps for a day at most; a later deadline would let it keep a signature for another time. */
const LONGEST_STAMP_S = 26 * 3_600

function need(holds: boolean, difference: TransactionDifference, words = ''): asserts holds {
  if (!holds) throw new TransactionRefused(difference, words)
}

const same = (one: string | null | undefined, other: string | null | undefined) =>
  one?.toLowerCase() === other?.toLowerCase()

/** Calls of the batch, compared with what was ordered; what it does in the end. */
function checkCalls(order: TransactionOrder, transaction: Transaction, callData: string, place: Place): Reading[] {
  const account = transaction.address
  if (order.kind === 'calls') {
    const ordered = order.calls.map(({ to, value, data }): readonly [string, bigint, string] => [
      to.toLowerCase(),
      BigInt(value ?? 0),
      (data ?? '0x').toLowerCase(),
    ])
    need(executeData(ordered) === callData.toLowerCase(), 'calls-other')
    return ordered.map(([to, value, data]) => readCall({ to, value, data }))
  }
  need(order.kind === 'queue' || order.kind === 'confirm', 'kind-other')
  const calls: Call[] | null = readBatch(callData)
  const queued = calls && readQueued(calls, account, order.kind)
  need(queued !== null, 'calls-other')
  if (order.kind === 'queue') need(queued.content === queueContent(order.queue), 'content-other')
  else need(same(queuedId(transaction.chainId, account, queued, place.keyEpoch), order.item), 'item-other')
  const readings = readContent(queued)
  need(readings !== null, 'content-other')
  return readings
}

function checkFactory({ factory, factoryData }: UserOperation, { wallet }: Place) {
  if (factory === undefined) return need(factoryData === undefined, 'factory-other')
  const { origin } = wallet
  need(origin !== null && same(factory, origin.factory), 'factory-other')
  need(same(factoryData, createAccountData(origin.initData)), 'factory-other')
}

function checkOperation(order: TransactionOrder, transaction: Transaction, place: Place): Checked {
  const { userOperation: operation, entryPoint } = transaction
  need(operation !== null && entryPoint !== null, 'content-missing')
  need(same(entryPoint, place.chain.entryPoint), 'entry-point-other')
  need(same(operation.sender, transaction.address), 'account-other', operation.sender)
  checkFactory(operation, place)
  const readings = checkCalls(order, transaction, operation.callData, place)

  const isSponsored = operation.paymaster !== undefined
  need(transaction.payer === (isSponsored ? 'sponsor' : 'account'), 'payer-other')
  const maxCost = maxCostOf(operation)
  need(maxCost.toString() === transaction.maxCost, 'cost-other')
  // What is queued leaves the account when it is confirmed.
  const leaves = order.kind === 'queue' ? 0n : readings.reduce((sum, { value }) => sum + value, 0n)
  need(leaves.toString() === transaction.value, 'value-other')
  const told = transaction.summary.filter((one) => one.meaning !== 'selfCall')
  need(told.length === readings.length, 'summary-other')
  readings.forEach((reading, i) => {
    const summary = told[i]
    // A call that this page cannot read, the node may well.
    const isKnown = reading.meaning !== 'contractCall' || summary?.meaning === 'contractCall'
    need(!isKnown || (summary !== undefined && agrees(reading, summary)), 'summary-other', `call ${i}`)
  })
  const digest = hashOf(operation, entryPoint, transaction.chainId)
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings, maxCost }
}

function checkAction(order: TransactionOrder, transaction: Transaction, place: Place): Checked {
  const action = actionOf(order)
  need(action !== null, 'kind-other')
  const stamp = stampOf(transaction.typedData)
  need(stamp !== null, 'content-missing')
  need(stamp[0] === BigInt(place.keyEpoch), 'key-epoch-other')
  need(stamp[2] <= BigInt(Math.floor(place.now) + LONGEST_STAMP_S), 'deadline-far')
  need(transaction.payer === 'node', 'payer-other')
  const digest = actionDigest(transaction.chainId, transaction.address, action, stamp)
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings: [], maxCost: 0n }
}

/** What may be signed. Throws TransactionRefused with the first difference. */
export function checkPrepared(order: TransactionOrder, transaction: Transaction, place: Place): Checked {
  const { wallet, chain } = place
  need(transaction.walletId === order.walletId && order.walletId === wallet.walletId, 'wallet-other')
  need(transaction.chainId === order.chainId && order.chainId === chain.chainId, 'chain-other')
  need(transaction.kind === order.kind, 'kind-other')
  need(same(transaction.address, wallet.address), 'account-other', transaction.address)
  try {
    if (order.kind === 'finish') {
      // Nobody signs: whatever is brought on chain was signed when it began.
      need(transaction.digest === null && transaction.votesNeeded === 0, 'kind-other')
      return { transaction, digest: null, readings: [], maxCost: 0n }
    }
    return actionOf(order) ? checkAction(order, transaction, place) : checkOperation(order, transaction, place)
  } catch (error) {
    // Bytes that do not even decode are not what was ordered.
    if (error instanceof Malformed || error instanceof RangeError || error instanceof SyntaxError)
      throw new TransactionRefused('content-other', error.message)
    throw error
  }
}
