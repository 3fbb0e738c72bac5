// SPDX-License-Identifier: Apache-2.0
// Counts tests the way tools/test reads them.

/** `explain` tells what there was to see when a test failed. */
export function harness(only, explain, tally = { passed: 0, failed: 0, skipped: 0 }) {
  const suite = {
    wants: (name) => name.includes(only),
    /** For tests that run beside others: counted together, each explained by what its own lane shows. */
    lane: (explainLane) => harness(only, explainLane, tally),
    async test(name, body) {
      if (!suite.wants(name)) return
      const begin = performance.now()
      try {
        const words = await body()
        tally.passed++
        console.log(`ok      ${name} (${Math.round(performance.now() - begin)} ms)${words ? `: ${words}` : ''}`)
      } catch (error) {
        tally.failed++
        console.log(`FAILED  ${name}\n        ${String(error?.stack ?? error).slice(0, 4000)}`)
        if (explain) console.log(await explain().catch(String))
      }
    },
    /** A test that ran elsewhere. */
    count(name, status, message) {
      if (status === 'passed') tally.passed++
      else if (status === 'failed') tally.failed++
      else tally.skipped++
      if (status !== 'passed') console.log(`${status.toUpperCase()} ${name}\n        ${String(message).slice(0, 4000)}`)
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
  return suite
}

export function equal(actual, expected, what) {
  const show = (value) => JSON.stringify(value)
  if (show(actual) !== show(expected)) throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`)
}

export function holds(condition, what) {
  if (!condition) throw new Error(what)
}
