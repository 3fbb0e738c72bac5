// SPDX-License-Identifier: Apache-2.0
// The contract ABI, as far as types of these contracts go: uintN, address, bool, bytesN, bytes, string, tuples, lists.
// A type is its Solidity text, `(uint32,uint256)[]`; tuples and lists are arrays. Decoding is bounded and strict.
import { ZERO_WORD, concat, isHex, keccak, size, slice, toBytes, uint, utf8 } from './bytes.mjs'

/** More elements than any list of these contracts has. */
const MAX_LIST = 4096

export class Malformed extends Error {}

const parsed = new Map()

/** The parts of `(a,(b,c),d[])`, split at the outermost commas. */
function splitTuple(text) {
  const parts = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')') depth--
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  return text === '' ? [] : [...parts, text.slice(start)]
}

function parse(text) {
  if (parsed.has(text)) return parsed.get(text)
  let type
  if (text.endsWith('[]')) {
    type = { kind: 'list', of: parse(text.slice(0, -2)), dynamic: true, words: 1 }
  } else if (text.startsWith('(')) {
    const parts = splitTuple(text.slice(1, -1)).map(parse)
    const dynamic = parts.some((part) => part.dynamic)
    type = { kind: 'tuple', parts, dynamic, words: dynamic ? 1 : parts.reduce((sum, part) => sum + part.words, 0) }
  } else if (text === 'bytes' || text === 'string') {
    type = { kind: text, dynamic: true, words: 1 }
  } else {
    const [, kind, length] = /^(uint|bytes|address|bool)(\d*)$/.exec(text) ?? []
    if (!kind) throw new Error(`unknown type ${text}`)
    const bytes = kind === 'uint' ? Number(length) / 8 : kind === 'bytes' ? Number(length) : kind === 'address' ? 20 : 1
    type = { kind: kind === 'bytes' ? 'fixed' : kind, bytes, dynamic: false, words: 1 }
  }
  parsed.set(text, type)
  return type
}

const padded = (hex) => concat(hex, '0x' + '00'.repeat((32 - (size(hex) % 32)) % 32))

function encodeOne(type, value) {
  switch (type.kind) {
    case 'uint':
      uint(value, type.bytes)
      return uint(value)
    case 'bool':
      return uint(value ? 1 : 0)
    case 'address':
      if (!isHex(value, 20)) throw new Error(`no address: ${value}`)
      return concat('0x' + '00'.repeat(12), value.toLowerCase())
    case 'fixed':
      if (!isHex(value, type.bytes)) throw new Error(`not ${type.bytes} bytes: ${value}`)
      return padded(value.toLowerCase())
    case 'bytes':
      return concat(uint(size(value)), padded(value.toLowerCase()))
    case 'string':
      return encodeOne(parse('bytes'), utf8(value))
    case 'list':
      return concat(
        uint(value.length),
        encodeParts(
          value.map(() => type.of),
          value,
        ),
      )
    default:
      return encodeParts(type.parts, value)
  }
}

function encodeParts(types, values) {
  if (types.length !== values.length) throw new Error(`${values.length} values for ${types.length} types`)
  const heads = types.reduce((sum, type) => sum + 32 * type.words, 0)
  let head = '0x'
  let tail = '0x'
  types.forEach((type, i) => {
    const encoded = encodeOne(type, values[i])
    head = concat(head, type.dynamic ? uint(heads + size(tail)) : encoded)
    if (type.dynamic) tail = concat(tail, encoded)
  })
  return concat(head, tail)
}

/** `abi.encode` of `values`; `types` is the text of a tuple. */
export const encode = (types, values) => encodeParts(parse(types).parts, values)

function word(data, at) {
  if (at < 0 || at + 32 > size(data)) throw new Malformed('ends too early')
  return slice(data, at, at + 32)
}

function length(data, at) {
  const value = BigInt(word(data, at))
  if (value > BigInt(size(data))) throw new Malformed('a length or offset beyond the end')
  return Number(value)
}

function decodeOne(type, data, at) {
  switch (type.kind) {
    case 'uint':
    case 'bool':
    case 'address': {
      const value = BigInt(word(data, at))
      if (value >> BigInt(8 * type.bytes) || (type.kind === 'bool' && value > 1n)) throw new Malformed('dirty bits')
      if (type.kind === 'uint') return value
      return type.kind === 'bool' ? value === 1n : uint(value, 20)
    }
    case 'fixed': {
      const value = word(data, at)
      if (slice(value, type.bytes) !== slice(ZERO_WORD, type.bytes)) throw new Malformed('dirty bits')
      return slice(value, 0, type.bytes)
    }
    case 'bytes':
    case 'string': {
      const count = length(data, at)
      if (at + 32 + count > size(data)) throw new Malformed('ends too early')
      const value = slice(data, at + 32, at + 32 + count)
      return type.kind === 'bytes' ? value : new TextDecoder().decode(toBytes(value))
    }
    case 'list': {
      const count = length(data, at)
      if (count > MAX_LIST || 32 * count * type.of.words > size(data)) throw new Malformed('a list too long')
      return decodeParts(Array(count).fill(type.of), data, at + 32)
    }
    default:
      return decodeParts(type.parts, data, at)
  }
}

function decodeParts(types, data, base) {
  let at = base
  return types.map((type) => {
    const value = decodeOne(type, data, type.dynamic ? base + length(data, at) : at)
    at += 32 * type.words
    return value
  })
}

/** The values in `data`; throws `Malformed`. What stands behind them is not looked at. */
export const decode = (types, data) => decodeParts(parse(types).parts, data.toLowerCase(), 0)

const selectors = new Map()

/** The first four bytes of the hash of `freeze((uint32,uint256,uint48),(uint8,bytes)[])`. */
export function selector(signature) {
  if (!selectors.has(signature)) selectors.set(signature, slice(keccak(utf8(signature)), 0, 4))
  return selectors.get(signature)
}

export const argumentsOf = (signature) => signature.slice(signature.indexOf('('))
export const call = (signature, ...values) => concat(selector(signature), encode(argumentsOf(signature), values))
export const topic = (signature) => keccak(utf8(signature))

/** The values of a call of `signature`, or null when `data` is a call of something else. */
export function decodeCall(signature, data) {
  if (slice(data, 0, 4).toLowerCase() !== selector(signature)) return null
  return decode(argumentsOf(signature), slice(data, 4))
}
