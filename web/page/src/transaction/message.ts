// SPDX-License-Identifier: Apache-2.0
// Messages that an application wants signed (EIP-191, EIP-712): read strictly, shown whole, and refused here already where
// the trusted core would refuse them.
import { checksummed, ZERO_WORD } from '../../../escape/src/core/bytes.mjs'
import { type ReadableText, readableText, textOfBytes } from './message-text'
import type { TransactionOrder } from './models'
import { DocumentMalformed, domainSeparator, type TypedDocument, typedHash } from './typed-data'

export type MessageOrder = Extract<TransactionOrder, { kind: 'message' }>
/** One of the two. */
export type MessageContent =
  | { readonly personal: string; readonly typedData?: undefined }
  | { readonly typedData: TypedDocument; readonly personal?: undefined }

/** Bytes of a personal message, and characters of a document as JSON: what the node takes. */
export const MOST_PERSONAL = 16_384
export const MOST_DOCUMENT = 32_768

const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,255}$/
const TYPE = /^[A-Za-z_$][A-Za-z0-9_$]{0,255}(?:\[\d{0,9}\])*$/

const DOMAIN_TYPES = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
}

type Members = Readonly<Record<string, unknown>>

function membersIn(value: unknown, place: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DocumentMalformed(place)
  return value as Members
}

function textIn(value: unknown, pattern: RegExp, place: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new DocumentMalformed(place)
  return value
}

function typesIn(value: unknown): TypedDocument['types'] {
  const entries = Object.entries(membersIn(value, 'types')).map(([name, list]) => {
    textIn(name, NAME, 'types')
    if (!Array.isArray(list)) throw new DocumentMalformed(name)
    const members = list.map((one) => {
      const member = membersIn(one, name)
      return { name: textIn(member.name, NAME, name), type: textIn(member.type, TYPE, name) }
    })
    if (new Set(members.map((member) => member.name)).size !== members.length) throw new DocumentMalformed(name)
    return [name, members] as const
  })
  return Object.fromEntries(entries)
}

/** A document of eth_signTypedData_v4 as text. What is in it besides is left out, so nobody signs it. Throws DocumentMalformed. */
export function readDocument(text: string): TypedDocument {
  if (text.length > MOST_DOCUMENT) throw new DocumentMalformed(`${MOST_DOCUMENT} characters at most`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new DocumentMalformed('JSON')
  }
  const given = membersIn(parsed, 'document')
  const types = typesIn(given.types)
  const primaryType = textIn(given.primaryType, NAME, 'primaryType')
  if (!Object.hasOwn(types, primaryType)) throw new DocumentMalformed('primaryType')
  for (const { name, type } of types.EIP712Domain ?? [])
    if (!Object.hasOwn(DOMAIN_TYPES, name) || DOMAIN_TYPES[name as keyof typeof DOMAIN_TYPES] !== type)
      throw new DocumentMalformed('EIP712Domain')
  const document = {
    types,
    primaryType,
    domain: membersIn(given.domain, 'domain'),
    message: membersIn(given.message, 'message'),
  }
  // Every value fits its type, and there is no other: what is shown is then what is hashed.
  typedHash(document)
  return document
}

/** What an account must have listed before it signs: zero stands for personal messages. */
export const separatorOf = ({ typedData }: MessageContent): string =>
  typedData ? domainSeparator(typedData) : ZERO_WORD

// --- what the trusted core would refuse -------------------------------------------------------------------------------

export type MessageFault = 'other-chain' | 'permit'

/** Types by which a token moves, or lets somebody move it, on the word of a signature (trusted/ethereum/account_message.hpp). */
function isPermit([name, members]: readonly [string, TypedDocument['types'][string]]): boolean {
  if (/^Permit/.test(name) || name === 'TransferWithAuthorization' || name === 'ReceiveWithAuthorization') return true
  const has = (...names: string[]) => members.some((member) => names.includes(member.name))
  return has('spender') && has('amount', 'value', 'allowed')
}

export const hasPermit = ({ typedData }: MessageContent) =>
  typedData !== undefined && Object.entries(typedData.types).some(isPermit)

/** Whether the message says on which chain it counts; a personal message never does. */
export const namesChain = ({ typedData }: MessageContent) =>
  typedData === undefined || Object.hasOwn(typedData.domain, 'chainId')

export function faultOf(content: MessageContent, by: 'account' | 'phrase', chainId: number): MessageFault | null {
  const chain = content.typedData?.domain.chainId
  // The document was hashed before, so that this is a number.
  if (chain !== undefined && BigInt(chain as string) !== BigInt(chainId)) return 'other-chain'
  return by === 'account' && hasPermit(content) ? 'permit' : null
}

// --- what a person reads ----------------------------------------------------------------------------------------------

export const textOf = ({ personal }: { readonly personal: string }): ReadableText | null => textOfBytes(personal)

export interface DocumentLine {
  /** Where it stands: `to[0].wallet`. */
  readonly path: string
  readonly type: string
  readonly value: ReadableText
}

const plain = (text: string): ReadableText => ({ pieces: [{ text }], count: text.length, hasHidden: false })

function leafText(type: string, value: unknown): string {
  if (type === 'address') return checksummed((value as string).toLowerCase())
  if (type.startsWith('bytes')) return (value as string).toLowerCase()
  if (type === 'bool') return `${value}`
  const text = `${value}`
  return text.startsWith('-') ? `-${BigInt(text.slice(1))}` : `${BigInt(text)}`
}

/** Every value of a struct, by its place. Values fit their types, as readDocument saw to. */
function linesOf(types: TypedDocument['types'], type: string, value: unknown, path: string): DocumentLine[] {
  if (type.endsWith(']')) {
    const inner = type.slice(0, type.lastIndexOf('['))
    const list = value as readonly unknown[]
    const isLeaf = !inner.endsWith(']') && inner !== 'string' && !Object.hasOwn(types, inner)
    // Numbers and addresses stand in one line: a list of thousands is read, or not, as one.
    if (isLeaf) return [{ path, type, value: plain(`[${list.map((one) => leafText(inner, one)).join(', ')}]`) }]
    if (list.length === 0) return [{ path, type, value: plain('[]') }]
    return list.flatMap((one, i) => linesOf(types, inner, one, `${path}[${i}]`))
  }
  if (Object.hasOwn(types, type)) {
    const members = types[type] as TypedDocument['types'][string]
    return members.flatMap((member) =>
      linesOf(types, member.type, (value as Members)[member.name], path ? `${path}.${member.name}` : member.name),
    )
  }
  if (type === 'string') return [{ path, type, value: readableText(value as string) }]
  return [{ path, type, value: plain(leafText(type, value)) }]
}

export const linesOfDocument = ({ types, primaryType, message }: TypedDocument): DocumentLine[] =>
  linesOf(types, primaryType, message, '')

export const linesOfDomain = ({ domain }: TypedDocument): DocumentLine[] =>
  Object.entries(DOMAIN_TYPES).flatMap(([name, type]) =>
    Object.hasOwn(domain, name) ? linesOf({}, type, domain[name], name) : [],
  )

// EIP-4361, the first line of a message by which somebody logs in.
const LOG_IN = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:\/\/)?(\S{1,255}) wants you to sign in with your Ethereum account:\n/

/** Where a personal message logs its signer in, as it says itself; null for other messages. */
export function logInOf({ personal }: MessageContent): string | null {
  if (personal === undefined) return null
  const text = textOfBytes(personal)
    ?.pieces.map((piece) => ('text' in piece ? piece.text : piece.mark))
    .join('')
  return LOG_IN.exec(text ?? '')?.[1] ?? null
}
