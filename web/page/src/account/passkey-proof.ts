// SPDX-License-Identifier: Apache-2.0
// Whether the passkey in an account's init data is on this device: it signs a challenge of this page, which nobody else
// sees, and the signature is verified here. For wallets made later, when the page no longer has the registration.
import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { toBase64url } from '../passkey/base64url'
import { type PasskeyPoint, usePasskey } from '../passkey/ceremony'
import { AccountRefused } from './origin-check'

const FLAGS_AT = 32
const USER_PRESENT = 1
const USER_VERIFIED = 4

export interface Assertion {
  readonly clientDataJSON: Uint8Array
  readonly authenticatorData: Uint8Array
  /** ASN.1 DER, as authenticators sign. */
  readonly signature: Uint8Array
}

/** Web Authentication Level 3, section 7.2, steps 12 to 24, for a challenge that this page made. */
export function isSignedBy(assertion: Assertion, point: PasskeyPoint, challenge: Uint8Array, rpId: string): boolean {
  const client = JSON.parse(new TextDecoder().decode(assertion.clientDataJSON)) as Record<string, unknown>
  if (client.type !== 'webauthn.get' || client.challenge !== toBase64url(challenge)) return false
  const { authenticatorData } = assertion
  const flags = authenticatorData[FLAGS_AT] ?? 0
  if ((flags & USER_PRESENT) === 0 || (flags & USER_VERIFIED) === 0) return false
  const digest = sha256(new TextEncoder().encode(rpId))
  if (!digest.every((byte, i) => byte === authenticatorData[i])) return false
  const message = new Uint8Array([...authenticatorData, ...sha256(assertion.clientDataJSON)])
  try {
    const key = p256.Point.fromAffine(point).toBytes(false)
    return p256.verify(assertion.signature, message, key, { format: 'der', lowS: false })
  } catch {
    return false
  }
}

/**
 * The touch of any passkey of this node, or of the one with `credentialId`. Throws PasskeyFailure when the touch fails,
 * AccountRefused when another passkey answers.
 */
export async function provePasskey(point: PasskeyPoint, rpId: string, credentialId?: string): Promise<void> {
  const challenge = crypto.getRandomValues(new Uint8Array(32))
  const used = await usePasskey({
    challenge: toBase64url(challenge),
    rpId,
    timeout: 120_000,
    userVerification: 'required',
    allowCredentials: credentialId === undefined ? [] : [{ type: 'public-key', id: credentialId }],
  })
  const response = used.response as AuthenticatorAssertionResponse
  const assertion = {
    clientDataJSON: new Uint8Array(response.clientDataJSON),
    authenticatorData: new Uint8Array(response.authenticatorData),
    signature: new Uint8Array(response.signature),
  }
  if (!isSignedBy(assertion, point, challenge, rpId)) throw new AccountRefused('passkey-other')
}
