// SPDX-License-Identifier: Apache-2.0
// Counts tests the way tools/test reads them.
import { Problem } from '../src/core/problem.mjs'

export function harness() {
  const tally = { passed: 0, failed: 0, skipped: 0 }
  return {
    async test(name, body) {
      try {
        const words = await body()
        tally.passed++
        console.log(`ok      ${name}${words ? ': ' + words : ''}`)
      } catch (error) {
        tally.failed++
        console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).slice(0, 2500)}`)
      }
    },
    skip(name, reason) {
      tally.skipped++
      console.log(`SKIPPED ${name}: ${reason}`)
    },
    end() {
      console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`)
      return tally.failed === 0 ? 0 : 1
    },
  }
}

const show = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))

export function equal(actual, expected, what) {
  if (show(actual) !== show(expected)) throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`)
}

export function holds(condition, what) {
  if (!condition) throw new Error(what)
}

/** Expects exactly this problem; answers it. */
export async function refused(problem, body, what = '') {
  try {
    await body()
  } catch (error) {
    if (error instanceof Problem && error.problem === problem) return error
    throw new Error(`${what || problem}: instead ${error.stack ?? error}`)
  }
  throw new Error(`${what || problem}: nothing was refused`)
}
