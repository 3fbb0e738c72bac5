// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { Problem } from '../../src/api/problem'
import { checkExport, fetchExport, nameOfExport } from '../../src/privacy/export'

beforeAll(() => {
  vi.stubGlobal('document', { documentElement: { lang: '', dataset: {} } })
  vi.stubGlobal('navigator', { languages: ['en'] })
})

const whole = {
  format: 'community-node person export',
  version: 1,
  exportedAt: '2026-11-22T07:00:00.000Z',
  origin: 'https://node.example',
  complete: true,
}

describe('an export', () => {
  it('is named after the node and the day', () => {
    expect(checkExport(JSON.stringify(whole))).toBe('airaccount-node.example-2026-11-22.json')
    expect(nameOfExport('http://localhost:9000', '2026-01-02T')).toBe('airaccount-localhost-9000-2026-01-02.json')
    expect(nameOfExport('https://../../x', '2026-01-02T')).not.toContain('/')
  })

  it('without its end is refused', () => {
    const text = JSON.stringify(whole)
    for (const cut of ['', '{}', 'null', text.slice(0, -1), JSON.stringify({ ...whole, complete: false })])
      expect(() => checkExport(cut), cut).toThrowError(new Problem('export-cut-off'))
  })

  it('tells how much of it there is, and what the node says instead', async () => {
    const text = JSON.stringify(whole)
    const heard: number[] = []
    vi.stubGlobal('fetch', async () => new Response(text))
    const { blob, name } = await fetchExport((bytes) => heard.push(bytes), new AbortController().signal)
    expect(await blob.text()).toBe(text)
    expect(name).toContain('node.example')
    expect(heard.at(-1)).toBe(text.length)
    const problem = { type: 'urn:community-node:problem:too-many-requests', title: 'T', status: 429 }
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify(problem), { status: 429 }))
    const refused = fetchExport(() => undefined, new AbortController().signal)
    await expect(refused).rejects.toMatchObject({ rule: 'too-many-requests' })
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('failed')
    })
    await expect(fetchExport(() => undefined, new AbortController().signal)).rejects.toMatchObject({
      rule: 'node-unreachable',
    })
  })
})

describe('the overview', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../../spec/person-export.schema.json', import.meta.url), 'utf8'),
  ) as { properties: { tables: { properties: Record<string, unknown> } } }

  it('has words for every table that holds anything of a person', async () => {
    const { KNOWN_TABLES } = await import('../../src/words/privacy')
    const sealed = ['keys_records', 'keys_wallet_tags']
    const names = new Set([...Object.keys(schema.properties.tables.properties), ...sealed])
    expect([...KNOWN_TABLES].sort()).toEqual([...names].sort())
  })

  it('leaves nothing out that it does not know', async () => {
    const { topicsOf } = await import('../../src/words/privacy')
    const table = (name: string, rows: number) => ({
      table: name,
      rows,
      kept: 'until-ended' as const,
      onLeaving: 'erased' as const,
      columns: [
        { name: 'secret_hash', protection: 'verifier' as const },
        { name: 'name', protection: 'clear' as const },
      ],
    })
    const topics = topicsOf({
      tables: [table('sessions', 2), table('known_devices', 3), table('new_table', 1)],
      keys: [],
    })
    expect(topics.map(({ name, entries }) => [name, entries])).toEqual([
      ['Where you are logged in', 5],
      ['Something else', 1],
    ])
    expect(topics[1]?.tables[0]?.table).toBe('new_table')
    expect(topics[0]?.who).toHaveLength(2)
    expect(topics[0]?.who[0]).toContain('Whoever runs this node')
  })

  it('writes sizes as people do', async () => {
    const { sizeWords } = await import('../../src/words/sizes')
    expect(sizeWords(1)).toBe('1 byte')
    expect(sizeWords(999)).toBe('999 bytes')
    expect(sizeWords(1_250)).toBe('1.3 kB')
    expect(sizeWords(25_000_000)).toBe('25 MB')
  })
})
