// SPDX-License-Identifier: Apache-2.0
// Makes the page: node build.mjs [OUT.html], build/escape.html by default. One file, its script and style inline and
// named by their hashes in the content security policy; the same sources make the same bytes.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import { complaints, table } from './check_strings.mjs'

const here = import.meta.dirname
const out = path.resolve(process.argv[2] ?? path.join(here, '../../build/escape.html'))

const found = complaints(table())
if (found.length > 0) {
  console.error(found.join('\n'))
  process.exit(1)
}

async function bundled(entry) {
  const result = await build({
    entryPoints: [path.join(here, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'eof',
    logLevel: 'warning',
    absWorkingDir: here,
  })
  return result.outputFiles[0].text.trim()
}

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const script = await bundled('src/ui/main.mjs')
const style = await bundled('src/style.css')
const policy =
  `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src http: https:; ` +
  "base-uri 'none'; form-action 'none'"
const parts = { policy, style, script }
const page = fs
  .readFileSync(path.join(here, 'src/index.html'), 'utf8')
  .replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name])
fs.mkdirSync(path.dirname(out), { recursive: true })
fs.writeFileSync(out, page)
console.log(`${path.relative(process.cwd(), out)}: ${Buffer.byteLength(page)} bytes`)
