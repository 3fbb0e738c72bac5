#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures gas and sizes with forge and writes them into the tables of gas.md: node tools/gas.mjs [--check]
// With --check it changes nothing and fails when gas.md says anything else.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const file = path.join(root, 'gas.md')

// [row of the table, what Gas.t.sol calls it, what it calls the same of SimpleAccount]
const OPERATIONS = [
  ['native transfer, warm', 'dual native transfer, warm', 'SimpleAccount 0.8 native transfer, warm'],
  ['native transfer, cold', 'dual native transfer, cold', 'SimpleAccount 0.8 native transfer, cold'],
  ['native transfer with paymaster, warm', 'dual native transfer with paymaster, warm'],
  ['token transfer, warm', 'dual token transfer, warm'],
  ['token transfer, cold', 'dual token transfer, cold'],
  ['session call with paymaster, warm', 'session call with paymaster, warm'],
  ['of which the paymaster', "of which the paymaster's part, as in a dual transfer"],
  ['session call with paymaster, cold', 'session call with paymaster, cold'],
  ['creation (factory call)', 'creation (factory call)', 'SimpleAccount 0.8 creation (factory call)'],
  [
    'creation and transfer in one operation, cold',
    'creation and transfer in one operation, cold',
    'SimpleAccount 0.8 creation and transfer in one operation, cold',
  ],
  ['freeze by a passkey, cold', 'freeze by a passkey, cold'],
  ['escape by the escape key, cold', 'escape by the escape key, cold'],
  ['finishing an escape, cold', 'finishing an escape, cold'],
  ['unfreeze by two votes and the gate, cold', 'unfreeze by two votes and the gate, cold'],
]

function measured() {
  const run = spawnSync('npx', ['--no-install', 'forge', 'test', '--match-contract', '^(GasTest|SizesTest)$', '-vv'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (run.status !== 0) throw new Error(`forge failed:\n${run.stdout}${run.stderr}`)
  const found = { gas: new Map(), size: new Map() }
  for (const [, kind, what, value] of run.stdout.matchAll(/^ *(gas|size) \| (.+) \| (\d+)$/gm)) {
    found[kind].set(what, Number(value))
  }
  return found
}

const number = (value) => (value === undefined ? '–' : value.toLocaleString('en-US'))

function gasTable(gas) {
  const rows = OPERATIONS.map(([row, ours, simple]) => {
    for (const name of [ours, simple]) if (name && !gas.has(name)) throw new Error(`Gas.t.sol measures no "${name}"`)
    return `| ${row} | ${number(gas.get(ours))} | ${number(gas.get(simple))} |`
  })
  return ['| inside `handleOps` | this account | SimpleAccount 0.8 |', '| --- | --- | --- |', ...rows]
}

function sizeTable(size) {
  if (size.size === 0) throw new Error('Sizes.t.sol says no size')
  const rows = [...size].map(([what, bytes]) => `| ${what} | ${number(bytes)} |`)
  return ['| code | bytes |', '| --- | --- |', ...rows.sort()]
}

function replaced(text, name, lines) {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`)
  if (!pattern.test(text)) throw new Error(`gas.md has no place for ${name}`)
  return text.replace(pattern, (_, before, after) => before + lines.join('\n') + '\n' + after)
}

const { gas, size } = measured()
const before = fs.readFileSync(file, 'utf8')
const after = replaced(replaced(before, 'gas', gasTable(gas)), 'sizes', sizeTable(size))
if (!process.argv.includes('--check')) fs.writeFileSync(file, after)
else if (before !== after) {
  console.error('gas.md does not say what was measured: npm run gas')
  process.exitCode = 1
}
