// SPDX-License-Identifier: Apache-2.0
// Every word of the page stands in messages/LOCALE.json; this finds what is missing, not used, unsorted between the
// languages, or has other places for values in one language than in another. A build fails when it answers anything.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const LOCALES = ['en', 'zh-Hans', 'th']
const here = path.resolve(import.meta.dirname, '..')

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sources(path.join(folder, entry.name))
    return /\.(?:ts|svelte)$/.test(entry.name) ? [readFileSync(path.join(folder, entry.name), 'utf8')] : []
  })
}

/** A message is text, or variants of it (plural forms); all texts of one. */
const texts = (message) =>
  typeof message === 'string' ? [message] : message.flatMap(({ match }) => Object.values(match))
const places = (message) =>
  [...new Set(texts(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort().join(' ')

/** Complaints about `tables` (locale to its messages) for pages whose code is `code`; one a line. */
export function complaintsAbout(tables, code) {
  const found = []
  const wanted = new Set([...code.matchAll(/\bm\.([a-z][a-z0-9_]*)/g)].map((match) => match[1]))
  for (const locale of LOCALES) {
    const table = tables[locale]
    for (const key of wanted) if (!(key in table)) found.push(`${locale}: ${key} is missing`)
    for (const [key, message] of Object.entries(table)) {
      if (!wanted.has(key)) found.push(`${locale}: ${key} is not used`)
      if (texts(message).some((text) => text.trim() !== text || text === ''))
        found.push(`${locale}: ${key} is empty or has space around it`)
      if (key in tables.en && places(message) !== places(tables.en[key]))
        found.push(`${locale}: ${key} has other values than in English`)
    }
    const order = Object.keys(table).filter((key) => key in tables.en)
    const english = Object.keys(tables.en).filter((key) => key in table)
    if (order.join() !== english.join()) found.push(`${locale}: another order than in English`)
  }
  return found
}

export function complaints() {
  const read = (locale) => JSON.parse(readFileSync(path.join(here, `messages/${locale}.json`), 'utf8'))
  const tables = Object.fromEntries(LOCALES.map((locale) => [locale, read(locale)]))
  return complaintsAbout(tables, sources(path.join(here, 'src')).join('\n'))
}
