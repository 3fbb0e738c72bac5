// SPDX-License-Identifier: Apache-2.0
// What a node keeps about a person, in plain words: the tables of GET /api/v1/me/privacy gathered under what people call
// them. A table that this page does not know is told under its own name, so that nothing is left out.
import type { KeyPlace, PrivacyOverview } from '../api/models'
import * as m from '../generated/words/messages.js'

export type PrivacyTable = PrivacyOverview['tables'][number]
type Kept = PrivacyTable['kept']
type OnLeaving = PrivacyTable['onLeaving']
type Protection = PrivacyTable['columns'][number]['protection']

interface TopicWords {
  readonly name: () => string
  readonly words: () => string
  readonly tables: readonly string[]
}

/** Each table of community/privacy/model.cpp stands in one of them (a test compares them). */
const TOPICS: readonly TopicWords[] = [
  { name: m.topic_profile, words: m.topic_profile_words, tables: ['users'] },
  { name: m.topic_passkeys, words: m.topic_passkeys_words, tables: ['biometric_profiles'] },
  { name: m.topic_sessions, words: m.topic_sessions_words, tables: ['sessions', 'known_devices'] },
  { name: m.topic_wallets, words: m.topic_wallets_words, tables: ['wallet_bindings', 'wallet_origins'] },
  {
    name: m.topic_money,
    words: m.topic_money_words,
    tables: [
      'transactions_entries',
      'transactions_recipients',
      'transactions_key_epochs',
      'transactions_cancelled',
      'transactions_funds',
      'transactions_grants',
    ],
  },
  {
    name: m.topic_arrivals,
    words: m.topic_arrivals_words,
    tables: ['arrivals_accounts', 'arrivals_imports', 'arrivals_entries'],
  },
  { name: m.topic_shared, words: m.topic_shared_words, tables: ['multisigs_kept'] },
  {
    name: m.topic_messages,
    words: m.topic_messages_words,
    tables: ['notifications_mails', 'notifications_notices', 'notifications_subscriptions'],
  },
  {
    name: m.nav_apps,
    words: m.topic_apps_words,
    tables: ['app_permissions', 'app_tokens', 'app_calls'],
  },
  { name: m.topic_log, words: m.topic_log_words, tables: ['audit_entries', 'audit_payloads'] },
  {
    name: m.topic_chain,
    words: m.topic_chain_words,
    tables: ['alarms_wallets', 'alarms_raised', 'alarms_freezes', 'accounts_watched', 'accounts_events'],
  },
  { name: m.topic_sealed, words: m.topic_sealed_words, tables: ['keys_records', 'keys_wallet_tags'] },
  { name: m.topic_under_way, words: m.topic_under_way_words, tables: ['registrations', 'wallet_intents'] },
]

export const KNOWN_TABLES = TOPICS.flatMap(({ tables }) => tables)

const KEPT: Record<Kept, () => string> = {
  'while-person-stays': m.kept_stay,
  'until-ended': m.kept_ended,
  'quarter-hour': m.kept_quarter,
  'until-sent': m.kept_sent,
  'while-wallet-is-made': m.kept_made,
}

const LEAVING: Record<OnLeaving, () => string> = {
  erased: m.leaving_erased,
  chained: m.leaving_chained,
  'sealed-record': m.leaving_sealed,
  'public-on-chain': m.leaving_public,
}

const WHO: Record<Protection, () => string> = {
  clear: m.who_clear,
  verifier: m.who_verifier,
  sealed: m.who_sealed,
}

const PLACES: Record<KeyPlace['livesIn'], () => string> = {
  device: m.place_device,
  'trusted-core': m.place_core,
  'recovery-file': m.place_file,
}

const KEYS: Record<KeyPlace['kind'], () => string> = {
  passkey: m.key_passkey,
  'server-key': m.key_server,
  'escape-key': m.key_escape,
}

export interface Topic {
  readonly name: string
  readonly words: string
  readonly entries: number
  readonly who: readonly string[]
  readonly kept: readonly string[]
  readonly leaving: readonly string[]
  readonly tables: readonly PrivacyTable[]
}

const distinct = <T>(values: readonly T[]) => [...new Set(values)]

function topicOf(name: string, words: string, tables: readonly PrivacyTable[]): Topic {
  // In the order of the rows above: everybody's first.
  const found = new Set(tables.flatMap(({ columns }) => columns.map(({ protection }) => protection)))
  const who = (Object.keys(WHO) as Protection[]).filter((protection) => found.has(protection))
  return {
    name,
    words,
    entries: tables.reduce((sum, { rows }) => sum + rows, 0),
    who: who.map((protection) => WHO[protection]()),
    kept: distinct(tables.map(({ kept }) => kept)).map((kept) => KEPT[kept]()),
    leaving: distinct(tables.map(({ onLeaving }) => onLeaving)).map((one) => LEAVING[one]()),
    tables,
  }
}

/** Everything of the overview, once. */
export function topicsOf({ tables }: PrivacyOverview): Topic[] {
  const topics = TOPICS.map(({ name, words, tables: own }) =>
    topicOf(
      name(),
      words(),
      tables.filter(({ table }) => own.includes(table)),
    ),
  )
  const rest = tables.filter(({ table }) => !KNOWN_TABLES.includes(table))
  return [...topics, topicOf(m.topic_other(), m.topic_other_words(), rest)].filter((topic) => topic.tables.length > 0)
}

export const markOf = (protection: Protection) =>
  protection === 'sealed' ? m.mark_sealed() : protection === 'verifier' ? m.mark_verifier() : ''

export const keyWords = ({ kind }: KeyPlace) => KEYS[kind]()
export const placeWords = ({ livesIn }: KeyPlace) => PLACES[livesIn]()
