// SPDX-License-Identifier: Apache-2.0
// Digests of messages: EIP-191, EIP-712, and the form in which an account signs them (ERC-7739). Computed here, from what
// an application asked for, so that no node can have another message signed in its place.
import { concat, keccak, size, uint, utf8 } from '../../../escape/src/core/bytes.mjs'

export interface TypedDocument {
  readonly domain: Readonly<Record<string, unknown>>
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>
  readonly primaryType: string
  readonly message: Readonly<Record<string, unknown>>
}

/** A document that nobody could sign: a member or type is missing, or of another kind. */
export class DocumentMalformed extends Error {
  constructor(readonly place: string) {
    super(`typed data is malformed: ${place}`)
    this.name = 'DocumentMalformed'
  }
}

type Types = TypedDocument['types']
const WORD = 32
/** Deeper than the trusted core reads: 12. */
const DEEPEST = 16
const DOMAIN_MEMBERS = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
] as const
const NESTED = 'contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)'

const elementOf = (type: string) => type.replace(/(\[\d*\])+$/, '')

function membersOf(types: Types, name: string) {
  const members = Object.hasOwn(types, name) ? types[name] : undefined
  if (!Array.isArray(members)) throw new DocumentMalformed(name)
  return members as readonly { name: string; type: string }[]
}

/** Every struct that `from` is made of, itself among them. */
function reached(types: Types, from: string): string[] {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name) || !Object.hasOwn(types, name)) continue
    seen.add(name)
    for (const { type } of membersOf(types, name)) open.push(elementOf(type))
  }
  return [...seen]
}

const definition = (types: Types, name: string) =>
  `${name}(${membersOf(types, name)
    .map((member) => `${member.type} ${member.name}`)
    .join(',')})`

function typeText(types: Types, name: string): string {
  const others = reached(types, name)
    .filter((one) => one !== name)
    .sort()
  return [name, ...others].map((one) => definition(types, one)).join('')
}

function number(value: unknown, type: string, place: string): string {
  const bits = Number(/^u?int(\d+)$/.exec(type)?.[1] ?? 0)
  if (bits === 0 || bits > 256 || (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint'))
    throw new DocumentMalformed(place)
  // JSON had more digits than a number of JavaScript keeps: what would be hashed is not what was sent.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new DocumentMalformed(place)
  let parsed: bigint
  try {
    parsed = typeof value === 'string' && value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value)
  } catch {
    throw new DocumentMalformed(place)
  }
  const isSigned = type.startsWith('int')
  const least = isSigned ? -(1n << BigInt(bits - 1)) : 0n
  const most = isSigned ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  if (parsed < least || parsed > most) throw new DocumentMalformed(place)
  return uint(BigInt.asUintN(256, parsed))
}

function bytesOf(value: unknown, length: number | undefined, place: string): string {
  const isBytes = typeof value === 'string' && /^0x(?:[0-9a-fA-F]{2})*$/.test(value)
  if (!isBytes || (length !== undefined && size(value) !== length)) throw new DocumentMalformed(place)
  return value.toLowerCase()
}

/** The word that stands for a value in encodeData. */
function word(types: Types, type: string, value: unknown, place: string, depth: number): string {
  if (depth > DEEPEST) throw new DocumentMalformed(place)
  if (type.endsWith(']')) {
    const [, inner = '', length = ''] = /^(.*)\[(\d*)\]$/.exec(type) ?? []
    if (!Array.isArray(value) || (length !== '' && value.length !== Number(length))) throw new DocumentMalformed(place)
    return keccak(concat('0x', ...value.map((one, i) => word(types, inner, one, `${place}[${i}]`, depth + 1))))
  }
  if (Object.hasOwn(types, type)) return hashStruct(types, type, value, place, depth + 1)
  if (type === 'string') {
    if (typeof value !== 'string') throw new DocumentMalformed(place)
    return keccak(utf8(value))
  }
  if (type === 'bytes') return keccak(bytesOf(value, undefined, place))
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw new DocumentMalformed(place)
    return uint(value ? 1 : 0)
  }
  if (type === 'address') return concat(`0x${'00'.repeat(12)}`, bytesOf(value, 20, place))
  const fixed = Number(/^bytes(\d+)$/.exec(type)?.[1] ?? 0)
  if (fixed >= 1 && fixed <= WORD)
    return `0x${bytesOf(value, fixed, place)
      .slice(2)
      .padEnd(2 * WORD, '0')}`
  return number(value, type, place)
}

function hashStruct(types: Types, name: string, value: unknown, place: string, depth: number): string {
  const members = membersOf(types, name)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DocumentMalformed(place || name)
  const values = value as Record<string, unknown>
  // What the types do not name would be shown by some, and signed by nobody.
  const names = new Set(members.map((member) => member.name))
  for (const key of Object.keys(values)) if (!names.has(key)) throw new DocumentMalformed(`${place}.${key}`)
  const words = members.map((member) => {
    if (!Object.hasOwn(values, member.name)) throw new DocumentMalformed(`${place}.${member.name}`)
    return word(types, member.type, values[member.name], `${place}.${member.name}`, depth)
  })
  return keccak(concat(keccak(utf8(typeText(types, name))), ...words))
}

/** EIP-191, version 0x45. */
export const personalHash = (message: string): string =>
  keccak(concat(utf8(`\x19Ethereum Signed Message:\n${size(message)}`), message))

export function domainSeparator({ domain, types }: TypedDocument): string {
  const members = Object.hasOwn(types, 'EIP712Domain')
    ? membersOf(types, 'EIP712Domain')
    : DOMAIN_MEMBERS.filter(({ name }) => Object.hasOwn(domain, name))
  return hashStruct({ EIP712Domain: members }, 'EIP712Domain', domain, 'domain', 0)
}

const digestOf = (separator: string, struct: string) => keccak(concat('0x1901', separator, struct))

/** EIP-712: what an application verifies. Throws DocumentMalformed. */
export const typedHash = (document: TypedDocument): string =>
  digestOf(domainSeparator(document), hashStruct(document.types, document.primaryType, document.message, '', 0))

const accountWords = (chainId: number, account: string) => [
  keccak(utf8('CommunityAccount')),
  keccak(utf8('1')),
  uint(chainId),
  concat(`0x${'00'.repeat(12)}`, account.toLowerCase()),
]

/** What the account's keys sign for a personal message (ERC-7739, PersonalSign under the account's domain). */
export function nestedPersonalHash(message: string, chainId: number, account: string): string {
  const domain = keccak(utf8('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'))
  const separator = keccak(concat(domain, ...accountWords(chainId, account)))
  const struct = keccak(concat(keccak(utf8('PersonalSign(bytes prefixed)')), personalHash(message)))
  return digestOf(separator, struct)
}

/** What the account's keys sign for typed data (ERC-7739, TypedDataSign under the application's domain). */
export function nestedTypedHash(document: TypedDocument, chainId: number, account: string): string {
  const { types, primaryType, message } = document
  const all = reached(types, primaryType)
    .sort()
    .map((one) => definition(types, one))
    .join('')
  const type = keccak(utf8(`TypedDataSign(${primaryType} ${NESTED}${all}`))
  const contents = hashStruct(types, primaryType, message, '', 0)
  const struct = keccak(concat(type, contents, ...accountWords(chainId, account), uint(0)))
  return digestOf(domainSeparator(document), struct)
}
