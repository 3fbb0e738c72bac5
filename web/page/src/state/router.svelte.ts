// SPDX-License-Identifier: Apache-2.0
// Views by path, with the History API. A link of the page is an ordinary link; the click is taken over here.
import { tick } from 'svelte'

let path = $state(location.pathname)
let query = $state(new URLSearchParams(location.search))
let moved = false

function arrive() {
  path = location.pathname
  query = new URLSearchParams(location.search)
}

export const router = {
  get path() {
    return path
  },
  get query() {
    return query
  },
  /** Whether this view was come to from another one, so that its heading takes the keyboard's focus. */
  get moved() {
    return moved
  },
  go(to: string, { replace = false } = {}) {
    const target = new URL(to, location.href)
    if (target.href === location.href) return
    history[replace ? 'replaceState' : 'pushState'](null, '', target)
    moved = true
    arrive()
    void tick().then(() => scrollTo(0, 0))
  },
  start() {
    addEventListener('popstate', () => {
      moved = true
      arrive()
    })
    document.addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button !== 0) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      const link = (event.target as Element | null)?.closest('a')
      if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
      if (link.pathname === location.pathname && link.hash) return
      event.preventDefault()
      router.go(link.href)
    })
  },
}

/** The values of `{name}` segments when `pattern` fits `path`. */
export function matchPath(pattern: string, candidate: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = candidate.replace(/(.)\/$/, '$1').split('/')
  if (wanted.length !== given.length) return null
  const values: Record<string, string> = {}
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? ''
    if (segment.startsWith('{')) {
      if (value === '') return null
      try {
        values[segment.slice(1, -1)] = decodeURIComponent(value)
      } catch {
        return null
      }
    } else if (segment !== value) return null
  }
  return values
}
