// SPDX-License-Identifier: Apache-2.0
// What web apps of others send, and the names under which they send it: outside values that may be anything.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test, vi } from 'vitest'
import { type Asked, hearOpener } from '../../src/connect/handshake'
import { factsOf } from '../../src/connect/origin'
import { RequestUnreadable, readRequest } from '../../src/connect/requests'
import type { Place } from '../../src/transaction/check'
import { readGrant } from '../../src/transaction/grant'
import type { Transaction } from '../../src/transaction/models'

const ACCOUNT = `0x${'a1'.repeat(20)}`
const CONTRACT = `0x${'c0'.repeat(20)}`
const GRANT = {
  address: ACCOUNT,
  contract: CONTRACT,
  functions: ['save(bytes32,uint32)'],
  valuePerCall: '0',
  valueTotal: '0',
  duration: 7_200,
}

describe('what an app asks', () => {
  it('is read into the terms of the page', () => {
    expect(readRequest({ method: 'connect', params: {} })).toEqual({ method: 'connect' })
    expect(readRequest({ method: 'connect', params: { chainId: 31337 } })).toEqual({
      method: 'connect',
      chainId: 31337,
    })
    const calls = [{ to: CONTRACT.toUpperCase().replace('0X', '0x'), value: '7', data: '0xAB' }, { to: CONTRACT }]
    expect(readRequest({ method: 'sendCalls', params: { address: ACCOUNT, calls } })).toEqual({
      method: 'sendCalls',
      address: ACCOUNT,
      calls: [
        { to: CONTRACT, value: '7', data: '0xab' },
        { to: CONTRACT, value: '0' },
      ],
    })
    const read = readRequest({ method: 'grant', params: GRANT })
    expect(read.method === 'grant' && read.functions).toEqual([
      { name: 'save(bytes32,uint32)', selector: '0xd9b0fda3' },
    ])
    const bySelector = readRequest({ method: 'grant', params: { ...GRANT, functions: ['0xD9B0FDA3'] } })
    expect(bySelector.method === 'grant' && bySelector.functions[0]?.name).toBe('0xd9b0fda3')
  })

  const grant = (changes: object) => ({ method: 'grant', params: { ...GRANT, ...changes } })
  const calls = (list: unknown) => ({ method: 'sendCalls', params: { address: ACCOUNT, calls: list } })
  test.each([
    undefined,
    null,
    'connect',
    [],
    { method: 'connect' },
    { method: 'steal', params: {} },
    { method: '__proto__', params: {} },
    { method: 'connect', params: { chainId: '1' } },
    { method: 'connect', params: { chainId: 1.5 } },
    { method: 'connect', params: { chainId: 2 ** 60 } },
    calls([]),
    calls({ length: 1 }),
    calls(Array(33).fill({ to: CONTRACT })),
    calls([null]),
    calls([{ to: '0x1' }]),
    calls([{ to: CONTRACT, value: '0x1' }]),
    calls([{ to: CONTRACT, value: 1 }]),
    calls([{ to: CONTRACT, value: '-1' }]),
    calls([{ to: CONTRACT, value: (2n ** 256n).toString() }]),
    calls([{ to: CONTRACT, data: '0x0' }]),
    calls([{ to: CONTRACT, data: `0x${'00'.repeat(65_537)}` }]),
    calls([{ to: { toString: () => CONTRACT } }]),
    grant({ duration: 7_201 }),
    grant({ duration: 0 }),
    grant({ duration: '60' }),
    grant({ duration: Number.NaN }),
    grant({ functions: [] }),
    grant({ functions: Array.from({ length: 9 }, (_, i) => `f${i}()`) }),
    grant({ functions: ['save(bytes32,uint32)', '0xd9b0fda3'] }),
    grant({ functions: ['save'] }),
    grant({ functions: ['sаve(bytes32,uint32)'] }),
    grant({ functions: ['save(bytes32)\u202e'] }),
    grant({ functions: [`f(${'a'.repeat(300)})`] }),
    grant({ contract: 'game' }),
    grant({ valueTotal: (2n ** 128n).toString() }),
  ])('is refused when it is none: %#', (value) => {
    expect(() => readRequest(value)).toThrow(RequestUnreadable)
  })
})

describe('the name of a page', () => {
  it('is told in its parts', () => {
    expect(factsOf('https://game.example:8443')).toMatchObject({
      scheme: 'https',
      host: 'game.example',
      port: '8443',
      isLocal: false,
      isInternational: false,
      looksLike: null,
    })
    for (const local of ['http://localhost:5173', 'http://game.localhost', 'http://127.0.0.1:9100', 'http://[::1]:1'])
      expect(factsOf(local).isLocal, local).toBe(true)
    expect(factsOf('https://localhost.example').isLocal).toBe(false)
    expect(factsOf('https://xn--pple-43d.example')).toMatchObject({
      host: 'xn--pple-43d.example',
      isInternational: true,
    })
  })

  it('is held against those that the person knows', () => {
    const known = ['wallet.example', 'community.example.org']
    for (const alike of [
      'wa11et.example',
      'walle.example',
      'wallett.example',
      'wallte.example',
      'wal-let.example',
      'vvallet.example',
      'cornmunity.example.org',
      'communityexample.org',
    ])
      expect(factsOf(`https://${alike}`, known).looksLike, alike).not.toBeNull()
    for (const other of ['wallet.example', 'game.example', 'community.example.com', 'a.example'])
      expect(factsOf(`https://${other}`, known).looksLike, other).toBeNull()
  })
})

describe('the hand-shake', () => {
  function world() {
    const self = new EventTarget() as unknown as Window
    const sent: { data: { airAccount?: string }; origin: string; ports: MessagePort[] }[] = []
    const opener = {
      postMessage: vi.fn((data, origin, ports = []) => void sent.push({ data, origin, ports })),
    } as unknown as Window
    const say = (source: unknown, origin: string, data: unknown) =>
      self.dispatchEvent(Object.assign(new Event('message'), { source, origin, data }))
    return { self, opener, sent, say }
  }

  it('is with nobody in a frame or without an opener', () => {
    const { self, opener } = world()
    expect(hearOpener({ self, top: self, opener: null })).toBeNull()
    expect(hearOpener({ self, top: opener, opener })).toBeNull()
  })

  it('takes the first question of the opener alone, under the name that the browser gives it', async () => {
    const { self, opener, sent, say } = world()
    const heard = hearOpener({ self, top: self, opener }) as Promise<Asked>
    expect(sent).toMatchObject([{ data: { airAccount: 'ready' }, origin: '*' }])
    say({}, 'https://evil.example', { airAccount: 'hello' })
    say(opener, 'null', { airAccount: 'hello' })
    say(opener, 'https://game.example', null)
    expect(sent).toHaveLength(1)
    say(opener, 'https://game.example', { airAccount: 'hello', origin: 'https://bank.example' })
    say(opener, 'https://evil.example', { airAccount: 'hello' })
    expect(sent).toHaveLength(2)
    expect(sent[1]).toMatchObject({ data: { airAccount: 'port' }, origin: 'https://game.example' })
    const port = sent[1]?.ports[0] as MessagePort
    const answers: unknown[] = []
    const answered = new Promise<void>((resolve) => {
      port.addEventListener('message', ({ data }) => {
        answers.push(data)
        resolve()
      })
    })
    port.start()
    port.postMessage({ method: 'connect', params: {} })
    port.postMessage({ method: 'sendCalls', params: {} })
    const asked = await heard
    expect(asked).toMatchObject({ origin: 'https://game.example', request: { method: 'connect' } })
    asked.refuse(4001, 'no')
    asked.answer({ address: ACCOUNT })
    await answered
    expect(answers).toEqual([{ error: { code: 4001, message: 'no' } }])
    port.close()
  })
})

describe('a session grant', () => {
  const { grant } = JSON.parse(
    readFileSync(new URL('../../../../tests/vectors/account/self_calls.json', import.meta.url), 'utf8'),
  ) as { grant: { id: string; create: string } }
  const account = '0x00000000000000000000000000000000c0ffee01'
  const ordered = {
    target: `0x${'14'.padStart(40, '0')}`,
    selectors: ['0xffeeddcc', '0x01020304'],
    valuePerCall: '100',
    valueTotal: '250',
    validFor: 7_200,
  }
  const transaction = { address: account, chainId: 31337 } as Transaction
  const place = {
    keyEpoch: 3,
    now: 1_700_000_000,
    chain: { paymaster: `0x${'15'.padStart(40, '0')}` },
  } as unknown as Place

  it('is the one that was ordered, and has the id that other libraries compute', () => {
    expect(readGrant(ordered, grant.create, transaction, place)).toMatchObject({
      meaning: 'createGrant',
      to: ordered.target,
      hash: grant.id,
    })
    expect(readGrant(ordered, grant.create, transaction, { ...place, keyEpoch: 4 })?.hash).not.toBe(grant.id)
  })

  test.each([
    { target: `0x${'66'.repeat(20)}` },
    { selectors: ['0xd9b0fda3'] },
    { selectors: [...ordered.selectors, '0xd9b0fda3'] },
    { valuePerCall: '1' },
    { valueTotal: '1' },
    { validFor: ordered.validFor - 2 },
  ])('that differs is found out: %#', (change) => {
    expect(readGrant({ ...ordered, ...change }, grant.create, transaction, place)).toBeNull()
  })

  it('of another payer, account, time or encoding is found out', () => {
    const other = { ...place, chain: { ...place.chain, paymaster: account } } as Place
    expect(readGrant(ordered, grant.create, transaction, other)).toBeNull()
    expect(readGrant(ordered, grant.create, { ...transaction, address: CONTRACT }, place)).toBeNull()
    expect(readGrant(ordered, grant.create, transaction, { ...place, now: place.now - 1_000 })).toBeNull()
    expect(() => readGrant(ordered, `${grant.create}00`, transaction, place) ?? fail()).toThrow()
  })
})

function fail(): never {
  throw new Error('null')
}
