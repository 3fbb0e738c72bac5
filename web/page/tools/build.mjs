// SPDX-License-Identifier: Apache-2.0
// Makes the page: node tools/build.mjs [FOLDER], build/page by default. Words and types first, then Vite, then every
// file again as br and gzip, and files.sha256, by which the node knows that a folder is whole.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const here = path.resolve(import.meta.dirname, '..')
const out = path.resolve(process.argv[2] ?? path.join(here, '../../build/page'))
const fresh = `${out}.new`

await import('./generate.mjs')
// After the words exist: the configuration's plugins read the sources.
const { build } = await import('vite')
rmSync(fresh, { recursive: true, force: true })
await build({
  root: here,
  configFile: path.join(here, 'vite.config.ts'),
  logLevel: 'warn',
  build: { outDir: fresh, emptyOutDir: true },
})
// The service worker is one file without imports, which every browser with Web Push takes, under a name that stays.
await build({
  root: here,
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  build: {
    outDir: fresh,
    emptyOutDir: false,
    target: 'es2022',
    rollupOptions: {
      input: path.join(here, 'src/notices/worker.ts'),
      output: { format: 'iife', entryFileNames: 'notices.js' },
    },
  },
})

// Included by dapps, so it is served as it stands in its sources.
const provider = readFileSync(path.join(here, '../provider/provider.js'))
writeFileSync(path.join(fresh, 'provider.js'), provider)

const files = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)],
  )

for (const file of files(fresh)) {
  const content = readFileSync(file)
  const packed = {
    br: brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
    gz: gzipSync(content, { level: 9 }),
  }
  for (const [ending, bytes] of Object.entries(packed))
    if (bytes.length < content.length) writeFileSync(`${file}.${ending}`, bytes)
}
const list = files(fresh)
  .map((file) => path.relative(fresh, file).split(path.sep).join('/'))
  .sort()
  .map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(path.join(fresh, name)))
        .digest('hex')}  ${name}\n`,
  )
  .join('')
writeFileSync(path.join(fresh, 'files.sha256'), list)

mkdirSync(path.dirname(out), { recursive: true })
if (existsSync(out)) rmSync(out, { recursive: true })
renameSync(fresh, out)
const integrity = `sha384-${createHash('sha384').update(provider).digest('base64')}`
console.log(`provider.js for dapps: integrity="${integrity}"`)
const total = files(out).reduce((sum, file) => sum + statSync(file).size, 0)
console.log(`${path.relative(process.cwd(), out)}: ${files(out).length} files, ${total} bytes in all codings`)
