// SPDX-License-Identifier: Apache-2.0
// Every word of the page stands in src/strings.json in three languages; this finds what is missing, not used, or has
// other places for values in one language than in another. The build fails when it answers anything.
import fs from 'node:fs'
import path from 'node:path'

const LANGUAGES = ['en', 'zh', 'th']
const source = path.join(import.meta.dirname, 'src')
const read = (folder) =>
  fs
    .readdirSync(path.join(source, folder))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => fs.readFileSync(path.join(source, folder, name), 'utf8'))
    .join('\n')

/** The text of each call of `name`, up to its closing bracket. */
function callsOf(name, code) {
  const found = []
  for (let at = code.indexOf(name); at !== -1; at = code.indexOf(name, at + 1)) {
    let depth = 0
    let end = at + name.length - 1
    do {
      if (code[end] === '(') depth++
      else if (code[end] === ')') depth--
      end++
    } while (depth > 0)
    found.push(code.slice(at, end))
  }
  return found
}

const literals = (code, pattern) => [...code.matchAll(pattern)].map((match) => match[1])

function wantedKeys() {
  const ui = read('ui')
  const all = ui + read('core')
  const wanted = new Set(
    literals(ui, /'([a-z]+(?:\.[a-z_0-9]+)+)'/g).filter(
      (key) => key !== 'escape.invalid' && !key.startsWith('localhost'),
    ),
  )
  const steps = literals(ui.slice(ui.indexOf('const STEPS')), /name: '(\w+)', body/g)
  for (const step of [...steps, 'done', 'now', 'later']) wanted.add(`step.${step}`)
  for (const unit of ['days', 'hours', 'minutes', 'seconds']) wanted.add(`time.${unit}`)
  for (const call of [...callsOf('require(', all), ...callsOf('new Problem(', all)])
    for (const name of literals(call, /'([a-z]+(?:_[a-z0-9]+)+)'/g)) wanted.add(`problem.${name}`)
  return wanted
}

const places = (text) => [...new Set(literals(text, /\{(\w+)\}/g))].sort().join(' ')

/** Complaints about the table, one a line. */
export function complaints(strings) {
  const wanted = wantedKeys()
  const found = []
  for (const key of wanted) if (!(key in strings)) found.push(`${key} is missing`)
  for (const [key, row] of Object.entries(strings)) {
    if (!wanted.has(key) && !key.startsWith('rule.')) found.push(`${key} is not used`)
    for (const language of LANGUAGES)
      if (typeof row[language] !== 'string' || row[language].trim() === '')
        found.push(`${key} is missing in ${language}`)
      else if (places(row[language]) !== places(row.en)) found.push(`${key} has other values in ${language}`)
    if (Object.keys(row).length !== LANGUAGES.length) found.push(`${key} has a language too many`)
  }
  return found
}

export const table = () => JSON.parse(fs.readFileSync(path.join(source, 'strings.json'), 'utf8'))
