// SPDX-License-Identifier: Apache-2.0
// From an order to what became of it: prepared by the node, checked here, signed by a touch, followed until it is over.
import { call } from '../api/client'
import { Problem } from '../api/problem'
import { toBase64url } from '../passkey/base64url'
import { assertionJson, usePasskey } from '../passkey/ceremony'
import type { Live } from '../state/live.svelte'
import { type Checked, checkPrepared, type Place } from './check'
import type { Transaction, TransactionOrder } from './models'
import { checkReplacement } from './replacement'

const TOUCH_MS = 120_000
const OVER = new Set(['final', 'failed', 'dropped', 'replaced', 'expired', 'discarded'])

export const isOver = ({ state }: Transaction) => OVER.has(state)
export const isInBlock = ({ state }: Transaction) => state === 'included' || state === 'final'

const transactionAt = (transactionId: string): Promise<Transaction> =>
  call('get', '/api/v1/transactions/{transactionId}', { path: { transactionId } })

/** So often is it asked whether the account is on chain; with the node's pause between two of them, some minutes. */
const MOST_TRIES = 100
const USUAL_PAUSE_S = 2

export interface Waiting {
  signal: AbortSignal
  /** The account comes on chain with another transaction; this one is prepared behind that. */
  hear: () => void
}

async function prepareBehind(order: TransactionOrder, { signal, hear }: Waiting): Promise<Transaction> {
  for (let tries = 1; ; tries++) {
    try {
      return await call('post', '/api/v1/transactions', { body: order })
    } catch (error) {
      if (!Problem.is(error, 'account-deploying') || tries === MOST_TRIES) throw error
      hear()
      await pause((error.details.retryAfterSeconds ?? USUAL_PAUSE_S) * 1_000, signal)
      if (signal.aborted) throw error
    }
  }
}

/** Throws Problem, and TransactionRefused for an answer that is not what was ordered; that one is taken back. */
export async function prepare(order: TransactionOrder, place: Place, waiting: Waiting): Promise<Checked> {
  const before = order.kind === 'replace' ? await transactionAt(order.transactionId) : null
  const transaction = await prepareBehind(order, waiting)
  try {
    return before ? checkReplacement(before, transaction, place) : checkPrepared(order, transaction, place)
  } catch (error) {
    await discard(transaction)
    throw error
  }
}

/** Takes back what was not signed. It ends by itself after some minutes, so a failure is none. */
export async function discard({ transactionId }: Transaction): Promise<void> {
  try {
    await call('delete', '/api/v1/transactions/{transactionId}', { path: { transactionId } })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
  }
}

/** Has the node give up what waits to be brought into a block. Throws Problem. */
export async function giveUp({ transactionId }: Transaction): Promise<void> {
  await call('delete', '/api/v1/transactions/{transactionId}', { path: { transactionId } })
}

/** What became of it, and whose signature that was: the id of its credential. */
export interface Signed {
  readonly transaction: Transaction
  readonly credentialId: string
}

/** Whose touch counts now: who has voted has no second vote. */
export const whoMaySign = ({ allowCredentials }: Transaction, voted: ReadonlySet<string>) =>
  allowCredentials.filter(({ id }) => !voted.has(id))

/**
 * The person's touch over the digest that was computed here, then the node's part. Where two votes are needed the answer
 * to the first is still `prepared`; `voted` are the credentials that gave one. Throws PasskeyFailure and Problem.
 */
export async function sign(
  { transaction, digest }: Checked,
  rpId: string,
  signal?: AbortSignal,
  voted: ReadonlySet<string> = new Set(),
): Promise<Signed> {
  if (digest === null) throw new TypeError('nobody signs this')
  const challenge = Uint8Array.from(digest.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const used = await usePasskey(
    {
      challenge: toBase64url(challenge),
      rpId,
      timeout: TOUCH_MS,
      userVerification: 'required',
      allowCredentials: whoMaySign(transaction, voted),
    },
    signal ? { signal } : {},
  )
  const { transactionId } = transaction
  const answer = await call('post', '/api/v1/transactions/{transactionId}/signature', {
    path: { transactionId },
    body: { credential: assertionJson(used), digest },
  })
  return { transaction: answer, credentialId: used.id }
}

/** The recovery file's vote over the digest that was computed here; never alone. Throws Problem. */
export async function signWithFile({ transaction, digest }: Checked, escapeSignature: string): Promise<Transaction> {
  if (digest === null) throw new TypeError('nobody signs this')
  return call('post', '/api/v1/transactions/{transactionId}/signature', {
    path: { transactionId: transaction.transactionId },
    body: { digest, escapeSignature },
  })
}

/** Brings on chain what nobody signs. Throws Problem. */
export async function broadcast({ transaction }: Checked): Promise<Transaction> {
  const { transactionId } = transaction
  return call('post', '/api/v1/transactions/{transactionId}/broadcast', { path: { transactionId }, body: {} })
}

const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 10_000

/** While news come by themselves, asking is only for those that were lost. */
const PAUSE_WITH_NEWS_MS = 15_000

/** Ends early when `wake` is given what ends it. */
function pause(ms: number, signal: AbortSignal, wake: (end: () => void) => void = () => undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    wake(end)
  })
}

/**
 * Asks again when news of it come, and ever more rarely where none do, until it is over or `signal` ends it; a change of
 * state begins anew. A node that is away for a while is asked on; `fail` hears of it.
 */
export async function follow(
  transactionId: string,
  hear: (transaction: Transaction) => void,
  fail: (error: unknown) => void,
  signal: AbortSignal,
  live: Pick<Live, 'hear' | 'isOpen'>,
): Promise<void> {
  let wait = FIRST_PAUSE_MS
  let last = ''
  // News may come while an older answer is on its way.
  let hasNews = false
  let wake = () => undefined as unknown
  const stop = live.hear((news) => {
    if (news.name !== 'reread' && news.transactionId !== transactionId) return
    hasNews = true
    wake()
  })
  signal.addEventListener('abort', stop)
  while (!signal.aborted) {
    hasNews = false
    try {
      const path = { transactionId }
      const transaction = await call('get', '/api/v1/transactions/{transactionId}', { path, signal })
      hear(transaction)
      if (isOver(transaction)) break
      wait = transaction.state === last ? Math.min(wait * 1.6, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
      last = transaction.state
    } catch (error) {
      if (signal.aborted) break
      fail(error)
      if (Problem.is(error, 'not-found') || Problem.is(error, 'not-logged-in')) break
      wait = LONGEST_PAUSE_MS
    }
    if (!hasNews)
      await pause(live.isOpen ? PAUSE_WITH_NEWS_MS : wait, signal, (end) => {
        wake = end
      })
  }
  stop()
}

const MOST_LOOKS = 40

/** Looks until the balance is another one: of funds that a development chain gives. Gives up in silence. */
export async function awaitBalance(look: () => Promise<{ readonly balance: string }>, before: bigint): Promise<void> {
  let wait = FIRST_PAUSE_MS
  for (let i = 0; i < MOST_LOOKS; i++) {
    if (BigInt((await look()).balance) !== before) return
    await pause(wait, new AbortController().signal)
    wait = Math.min(wait * 1.3, 2_000)
  }
}

/** Waits until it is in a block; false when it ended otherwise. A node that is away is asked on. */
export async function untilInBlock(
  { transactionId }: Transaction,
  live: Parameters<typeof follow>[4],
): Promise<boolean> {
  const enough = new AbortController()
  let isThere = false
  const hear = (heard: Transaction) => {
    isThere = isInBlock(heard)
    if (isThere) enough.abort()
  }
  await follow(transactionId, hear, () => undefined, enough.signal, live)
  return isThere
}
