// SPDX-License-Identifier: Apache-2.0
// The JSON of spec/attestation.md, section 3: objects, lists, strings and null in printable ASCII without escapes, no
// member twice, all members present and no others. `JSON.parse` lets the last of two members win, so two readers could
// see two documents.
import { Refused } from './refused.js'

export type Value = string | null | Value[] | Map<string, Value>

const MAX_DEPTH = 8
const MAX_TEXT = 128

class Reader {
  private at = 0

  constructor(private readonly text: string) {}

  whole(): Value {
    const value = this.value(0)
    this.space()
    if (this.at !== this.text.length) this.malformed('something behind the end')
    return value
  }

  private malformed(why: string): never {
    throw new Refused('document_malformed', `${why}, at ${this.at}`)
  }

  private peek(): string {
    return this.text.charAt(this.at)
  }

  private space(): void {
    while (this.peek() !== '' && ' \t\n\r'.includes(this.peek())) this.at++
  }

  private take(token: string): void {
    if (!this.text.startsWith(token, this.at)) this.malformed(`no ${token}`)
    this.at += token.length
  }

  private value(depth: number): Value {
    this.space()
    switch (this.peek()) {
      case '{':
        return this.object(depth + 1)
      case '[':
        return this.array(depth + 1)
      case '"':
        return this.string()
      default:
        this.take('null')
        return null
    }
  }

  private string(): string {
    this.take('"')
    const end = this.text.indexOf('"', this.at)
    const content = end < 0 ? '' : this.text.slice(this.at, end)
    // White space of a document may be a control character, its strings may not.
    if (end < 0 || /[\t\n\r]/.test(content)) this.malformed('a string that does not end')
    this.at = end + 1
    return content
  }

  // Commas stand between elements only.
  private elements(close: string, one: () => void): void {
    this.at++
    this.space()
    if (this.peek() === close) {
      this.at++
      return
    }
    for (;;) {
      one()
      this.space()
      if (this.peek() === close) break
      this.take(',')
    }
    this.at++
  }

  private array(depth: number): Value[] {
    if (depth > MAX_DEPTH) this.malformed('nested too deeply')
    const values: Value[] = []
    this.elements(']', () => values.push(this.value(depth)))
    return values
  }

  private object(depth: number): Map<string, Value> {
    if (depth > MAX_DEPTH) this.malformed('nested too deeply')
    const members = new Map<string, Value>()
    this.elements('}', () => {
      this.space()
      const name = this.string()
      this.space()
      this.take(':')
      const value = this.value(depth)
      if (members.has(name)) throw new Refused('document_member_twice', name)
      members.set(name, value)
    })
    return members
  }
}

export function readDocument(text: string, maxBytes: number): Value {
  if (new TextEncoder().encode(text).length > maxBytes) throw new Refused('document_too_large', `more than ${maxBytes} bytes`)
  if (!/^[ -[\]-~\t\n\r]*$/.test(text)) {
    throw new Refused('document_malformed', 'a backslash or a character outside printable ASCII')
  }
  return new Reader(text).whole()
}

/** Refused when the document says another format; its members are then nobody's business here. */
export function checkFormat(document: Value, format: string): void {
  const said = document instanceof Map ? document.get('format') : undefined
  if (typeof said === 'string' && said !== format) throw new Refused('format_unknown', `not ${format}`)
}

/** The members of one object: all of `names` and no others. */
export class Members {
  private readonly members: Map<string, Value>

  constructor(
    value: Value,
    private readonly where: string,
    names: readonly string[],
  ) {
    if (!(value instanceof Map)) throw new Refused('document_member_wrong', `${where} is no object`)
    for (const name of names) if (!value.has(name)) throw new Refused('document_member_missing', `${where}.${name}`)
    for (const name of value.keys())
      if (!names.includes(name)) throw new Refused('document_member_unknown', `${where}.${name.slice(0, MAX_TEXT)}`)
    this.members = value
  }

  wrong(name: string): never {
    throw new Refused('document_member_wrong', `${this.where}.${name}`)
  }

  at(name: string): Value {
    return this.members.get(name) ?? null
  }

  /** 1 to 128 characters. */
  text(name: string): string {
    const value = this.at(name)
    if (typeof value !== 'string' || value.length === 0 || value.length > MAX_TEXT) this.wrong(name)
    return value
  }

  /** One of these words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.text(name)
    return words.find((word) => word === value) ?? this.wrong(name)
  }

  /** Lower-case digits of `min` to `max` bytes. */
  hex(name: string, min: number, max: number): string {
    const value = this.at(name)
    if (typeof value !== 'string' || !isHex(value, min, max)) this.wrong(name)
    return value
  }

  fixed(name: string, size: number): string {
    return this.hex(name, size, size)
  }

  list(name: string, max: number): Value[] {
    const value = this.at(name)
    if (!Array.isArray(value) || value.length > max) this.wrong(name)
    return value
  }
}

export function isHex(value: string, min: number, max: number): boolean {
  return value.length >= 2 * min && value.length <= 2 * max && /^(?:[0-9a-f]{2})*$/.test(value)
}
