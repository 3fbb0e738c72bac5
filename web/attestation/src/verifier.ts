// SPDX-License-Identifier: Apache-2.0
// Three separate answers about a quote, and before them whether it is genuine (spec/attestation.md, section 6). Pure:
// nothing is fetched or kept here. Show a person the three answers; there is no fourth that sums them up.
import { fromHex, join, toHex } from './bytes.js'
import type { Manifest, Pin } from './manifest.js'
import { type Kind, parseQuote, type Protection, type QuoteDocument, reportOf, type Statement } from './quote.js'
import { type Refusal, Refused } from './refused.js'
import { fingerprint, verifyRsaPss } from './rsa.js'

/** RSA-3072: bytes of the modulus and of every signature. */
const KEY_BYTES = 384
const EXPONENT = '00010001'

/** A measurement against the manifest. */
export type Match =
  | 'matches'
  | 'differs'
  /** The manifest has no image of this body and protection. */
  | 'not_listed'
  | 'no_manifest'
  /** A software body has no quotes. */
  | 'not_measured'

/** Who stands behind the attestation key. */
export type Voucher =
  | 'pinned'
  /** In the manifest, and no pins were given. */
  | 'listed'
  | 'unknown'
  /** Pins were given and none is of this key. */
  | 'other_key_pinned'
  /** The key is pinned, for another core: it was provisioned anew. */
  | 'other_core'
  /** A software body has none. */
  | 'no_key'

export interface CodeAnswer {
  readonly application: Match
  readonly system: Match
}

export interface KeyAnswer {
  readonly voucher: Voucher
  /** Null for a software body. */
  readonly fingerprint: string | null
  /** When the client saw it first; null unless pinned. */
  readonly since: string | null
  /** In the manifest, whatever the pins say. */
  readonly listed: boolean
}

export interface MachineAnswer {
  readonly protection: Protection
  /**
   * The code that says it is the manifest's, and the key that says so is vouched for: anybody can make a key and sign
   * the right measurements with it.
   */
  readonly believed: boolean
}

export interface Genuine {
  readonly refusal: null
  readonly statement: Statement
  readonly code: CodeAnswer
  readonly key: KeyAnswer
  readonly machine: MachineAnswer
}

/** Not genuine: there are no answers. */
export interface NotGenuine {
  readonly refusal: Refusal
  readonly message: string
}

export type Verdict = Genuine | NotGenuine

// A process protects nothing, an emulator emulates; the code for boards also runs where the board is emulated.
const PROTECTIONS_OF: Record<Statement['body'], readonly Protection[]> = {
  process: ['none'],
  'optee-qemu': ['emulated'],
  'optee-device': ['emulated', 'hardware'],
}

async function signatureValid(document: QuoteDocument, kind: Kind): Promise<boolean> {
  const quotes = document.quotes
  if (quotes === null || quotes[kind].signature.length !== 2 * KEY_BYTES) return false
  const report = await reportOf(kind, document.statement)
  // What the PTA signs: SHA-256 over the nonce, which is the report, and the measurement.
  const message = join(report, fromHex(quotes[kind].measurement))
  return verifyRsaPss(quotes.key, message, fromHex(quotes[kind].signature))
}

async function checkQuotes(document: QuoteDocument): Promise<void> {
  const software = document.statement.body === 'process'
  const quotes = document.quotes
  if (quotes === null) {
    if (software) return
    throw new Refused('quotes_missing', `${document.statement.body} without quotes`)
  }
  if (software) throw new Refused('quotes_of_software_body', 'a process with quotes')
  // 3,072 bits exactly, and odd, as every product of two large primes is.
  if (quotes.key.n.length !== 2 * KEY_BYTES || !/^[89a-f].*[13579bdf]$/.test(quotes.key.n)) {
    throw new Refused('attestation_key_not_rsa_3072', `${quotes.key.n.length * 4} bits at most`)
  }
  if (quotes.key.e !== EXPONENT) throw new Refused('attestation_key_exponent', quotes.key.e)
  if (quotes.application.measurement === quotes.system.measurement) {
    throw new Refused('measurements_equal', 'the same for application and TEE core')
  }
  const words = 'not over this statement by this key as this kind'
  if (!(await signatureValid(document, 'application'))) throw new Refused('application_signature_invalid', words)
  if (!(await signatureValid(document, 'system'))) throw new Refused('system_signature_invalid', words)
}

// Both measurements are compared with one image: an application of one release on the core of another is neither.
function checkCode(document: QuoteDocument, manifest: Manifest | null): CodeAnswer {
  const quotes = document.quotes
  if (quotes === null) return { application: 'not_measured', system: 'not_measured' }
  if (manifest === null) return { application: 'no_manifest', system: 'no_manifest' }
  const { body, protection } = document.statement
  let best: CodeAnswer = { application: 'not_listed', system: 'not_listed' }
  let most = -1
  for (const image of manifest.images) {
    if (image.body !== body || image.protection !== protection) continue
    const application = image.application === quotes.application.measurement
    const system = image.system === quotes.system.measurement
    const score = 2 * Number(application) + Number(system)
    if (score <= most) continue
    most = score
    best = { application: application ? 'matches' : 'differs', system: system ? 'matches' : 'differs' }
  }
  return best
}

async function checkKey(
  document: QuoteDocument,
  manifest: Manifest | null,
  pins: readonly Pin[] | null,
): Promise<KeyAnswer> {
  if (document.quotes === null) return { voucher: 'no_key', fingerprint: null, since: null, listed: false }
  const name = await fingerprint(document.quotes.key)
  const listed = manifest !== null && manifest.attestationKeys.includes(name)
  const answer = (voucher: Voucher, since: string | null = null) => ({ voucher, fingerprint: name, since, listed })
  if (pins === null || pins.length === 0) return answer(listed ? 'listed' : 'unknown')
  // A client that has pinned a key believes its own eyes before any list.
  const own = pins.filter((pin) => pin.attestationKey === name)
  const pin = own.find((one) => one.coreId === document.statement.coreId)
  if (pin !== undefined) return answer('pinned', pin.firstSeen)
  return answer(own.length > 0 ? 'other_core' : 'other_key_pinned')
}

const vouched = (key: KeyAnswer) => key.voucher === 'pinned' || key.voucher === 'listed'
const matches = (code: CodeAnswer) => code.application === 'matches' && code.system === 'matches'

/**
 * Judges the text of a QUOTE.json that was asked for with `challenge`. `manifest` and `pins` are null when the client
 * has none.
 */
export async function verify(
  quote: string,
  challenge: Uint8Array,
  manifest: Manifest | null,
  pins: readonly Pin[] | null,
): Promise<Verdict> {
  try {
    const document = parseQuote(quote)
    const { statement } = document
    if (statement.challenge !== toHex(challenge)) {
      throw new Refused('challenge_mismatch', `it answers ${statement.challenge}`)
    }
    if (!PROTECTIONS_OF[statement.body].includes(statement.protection)) {
      throw new Refused('protection_not_of_body', `${statement.protection} and ${statement.body}`)
    }
    await checkQuotes(document)
    const code = checkCode(document, manifest)
    const key = await checkKey(document, manifest, pins)
    return {
      refusal: null,
      statement,
      code,
      key,
      machine: { protection: statement.protection, believed: matches(code) && vouched(key) },
    }
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.refusal, message: error.message }
    throw error
  }
}

/**
 * What the command's exit status stands for: genuine, both measurements match, the key is pinned or listed, and there is
 * a TEE, emulated or not. For programs; it is not what to show a person.
 */
export function everythingHolds(verdict: Verdict): boolean {
  return verdict.refusal === null && verdict.machine.believed && verdict.machine.protection !== 'none'
}

/** 32 random bytes: a new one for every quote that is asked for. */
export function freshChallenge(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32))
}
