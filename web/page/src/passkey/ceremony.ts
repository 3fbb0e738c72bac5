// SPDX-License-Identifier: Apache-2.0
// Making and using passkeys: the API's JSON to the browser's objects and back. Browsers of 2025 and later have both
// conversions (Web Authentication Level 3, sections 5.1.8 to 5.1.10); for others they are here.
import type { AssertionCredential, CreationOptions, RegistrationCredential, RequestOptions } from '../api/models'
import { fromBase64url, toBase64url } from './base64url'
import { failureOf, PasskeyFailure } from './failures'

export interface PasskeyPoint {
  readonly x: bigint
  readonly y: bigint
}

export interface MadePasskey {
  readonly credential: RegistrationCredential
  /** The public key as the browser tells it, not as any server does. */
  readonly point: PasskeyPoint
}

const ES256 = -7

export const canUsePasskeys = () => typeof globalThis.PublicKeyCredential === 'function' && isSecureContext

/** Whether the browser offers passkeys in a form's field by itself. */
export async function canOfferInField(): Promise<boolean> {
  if (!canUsePasskeys() || typeof PublicKeyCredential.isConditionalMediationAvailable !== 'function') return false
  return PublicKeyCredential.isConditionalMediationAvailable()
}

function descriptors(list: CreationOptions['excludeCredentials'] | RequestOptions['allowCredentials']) {
  return list.map(({ id, type, transports }) => ({
    id: fromBase64url(id),
    type,
    ...(transports ? { transports: transports as AuthenticatorTransport[] } : {}),
  }))
}

export function creationOptions(json: CreationOptions): PublicKeyCredentialCreationOptions {
  return {
    rp: { ...json.rp },
    user: { ...json.user, id: fromBase64url(json.user.id) },
    challenge: fromBase64url(json.challenge),
    pubKeyCredParams: json.pubKeyCredParams.map((one) => ({ ...one })),
    timeout: json.timeout,
    authenticatorSelection: { ...json.authenticatorSelection },
    attestation: json.attestation,
    excludeCredentials: descriptors(json.excludeCredentials),
    extensions: { ...json.extensions } as AuthenticationExtensionsClientInputs,
  }
}

export function requestOptions(json: RequestOptions): PublicKeyCredentialRequestOptions {
  return {
    challenge: fromBase64url(json.challenge),
    rpId: json.rpId,
    timeout: json.timeout,
    userVerification: json.userVerification,
    allowCredentials: descriptors(json.allowCredentials),
  }
}

// Results of extensions with bytes in them are secrets (prf) or of no use to the node: only these two are told.
function extensionResults(
  credential: PublicKeyCredential,
): NonNullable<RegistrationCredential['clientExtensionResults']> {
  const { credProps, prf } = credential.getClientExtensionResults() as {
    credProps?: { rk?: boolean }
    prf?: { enabled?: boolean }
  }
  const told = {
    ...(credProps?.rk === undefined ? {} : { credProps: { rk: credProps.rk } }),
    ...(prf?.enabled === undefined ? {} : { prf: { enabled: prf.enabled } }),
  }
  return told as NonNullable<RegistrationCredential['clientExtensionResults']>
}

export function registrationJson(credential: PublicKeyCredential): RegistrationCredential {
  const response = credential.response as AuthenticatorAttestationResponse
  return {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: 'public-key',
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
      transports: (response.getTransports?.() ?? []).filter((name) => name.length <= 32).slice(0, 8),
    },
    clientExtensionResults: extensionResults(credential),
  }
}

export function assertionJson(credential: PublicKeyCredential): AssertionCredential {
  const response = credential.response as AuthenticatorAssertionResponse
  return {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: 'public-key',
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      userHandle: response.userHandle ? toBase64url(response.userHandle) : null,
    },
    clientExtensionResults: {},
  }
}

/** x and y of a P-256 key's SubjectPublicKeyInfo (RFC 5480), whose last 65 bytes are the uncompressed point. */
export function pointOfSpki(spki: ArrayBuffer | null): PasskeyPoint {
  const bytes = new Uint8Array(spki ?? new ArrayBuffer(0))
  if (bytes.length !== 91 || bytes[26] !== 4) throw new PasskeyFailure('not-possible')
  const number = (from: number) =>
    BigInt(`0x${Array.from(bytes.subarray(from, from + 32), (byte) => byte.toString(16).padStart(2, '0')).join('')}`)
  return { x: number(27), y: number(59) }
}

/** Throws PasskeyFailure. */
export async function makePasskey(options: CreationOptions, signal?: AbortSignal): Promise<MadePasskey> {
  if (!canUsePasskeys()) throw new PasskeyFailure('unsupported')
  try {
    const made = await navigator.credentials.create({
      publicKey: creationOptions(options),
      ...(signal ? { signal } : {}),
    })
    if (!(made instanceof PublicKeyCredential)) throw new PasskeyFailure('unknown')
    const response = made.response as AuthenticatorAttestationResponse
    if (response.getPublicKeyAlgorithm() !== ES256) throw new PasskeyFailure('not-possible')
    return { credential: registrationJson(made), point: pointOfSpki(response.getPublicKey()) }
  } catch (error) {
    throw failureOf(error)
  }
}

export interface UseWishes {
  /** Offered in a form's field (conditional mediation) instead of in a dialog. */
  readonly inField?: boolean
  readonly signal?: AbortSignal
}

/** Throws PasskeyFailure. */
export async function usePasskey(options: RequestOptions, wishes: UseWishes = {}): Promise<PublicKeyCredential> {
  if (!canUsePasskeys()) throw new PasskeyFailure('unsupported')
  try {
    const used = await navigator.credentials.get({
      publicKey: requestOptions(options),
      ...(wishes.inField ? { mediation: 'conditional' as const } : {}),
      ...(wishes.signal ? { signal: wishes.signal } : {}),
    })
    if (!(used instanceof PublicKeyCredential)) throw new PasskeyFailure('unknown')
    return used
  } catch (error) {
    throw failureOf(error)
  }
}
