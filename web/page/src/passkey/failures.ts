// SPDX-License-Identifier: Apache-2.0
// Why a passkey was not made or used. Browsers tell little on purpose; the page says what a person can do about it.

export type PasskeyFailureKind =
  /** This browser or device makes no passkeys, or the page is not served in a way that allows them. */
  | 'unsupported'
  /** Refused, cancelled or timed out: WebAuthn does not tell which. */
  | 'cancelled'
  /** The authenticator holds a passkey of this account already. */
  | 'already-here'
  /** No authenticator of this device does what is needed: a passkey that stays, with fingerprint, face or PIN. */
  | 'not-possible'
  /** The page's address and the node's relying party do not fit each other. */
  | 'wrong-address'
  /** Another question took its place, or the view was left. */
  | 'aborted'
  | 'unknown'

export class PasskeyFailure extends Error {
  constructor(
    readonly kind: PasskeyFailureKind,
    options?: ErrorOptions,
  ) {
    super(`passkey: ${kind}`, options)
    this.name = 'PasskeyFailure'
  }
}

// Web Authentication Level 3, sections 5.1.3 and 5.1.4.
const KINDS: Record<string, PasskeyFailureKind> = {
  NotAllowedError: 'cancelled',
  InvalidStateError: 'already-here',
  NotSupportedError: 'not-possible',
  ConstraintError: 'not-possible',
  SecurityError: 'wrong-address',
  AbortError: 'aborted',
}

export function failureOf(error: unknown): PasskeyFailure {
  if (error instanceof PasskeyFailure) return error
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  return new PasskeyFailure(KINDS[name] ?? 'unknown', { cause: error })
}
