// SPDX-License-Identifier: Apache-2.0
// What a transaction does, who pays, what to look at twice and how it stands, in words.
import './transaction-failures'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import type { Chain } from '../api/models'
import * as m from '../generated/words/messages.js'
import type { Action } from '../transaction/actions'
import { amountOf } from '../transaction/amounts'
import { actionOfItem, changeIn } from '../transaction/keys'
import type {
  Asset,
  CallSummary,
  TokenFacts,
  Transaction,
  TransactionOrder,
  WaitingItem,
  WalletState,
  Warning,
} from '../transaction/models'
import type { Reading } from '../transaction/reading'
import { assetOf } from '../transaction/tokens'
import { type KeyNames, linesOfChange, linesOfKeysSummary, linesOfRules } from './keys'

export interface Line {
  readonly words: string
  /** Whose it is, where it may be somebody else's. */
  readonly from?: string
  /** What stands before the party; "to" when absent, nothing when empty. */
  readonly label?: string
  /** Whom it pays or allows, or which contract it is about. */
  readonly party?: string
  /** The token's contract, where it is about one. */
  readonly token?: string
}

interface Part {
  readonly meaning: string
  readonly to?: string | null
  readonly from?: string | undefined
  readonly counterparty?: string | undefined
  readonly amount?: bigint | string | undefined
  readonly tokenId?: string | undefined
  readonly selector?: string | null | undefined
  readonly dataSize?: number | undefined
  readonly item?: string | undefined
}

export const nativeOf = ({ currency }: Chain): Asset => ({ token: null, ...currency })

/** A token by its address: what the answer tells of it, else its address in whole units. */
function assetAt(address: string | null | undefined, chain: Chain, facts: readonly TokenFacts[]): Asset {
  if (!address) return nativeOf(chain)
  const found = facts.find((one) => one.address.toLowerCase() === address.toLowerCase())
  return assetOf(found ?? { address, symbol: null, decimals: null, standard: null })
}

const ITEMS: Record<string, () => string> = {
  unfreeze: m.does_unfreeze,
  changeKeys: m.does_change_keys,
  changeRules: m.does_change_rules,
  escape: m.does_escape,
  recover: m.does_recover,
  upgrade: m.does_upgrade,
}
export const itemWords = (kind: string) => (ITEMS[kind] ?? m.does_unreadable)()

function lineOf(part: Part, chain: Chain, facts: readonly TokenFacts[]): Line {
  const { meaning, to, counterparty, item } = part
  const money = (asset: Asset) =>
    part.tokenId === undefined ? amountOf(part.amount ?? 0n, asset) : `${asset.symbol} #${part.tokenId}`
  const token = () => money(assetAt(to, chain, facts))
  const native = () => money(nativeOf(chain))
  // People compare addresses by the case of their letters, too.
  const about = to ? { party: checksummed(to) } : {}
  const pays = counterparty ? { party: checksummed(counterparty) } : {}
  const out = part.from ? { from: checksummed(part.from) } : {}
  const of = to ? { token: checksummed(to) } : {}
  const selector = part.selector ?? '0x'
  switch (meaning) {
    case 'payment':
      return { words: m.does_payment({ amount: native() }), ...pays }
    case 'tokenTransfer':
      return { words: m.does_payment({ amount: token() }), ...pays, ...of }
    case 'tokenTransferFrom':
      return { words: m.does_payment({ amount: token() }), ...out, ...pays, ...of }
    case 'allowance':
      return { words: m.does_allowance({ amount: token() }), ...pays, ...of }
    case 'changeLimit':
      return { words: m.does_limit({ amount: token() }), ...of }
    case 'lowerLimit':
      return { words: m.does_lower_limit({ amount: token() }), ...of }
    case 'changeGasCap':
      return { words: m.does_gas_cap({ amount: native() }) }
    case 'lowerGasCap':
      return { words: m.does_lower_gas_cap({ amount: native() }) }
    case 'listDomain':
      return { words: m.does_list_domain() }
    case 'unlistDomain':
      return { words: m.does_unlist_domain() }
    case 'allowCall':
      return { words: m.does_allow_call({ selector }), ...about }
    case 'disallowCall':
      return { words: m.does_disallow_call({ selector }), ...about }
    case 'freeze':
      return { words: m.does_freeze() }
    case 'unfreeze':
      return { words: m.does_unfreeze() }
    case 'cancel':
      return { words: item && item in ITEMS ? `${m.does_cancel()}: ${itemWords(item)}` : m.does_cancel() }
    case 'finish':
      return { words: item && item in ITEMS ? `${m.does_finish()}: ${itemWords(item)}` : m.does_finish() }
    case 'message':
      return { words: m.does_message(), ...about }
    case 'phrase':
      return { words: m.does_phrase() }
    case 'exportPhrase':
      return { words: m.does_export_phrase() }
    case 'revokeGrant':
      return { words: m.does_revoke() }
    case 'createGrant':
      return { words: m.does_grant(), ...about }
    default:
      return { words: m.does_call({ selector, size: part.dataSize ?? 0 }), ...about }
  }
}

const queued = (line: Line): Line => ({ ...line, words: m.does_queue({ what: line.words }) })

const factsIn = (summary: readonly CallSummary[]) => summary.flatMap(({ token }) => (token ? [token] : []))

/** By what the page read out of the bytes that are signed; names and decimals of tokens are the node's word. */
export function linesOf(
  order: TransactionOrder,
  readings: readonly Reading[],
  summary: readonly CallSummary[],
  chain: Chain,
  known: readonly TokenFacts[] = [],
): Line[] {
  const facts = [...factsIn(summary), ...known]
  const isRead =
    order.kind === 'calls' ||
    order.kind === 'queue' ||
    order.kind === 'confirm' ||
    order.kind === 'replace' ||
    order.kind === 'eoa'
  if (isRead || order.kind === 'grant') {
    const lines = readings.map((reading, i) => {
      const tokenId = summary[i]?.amount === undefined ? summary[i]?.tokenId : undefined
      return lineOf({ ...reading, tokenId }, chain, facts)
    })
    return order.kind === 'queue' ? lines.map(queued) : lines
  }
  // A plain function is signed as it was ordered.
  const amount = order.kind === 'lowerLimit' ? order.perDay : order.kind === 'lowerGasCap' ? order.maxCost : undefined
  const to = order.kind === 'lowerLimit' ? order.token : order.kind === 'disallowCall' ? order.target : null
  const selector = order.kind === 'disallowCall' ? order.selector : undefined
  return [lineOf({ meaning: order.kind, to, amount, selector, item: summary[0]?.item }, chain, facts)]
}

/** Whose code will act for somebody by it (EIP-7702). */
export const linesOfCode = ({ eoa }: Transaction): Line[] =>
  (eoa?.authorizationList ?? []).map(({ address }) => ({
    words: m.does_code(),
    label: '',
    party: checksummed(address.toLowerCase()),
  }))

const OF_KEYS = new Set(['changeKeys', 'changeRules', 'escape', 'recover'])

/** By the node's words, of what is over or waits. */
export function linesOfSummary(kind: string, summary: readonly CallSummary[], chain: Chain): Line[] {
  const lines = summary.flatMap((one) =>
    OF_KEYS.has(one.meaning)
      ? [{ words: itemWords(one.meaning) }, ...linesOfKeysSummary(one)]
      : [lineOf(one, chain, factsIn(summary))],
  )
  return kind === 'queue' ? lines.map(queued) : lines
}

/** What a struct does to the keys or rules of an account with these passkeys. */
export function linesOfAction(
  action: Action,
  state: { readonly passkeys: readonly { readonly publicKey: string }[] },
  names: KeyNames,
): Line[] {
  const change = changeIn(action, state.passkeys)
  if (change) return linesOfChange(change, names)
  return action.name === 'ChangeRules' ? linesOfRules(action) : []
}

export function linesOfItem(item: WaitingItem, chain: Chain, state: WalletState, names: KeyNames): Line[] {
  const { kind, isReadable, summary } = item
  if (!isReadable) return [{ words: m.does_unreadable() }]
  if (kind === 'queued') return linesOfSummary('confirm', summary, chain)
  if (!OF_KEYS.has(kind)) return [{ words: itemWords(kind) }]
  // What changes keys is read here, and not believed from the node.
  const action = actionOfItem(item, chain.chainId, state.address)
  if (!action) return [{ words: m.does_unreadable() }]
  return [{ words: itemWords(kind) }, ...linesOfAction(action, state, names)]
}

const REASONS: Record<string, () => string> = {
  'not-asked': m.reason_not_asked,
  disabled: m.reason_disabled,
  'cost-over-limit': m.reason_cost,
  'sender-limit': m.reason_sender,
  'approvals-limit': m.reason_budget,
  'budget-exhausted': m.reason_budget,
}
export const reasonWords = (rule: string) => (REASONS[rule] ?? (() => m.reason_other({ rule })))()

export interface WarningWords {
  readonly title: string
  readonly next: string
  /** Worth more than a second look. */
  readonly isLoud: boolean
  readonly address?: string | undefined
}

type Say = (warning: Warning) => Omit<WarningWords, 'address'>
const quiet = (title: string, next: string) => ({ title, next, isLoud: false })
const loud = (title: string, next: string) => ({ title, next, isLoud: true })

const WARNINGS: Record<string, Say> = {
  'first-payment': () => quiet(m.warn_first(), m.warn_first_next()),
  'recipient-looks-like': ({ similar }) => loud(m.warn_like(), m.warn_like_next({ address: similar ?? '' })),
  'recipient-is-contract': () => quiet(m.warn_contract(), m.warn_contract_next()),
  'recipient-is-token': () => loud(m.warn_token(), m.warn_token_next()),
  'recipient-is-account': () => quiet(m.warn_account(), m.warn_account_next()),
  allowance: () => loud(m.warn_allowance(), m.warn_allowance_next()),
  'unlimited-allowance': () => loud(m.warn_unlimited(), m.warn_allowance_next()),
  'operator-approval': () => loud(m.warn_operator(), m.warn_allowance_next()),
  'unreadable-token-call': () => loud(m.warn_unreadable(), m.warn_other_next()),
  'somebody-elses': () => loud(m.warn_others(), m.warn_other_next()),
  'whole-balance': () => quiet(m.warn_whole(), m.warn_whole_next()),
  waits: () => quiet(m.warn_waits(), m.warn_waits_next()),
  'second-passkey-or-wait': () => quiet(m.warn_three_days(), m.warn_three_days_next()),
  'voids-what-waits': () => quiet(m.warn_voids(), m.warn_voids_next()),
  'moves-away': () => loud(m.warn_moves(), m.warn_moves_next()),
  'signs-without-touch': () => loud(m.warn_alone(), m.warn_alone_next()),
  'gives-code': () => loud(m.warn_code(), m.warn_other_next()),
  'permit-message': () => loud(m.warn_permit(), m.warn_other_next()),
  'unreadable-message': () => loud(m.warn_no_text(), m.warn_no_text_next()),
  'message-names-no-chain': () => loud(m.warn_no_chain(), m.warn_no_chain_next()),
  'phrase-leaves': () => loud(m.warn_phrase(), m.warn_phrase_next()),
}
export const KNOWN_WARNINGS = Object.keys(WARNINGS)

export function warningWords(warning: Warning): WarningWords {
  const say = WARNINGS[warning.rule] ?? (({ rule }: Warning) => loud(m.warn_other({ rule }), m.warn_other_next()))
  return { ...say(warning), address: warning.address }
}

export interface StateWords {
  readonly short: string
  readonly long: string
  readonly tone: 'wait' | 'good' | 'bad'
}

const STATES: Record<Transaction['state'], () => StateWords> = {
  prepared: () => ({ short: m.state_prepared(), long: '', tone: 'wait' }),
  signed: () => ({ short: m.state_submitted(), long: m.state_submitted_long(), tone: 'wait' }),
  submitted: () => ({ short: m.state_submitted(), long: m.state_submitted_long(), tone: 'wait' }),
  included: () => ({ short: m.state_included(), long: m.state_included_long(), tone: 'good' }),
  final: () => ({ short: m.state_final(), long: m.state_final_long(), tone: 'good' }),
  failed: () => ({ short: m.state_failed(), long: m.state_failed_long(), tone: 'bad' }),
  dropped: () => ({ short: m.state_dropped(), long: m.state_dropped_long(), tone: 'bad' }),
  replaced: () => ({ short: m.state_replaced(), long: m.state_replaced_long(), tone: 'bad' }),
  expired: () => ({ short: m.state_expired(), long: m.state_expired_long(), tone: 'bad' }),
  discarded: () => ({ short: m.state_expired(), long: m.state_expired_long(), tone: 'bad' }),
}
/** Kinds of which nothing comes on chain. */
export const OFF_CHAIN: ReadonlySet<Transaction['kind']> = new Set(['message', 'phrase', 'exportPhrase'])

export function stateWords({ kind, state, userOperation }: Transaction): StateWords {
  if (state === 'final' && OFF_CHAIN.has(kind))
    return { short: m.state_signed(), long: m.state_signed_long(), tone: 'good' }
  const words = STATES[state]()
  const isOnItsWay = state === 'signed' || state === 'submitted'
  // A freeze has one vote, what finishes an item none, and within a grant the node signs alone.
  const hasBothKeys = userOperation !== null && kind !== 'session'
  return isOnItsWay && !hasBothKeys ? { ...words, long: m.state_submitted_plain() } : words
}

const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

/** How long an item still waits, in the unit that says most. */
export function leftWords({ ageSeconds, delaySeconds, isReady }: WaitingItem): string {
  if (isReady) return m.waiting_ready()
  const left = Math.max(0, delaySeconds - ageSeconds)
  if (left > 2 * DAY_S) return m.waiting_left_days({ count: Math.ceil(left / DAY_S) })
  if (left > 2 * HOUR_S) return m.waiting_left_hours({ count: Math.ceil(left / HOUR_S) })
  return m.waiting_left_minutes({ count: Math.ceil(left / MINUTE_S) })
}

/** Number of the escape key among signers (spec/account.md, section 1). */
const ESCAPE_SIGNER = 8

/** Who can still stop an item, by who started it (spec/account.md, section 2). */
export function cancelWords({ kind, votes }: WaitingItem, state: WalletState): string {
  if (kind === 'queued') return m.cancel_queued()
  if (kind === 'recover') return m.cancel_recover()
  if (kind === 'upgrade') return m.cancel_upgrade()
  const guardians = state.guardianThreshold > 0
  if (votes.length > 1) return guardians ? m.cancel_guardians() : m.cancel_nobody()
  const [starter] = votes
  const name = state.passkeys.find(({ slot }) => slot === starter)?.name
  const who = starter === ESCAPE_SIGNER ? m.key_escape() : (name ?? m.key_unnamed())
  return guardians ? m.cancel_other_or_guardians({ who }) : m.cancel_other({ who })
}
