// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it, test, vi } from 'vitest'
import { Problem } from '../../src/api/problem'

beforeAll(() => {
  // The words' language lives in the document.
  vi.stubGlobal('document', { documentElement: { lang: '', dataset: {} } })
  vi.stubGlobal('navigator', { languages: ['en'] })
})

const contract = readFileSync(new URL('../../../../spec/openapi.json', import.meta.url), 'utf8')

const source = new URL('../../src/', import.meta.url)
const code = readdirSync(source, { recursive: true })
  .filter((name) => /\.(?:ts|svelte)$/.test(`${name}`) && !`${name}`.startsWith('generated'))
  .map((name) => readFileSync(new URL(`${name}`, source), 'utf8'))
  .join('\n')

/** The rules that the answers name to what this page calls: words with hyphens at the beginning of their descriptions. */
function rulesOfContract(): string[] {
  const { paths } = JSON.parse(contract) as {
    paths: Record<string, Record<string, { responses?: Record<string, { description: string }> }>>
  }
  const rules = new Set<string>()
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations))
      for (const [status, { description }] of Object.entries(operation.responses ?? {})) {
        if (!/^[45]/.test(status) || !code.includes(`call('${method}', '${path}'`)) continue
        for (const part of description
          .replace(/\([^)]*\)/g, '')
          .split(':')[0]
          ?.split(',') ?? [])
          if (/^[a-z]+(-[a-z]+)+$/.test(part.trim())) rules.add(part.trim())
      }
  return [...rules].sort()
}

describe('problems', () => {
  it('of the calls all have words that say what to do next', async () => {
    const { PROBLEM_WORDS, wordsOf } = await import('../../src/words/failures')
    await import('../../src/words/transaction-failures')
    await import('../../src/words/multisigs')
    const rules = rulesOfContract()
    expect(rules.length).toBeGreaterThan(10)
    for (const rule of rules) {
      expect(PROBLEM_WORDS, rule).toHaveProperty(rule)
      const { title, next } = wordsOf(new Problem(rule, { title: 'developer words' }))
      expect(title, rule).not.toContain('developer words')
      expect(next.length, rule).toBeGreaterThan(10)
    }
  })

  it('of sponsors and every warning of the contract have words, and unknown ones their names', async () => {
    const { KNOWN_WARNINGS, reasonWords, warningWords } = await import('../../src/words/transactions')
    const { components } = JSON.parse(contract) as {
      components: { schemas: { Warning: { properties: { rule: { enum: string[] } } } } }
    }
    const rules = components.schemas.Warning.properties.rule.enum
    expect([...KNOWN_WARNINGS].sort()).toEqual([...rules].sort())
    expect(warningWords({ rule: 'something-new' } as never).title).toContain('something-new')
    expect(warningWords({ rule: 'something-new' } as never).isLoud).toBe(true)
    expect(reasonWords('not-asked')).toBe('not asked for')
    expect(reasonWords('refused-by-core')).toContain('refused-by-core')
  })

  it('without words of their own are told with their title', async () => {
    const { wordsOf } = await import('../../src/words/failures')
    const words = wordsOf(new Problem('something-new', { title: 'Something new was refused' }))
    expect(words.next).toBe('Something new was refused')
    expect(wordsOf(new Problem('something-new')).next).toBe('something-new')
    expect(wordsOf(new TypeError('x is undefined')).next).toBe('x is undefined')
  })

  it('count what is left', async () => {
    const { wordsOf } = await import('../../src/words/failures')
    const left = (attemptsLeft: number) => wordsOf(new Problem('code-wrong', { attemptsLeft })).next
    expect(left(1)).toBe('You have 1 more attempt.')
    expect(left(3)).toBe('You have 3 more attempts.')
    expect(wordsOf(new Problem('too-many-requests', { retryAfterSeconds: 7 })).next).toContain('7 seconds')
  })

  it('are read out of documents, and nothing else is taken for one', () => {
    const document = { type: 'urn:community-node:problem:code-wrong', title: 'T', status: 400, attemptsLeft: 2 }
    const problem = Problem.of(JSON.stringify(document), 400)
    expect(problem.rule).toBe('code-wrong')
    expect(problem.details).toEqual({ title: 'T', status: 400, attemptsLeft: 2 })
    for (const text of ['', '<html>', '{}', '{"type":"about:blank"}', 'null', '[]', '{"type":7}'])
      expect(Problem.of(text, 502).rule, text).toBe('answer-unreadable')
  })
})

describe('levels of protection', () => {
  type Core = Parameters<typeof import('../../src/state/protection')['levelOf']>[0]
  type Answers = Parameters<typeof import('../../src/state/protection')['levelOf']>[1]
  const core = (body: string, protection: string) => ({ body, protection, connected: true, description: '' }) as Core
  const said = (body: string, protection: string, believed: boolean) =>
    ({ statement: { body }, machine: { protection, believed } }) as unknown as Answers

  it('never exceed what was verified', async () => {
    const { levelOf } = await import('../../src/state/protection')
    expect(levelOf(null, null, false)).toBe('unknown')
    expect(levelOf(core('process', 'none'), null, false)).toBe('none')
    expect(levelOf(core('optee-qemu', 'emulated'), said('optee-qemu', 'emulated', true), false)).toBe('emulated')
    expect(levelOf(core('optee-device', 'hardware'), null, false)).toBe('hardware-claimed')
    expect(levelOf(core('optee-device', 'hardware'), said('optee-device', 'hardware', false), false)).toBe(
      'hardware-claimed',
    )
    expect(levelOf(core('optee-device', 'hardware'), said('optee-device', 'hardware', true), false)).toBe(
      'hardware-proven',
    )
  })

  it('are none when node and core tell two stories', async () => {
    const { levelOf } = await import('../../src/state/protection')
    expect(levelOf(core('optee-device', 'hardware'), said('process', 'none', false), false)).toBe('contradicted')
    expect(levelOf(core('optee-device', 'hardware'), said('optee-device', 'emulated', true), false)).toBe(
      'contradicted',
    )
    expect(levelOf(core('process', 'none'), null, true)).toBe('contradicted')
  })

  it('never promise anything without hardware', () => {
    for (const locale of ['en', 'zh-Hans', 'th']) {
      const table = JSON.parse(
        readFileSync(new URL(`../../messages/${locale}.json`, import.meta.url), 'utf8'),
      ) as Record<string, unknown>
      for (const [name, words] of Object.entries(table))
        expect(JSON.stringify(words), `${locale}: ${name}`).not.toMatch(/\bsecurely?\b|is protected|100 ?%|安全可靠/i)
    }
  })
})

test('languages are chosen by what the browser asks for', async () => {
  const { chooseLocale } = await import('../../src/state/locale.svelte')
  expect(chooseLocale(['de-DE', 'th-TH', 'en'])).toBe('th')
  expect(chooseLocale(['zh-CN'])).toBe('zh-Hans')
  expect(chooseLocale(['zh-Hant-TW'])).toBe('zh-Hans')
  expect(chooseLocale(['zh'])).toBe('zh-Hans')
  expect(chooseLocale(['th'])).toBe('th')
  expect(chooseLocale(['de'])).toBe('en')
  expect(chooseLocale([])).toBe('en')
})

test('devices have names', async () => {
  const { deviceName } = await import('../../src/account/device-name')
  const agent = (words: string) => `Mozilla/5.0 (${words}`
  expect(deviceName(agent('X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36'))).toBe(
    'Chrome · Linux',
  )
  expect(deviceName(agent('iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1'))).toBe(
    'Safari · iPhone',
  )
  expect(deviceName(agent('Linux; Android 16; Pixel) Chrome/140.0 Mobile Safari/537.36'))).toBe('Chrome · Android')
  expect(deviceName(agent('Windows NT 10.0; Win64) Chrome/140.0 Safari/537.36 Edg/140.0'))).toBe('Edge · Windows')
  expect(deviceName(agent('Macintosh; Intel Mac OS X 15; rv:140.0) Gecko/20100101 Firefox/140.0'))).toBe(
    'Firefox · Mac',
  )
  expect(deviceName('curl/8')).toBe('Browser')
})

it('says of operations alone, and of none within a grant, that both keys signed', async () => {
  const { stateWords } = await import('../../src/words/transactions')
  const long = (kind: string, userOperation: object | null) =>
    stateWords({ kind, state: 'submitted', userOperation } as never).long
  expect(long('calls', {})).toContain('both keys')
  for (const [kind, op] of [
    ['freeze', null],
    ['finish', null],
    ['eoa', null],
    ['session', {}],
  ] as const)
    expect(long(kind, op)).not.toContain('keys')
})
