// SPDX-License-Identifier: Apache-2.0
// Who is logged in. `undefined` until the node was asked.
import { call, onSessionChange, setCsrfToken } from '../api/client'
import type { LoggedIn, User } from '../api/models'

let current = $state<LoggedIn | null | undefined>(undefined)
let failure = $state<unknown>(null)
let wasEnded = $state(false)
let lostPasskey = $state(false)

// Whether somebody was logged in here when the page was last open: the frame is then laid out before the node answers.
const HINT = 'logged in'
function hint(): boolean {
  try {
    return localStorage.getItem(HINT) !== null
  } catch {
    return false
  }
}
const wasHere = hint()

function keepHint(isPerson: boolean) {
  try {
    if (isPerson) localStorage.setItem(HINT, '1')
    else localStorage.removeItem(HINT)
  } catch {
    // The frame then changes when the answer comes.
  }
}

function enter(loggedIn: LoggedIn | null) {
  current = loggedIn
  keepHint(loggedIn !== null)
  if (loggedIn) wasEnded = lostPasskey = false
  setCsrfToken(loggedIn?.csrfToken ?? null)
}

async function ask() {
  try {
    const before = current
    const answer = await call('get', '/api/v1/session', {})
    // Its cookie stays until the next log-in, so that a page which is opened later is told, too.
    lostPasskey = answer !== null && 'endedBy' in answer
    const found = answer !== null && 'user' in answer ? answer : null
    // Another answer may have come while this one was on its way.
    if (before && !found && current === before) wasEnded = true
    enter(found)
    failure = null
  } catch (error) {
    failure = error
    throw error
  }
}
onSessionChange(ask)

export const session = {
  /** Null when nobody is logged in, undefined while that is not known. */
  get user(): User | null | undefined {
    return current === undefined ? undefined : (current?.user ?? null)
  },
  /** Whether there is a person, or there was one until the node says otherwise: for the layout alone. */
  get seemsPerson(): boolean {
    return current === undefined ? wasHere : current !== null
  },
  get id() {
    return current?.session.sessionId
  },
  /** Whether the person was logged out by something else than this page: another device, or time. */
  get wasEnded() {
    return wasEnded
  },
  /** Whether it is over because its passkey was removed: an escape, a recovery or a change of keys took it. */
  get lostPasskey() {
    return lostPasskey
  },
  /** Why the node could not be asked; null when it could. */
  get failure() {
    return failure
  },
  ask,
  enter,
  update(user: User) {
    if (current) current = { ...current, user }
  },
  /** Ends the session at the node first: a log-out that only this page believes would be none. */
  async leave() {
    await call('delete', '/api/v1/session', {})
    enter(null)
  },
}
