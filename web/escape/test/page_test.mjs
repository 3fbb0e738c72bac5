// SPDX-License-Identifier: Apache-2.0
// The built file: made of these sources, whole in itself, and closed by its policy.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { root } from './development_chain.mjs'
import { equal, holds } from './harness.mjs'

/** A page that a person keeps beside a recovery file should fit into any mail. */
const MOST_BYTES = 256 * 1024

export async function run({ test }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'escape-'))
  const built = (name) => {
    const file = path.join(folder, name)
    execFileSync(process.execPath, [path.join(import.meta.dirname, '../build.mjs'), file])
    return fs.readFileSync(file, 'utf8')
  }
  const page = built('one.html')

  await test('Page.TheSameSourcesMakeTheSameBytes', () => {
    holds(built('two.html') === page, 'two builds differ')
    const current = path.join(root, 'build/escape.html')
    if (fs.existsSync(current))
      holds(fs.readFileSync(current, 'utf8') === page, 'build/escape.html is of other sources')
  })

  await test('Page.ItsPolicyNamesItsScriptAndStyleAndNothingElse', () => {
    const inside = (tag) => page.match(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`))[1]
    const hash = (tag) => `'sha256-${createHash('sha256').update(inside(tag)).digest('base64')}'`
    const policy = page.match(/http-equiv="Content-Security-Policy" content="([^"]*)"/)[1]
    equal(
      policy,
      `default-src 'none'; script-src ${hash('script')}; style-src ${hash('style')}; connect-src http: https:; ` +
        "base-uri 'none'; form-action 'none'",
      'policy',
    )
    equal([page.match(/<script/g).length, page.match(/<style/g).length], [1, 1], 'scripts and styles')
  })

  await test('Page.AsksForNothingAndFitsIntoAMail', () => {
    for (const pattern of [
      /\ssrc=/i,
      /<link/i,
      /@import/,
      /url\(/,
      /\bimport\(/,
      /\beval\(/,
      /new Function/,
      /localStorage|sessionStorage|indexedDB|document\.cookie/,
    ])
      holds(!pattern.test(page), `${pattern} occurs`)
    const size = Buffer.byteLength(page)
    holds(size <= MOST_BYTES, `${size} bytes`)
    return `${size} bytes`
  })
  fs.rmSync(folder, { recursive: true, force: true })
}
