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
}

export const eventWords = ({ event }: ActivityEntry) => (EVENTS[event] ?? (() => event))()
export const isWarning = ({ event }: ActivityEntry) => event === 'SecurityViolation' || event === 'RegistrationRepeated'
