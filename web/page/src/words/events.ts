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
}

export const eventWords = ({ event }: ActivityEntry) => (EVENTS[event] ?? (() => event))()
export const isWarning = ({ event }: ActivityEntry) => event === 'SecurityViolation' || event === 'RegistrationRepeated'
