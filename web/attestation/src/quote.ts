// SPDX-License-Identifier: Apache-2.0
// QUOTE.json (spec/attestation.md, sections 1 to 3): a core's statement with the quotes of its body, as a node answers
// it. All byte strings are lower-case hexadecimal; numbers too, with all their digits.
import { type Bytes, fromHex, join, sha256 } from './bytes.js'
import { checkFormat, Members, readDocument, type Value } from './document.js'
import { Refused } from './refused.js'

export const QUOTE_FORMAT = 'community-attestation-1'
export const MAX_QUOTE_DOCUMENT = 16_384

export const BODIES = ['process', 'optee-qemu', 'optee-device'] as const
export const PROTECTIONS = ['none', 'emulated', 'hardware'] as const
export type Body = (typeof BODIES)[number]
export type Protection = (typeof PROTECTIONS)[number]

/** Which memory a quote measures. Only the application's binds keys: the normal world may ask for the other too. */
export type Kind = 'application' | 'system'

export interface Statement {
  readonly challenge: string
  readonly coreId: string
  /** secp256k1, x || y */
  readonly identityKey: string
  /** P-256, 4 || x || y */
  readonly hpkeKey: string
  readonly configurationDigest: string
  readonly epoch: string
  readonly recoveryCount: string
  readonly rootKeyVersion: string
  readonly body: Body
  readonly protection: Protection
}

export interface MeasurementQuote {
  readonly measurement: string
  readonly signature: string
}

export interface AttestationKey {
  /** RSA modulus and public exponent, big-endian. */
  readonly n: string
  readonly e: string
}

export interface Quotes {
  readonly key: AttestationKey
  readonly application: MeasurementQuote
  readonly system: MeasurementQuote
}

export interface QuoteDocument {
  readonly statement: Statement
  /** Null: the body has none, and says so. */
  readonly quotes: Quotes | null
}

// A key or signature of another size is refused for its size and not as malformed; RSA-4096 is the PTA's largest.
const MAX_RSA_BYTES = 512

function readStatement(value: Value): Statement {
  const members = new Members(value, 'statement', [
    'challenge',
    'coreId',
    'identityKey',
    'hpkeKey',
    'configurationDigest',
    'epoch',
    'recoveryCount',
    'rootKeyVersion',
    'body',
    'protection',
  ])
  return {
    challenge: members.fixed('challenge', 32),
    coreId: members.fixed('coreId', 16),
    identityKey: members.fixed('identityKey', 64),
    hpkeKey: members.fixed('hpkeKey', 65),
    configurationDigest: members.fixed('configurationDigest', 32),
    epoch: members.fixed('epoch', 8),
    recoveryCount: members.fixed('recoveryCount', 4),
    rootKeyVersion: members.fixed('rootKeyVersion', 4),
    body: members.word('body', BODIES),
    protection: members.word('protection', PROTECTIONS),
  }
}

function readKey(value: Value): AttestationKey {
  const members = new Members(value, 'attestationKey', ['n', 'e'])
  return { n: members.hex('n', 1, MAX_RSA_BYTES), e: members.fixed('e', 4) }
}

function readQuote(value: Value, kind: Kind): MeasurementQuote {
  const members = new Members(value, kind, ['measurement', 'signature'])
  return { measurement: members.fixed('measurement', 32), signature: members.hex('signature', 1, MAX_RSA_BYTES) }
}

/** Throws Refused with a document's refusal. Nothing is verified yet. */
export function parseQuote(text: string): QuoteDocument {
  const document = readDocument(text, MAX_QUOTE_DOCUMENT)
  checkFormat(document, QUOTE_FORMAT)
  const members = new Members(document, 'quote', ['format', 'statement', 'attestationKey', 'quotes'])
  members.text('format')
  const statement = readStatement(members.at('statement'))
  const key = members.at('attestationKey') === null ? null : readKey(members.at('attestationKey'))
  let both: Omit<Quotes, 'key'> | null = null
  if (members.at('quotes') !== null) {
    const quotes = new Members(members.at('quotes'), 'quotes', ['application', 'system'])
    both = {
      application: readQuote(quotes.at('application'), 'application'),
      system: readQuote(quotes.at('system'), 'system'),
    }
  }
  if (key !== null && both !== null) return { statement, quotes: { key, ...both } }
  if (key !== null || both !== null) throw new Refused('quotes_and_key_apart', key === null ? 'no key' : 'no quotes')
  return { statement, quotes: null }
}

const DOMAINS: Record<Kind, string> = {
  application: 'community attestation: application',
  system: 'community attestation: system',
}

/** The statement's 227 bytes. */
export function encodeStatement(statement: Statement): Bytes {
  return join(
    fromHex(statement.challenge),
    fromHex(statement.coreId),
    fromHex(statement.identityKey),
    fromHex(statement.hpkeKey),
    fromHex(statement.configurationDigest),
    fromHex(statement.epoch),
    fromHex(statement.recoveryCount),
    fromHex(statement.rootKeyVersion),
    Uint8Array.of(BODIES.indexOf(statement.body) + 1, PROTECTIONS.indexOf(statement.protection)),
  )
}

/** What the body quoted for a statement. */
export async function reportOf(kind: Kind, statement: Statement): Promise<Bytes> {
  return sha256(join(new TextEncoder().encode(DOMAINS[kind]), encodeStatement(statement)))
}
