// SPDX-License-Identifier: Apache-2.0
// What happens to the person, while it happens: one stream of GET /api/v1/events for each page that is looked at
// (server-sent events, WHATWG HTML section 9.2). News say what to read anew and are never shown as they came: whoever
// hears them asks the node. Where the node refuses the stream, listeners go on by asking now and then.
import { KNOWN_EVENTS } from '../words/events'

export interface News {
  /** A word of the activity log, `TransactionChanged`, or `reread`: something may have been missed. */
  readonly name: string
  readonly transactionId?: string
  readonly walletId?: string
}

/** Part of EventSource that is used here, so that a test can bring its own. */
export interface Stream {
  readonly readyState: number
  onopen: ((event: Event) => void) | null
  onerror: ((event: Event) => void) | null
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void
  close(): void
}

export interface LiveWorld {
  open(path: string): Stream
  /** Whether anybody can see the page. */
  isHidden(): boolean
  /** The stream broke or was refused: is somebody still logged in? */
  lost(): void
}

type Listener = (news: News) => void

const PATH = '/api/v1/events'
const CLOSED = 2
const NAMES = [...KNOWN_EVENTS, 'TransactionChanged', 'reread']
/** Browsers open six connections to a host (HTTP/1.1): tabs that nobody looks at may not hold them. */
export const HIDDEN_MS = 10_000
/** After a refusal; the node says no less in Retry-After, which EventSource does not tell. */
export const RETRY_MS = 60_000

function read(name: string, data: string): News {
  try {
    const { transactionId, walletId } = JSON.parse(data) as Record<string, unknown>
    return {
      name,
      ...(typeof transactionId === 'string' ? { transactionId } : {}),
      ...(typeof walletId === 'string' ? { walletId } : {}),
    }
  } catch {
    return { name: 'reread' }
  }
}

/** The stream of one page; `follow` and `unfollow` as somebody logs in and out. */
export function makeLive(world: LiveWorld) {
  const listeners = new Set<Listener>()
  let stream: Stream | null = null
  let isFollowing = false
  let isFirst = true
  let isOpen = $state(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  const tell = (news: News) => {
    for (const listener of [...listeners]) listener(news)
  }

  function close() {
    clearTimeout(timer)
    timer = undefined
    stream?.close()
    stream = null
    isOpen = false
  }

  function open() {
    close()
    if (!isFollowing || world.isHidden()) return
    const opened = world.open(PATH)
    stream = opened
    // What came between two streams is in neither; of one that only broke the browser asks itself, by Last-Event-ID.
    let missed = !isFirst
    isFirst = false
    opened.onopen = () => {
      isOpen = true
      if (missed) tell({ name: 'reread' })
      missed = false
    }
    opened.onerror = () => {
      const isRefused = opened.readyState === CLOSED
      if (!isRefused && !isOpen) return
      isOpen = false
      if (isRefused) {
        close()
        timer = setTimeout(open, RETRY_MS)
      }
      world.lost()
      // Whoever waited for news goes on by asking.
      tell({ name: 'reread' })
    }
    for (const name of NAMES) opened.addEventListener(name, (event) => tell(read(name, event.data)))
  }

  return {
    /** Whether news come by themselves; listeners ask more often while they do not. */
    get isOpen() {
      return isOpen
    },
    /** Answers how to stop hearing. */
    hear(listener: Listener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    follow() {
      if (isFollowing) return
      isFollowing = true
      isFirst = true
      open()
    },
    unfollow() {
      isFollowing = false
      close()
    },
    /** The page was hidden or shown. */
    shownOrHidden() {
      if (!isFollowing) return
      if (!world.isHidden()) {
        if (stream === null) open()
        else clearTimeout(timer)
      } else if (stream !== null) {
        clearTimeout(timer)
        timer = setTimeout(close, HIDDEN_MS)
      }
    },
    /** The browser puts the page aside (back and forward), or takes it up again. */
    aside: close,
    resume: open,
  }
}

export type Live = ReturnType<typeof makeLive>

/** Many events tell of one thing; it is read once. */
const GATHER_MS = 120

/** Calls `act` soon after news that are wanted. Answers how to stop. */
export function onNews(live: Pick<Live, 'hear'>, wanted: (news: News) => boolean, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = live.hear((news) => {
    if (news.name !== 'reread' && !wanted(news)) return
    clearTimeout(timer)
    timer = setTimeout(act, GATHER_MS)
  })
  return () => {
    clearTimeout(timer)
    stop()
  }
}
