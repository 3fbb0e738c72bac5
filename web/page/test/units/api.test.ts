// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { call, fillPath, onSessionChange, setCsrfToken } from '../../src/api/client'
import { Problem } from '../../src/api/problem'

const sent: { url: string; init: RequestInit }[] = []
let answers: (() => Response)[] = []

beforeEach(() => {
  sent.length = 0
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    sent.push({ url, init })
    const next = answers.shift()
    if (!next) throw new TypeError('Failed to fetch')
    return next()
  })
  setCsrfToken(null)
  onSessionChange(async () => undefined)
})
afterEach(() => vi.unstubAllGlobals())

const json = (status: number, body: unknown) => () => new Response(JSON.stringify(body), { status })
const problem = (rule: string, status: number) =>
  json(status, { type: `urn:community-node:problem:${rule}`, title: rule, status })
const header = (at: number, name: string) => new Headers(sent[at]?.init.headers).get(name)
const ruleOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Problem ? error.rule : String(error)),
  )

describe('calls', () => {
  it('carry the token and type where something changes, and only there', async () => {
    setCsrfToken('token')
    answers = [json(200, { wallets: [] }), () => new Response(null, { status: 204 })]
    expect(await call('get', '/api/v1/wallets', {})).toEqual({ wallets: [] })
    expect(header(0, 'x-csrf-token')).toBeNull()
    expect(await call('delete', '/api/v1/session', {})).toBeUndefined()
    expect(header(1, 'x-csrf-token')).toBe('token')
    expect(header(1, 'content-type')).toBe('application/json')
    for (const { init } of sent) {
      expect(init.credentials).toBe('same-origin')
      expect(init.redirect).toBe('error')
    }
  })

  it('put values into paths and queries encoded', async () => {
    expect(fillPath('/a/{b}/c', { b: '../x?y#z' })).toBe('/a/..%2Fx%3Fy%23z/c')
    answers = [json(200, { entries: [], next: null })]
    await call('get', '/api/v1/activity', { query: { before: 7, limit: 50 } })
    expect(sent[0]?.url).toBe('/api/v1/activity?before=7&limit=50')
  })

  it('fail with the rule', async () => {
    answers = [problem('too-many-wallets', 409)]
    expect(await ruleOf(call('post', '/api/v1/wallets', { body: { escapeKey: '0x', requestId: 'x' } }))).toBe(
      'too-many-wallets',
    )
    answers = [() => new Response('<html>', { status: 502 })]
    expect(await ruleOf(call('get', '/api/v1/me', {}))).toBe('answer-unreadable')
    answers = [() => new Response('not JSON', { status: 200 })]
    expect(await ruleOf(call('get', '/api/v1/me', {}))).toBe('answer-unreadable')
    answers = []
    expect(await ruleOf(call('get', '/api/v1/me', {}))).toBe('node-unreachable')
  })

  it('that end in the middle of an answer say so', async () => {
    const broken = (error: unknown) => () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.error(error),
        }),
      )
    answers = [broken(new DOMException('signal timed out', 'TimeoutError')), broken(new TypeError('network error'))]
    expect(await ruleOf(call('get', '/api/v1/wallets', {}))).toBe('node-too-slow')
    expect(await ruleOf(call('get', '/api/v1/wallets', {}))).toBe('node-unreachable')
  })

  it('are tried once more with the token of a session that another tab began', async () => {
    setCsrfToken('old')
    onSessionChange(async () => setCsrfToken('new'))
    answers = [problem('csrf-token-wrong', 403), () => new Response(null, { status: 204 })]
    expect(await ruleOf(call('delete', '/api/v1/sessions', {}))).toBe('none')
    expect(header(1, 'x-csrf-token')).toBe('new')
    // Nobody is logged in any more, or nothing changed: one try is enough.
    for (const token of [null, 'same']) {
      sent.length = 0
      setCsrfToken('same')
      onSessionChange(async () => setCsrfToken(token))
      answers = [problem('not-logged-in', 401), json(200, {})]
      expect(await ruleOf(call('delete', '/api/v1/sessions', {}))).toBe('not-logged-in')
      expect(sent.length).toBe(1)
    }
  })
})

test('paths find their views', async () => {
  vi.stubGlobal('location', { pathname: '/', search: '' })
  const { matchPath } = await import('../../src/state/router.svelte')
  expect(matchPath('/wallets', '/wallets')).toEqual({})
  expect(matchPath('/wallets', '/wallets/')).toEqual({})
  expect(matchPath('/wallets/{id}/recovery-file', '/wallets/a%20b/recovery-file')).toEqual({ id: 'a b' })
  expect(matchPath('/wallets/{id}/recovery-file', '/wallets//recovery-file')).toBeNull()
  expect(matchPath('/wallets/{id}', '/wallets/%zz')).toBeNull()
  expect(matchPath('/wallets', '/wallets/1')).toBeNull()
})
