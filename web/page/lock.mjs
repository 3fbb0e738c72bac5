// SPDX-License-Identifier: Apache-2.0
// Tidies package-lock.json after `npm install` changed it: a lock names versions and checksums, no hosts.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('package-lock.json', import.meta.url))
const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) {
  delete entry.funding
  // A program for a machine that the registry does not have is in no lock, and `npm ci` would miss it.
  for (const name of Object.keys(entry.optionalDependencies ?? {}))
    if (!(`node_modules/${name}` in lock.packages)) delete entry.optionalDependencies[name]
}
const text = `${JSON.stringify(lock, null, 2)}\n`
if (text.includes('://')) throw new Error('package-lock.json names a host')
fs.writeFileSync(file, text)
