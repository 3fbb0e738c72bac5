// SPDX-License-Identifier: Apache-2.0
// The table of views in PAGES.md is the one of the code.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { NAVIGATION, ROUTES } from '../../src/views/routes'

const rows = [
  ...readFileSync(new URL('../../PAGES.md', import.meta.url), 'utf8').matchAll(/^\| `(\/\S*)` \| (\w+) \|/gm),
]
// The first view is not loaded, and the window of apps is another file.
const ELSEWHERE = ['/', '/connect']

test('every view is told of, with who sees it', () => {
  const told = rows
    .map(([, path, who]) => `${path} ${who}`)
    .filter((row) => !ELSEWHERE.includes(row.split(' ')[0] ?? ''))
  expect(told.toSorted()).toEqual(ROUTES.map(({ path, who }) => `${path} ${who}`).toSorted())
  expect(rows.map(([, path]) => path)).toEqual(expect.arrayContaining(ELSEWHERE))
})

test('the navigation leads to views that are there', () => {
  const paths = ROUTES.map(({ path }) => path)
  for (const { path, who } of NAVIGATION.flatMap(({ entries }) => entries)) {
    expect(paths).toContain(path)
    expect(who, path).toBe(ROUTES.find((route) => route.path === path)?.who)
  }
})
