// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) for files that decide about money: no member twice, no fractions, bounded depth and size.
// `JSON.parse` lets the last of two members win, so two readers could see two accounts in one file.
import { Problem } from './problem.mjs'

/** A recovery file with full init data and 64 chains has about 40 kB. */
export const MAX_FILE_BYTES = 128 * 1024
const MAX_DEPTH = 6

class Reader {
  constructor(text) {
    this.text = text
    this.at = 0
  }

  fail(why) {
    throw new Problem('file_not_json', { why, at: this.at })
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at++
  }

  take(token) {
    if (!this.text.startsWith(token, this.at)) this.fail(`expected ${token}`)
    this.at += token.length
  }

  value(depth) {
    if (depth > MAX_DEPTH) this.fail('nested too deeply')
    this.space()
    const first = this.text[this.at]
    if (first === '{') return this.object(depth)
    if (first === '[') return this.array(depth)
    if (first === '"') return this.string()
    if (/[-0-9]/.test(first ?? '')) return this.integer()
    for (const [token, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ])
      if (this.text.startsWith(token, this.at)) {
        this.at += token.length
        return value
      }
    return this.fail('no value')
  }

  string() {
    const match = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
    match.lastIndex = this.at
    const found = match.exec(this.text)
    if (!found) this.fail('a string that does not end')
    this.at += found[0].length
    return JSON.parse(found[0])
  }

  integer() {
    const match = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y
    match.lastIndex = this.at
    const found = match.exec(this.text)
    if (!found || !Number.isSafeInteger(Number(found[0]))) this.fail('a number that is no safe integer')
    this.at += found[0].length
    return Number(found[0])
  }

  // `one` reads an element; commas stand between elements only.
  list(open, close, one) {
    this.take(open)
    this.space()
    if (this.text[this.at] === close) return this.take(close)
    for (;;) {
      one()
      this.space()
      if (this.text[this.at] === close) return this.take(close)
      this.take(',')
    }
  }

  array(depth) {
    const values = []
    this.list('[', ']', () => values.push(this.value(depth + 1)))
    return values
  }

  object(depth) {
    const members = new Map()
    this.list('{', '}', () => {
      this.space()
      if (this.text[this.at] !== '"') this.fail('a member without a name')
      const name = this.string()
      if (members.has(name)) this.fail(`the member ${name.slice(0, 40)} twice`)
      this.space()
      this.take(':')
      members.set(name, this.value(depth + 1))
    })
    return members
  }
}

/** Objects are Maps, so that no name is special. */
export function parseStrictJson(text) {
  if (text.length > MAX_FILE_BYTES) throw new Problem('file_too_large', { limit: MAX_FILE_BYTES })
  const reader = new Reader(text.replace(/^\ufeff/, ''))
  const value = reader.value(0)
  reader.space()
  if (reader.at !== reader.text.length) reader.fail('something behind the end')
  return value
}

/** The members of `map`, all of `required` and none but those and `optional`. */
export function members(map, where, required, optional = []) {
  if (!(map instanceof Map)) throw new Problem('file_member_wrong', { member: where })
  for (const name of required) if (!map.has(name)) throw new Problem('file_member_missing', { member: name })
  for (const name of map.keys())
    if (!required.includes(name) && !optional.includes(name)) {
      throw new Problem('file_member_unknown', { member: name.slice(0, 40) })
    }
  return Object.fromEntries(
    [...required, ...optional].filter((name) => map.has(name)).map((name) => [name, map.get(name)]),
  )
}
