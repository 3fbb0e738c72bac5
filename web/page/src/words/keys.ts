// SPDX-License-Identifier: Apache-2.0
// Changes of keys and rules in words. Keys without a name of the person's are called strangers: that is a warning.
import { checksummed, ZERO_WORD } from '../../../escape/src/core/bytes.mjs'
import * as m from '../generated/words/messages.js'
import type { Action } from '../transaction/actions'
import type { KeyChange } from '../transaction/keys'
import type { CallSummary } from '../transaction/models'
import type { Line } from './transactions'

/** Names of the person's passkeys by x. */
export type KeyNames = ReadonlyMap<bigint, string>

export const DAY_S = 86_400

const numberOf = (x: bigint) => `${x.toString(16).slice(0, 8)}…`
const nameOf = (names: KeyNames, x: bigint) => names.get(x) ?? m.key_stranger({ number: numberOf(x) })
export const foreignName = (x: bigint) => m.key_foreign({ number: numberOf(x) })

/** Whole days as days, the rest as hours. */
export const spanWords = (seconds: number) =>
  seconds % DAY_S === 0 ? m.span_days({ count: seconds / DAY_S }) : m.span_hours({ count: Math.ceil(seconds / 3_600) })

const serverLine = (key: string): Line => ({ words: m.keys_server(), party: checksummed(key), label: '' })
const escapeLine = (key: string): Line => ({ words: m.keys_escape(), party: checksummed(key), label: '' })

export function linesOfChange(change: KeyChange, names: KeyNames): Line[] {
  return [
    ...change.added.map(([x]) => ({ words: m.keys_add({ name: nameOf(names, x) }) })),
    ...change.removed.map((x) => ({ words: m.keys_remove({ name: nameOf(names, x) }) })),
    ...(change.serverKey ? [serverLine(change.serverKey)] : []),
    ...(change.escapeKey ? [escapeLine(change.escapeKey)] : []),
  ]
}

function rulesLines(hash: string, threshold: number, delay: number, strict: boolean, unlisted: boolean): Line[] {
  return [
    hash === ZERO_WORD
      ? { words: m.rules_no_guardians() }
      : { words: m.rules_guardians({ count: threshold, span: spanWords(delay) }) },
    ...(strict ? [{ words: m.rules_strict() }] : []),
    ...(unlisted ? [{ words: m.rules_unlisted() }] : []),
  ]
}

/** What `ChangeRules` says, out of the struct. */
export function linesOfRules({ values }: Action): Line[] {
  const [hash, threshold, delay, strict, unlisted] = values as [string, bigint, bigint, boolean, boolean]
  return rulesLines(hash, Number(threshold), Number(delay), strict, unlisted)
}

/** By the node's words, of what is over. */
export function linesOfKeysSummary(summary: CallSummary): Line[] {
  const { meaning, added = [], removed = [], serverKey, escapeKey } = summary
  if (meaning === 'changeRules')
    return rulesLines(
      summary.hash ?? ZERO_WORD,
      summary.count ?? 0,
      summary.seconds ?? 0,
      summary.strict ?? false,
      summary.unlistedTokens ?? false,
    )
  return [
    ...added.map(({ name }) => ({ words: m.keys_add({ name: name ?? m.foreign_name() }) })),
    ...removed.map(({ name }) => ({ words: m.keys_remove({ name: name ?? m.key_unnamed() }) })),
    ...(serverKey ? [serverLine(serverKey)] : []),
    ...(escapeKey ? [escapeLine(escapeKey)] : []),
  ]
}
