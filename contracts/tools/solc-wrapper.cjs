#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A compiler executable for forge over the npm package `solc` (WebAssembly), so that the compiler is pinned by the
// lock file like every other dependency and needs no download. forge asks for `--version` and `--standard-json` only.
const path = require('node:path')
const { createRequire } = require('node:module')

// The wrapper lies in contracts/tools; the compiler in contracts/node_modules, wherever forge was started.
const solc = createRequire(path.join(__dirname, '..', 'package.json'))('solc')

const args = process.argv.slice(2)
if (args.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`)
} else if (args.includes('--standard-json')) {
  const chunks = []
  process.stdin.on('data', (chunk) => chunks.push(chunk))
  process.stdin.on('end', () => process.stdout.write(solc.compile(Buffer.concat(chunks).toString('utf8'))))
} else {
  process.stderr.write('solc-wrapper: only --version and --standard-json\n')
  process.exitCode = 1
}
