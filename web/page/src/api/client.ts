// SPDX-License-Identifier: Apache-2.0
// Calls of the node's API, typed by its contract. Every failure is a `Problem`.
import type { paths } from '../generated/api'
import { Problem } from './problem'

type Method = 'get' | 'post' | 'patch' | 'delete'
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never
}[keyof paths]
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never
type Json<R> = R extends { content: { 'application/json': infer A } } ? A : undefined
type Success<R> = { [S in keyof R]: S extends 200 | 201 | 202 | 204 ? Json<R[S]> : never }[keyof R]
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? Success<R> : never
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? { body: B } : { body?: never }
type InPath<O> = O extends { parameters: { path: infer V } } ? { path: V } : { path?: never }
type InQuery<O> = O extends { parameters: { query?: infer V } } ? { query?: NonNullable<V> } : { query?: never }
export type Wishes<P extends keyof paths, M extends Method> = Body<Operation<P, M>> &
  InPath<Operation<P, M>> &
  InQuery<Operation<P, M>> & {
    signal?: AbortSignal
    /** Instead of what anything but an upload needs at most. */
    timeoutMs?: number
  }

/** Nothing this API does takes longer; a trusted core that is started again needs half a minute at most. */
const TIMEOUT_MS = 60_000

let csrfToken: string | null = null
let renewSession: (() => Promise<void>) | null = null

/** The token of the session that the cookie names; null when nobody is logged in. */
export function setCsrfToken(token: string | null) {
  csrfToken = token
}

/** Called when the node does not know the session, or not with this token: another tab may have logged in or out. */
export function onSessionChange(renew: () => Promise<void>) {
  renewSession = renew
}

/** The path with its parameters filled in, each encoded. */
export function fillPath(template: string, values: Record<string, unknown> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])))
}

interface Untyped {
  body?: unknown
  path?: unknown
  query?: unknown
  signal?: AbortSignal
  timeoutMs?: number
}

/** JSON that exists as text already is sent as it is: the node may tell files apart by their bytes. */
const bodyOf = (body: unknown) => (body instanceof Blob ? body : JSON.stringify(body))

async function send(method: Method, path: string, wishes: Untyped): Promise<Response> {
  const query = new URLSearchParams(
    Object.entries((wishes.query ?? {}) as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
  ).toString()
  const headers: Record<string, string> = { accept: 'application/json' }
  if (method !== 'get') headers['content-type'] = 'application/json'
  if (method !== 'get' && csrfToken !== null) headers['x-csrf-token'] = csrfToken
  const timeout = AbortSignal.timeout(wishes.timeoutMs ?? TIMEOUT_MS)
  try {
    return await fetch(fillPath(path, (wishes.path ?? {}) as Record<string, unknown>) + (query && `?${query}`), {
      method: method.toUpperCase(),
      headers,
      ...(wishes.body === undefined ? {} : { body: bodyOf(wishes.body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: wishes.signal ? AbortSignal.any([timeout, wishes.signal]) : timeout,
    })
  } catch (error) {
    if (wishes.signal?.aborted) throw error
    throw new Problem(timeout.aborted ? 'node-too-slow' : 'node-unreachable')
  }
}

async function read(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined
  let text = ''
  try {
    text = await response.text()
  } catch (error) {
    // The time-out of the request ends its answer, too.
    throw error instanceof DOMException && error.name === 'TimeoutError'
      ? new Problem('node-too-slow')
      : new Problem('node-unreachable')
  }
  if (!response.ok) throw Problem.of(text, response.status)
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem('answer-unreadable', { status: response.status, title: 'not JSON' })
  }
}

export async function call<M extends Method, P extends PathsWith<M>>(
  method: M,
  path: P,
  wishes: Wishes<P, M>,
): Promise<Answer<P, M>> {
  try {
    return (await read(await send(method, path, wishes as Untyped))) as Answer<P, M>
  } catch (error) {
    const stale = Problem.is(error, 'csrf-token-wrong') || Problem.is(error, 'not-logged-in')
    if (!stale || renewSession === null) throw error
    const before = csrfToken
    await renewSession()
    // Logged in anew elsewhere with the same cookie: worth one more try. Nothing was done the first time.
    if (csrfToken === null || csrfToken === before) throw error
    return (await read(await send(method, path, wishes as Untyped))) as Answer<P, M>
  }
}
