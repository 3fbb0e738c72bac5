// SPDX-License-Identifier: Apache-2.0
// Who is logged in. `undefined` until the node was asked.
import { call, onSessionChange, setCsrfToken } from '../api/client'
import type { LoggedIn, User } from '../api/models'

let current = $state<LoggedIn | null | undefined>(undefined)
let failure = $state<unknown>(null)

function enter(loggedIn: LoggedIn | null) {
  current = loggedIn
  setCsrfToken(loggedIn?.csrfToken ?? null)
}

async function ask() {
  try {
    enter(await call('get', '/api/v1/session', {}))
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
  get id() {
    return current?.session.sessionId
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
