// SPDX-License-Identifier: Apache-2.0
// The stream of this page, wired to the browser and to whoever is logged in.
import { makeLive } from './live.svelte'
import { session } from './session.svelte'

export const live = makeLive({
  open: (path) => new EventSource(path),
  isHidden: () => document.visibilityState === 'hidden',
  // Its session may be what ended; another failure is told by whoever asks next.
  lost: () => void session.ask().catch(() => undefined),
})

/** How often what no event tells, money that somebody sent, is looked for while the page is seen. */
export const LOOK_MS = 20_000

export function startLive() {
  document.addEventListener('visibilitychange', () => live.shownOrHidden())
  addEventListener('pagehide', () => live.aside())
  addEventListener('pageshow', (event) => event.persisted && live.resume())
}
