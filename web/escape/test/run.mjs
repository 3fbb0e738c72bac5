// SPDX-License-Identifier: Apache-2.0
// All tests of the escape page: node run.mjs [WORD IN A SUITE'S NAME]. Ends with 'N passed, N failed, N skipped'.
import { missing } from './development_chain.mjs'
import { harness } from './harness.mjs'

const only = process.argv[2] ?? ''
const suite = harness()
const wanted = (name) => name.includes(only)

if (wanted('vectors')) await (await import('./vectors_test.mjs')).run(suite)
if (wanted('servers')) await (await import('./servers_test.mjs')).run(suite)
if (wanted('files')) await (await import('./files_test.mjs')).run(suite)
if (wanted('escape')) {
  if (missing()) suite.skip('NodeVanished', `${missing()} is missing`)
  else await (await import('./escape_test.mjs')).run(suite)
}
if (wanted('page')) await (await import('./page_test.mjs')).run(suite)
if (wanted('strings')) await (await import('./strings_test.mjs')).run(suite)
if (wanted('browser')) {
  const { missingBrowser, run } = await import('./browser_test.mjs')
  const what = missing() || missingBrowser()
  if (what) suite.skip('Browser', `${what} is missing`)
  else await run(suite)
}
process.exit(suite.end())
