// SPDX-License-Identifier: Apache-2.0
// Format, lint and types of the page's sources; ends with another status than 0 when one of them complains.
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const here = path.resolve(import.meta.dirname, '..')
const bin = (name) => path.join(here, 'node_modules/.bin', name)
const steps = [
  [bin('biome'), ['check', '--error-on-warnings', '.']],
  [bin('prettier'), ['--log-level', 'warn', '--check', 'src/**/*.svelte']],
  [bin('svelte-check'), ['--tsconfig', './tsconfig.json', '--fail-on-warnings', '--output', 'machine']],
]
let status = 0
for (const [program, flags] of steps) {
  const { status: code, stdout, stderr } = spawnSync(program, flags, { cwd: here, encoding: 'utf8' })
  if (code !== 0) {
    console.error(`${path.basename(program)} complains:\n${stdout}${stderr}`)
    status = 1
  }
}
process.exit(status)
