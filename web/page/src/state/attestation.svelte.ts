// SPDX-License-Identifier: Apache-2.0
// The three answers about the trusted core, verified here over the quote of a fresh challenge (spec/attestation.md).
// Manifest and pins are the person's: kept in this browser, and only when they said so.
import {
  formatPins,
  freshChallenge,
  type Genuine,
  type Manifest,
  type Pin,
  parseManifest,
  parsePins,
  type Verdict,
  verify,
} from '../../../attestation/src/index'

export type Check =
  | { readonly state: 'not-yet' | 'asking' }
  | { readonly state: 'failed'; readonly rule: string }
  | { readonly state: 'done'; readonly verdict: Verdict; readonly at: Date }

const TIMEOUT_MS = 30_000
const MANIFEST = 'attestation manifest'
const PINS = 'attestation pins'

function stored<T>(name: string, parse: (text: string) => T): T | null {
  try {
    const text = localStorage.getItem(name)
    return text === null ? null : parse(text)
  } catch {
    return null
  }
}

let check = $state<Check>({ state: 'not-yet' })
let manifest = $state<Manifest | null>(stored(MANIFEST, parseManifest))
let pins = $state<readonly Pin[] | null>(stored(PINS, parsePins))
let running: Promise<void> | null = null

async function quoteFor(challenge: Uint8Array): Promise<string> {
  const digits = Array.from(challenge, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const response = await fetch(`/api/v1/attestation?challenge=${digits}`, {
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await response.text()
  if (response.ok) return text
  throw new Error((JSON.parse(text) as { error?: string }).error ?? 'attestation_failed')
}

async function run() {
  check = { state: 'asking' }
  const challenge = freshChallenge()
  let quote: string
  try {
    quote = await quoteFor(challenge)
  } catch (error) {
    const rule = error instanceof Error && /^[a-z]+(_[a-z]+)+$/.test(error.message) ? error.message : 'unreachable'
    check = { state: 'failed', rule }
    return
  }
  check = { state: 'done', verdict: await verify(quote, challenge, manifest, pins), at: new Date() }
}

function keep(name: string, text: string | null) {
  if (text === null) localStorage.removeItem(name)
  else localStorage.setItem(name, text)
}

export const attestation = {
  get check() {
    return check
  },
  get manifest() {
    return manifest
  },
  get pins() {
    return pins
  },
  /** The answers, when the quote was genuine. */
  get answers(): Genuine | null {
    return check.state === 'done' && check.verdict.refusal === null ? check.verdict : null
  },
  /** One question at a time: an answer costs the core half a second. */
  ask(): Promise<void> {
    running ??= run().finally(() => {
      running = null
    })
    return running
  },
  /** Throws `Refused` when the text is no manifest. Null forgets it. */
  useManifest(text: string | null) {
    manifest = text === null ? null : parseManifest(text)
    keep(MANIFEST, text)
  },
  /** Remembers the key that answered now, in place of what was remembered before. */
  pin(answers: Genuine) {
    if (answers.key.fingerprint === null) return
    const firstSeen = `${new Date().toISOString().slice(0, 19)}Z`
    pins = [{ attestationKey: answers.key.fingerprint, coreId: answers.statement.coreId, firstSeen }]
    keep(PINS, formatPins(pins))
  },
  unpin() {
    pins = null
    keep(PINS, null)
  },
}
