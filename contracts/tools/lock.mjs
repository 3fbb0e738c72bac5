#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Tidies package-lock.json after `npm install` changed it: no host names (funding links), and an entry for every optional
// platform package, so that `npm ci` works wherever the lock was made. npm leaves an entry out when its registry does not
// offer that platform; such an entry has no checksum and is fetched on that platform only.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
const cpu = { amd64: 'x64', arm64: 'arm64' }

for (const [at, entry] of Object.entries(lock.packages)) {
  delete entry.funding
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const [, os, arch] = name.match(/-(linux|darwin|win32)-(amd64|arm64)$/) ?? []
    if (!os || !at) continue
    lock.packages[`node_modules/${name}`] ??= { version, cpu: [cpu[arch]], dev: true, optional: true, os: [os] }
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
const text = JSON.stringify(lock, null, 2) + '\n'
if (text.includes('http')) throw new Error('package-lock.json names a host')
fs.writeFileSync(file, text)
