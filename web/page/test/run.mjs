// SPDX-License-Identifier: Apache-2.0
// All tests of the page: node run.mjs [WORD IN A TEST'S NAME]. Ends with 'N passed, N failed, N skipped'.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { missingForNode } from './end_to_end/node.mjs'
import { harness } from './harness.mjs'

const here = path.resolve(import.meta.dirname, '..')
const suite = harness(process.argv[2] ?? '')

await suite.test('Sources.AreFormattedLintedAndTyped', () => {
  const { status, stdout, stderr } = spawnSync('node', ['tools/check.mjs'], { cwd: here, encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout + stderr)
})

function units() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'page-units-'))
  const file = path.join(folder, 'report.json')
  const flags = ['vitest', 'run', '--reporter=json', `--outputFile=${file}`]
  const { stdout, stderr } = spawnSync('npx', flags, { cwd: here, encoding: 'utf8' })
  try {
    for (const { assertionResults, name, status, message } of JSON.parse(readFileSync(file, 'utf8')).testResults) {
      if (assertionResults.length === 0) suite.count(path.basename(name), status, message)
      for (const one of assertionResults) suite.count(one.fullName, one.status, one.failureMessages.join('\n'))
    }
  } catch (error) {
    suite.count('Units', 'failed', `${error}\n${stdout}${stderr}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
if (suite.wants('Units')) units()

await (await import('./build_test.mjs')).run(suite)
const missing = missingForNode()
if (missing) suite.skip('EndToEnd', `${missing} is missing`)
else await (await import('./end_to_end/run.mjs')).run(suite)
process.exit(suite.end())
