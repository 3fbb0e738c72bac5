// SPDX-License-Identifier: Apache-2.0
// The built folder: the same from the same sources, small at first sight, closed in itself.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { equal, holds } from './harness.mjs'

const here = path.resolve(import.meta.dirname, '..')
const built = path.resolve(here, '../../build/page')
/** What a person with a slow line waits for before anything shows. */
const MOST_FIRST_BYTES = 80_000

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()
const read = (name) => readFileSync(path.join(built, name))

/** Everything that index.html leads to before a person does anything: scripts, their static imports, styles, pictures. */
function firstLoad() {
  const wanted = new Set(['index.html'])
  const index = read('index.html').toString()
  const queue = [...index.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1])
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (wanted.has(name)) continue
    wanted.add(name)
    if (!name.endsWith('.js')) continue
    const code = read(name).toString()
    for (const [, target] of code.matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g))
      queue.push(path.posix.join(path.posix.dirname(name), target))
  }
  return [...wanted].sort()
}

export async function run({ test }) {
  await test('Build.TheFirstLoadIsSmall', () => {
    const names = firstLoad()
    holds(
      names.some((name) => name.endsWith('.js') && name.startsWith('assets/')),
      'no script was found',
    )
    const sizes = names.map((name) => [name, gzipSync(read(name), { level: 9 }).length])
    const total = sizes.reduce((sum, [, size]) => sum + size, 0)
    holds(total < MOST_FIRST_BYTES, `${total} bytes: ${sizes.map((size) => size.join(' ')).join(', ')}`)
    return `${total} bytes in ${names.length} files, packed by gzip`
  })

  await test('Build.TheSameSourcesMakeTheSameBytes', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'page-'))
    try {
      execFileSync(process.execPath, [path.join(here, 'tools/build.mjs'), path.join(folder, 'page')])
      const list = (place) => readFileSync(path.join(place, 'files.sha256'), 'utf8')
      equal(list(path.join(folder, 'page')), list(built), 'files.sha256')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  await test('Build.TheListNamesEveryFileByItsHash', () => {
    const listed = Object.fromEntries(
      read('files.sha256')
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => [line.slice(66), line.slice(0, 64)]),
    )
    equal(
      Object.keys(listed),
      filesOf(built).filter((name) => name !== 'files.sha256'),
      'files',
    )
    for (const [name, digest] of Object.entries(listed))
      equal(createHash('sha256').update(read(name)).digest('hex'), digest, name)
  })

  await test('Build.PackedFilesAreTheSameFiles', () => {
    let packed = 0
    for (const name of filesOf(built)) {
      const unpack = { '.br': brotliDecompressSync, '.gz': gunzipSync }[path.extname(name)]
      if (!unpack) continue
      packed++
      holds(unpack(read(name)).equals(read(name.slice(0, -3))), name)
    }
    holds(packed > 10, `${packed} packed files`)
    holds(existsSync(path.join(built, 'index.html.br')), 'index.html is not packed')
  })

  await test('Build.NamesNoOtherPlace', () => {
    // XML namespaces, and what libraries say in their errors, are addresses that nobody asks.
    const allowed =
      /^https?:\/\/(?:www\.w3\.org\/|svelte\.dev\/e\/|paraglidejs\.com\/errors|(?:fallback|example)\.com$)/
    for (const name of filesOf(built).filter((file) => /\.(?:html|js|css|svg)$/.test(file))) {
      const text = read(name).toString()
      for (const [url] of text.matchAll(/https?:\/\/[a-z0-9.-]+\.[a-z]{2,}[^\s"'`)]*/gi))
        holds(allowed.test(url), `${name} names ${url}`)
      for (const pattern of [/\beval\(/, /new Function\(/, /document\.write\(/, /\.innerHTML\s*=/, /@import/])
        holds(!pattern.test(text), `${name} has ${pattern}`)
    }
  })

  await test('Build.TheIndexHasNothingInline', () => {
    const index = read('index.html').toString()
    for (const [tag] of index.matchAll(/<script[^>]*>/g)) holds(tag.includes('src='), tag)
    for (const pattern of [/<style/, /\sstyle=/, /\son[a-z]+=/]) holds(!pattern.test(index), `${pattern}`)
  })
}
