// SPDX-License-Identifier: Apache-2.0
// The cases of tests/vectors/attestation as a page or a program runs them: the module and the vectors come from outside.

const parsed = (table, parse) => Object.fromEntries(Object.entries(table).map(([name, text]) => [name, parse(text)]))
export const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))

/** The text of a case: a base document with a piece replaced, filled with spaces. */
export function textOf(vectors, one) {
  const base = vectors.documents[one.document]
  return (base.slice(0, one.from) + one.text + base.slice(one.to)).padEnd(one.pad)
}

/** Judges cases with the manifests and pins that they name. */
export function judgeOf(attestation, vectors) {
  const manifests = parsed(vectors.manifests, attestation.parseManifest)
  const pins = parsed(vectors.pins, attestation.parsePins)
  return (one, text = textOf(vectors, one)) =>
    attestation.verify(
      text,
      bytes(one.challenge),
      one.manifest === null ? null : manifests[one.manifest],
      one.pins === null ? null : pins[one.pins],
    )
}

/** A verdict in the words of a case. */
export function answersOf(attestation, verdict) {
  if (verdict.refusal !== null) return { refusal: verdict.refusal }
  return {
    refusal: null,
    application: verdict.code.application,
    system: verdict.code.system,
    voucher: verdict.key.voucher,
    fingerprint: verdict.key.fingerprint ?? '00'.repeat(32),
    since: verdict.key.since ?? '',
    listed: verdict.key.listed,
    protection: verdict.machine.protection,
    believed: verdict.machine.believed,
    holds: attestation.everythingHolds(verdict),
  }
}
