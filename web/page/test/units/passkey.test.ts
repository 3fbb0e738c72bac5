// SPDX-License-Identifier: Apache-2.0
import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it, test } from 'vitest'
import { isSignedBy } from '../../src/account/passkey-proof'
import type { CreationOptions, RequestOptions } from '../../src/api/models'
import { fromBase64url, toBase64url } from '../../src/passkey/base64url'
import {
  assertionJson,
  creationOptions,
  pointOfSpki,
  registrationJson,
  requestOptions,
} from '../../src/passkey/ceremony'
import { failureOf, PasskeyFailure } from '../../src/passkey/failures'

const text = (words: string) => new TextEncoder().encode(words)

describe('base64url', () => {
  it('has the one form of RFC 4648, section 5', () => {
    for (const [plain, coded] of [
      ['', ''],
      ['f', 'Zg'],
      ['fo', 'Zm8'],
      ['foo', 'Zm9v'],
      ['foobar', 'Zm9vYmFy'],
    ] as const) {
      expect(toBase64url(text(plain))).toBe(coded)
      expect(new TextDecoder().decode(fromBase64url(coded))).toBe(plain)
    }
    expect(toBase64url(new Uint8Array([0xfb, 0xff, 0xbf]))).toBe('-_-_')
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(fromBase64url(toBase64url(all))).toEqual(all)
  })

  it('refuses every other form', () => {
    // Padding, the other alphabet, spaces, an impossible length, bits that no encoder leaves.
    for (const wrong of ['Zg==', 'a+b/', 'Zm 8', 'Z', 'Zh', 'Zm9', 'é'])
      expect(() => fromBase64url(wrong), wrong).toThrow(RangeError)
  })
})

const CREATION: CreationOptions = {
  rp: { id: 'localhost', name: 'Community Node' },
  user: { id: 'AQID', name: 'a@example.org', displayName: 'A' },
  challenge: 'BAUG',
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  timeout: 300_000,
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  attestation: 'none',
  excludeCredentials: [{ type: 'public-key', id: 'Bwg', transports: ['internal'] }],
  extensions: { credProps: true, prf: {} },
}

describe('options', () => {
  it('become what the browser takes, bytes as bytes', () => {
    const options = creationOptions(CREATION)
    expect(options.user.id).toEqual(new Uint8Array([1, 2, 3]))
    expect(options.challenge).toEqual(new Uint8Array([4, 5, 6]))
    expect(options.excludeCredentials).toEqual([
      { type: 'public-key', id: new Uint8Array([7, 8]), transports: ['internal'] },
    ])
    expect(options.authenticatorSelection).toEqual(CREATION.authenticatorSelection)
    expect(options.extensions).toEqual({ credProps: true, prf: {} })
    const request: RequestOptions = {
      challenge: 'BAUG',
      rpId: 'localhost',
      timeout: 1000,
      userVerification: 'required',
      allowCredentials: [{ type: 'public-key', id: 'Bwg' }],
    }
    expect(requestOptions(request)).toEqual({
      ...request,
      challenge: new Uint8Array([4, 5, 6]),
      allowCredentials: [{ type: 'public-key', id: new Uint8Array([7, 8]) }],
    })
  })

  it('refuse what is not base64url', () => {
    expect(() => creationOptions({ ...CREATION, challenge: 'BAU=' })).toThrow(RangeError)
  })
})

describe('answers', () => {
  const buffer = (...bytes: number[]) => new Uint8Array(bytes).buffer

  it('of a registration tell no bytes of extensions', () => {
    const credential = {
      id: 'AQ',
      rawId: buffer(1),
      response: {
        clientDataJSON: buffer(2),
        attestationObject: buffer(3),
        getTransports: () => ['internal', 'x'.repeat(33), ...Array.from({ length: 9 }, () => 'usb')],
      },
      getClientExtensionResults: () => ({
        credProps: { rk: true },
        prf: { enabled: true, results: { first: buffer(9, 9) } },
      }),
    } as unknown as PublicKeyCredential
    expect(registrationJson(credential)).toEqual({
      id: 'AQ',
      rawId: 'AQ',
      type: 'public-key',
      response: {
        clientDataJSON: 'Ag',
        attestationObject: 'Aw',
        transports: ['internal', ...Array.from({ length: 7 }, () => 'usb')],
      },
      clientExtensionResults: { credProps: { rk: true }, prf: { enabled: true } },
    })
  })

  it('of a log-in may have no user handle', () => {
    const response = { clientDataJSON: buffer(2), authenticatorData: buffer(3), signature: buffer(4) }
    const credential = (userHandle: ArrayBuffer | null) =>
      ({ id: 'AQ', rawId: buffer(1), response: { ...response, userHandle } }) as unknown as PublicKeyCredential
    expect(assertionJson(credential(buffer(5))).response.userHandle).toBe('BQ')
    expect(assertionJson(credential(null)).response.userHandle).toBeNull()
  })
})

test('a public key is the point at the end of its SubjectPublicKeyInfo', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const { x, y } = pointOfSpki(await crypto.subtle.exportKey('spki', pair.publicKey))
  expect(p256.Point.fromAffine({ x, y }).toBytes(false)).toEqual(raw)
  expect(() => pointOfSpki(null)).toThrow(PasskeyFailure)
  const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify'])
  const spki = await crypto.subtle.exportKey('spki', other.publicKey)
  expect(() => pointOfSpki(spki)).toThrow(PasskeyFailure)
})

test('failures of browsers have a kind each', () => {
  const kind = (name: string) => failureOf(new DOMException('', name)).kind
  expect(kind('NotAllowedError')).toBe('cancelled')
  expect(kind('InvalidStateError')).toBe('already-here')
  expect(kind('NotSupportedError')).toBe('not-possible')
  expect(kind('ConstraintError')).toBe('not-possible')
  expect(kind('SecurityError')).toBe('wrong-address')
  expect(kind('AbortError')).toBe('aborted')
  expect(kind('DataError')).toBe('unknown')
  const own = new PasskeyFailure('unsupported')
  expect(failureOf(own)).toBe(own)
})

describe('the proof that a passkey is here', () => {
  const secret = p256.utils.randomSecretKey()
  const point = p256.Point.fromBytes(p256.getPublicKey(secret)).toAffine()
  const challenge = crypto.getRandomValues(new Uint8Array(32))

  function signed({ type = 'webauthn.get', flags = 5, rpId = 'localhost', answered = challenge } = {}) {
    const clientDataJSON = text(
      JSON.stringify({ type, challenge: toBase64url(answered), origin: 'http://localhost:1', crossOrigin: false }),
    )
    const authenticatorData = new Uint8Array([...sha256(text(rpId)), flags, 0, 0, 0, 0])
    const message = new Uint8Array([...authenticatorData, ...sha256(clientDataJSON)])
    return { clientDataJSON, authenticatorData, signature: p256.sign(message, secret, { format: 'der', lowS: false }) }
  }
  const holds = (assertion: ReturnType<typeof signed>, key = point) =>
    isSignedBy(assertion, key, challenge, 'localhost')

  it('takes an assertion of this key over this challenge', () => {
    // About half of all signatures have a high s; both halves are good.
    for (let i = 0; i < 16; i++) expect(holds(signed())).toBe(true)
  })

  it('refuses everything else', () => {
    expect(holds(signed({ type: 'webauthn.create' }))).toBe(false)
    expect(holds(signed({ answered: new Uint8Array(32) }))).toBe(false)
    expect(holds(signed({ rpId: 'example.org' }))).toBe(false)
    // Touched, but not verified; verified, but not touched.
    expect(holds(signed({ flags: 1 }))).toBe(false)
    expect(holds(signed({ flags: 4 }))).toBe(false)
    const other = p256.Point.fromBytes(p256.getPublicKey(p256.utils.randomSecretKey())).toAffine()
    expect(holds(signed(), other)).toBe(false)
    expect(holds({ ...signed(), signature: new Uint8Array(8) })).toBe(false)
    const bent = signed()
    bent.authenticatorData[36] = 1
    expect(holds(bent)).toBe(false)
  })
})
