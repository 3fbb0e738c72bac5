// SPDX-License-Identifier: Apache-2.0
// All tests of the verifier; the same cases as those of community/attestation. Ends with 'N passed, N failed, N skipped'.
import assert from 'node:assert/strict'
import fs from 'node:fs'

import * as attestation from '../../../build/attestation/index.js'
import { answersInBrowser, missingBrowser } from './browser.mjs'
import { answersOf, bytes, judgeOf, textOf } from './cases.mjs'

const { everythingHolds, formatPins, freshChallenge, parseManifest, parsePins, Refused, verify } = attestation
const read = (path) => fs.readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const vectors = JSON.parse(read('../../tests/vectors/attestation/cases.json'))
const tally = { passed: 0, failed: 0, skipped: 0 }

async function test(name, body) {
  try {
    const words = await body()
    tally.passed++
    console.log(`ok      ${name}${words ? ': ' + words : ''}`)
  } catch (error) {
    tally.failed++
    console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).slice(0, 2500)}`)
  }
}

const judge = judgeOf(attestation, vectors)
const pins = Object.fromEntries(Object.entries(vectors.pins).map(([name, text]) => [name, parsePins(text)]))
const named = (name) => vectors.cases.find((one) => one.name === name)

await test('EveryCaseHasItsAnswers', async () => {
  assert.ok(vectors.cases.length > 100)
  for (const one of vectors.cases) assert.deepEqual(answersOf(attestation, await judge(one)), one.expect, one.name)
  return `${vectors.cases.length} cases`
})

if (missingBrowser()) {
  tally.skipped++
  console.log(`SKIPPED EveryCaseHasItsAnswersInABrowser: ${missingBrowser()} is missing`)
} else
  await test('EveryCaseHasItsAnswersInABrowser', async () => {
    const answers = await answersInBrowser(vectors)
    for (const one of vectors.cases) assert.deepEqual(answers[one.name], one.expect, one.name)
    return `${vectors.cases.length} cases`
  })

await test('ThatOfARealOpTeeMatchesItsImage', async () => {
  const real = JSON.parse(read('../../tests/vectors/attestation/optee.json'))
  const verdict = await verify(real.quote, bytes(real.challenge), parseManifest(real.manifest), null)
  assert.deepEqual(answersOf(attestation, verdict), real.expect)
})

await test('ManifestsAndPinsThatAreNoneAreRefused', () => {
  for (const [list, parse] of [
    [vectors.brokenManifests, parseManifest],
    [vectors.brokenPins, parsePins],
  ])
    for (const { name, text, refusal } of list)
      assert.throws(
        () => parse(text),
        (error) => error instanceof Refused && error.refusal === refusal,
        `${name}: ${refusal}`,
      )
  const padded = vectors.pins.this.padEnd(65_536)
  assert.equal(parsePins(padded).length, 1)
  for (const parse of [parsePins, parseManifest])
    assert.throws(() => parse(padded + ' '), { refusal: 'document_too_large' })
})

await test('RefusalsAreThoseOfTheCommand', () => {
  const known = new Set(read('../../community/attestation/api/error.hpp').match(/(?<=\bX\()\w+(?=\))/g))
  known.delete('COMMUNITY_ATTESTATION_ERRORS')
  const here = new Set(read('src/refused.ts').match(/(?<=\| ')\w+(?=')/g))
  assert.deepEqual([...here].sort(), [...known].sort())
  const seen = new Set(vectors.cases.map((one) => one.expect.refusal))
  for (const refusal of here) assert.ok(seen.has(refusal), refusal)
})

await test('NoChangedCharacterIsOverlooked', async () => {
  const one = named('all holds')
  const text = textOf(vectors, one)
  assert.ok(everythingHolds(await judge(one)))
  for (let i = 0; i < text.length; i++) {
    const bent = text.slice(0, i) + (text[i] === '0' ? '1' : '0') + text.slice(i + 1)
    assert.ok(!everythingHolds(await judge(one, bent)), `character ${i}`)
  }
})

await test('AChallengeThatNobodyAskedIsNoChallenge', async () => {
  const one = named('all holds')
  for (const challenge of [new Uint8Array(0), bytes(one.challenge).slice(1), freshChallenge()]) {
    const verdict = await verify(textOf(vectors, one), challenge, null, null)
    assert.equal(verdict.refusal, 'challenge_mismatch')
  }
  assert.equal(freshChallenge().length, 32)
  assert.notDeepEqual(freshChallenge(), freshChallenge())
})

await test('PinsAreReadAsTheyAreWritten', () => {
  for (const list of Object.values(pins)) assert.deepEqual(parsePins(formatPins(list)), list)
})

await test('TheModuleNeedsNothing', () => {
  const imports = fs
    .readdirSync(new URL('../src', import.meta.url))
    .flatMap((name) => read(`src/${name}`).match(/(?<=from ')[^']+/g) ?? [])
  for (const path of imports) assert.match(path, /^\.\/[a-z]+\.js$/)
  assert.equal(JSON.parse(read('package.json')).dependencies, undefined)
})

console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`)
process.exit(tally.failed === 0 ? 0 : 1)
