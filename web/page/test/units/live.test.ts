// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HIDDEN_MS, makeLive, type News, onNews, RETRY_MS, type Stream } from '../../src/state/live.svelte'
import { paged } from '../../src/state/paged.svelte'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

class FakeStream implements Stream {
  readyState = 0
  onopen: ((event: Event) => void) | null = null
  onerror: ((event: Event) => void) | null = null
  readonly listeners = new Map<string, (event: MessageEvent<string>) => void>()
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void) {
    this.listeners.set(name, listener)
  }
  close() {
    this.readyState = 2
  }
  answer() {
    this.readyState = 1
    this.onopen?.({} as Event)
  }
  say(name: string, data: string) {
    this.listeners.get(name)?.({ data } as MessageEvent<string>)
  }
  fail(readyState: number) {
    this.readyState = readyState
    this.onerror?.({} as Event)
  }
}

function page() {
  const streams: FakeStream[] = []
  const state = { hidden: false, lost: 0 }
  const heard: News[] = []
  const live = makeLive({
    open: () => {
      const stream = new FakeStream()
      streams.push(stream)
      return stream
    },
    isHidden: () => state.hidden,
    lost: () => state.lost++,
  })
  live.hear((news) => heard.push(news))
  const last = () => streams.at(-1) as FakeStream
  return { live, streams, state, heard, last }
}

describe('live events', () => {
  it('come by one stream for as long as somebody is logged in', () => {
    const { live, streams, heard, last } = page()
    expect(streams).toHaveLength(0)
    live.follow()
    live.follow()
    expect(streams).toHaveLength(1)
    expect(live.isOpen).toBe(false)
    last().answer()
    expect(live.isOpen).toBe(true)
    last().say('TransactionChanged', '{"transactionId":"a","walletId":"b","chainId":1,"state":"final"}')
    expect(heard).toEqual([{ name: 'TransactionChanged', transactionId: 'a', walletId: 'b' }])
    live.unfollow()
    expect(last().readyState).toBe(2)
    expect(live.isOpen).toBe(false)
  })

  it('that cannot be read say to read everything anew', () => {
    const { live, heard, last } = page()
    live.follow()
    last().answer()
    last().say('AccountFrozen', '{"transactionId":')
    last().say('AccountFrozen', 'null')
    last().say('AccountFrozen', '{"walletId":7}')
    expect(heard).toEqual([{ name: 'reread' }, { name: 'reread' }, { name: 'AccountFrozen' }])
  })

  it('are given up by a page that nobody looks at, which then reads anew', () => {
    const { live, streams, state, heard, last } = page()
    live.follow()
    last().answer()
    state.hidden = true
    live.shownOrHidden()
    vi.advanceTimersByTime(HIDDEN_MS - 1)
    expect(last().readyState).toBe(1)
    state.hidden = false
    live.shownOrHidden()
    vi.advanceTimersByTime(HIDDEN_MS)
    expect(last().readyState).toBe(1)
    state.hidden = true
    live.shownOrHidden()
    vi.advanceTimersByTime(HIDDEN_MS)
    expect(last().readyState).toBe(2)
    expect(heard).toEqual([])
    state.hidden = false
    live.shownOrHidden()
    expect(streams).toHaveLength(2)
    last().answer()
    expect(heard).toEqual([{ name: 'reread' }])
  })

  it('that are refused are asked for again later, and whoever listens is told', () => {
    const { live, streams, state, heard, last } = page()
    live.follow()
    last().fail(2)
    expect(live.isOpen).toBe(false)
    expect(state.lost).toBe(1)
    expect(heard).toEqual([{ name: 'reread' }])
    vi.advanceTimersByTime(RETRY_MS - 1)
    expect(streams).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(streams).toHaveLength(2)
    live.unfollow()
    vi.advanceTimersByTime(10 * RETRY_MS)
    expect(streams).toHaveLength(2)
  })

  it('that break come back by the browser alone; the session is asked for once', () => {
    const { live, streams, state, heard, last } = page()
    live.follow()
    last().answer()
    for (let i = 0; i < 3; i++) last().fail(0)
    expect(state.lost).toBe(1)
    expect(streams).toHaveLength(1)
    last().answer()
    expect(live.isOpen).toBe(true)
    expect(heard).toEqual([{ name: 'reread' }])
  })

  it('are not asked for by a page that is hidden from the start', () => {
    const { live, streams, state } = page()
    state.hidden = true
    live.follow()
    expect(streams).toHaveLength(0)
    state.hidden = false
    live.shownOrHidden()
    expect(streams).toHaveLength(1)
  })

  it('of one thing are gathered', () => {
    const { live, last } = page()
    live.follow()
    const act = vi.fn()
    const stop = onNews(live, ({ name }) => name === 'AccountFrozen', act)
    for (let i = 0; i < 5; i++) last().say('AccountFrozen', '{}')
    last().say('UserAuthenticated', '{}')
    vi.advanceTimersByTime(1_000)
    expect(act).toHaveBeenCalledTimes(1)
    last().say('AccountFrozen', '{}')
    stop()
    vi.advanceTimersByTime(1_000)
    expect(act).toHaveBeenCalledTimes(1)
  })

  it('have words for every name of the log', async () => {
    vi.stubGlobal('document', { documentElement: { lang: '', dataset: {} } })
    const { KNOWN_EVENTS } = await import('../../src/words/events')
    const header = new URL('../../../../community/audit/api/events.hpp', import.meta.url)
    const names = [...readFileSync(header, 'utf8').matchAll(/X\(\w+, (\w+)\)/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(30)
    // Of these two nobody is left to be told.
    const untold = new Set(['PayloadsErased', 'UserDeleted'])
    expect([...KNOWN_EVENTS].sort()).toEqual(names.filter((name) => !untold.has(name as string)).sort())
  })
})

describe('following a transaction', () => {
  const answers = (states: string[]) => {
    const asked: number[] = []
    vi.stubGlobal('fetch', async () => {
      asked.push(Date.now())
      const state = states.length > 1 ? states.shift() : states[0]
      return new Response(JSON.stringify({ transactionId: 'a', state }))
    })
    return asked
  }

  it('asks when there is news of it, and seldom without', async () => {
    const { follow } = await import('../../src/transaction/flow')
    const { live, last } = page()
    live.follow()
    last().answer()
    const asked = answers(['submitted', 'submitted', 'included', 'final'])
    const heard: string[] = []
    const leaving = new AbortController()
    const done = follow(
      'a',
      ({ state }) => heard.push(state),
      () => undefined,
      leaving.signal,
      live,
    )
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toHaveLength(1)
    last().say('TransactionChanged', '{"transactionId":"b"}')
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toHaveLength(2)
    last().say('TransactionChanged', '{"transactionId":"a"}')
    await vi.advanceTimersByTimeAsync(0)
    expect(heard).toEqual(['submitted', 'submitted', 'included'])
    last().say('reread', '{}')
    await vi.advanceTimersByTimeAsync(0)
    await done
    expect(heard.at(-1)).toBe('final')
  })

  it('asks ever more rarely where no news come', async () => {
    const { follow } = await import('../../src/transaction/flow')
    const { live } = page()
    const asked = answers(['submitted'])
    const leaving = new AbortController()
    const done = follow(
      'a',
      () => undefined,
      () => undefined,
      leaving.signal,
      live,
    )
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked.length).toBeGreaterThan(8)
    expect(asked.length).toBeLessThan(20)
    leaving.abort()
    await done
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a list in pages', () => {
  const entry = (sequence: number) => ({ sequence })
  const SIZE = 3
  const source = (newest: { value: number }) => async (before: number | undefined) => {
    const top = Math.min(newest.value, (before ?? Number.POSITIVE_INFINITY) - 1)
    const entries = Array.from({ length: Math.min(SIZE, top) }, (_, i) => entry(top - i))
    const last = entries.at(-1)?.sequence ?? 1
    return { entries, next: last > 1 ? last : null }
  }
  const numbers = (list: { entries: readonly { sequence: number }[] | null }) =>
    list.entries?.map(({ sequence }) => sequence)

  it('grows at its end, and at its beginning by news', async () => {
    const newest = { value: 7 }
    const list = paged(source(newest))
    expect(list.entries).toBeNull()
    await list.renew()
    expect(list.entries).toBeNull()
    await list.more()
    await list.more()
    expect(numbers(list)).toEqual([7, 6, 5, 4, 3, 2])
    newest.value = 9
    await list.renew()
    expect(numbers(list)).toEqual([9, 8, 7, 6, 5, 4, 3, 2])
    await list.more()
    expect(numbers(list)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
    expect(list.hasMore).toBe(false)
  })

  it('has no hole when more came than a page holds', async () => {
    const newest = { value: 4 }
    const list = paged(source(newest))
    await list.more()
    newest.value = 20
    await list.renew()
    expect(numbers(list)).toEqual([20, 19, 18])
    await list.more()
    expect(numbers(list)).toEqual([20, 19, 18, 17, 16, 15])
  })

  it('keeps what it has when the node is away', async () => {
    let isAway = false
    const list = paged(async (before: number | undefined) => {
      if (isAway) throw new Error('away')
      return source({ value: 5 })(before)
    })
    await list.more()
    isAway = true
    await list.renew()
    expect(list.failure).toBeNull()
    await list.more()
    expect(list.failure).toBeInstanceOf(Error)
    expect(numbers(list)).toEqual([5, 4, 3])
    isAway = false
    await list.more()
    expect(list.failure).toBeNull()
    expect(numbers(list)).toEqual([5, 4, 3, 2, 1])
  })
})
