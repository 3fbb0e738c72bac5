// SPDX-License-Identifier: Apache-2.0
// Text of somebody else's that a person is to read before they sign it. Nothing in it may hide, turn its surroundings
// around or push them out of sight: what does not show gets a mark that says what stands there.
import { toBytes } from '../../../escape/src/core/bytes.mjs'

/** Text as it is, or what stands in place of something that would not be seen. */
export type Piece = { readonly text: string } | { readonly mark: string }

export interface ReadableText {
  readonly pieces: readonly Piece[]
  /** Characters altogether. */
  readonly count: number
  /** Whether any of them got a mark for being invisible, or for being more than a letter carries. */
  readonly hasHidden: boolean
}

// Controls, formats, what nobody assigned, separators of lines, what fonts leave out, and the blank of braille.
const INVISIBLE = /^[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$/u
const COMBINING = /^[\p{Mn}\p{Me}]$/u
const PICTURE = /^\p{Extended_Pictographic}$/u
const SPACE = /^\p{Zs}$/u
/** Joins pictures into one, and chooses their colours: as harmless as the pictures, between them. */
const JOINER = '\u200d'
const COLOURED = '\ufe0f'
/** Thai and Vietnamese need three on a letter. */
const MOST_COMBINING = 4
const MOST_LINE_ENDS = 3
const MOST_SPACES = 16

const numberOf = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

class Pieces {
  readonly list: Piece[] = []
  private open = ''
  text(part: string) {
    this.open += part
  }
  mark(words: string) {
    this.close()
    this.list.push({ mark: words })
  }
  close() {
    if (this.open !== '') this.list.push({ text: this.open })
    this.open = ''
  }
}

/** Where a run of characters of one kind ends. */
function runEnd(characters: readonly string[], from: number, isOfIt: (one: string) => boolean): number {
  let end = from
  while (end < characters.length && isOfIt(characters[end] as string)) end++
  return end
}

const isLineEnd = (one: string) => one === '\n'
const isSpace = (one: string) => SPACE.test(one) || one === '\t'

export function readableText(source: string): ReadableText {
  const characters = [...source.replaceAll('\r\n', '\n')]
  const pieces = new Pieces()
  let hasHidden = false
  let combining = 0
  for (let i = 0; i < characters.length; i++) {
    const one = characters[i] as string
    // So many empty lines that what follows them would not be looked for.
    const lines = isLineEnd(one) ? runEnd(characters, i, isLineEnd) - i : 0
    const spaces = isSpace(one) ? runEnd(characters, i, isSpace) - i : 0
    const isJoined =
      (one === COLOURED || one === JOINER) &&
      PICTURE.test(characters[characters[i - 1] === COLOURED ? i - 2 : i - 1] ?? '') &&
      (one === COLOURED || PICTURE.test(characters[i + 1] ?? ''))
    combining = COMBINING.test(one) ? combining + 1 : 0
    if (lines > MOST_LINE_ENDS || spaces > MOST_SPACES) {
      pieces.text(lines > 0 ? '\n' : ' ')
      pieces.mark(lines > 0 ? `↵ × ${lines}` : `␣ × ${spaces}`)
      pieces.text(lines > 0 ? '\n' : ' ')
      i += Math.max(lines, spaces) - 1
    } else if (isLineEnd(one) || isSpace(one) || isJoined) {
      pieces.text(one)
    } else if (INVISIBLE.test(one) || combining > MOST_COMBINING) {
      hasHidden = true
      pieces.mark(numberOf(one))
    } else {
      pieces.text(one)
    }
  }
  pieces.close()
  return { pieces: pieces.list, count: characters.length, hasHidden }
}

/** Bytes as text; null where they are none: no UTF-8, or more that hides than that shows. */
export function textOfBytes(bytes: string): ReadableText | null {
  let source: string
  try {
    source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(toBytes(bytes))
  } catch {
    return null
  }
  const read = readableText(source)
  const marked = read.pieces.filter((piece) => 'mark' in piece).length
  return 2 * marked > read.count ? null : read
}
