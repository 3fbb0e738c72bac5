// SPDX-License-Identifier: Apache-2.0
// Bytes are lower-case hex strings with 0x, as on the wire of JSON-RPC; numbers of Ethereum are bigint.
import { sha256 as sha256Of } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, hexToBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { Problem } from './problem.mjs'

export const ZERO_ADDRESS = '0x' + '00'.repeat(20)
export const ZERO_WORD = '0x' + '00'.repeat(32)

export const toBytes = (hex) => hexToBytes(hex.slice(2))
export const toHex = (bytes) => '0x' + bytesToHex(bytes)
export const concat = (...parts) => '0x' + parts.map((part) => part.slice(2)).join('')
export const size = (hex) => (hex.length - 2) / 2
export const slice = (hex, start, end) => '0x' + hex.slice(2 + 2 * start, end === undefined ? undefined : 2 + 2 * end)
export const keccak = (hex) => toHex(keccak_256(toBytes(hex)))
export const sha256 = (hex) => toHex(sha256Of(toBytes(hex)))
export const utf8 = (text) => toHex(utf8ToBytes(text))
export const random = (length) => toHex(randomBytes(length))

/** Whether `value` is hex with 0x, whole bytes, and of `length` bytes when that is given. */
export function isHex(value, length) {
  return (
    typeof value === 'string' &&
    /^0x(?:[0-9a-fA-F]{2})*$/.test(value) &&
    (length === undefined || size(value) === length)
  )
}

/** `value` as `length` bytes, big-endian. */
export function uint(value, length = 32) {
  const number = BigInt(value)
  if (number < 0n || number >> BigInt(8 * length)) throw new RangeError(`${number} does not fit ${length} bytes`)
  return '0x' + number.toString(16).padStart(2 * length, '0')
}

/** The shortest bytes of a number, as RLP and JSON-RPC quantities want them; zero is empty. */
export function compact(value) {
  const digits = BigInt(value).toString(16)
  return digits === '0' ? '0x' : '0x' + (digits.length % 2 ? '0' : '') + digits
}

export const quantity = (value) => '0x' + BigInt(value).toString(16)
export const number = (hex) => (hex === '0x' ? 0n : BigInt(hex))

export function base64url(hex) {
  const text = btoa(String.fromCharCode(...toBytes(hex)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** EIP-55. */
export function checksummed(address) {
  const digits = address.slice(2).toLowerCase()
  const hash = keccak(utf8(digits)).slice(2)
  return '0x' + [...digits].map((digit, i) => (hash[i] >= '8' ? digit.toUpperCase() : digit)).join('')
}

/** An address that a person typed: all in one case, or with a right checksum (EIP-55). Answers lower case. */
export function parseAddress(text) {
  const value = text.trim()
  if (!isHex(value, 20)) throw new Problem('address_malformed')
  const digits = value.slice(2)
  const oneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase()
  if (!oneCase && checksummed(value) !== value) throw new Problem('address_checksum')
  return value.toLowerCase()
}

/** A decimal number that a person typed, in smallest units. */
export function parseAmount(text, decimals) {
  const match = /^(\d{1,60})(?:[.,](\d{1,60}))?$/.exec(text.trim())
  if (!match || (match[2] ?? '').length > decimals) throw new Problem('amount_malformed', { decimals })
  return BigInt(match[1] + (match[2] ?? '').padEnd(decimals, '0'))
}

/** Smallest units as a decimal number without needless zeros. */
export function formatAmount(amount, decimals) {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const rest = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return rest ? `${whole}.${rest}` : whole
}
