// SPDX-License-Identifier: Apache-2.0
// That a missing or needless translation really fails the build.
import { expect, test } from 'vitest'
import { complaints, complaintsAbout } from '../../tools/check_messages.mjs'

const tables = (change: Partial<Record<'en' | 'zh-Hans' | 'th', Record<string, unknown>>> = {}) => ({
  en: { a: 'A', b: 'B {n}' },
  'zh-Hans': { a: '甲', b: '乙 {n}' },
  th: { a: 'ก', b: 'ข {n}' },
  ...change,
})
const CODE = 'm.a() + m.b({ n: 1 })'

test('complete tables are taken', () => {
  expect(complaintsAbout(tables(), CODE)).toEqual([])
  expect(complaints()).toEqual([])
})

test('every fault is named', () => {
  const faults: [Parameters<typeof tables>[0], string, string][] = [
    [{ th: { a: 'ก' } }, CODE, 'th: b is missing'],
    [{}, 'm.a()', 'en: b is not used'],
    [{}, `${CODE} m.c()`, 'zh-Hans: c is missing'],
    [{ th: { a: 'ก', b: 'ข' } }, CODE, 'th: b has other values than in English'],
    [{ th: { a: '', b: 'ข {n}' } }, CODE, 'th: a is empty or has space around it'],
    [{ th: { b: 'ข {n}', a: 'ก' } }, CODE, 'th: another order than in English'],
  ]
  for (const [change, code, complaint] of faults)
    expect(complaintsAbout(tables(change), code), complaint).toContain(complaint)
})
