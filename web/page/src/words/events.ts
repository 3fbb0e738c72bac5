// SPDX-License-Identifier: Apache-2.0
// What happened to a person's account, in words; names as the audit log writes them. One without words of its own shows
// its name.
import type { ActivityEntry } from '../api/models'
import * as m from '../generated/words/messages.js'

const EVENTS: Record<string, () => string> = {
  UserRegistered: () => m.event_registered(),
  UserAuthenticated: () => m.event_logged_in(),
  WalletCreated: () => m.event_wallet_created(),
  WalletChanged: () => m.event_wallet_changed(),
  BiometricSetup: () => m.event_passkey(),
  SecurityViolation: () => m.event_violation(),
  RegistrationRepeated: () => m.event_repeated(),
  SessionRevoked: () => m.event_session_ended(),
  ProfileChanged: () => m.event_profile(),
  TransactionInitiated: () => m.event_prepared(),
  TransactionSigned: () => m.event_signed(),
  TransactionBroadcast: () => m.event_sent(),
  WalletUsed: () => m.event_used(),
  AccountDeployed: () => m.event_deployed(),
  AccountFrozen: () => m.event_frozen(),
  AccountUnfrozen: () => m.event_unfrozen(),
  ChangeQueued: () => m.event_queued(),
  ChangeConfirmed: () => m.event_confirmed(),
  ChangeCancelled: () => m.event_cancelled(),
  PasskeyAdded: () => m.event_passkey_added(),
  PasskeyRemoved: () => m.event_passkey_removed(),
  AddressDerived: () => m.event_address(),
  RulesChanged: () => m.event_rules(),
  GrantCreated: () => m.event_grant(),
  GrantRevoked: () => m.event_grant_revoked(),
  EscapeStarted: () => m.event_escape(),
  RecoveryStarted: () => m.event_recovery(),
  RecoveryFinished: () => m.event_recovered(),
  AccountMoved: () => m.event_moved(),
  PhraseExported: () => m.event_phrase(),
  MessageSigned: () => m.event_message(),
  PushSubscribed: () => m.event_push_on(),
  PushUnsubscribed: () => m.event_push_off(),
  DataExported: () => m.event_exported(),
  TransactionIncluded: () => m.event_included(),
  TransactionFailed: () => m.event_failed(),
  AppConnected: () => m.event_app_connected(),
  AppDisconnected: () => m.event_app_disconnected(),
  AppTokenIssued: () => m.event_app_token(),
  MultisigKept: () => m.event_shared_kept(),
  MultisigRenamed: () => m.event_shared_renamed(),
  MultisigForgotten: () => m.event_shared_forgotten(),
  WalletArrived: () => m.event_arrived(),
}
/** Every name that a person's log may tell (a test compares them with community/audit/api/events.hpp). */
export const KNOWN_EVENTS = Object.keys(EVENTS)

export const eventWords = ({ event }: Pick<ActivityEntry, 'event'>) => (EVENTS[event] ?? (() => event))()

const WARNINGS = new Set(['SecurityViolation', 'RegistrationRepeated', 'EscapeStarted', 'RecoveryStarted'])
export const isWarning = ({ event }: Pick<ActivityEntry, 'event'>) => WARNINGS.has(event)
