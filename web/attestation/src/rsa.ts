// SPDX-License-Identifier: Apache-2.0
// RSASSA-PSS (RFC 8017, section 8.1.2) by WebCrypto, and the name of a key.
import { type Bytes, fromHex, join, sha256, toHex } from './bytes.js'
import type { AttestationKey } from './quote.js'

const SALT_BYTES = 32

// One element of DER (X.690, section 8.1): tag, definite length, contents.
function der(tag: number, contents: Uint8Array): Bytes {
  const size = contents.length
  if (size >= 0x100) return join(Uint8Array.of(tag, 0x82, size >> 8, size & 0xff), contents)
  if (size >= 0x80) return join(Uint8Array.of(tag, 0x81, size), contents)
  return join(Uint8Array.of(tag, size), contents)
}

// A positive INTEGER: without leading zeros but the one that keeps the sign.
function derInteger(hex: string): Bytes {
  const number = fromHex(hex.replace(/^(?:00)+(?=..)/, ''))
  return der(0x02, (number[0] ?? 0x80) & 0x80 ? join(Uint8Array.of(0), number) : number)
}

// AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279, section 2.3.1).
const RSA_ENCRYPTION = fromHex('300d06092a864886f70d0101010500')

/** SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
function publicKeyInfo(key: AttestationKey): Bytes {
  const rsa = der(0x30, join(derInteger(key.n), derInteger(key.e)))
  return der(0x30, join(RSA_ENCRYPTION, der(0x03, join(Uint8Array.of(0), rsa))))
}

/** SHA-256 of the key's SubjectPublicKeyInfo in DER. */
export async function fingerprint(key: AttestationKey): Promise<string> {
  return toHex(await sha256(publicKeyInfo(key)))
}

/** Whether `signature` is the key's over `message`, with SHA-256, MGF1-SHA-256 and a salt of exactly 32 bytes. */
export async function verifyRsaPss(key: AttestationKey, message: Bytes, signature: Bytes): Promise<boolean> {
  let imported: CryptoKey
  try {
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' }
    imported = await crypto.subtle.importKey('spki', publicKeyInfo(key), algorithm, false, ['verify'])
  } catch {
    // Not a key that this browser takes, so nothing is signed with it.
    return false
  }
  return crypto.subtle.verify({ name: 'RSA-PSS', saltLength: SALT_BYTES }, imported, signature, message)
}
