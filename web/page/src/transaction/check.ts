// SPDX-License-Identifier: Apache-2.0
// Whether what the node prepared is what the person ordered. The digest that the passkey signs is computed here, from
// bytes that were compared with the order: a node that puts in another recipient, amount, account or nonce is found out
// before anybody touches anything.
import { Malformed } from '../../../escape/src/core/abi.mjs'
import { executeData } from '../../../escape/src/core/operation.mjs'
import { DifferenceFound } from '../account/difference'
import type { Chain, Wallet } from '../api/models'
import { type Action, actionDigest, actionOf, stampOf } from './actions'
import { eoaCost, eoaDigest, isOrdered } from './eoa'
import { readGrant } from './grant'
import { actionOfCall, type KeyFacts, keysAction } from './keys'
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
import {
  DocumentMalformed,
  nestedPersonalHash,
  nestedTypedHash,
  personalHash,
  type TypedDocument,
  typedHash,
} from './typed-data'

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
  | 'nonce-other'
  | 'digest-other'

export class TransactionRefused extends DifferenceFound<TransactionDifference> {
  override name = 'TransactionRefused'
}

export interface Place {
  readonly wallet: Wallet
  readonly chain: Chain
  /** Of the account's state that the page shows. */
  readonly keyEpoch: number
  readonly keys: KeyFacts
  /** Of the phrase's key that pays, where one does; lower case or with its checksum. */
  readonly payer?: string | undefined
  /** The later of this device's clock and, on a development chain, the block's: seconds since 1970. */
  readonly now: number
}

export interface Checked {
  readonly transaction: Transaction
  /** What the passkey signs; null where nobody does. */
  readonly digest: string | null
  /** What it does, read out of the bytes; empty for plain functions. */
  readonly readings: readonly Reading[]
  /** The struct that is signed, or was signed elsewhere; null for operations and what finishes an item. */
  readonly action: Action | null
  /** wei that the payer of an operation is liable for. */
  readonly maxCost: bigint
}

type BroughtOrder = Extract<TransactionOrder, { kind: 'escape' | 'recover' }>

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
  if (order.kind === 'grant') {
    const reading = readGrant(order.grant, callData, transaction, place)
    need(reading !== null, 'content-other')
    return [reading]
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

/** What the node says of the calls agrees with what this page reads in them. */
function checkSummary(readings: readonly Reading[], { summary }: Transaction) {
  const told = summary.filter((one) => one.meaning !== 'selfCall')
  need(told.length === readings.length, 'summary-other')
  readings.forEach((reading, i) => {
    const one = told[i]
    // A call that this page cannot read, the node may well.
    const isKnown = reading.meaning !== 'contractCall' || one?.meaning === 'contractCall'
    need(!isKnown || (one !== undefined && agrees(reading, one)), 'summary-other', `call ${i}`)
  })
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
  checkSummary(readings, transaction)
  const digest = hashOf(operation, entryPoint, transaction.chainId)
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings, action: null, maxCost }
}

function checkAction(order: TransactionOrder, transaction: Transaction, place: Place): Checked {
  const action = order.kind === 'keys' ? keysAction(order, place.keys, transaction.typedData) : actionOf(order)
  need(action !== null, 'content-missing')
  const stamp = stampOf(transaction.typedData)
  need(stamp !== null, 'content-missing')
  need(stamp[0] === BigInt(place.keyEpoch), 'key-epoch-other')
  need(stamp[2] <= BigInt(Math.floor(place.now) + LONGEST_STAMP_S), 'deadline-far')
  need(transaction.payer === 'node', 'payer-other')
  const digest = actionDigest(transaction.chainId, transaction.address, action, stamp)
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings: [], action, maxCost: 0n }
}

/** What this page, or a guardian, signed before: the node only brings it. */
function checkBrought(order: BroughtOrder, transaction: Transaction): Checked {
  need(transaction.digest === null && transaction.votesNeeded === 0, 'kind-other')
  need(transaction.payer === 'node', 'payer-other')
  const read = actionOfCall(order.call)
  need(read !== null && read.action.name.toLowerCase() === order.kind, 'kind-other')
  const digest = actionDigest(transaction.chainId, transaction.address, read.action, read.stamp)
  need(same(transaction.summary[0]?.hash, digest), 'summary-other')
  return { transaction, digest: null, readings: [], action: read.action, maxCost: 0n }
}

/** A message, by what the application asked for: neither the digest nor what is shown is the node's word. */
function checkMessage(order: Extract<TransactionOrder, { kind: 'message' }>, transaction: Transaction): Checked {
  const { by, personal, typedData } = order.message
  const told = transaction.message
  need(told !== null && told.by === by, 'content-missing')
  need((personal === undefined) !== (typedData === undefined), 'content-other')
  const document = typedData as TypedDocument | undefined
  const hash = document ? typedHash(document) : personalHash(personal ?? '0x')
  need(same(told.hash, hash), 'content-other')
  const { chainId, address } = transaction
  const nested = () =>
    document ? nestedTypedHash(document, chainId, address) : nestedPersonalHash(personal ?? '0x', chainId, address)
  const digest = by === 'phrase' ? hash : nested()
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings: [], action: null, maxCost: 0n }
}

/** A transaction of a key of the phrase: of the key that was shown, and the call that was ordered. */
function checkEoa(order: Extract<TransactionOrder, { kind: 'eoa' }>, transaction: Transaction, place: Place): Checked {
  const { eoa: tx } = transaction
  need(tx !== null, 'content-missing')
  need(place.payer !== undefined && same(transaction.address, place.payer), 'account-other', transaction.address)
  need(isOrdered(order, tx), 'calls-other')
  need(transaction.payer === 'account', 'payer-other')
  const maxCost = eoaCost(tx)
  need(maxCost.toString() === transaction.maxCost, 'cost-other')
  need(BigInt(tx.value).toString() === transaction.value, 'value-other')
  const readings = [readCall({ to: tx.to.toLowerCase(), value: BigInt(tx.value), data: tx.data.toLowerCase() })]
  checkSummary(readings, transaction)
  const digest = eoaDigest(transaction.chainId, tx)
  need(same(digest, transaction.digest), 'digest-other')
  return { transaction, digest, readings, action: null, maxCost }
}

/** What may be signed. Throws TransactionRefused with the first difference. */
export function checkPrepared(order: TransactionOrder, transaction: Transaction, place: Place): Checked {
  const { wallet, chain } = place
  need(transaction.walletId === order.walletId && order.walletId === wallet.walletId, 'wallet-other')
  need(transaction.chainId === order.chainId && order.chainId === chain.chainId, 'chain-other')
  need(transaction.kind === order.kind, 'kind-other')
  // A key of the phrase has an address of its own.
  need(order.kind === 'eoa' || same(transaction.address, wallet.address), 'account-other', transaction.address)
  try {
    if (order.kind === 'eoa') return checkEoa(order, transaction, place)
    if (order.kind === 'finish') {
      // Nobody signs: whatever is brought on chain was signed when it began.
      need(transaction.digest === null && transaction.votesNeeded === 0, 'kind-other')
      return { transaction, digest: null, readings: [], action: null, maxCost: 0n }
    }
    if (order.kind === 'escape' || order.kind === 'recover') return checkBrought(order, transaction)
    if (order.kind === 'message') return checkMessage(order, transaction)
    const isPlain = order.kind === 'keys' || actionOf(order) !== null
    return isPlain ? checkAction(order, transaction, place) : checkOperation(order, transaction, place)
  } catch (error) {
    // Bytes that do not even decode are not what was ordered.
    if (
      error instanceof Malformed ||
      error instanceof DocumentMalformed ||
      error instanceof RangeError ||
      error instanceof SyntaxError ||
      error instanceof TypeError
    )
      throw new TransactionRefused('content-other', error.message)
    throw error
  }
}
