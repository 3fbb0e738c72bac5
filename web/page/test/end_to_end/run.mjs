// SPDX-License-Identifier: Apache-2.0
// The built page in Chromium, served by a real node; nothing between them is replaced. Lanes run beside each other, since
// they wait for blocks most of the time; each has a node, a chain and a browser of its own, for stories let days pass.
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { shownNow, startBrowser } from './browser.mjs'
import { startNode } from './node.mjs'

const LANES = [
  ['serving', 'registration', 'account', 'money', 'live', 'notices', 'moving'],
  ['keys', 'ways', 'apps'],
  ['multisig', 'phrase', 'privacy', 'chains', 'pictures'],
]

/** Of what the node said last, for whoever looks for the reason of a failure. */
const MOST_OUTPUT = 4_000

async function runLane(suite, names) {
  const node = await startNode()
  const browser = await startBrowser()
  const lane = suite.lane(async () => `${await shownNow(browser)}\n${node.output().slice(-MOST_OUTPUT)}`)
  try {
    for (const name of names) await (await import(`./${name}_test.mjs`)).run(lane, browser, node)
  } catch (error) {
    lane.count(`EndToEnd.${names.join('.')}`, 'failed', error.stack)
  } finally {
    await browser.close()
    await node.stop()
  }
}

/** Whatever node, browser and tests leave in the temporary folder goes with the last of them. */
export async function run(suite) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'page-'))
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  try {
    await Promise.all(LANES.map((names) => runLane(suite, names)))
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}
