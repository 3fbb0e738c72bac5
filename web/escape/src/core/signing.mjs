// SPDX-License-Identifier: Apache-2.0
// Keys and what they sign: secp256k1 (escape, server and paying key) and a P-256 passkey kept in software.
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { base64url, concat, keccak, sha256, slice, toBytes, toHex, uint, utf8 } from './bytes.mjs'
import { Problem } from './problem.mjs'

const NO_PREHASH = { prehash: false, lowS: true }

export const newKey = () => toHex(secp256k1.utils.randomSecretKey())
export const newPasskeySecret = () => toHex(p256.utils.randomSecretKey())

/** Refuses zero and numbers at or above the order. */
export function isSecret(curve, hex) {
  return { secp256k1, p256 }[curve].utils.isValidSecretKey(toBytes(hex))
}

/** Address of a secp256k1 key: the last 20 bytes of keccak256 of its point. */
export function addressOf(secret) {
  return slice(keccak(toHex(secp256k1.getPublicKey(toBytes(secret), false).slice(1))), 12)
}

/** r, s (low) and the parity of the nonce's point. */
export function signHash(secret, hash) {
  const bytes = secp256k1.sign(toBytes(hash), toBytes(secret), { ...NO_PREHASH, format: 'recovered' })
  return { parity: bytes[0], r: toHex(bytes.slice(1, 33)), s: toHex(bytes.slice(33)) }
}

/** `r || s || v` with v 27 or 28 (spec/account.md, section 1). */
export function keySignature(secret, hash) {
  const { parity, r, s } = signHash(secret, hash)
  return concat(r, s, uint(27 + parity, 1))
}

/** Whether the point is on P-256 with reduced coordinates. */
export function isOnCurve(x, y) {
  try {
    p256.Point.fromAffine({ x, y }).assertValidity()
    return true
  } catch {
    return false
  }
}

export const rpIdHash = (rpId) => sha256(utf8(rpId))

/** Public side of a software passkey, as the ABI has it. */
export function passkeyOf(secret, rpId) {
  const point = p256.getPublicKey(toBytes(secret), false)
  return [BigInt(toHex(point.slice(1, 33))), BigInt(toHex(point.slice(33))), rpIdHash(rpId)]
}

/**
 * An assertion by a software passkey: `r || s || n || authenticator data || client data tail` (spec/wire-formats.md,
 * section 1). Its flags say present and verified, because whoever runs this page is.
 */
export function passkeySignature(secret, rpId, challenge) {
  const authenticatorData = concat(rpIdHash(rpId), '0x05', '0x00000000')
  const tail = utf8(`","origin":"https://${rpId}","crossOrigin":false}`)
  const clientData = concat(utf8('{"type":"webauthn.get","challenge":"' + base64url(challenge)), tail)
  const message = sha256(concat(authenticatorData, sha256(clientData)))
  const rs = toHex(p256.sign(toBytes(message), toBytes(secret), { ...NO_PREHASH, format: 'compact' }))
  return concat(rs, uint(37, 2), authenticatorData, tail)
}

/** Kind `dual`: a passkey in `slot` and the server key over one operation hash, on `day` (0 when a paymaster pays). */
export function dualSignature({ passkeySecret, rpId, slot, serverSecret, hash, day }) {
  return concat(
    '0x01',
    uint(slot, 1),
    uint(day, 4),
    keySignature(serverSecret, hash),
    passkeySignature(passkeySecret, rpId, hash),
  )
}

/** A secp256k1 key that a person typed, with or without 0x. */
export function parseSecret(text) {
  const digits = text.trim().replace(/^0x/i, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new Problem('secret_malformed')
  const secret = '0x' + digits.toLowerCase()
  if (!isSecret('secp256k1', secret)) throw new Problem('secret_malformed')
  return secret
}
