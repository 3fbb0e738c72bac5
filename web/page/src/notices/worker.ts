// SPDX-License-Identifier: Apache-2.0
// The service worker of notices: shows what the node pushed, and opens the page where it is told of. It keeps nothing,
// answers no request of the page, and asks nobody. A notice is {event, sequence, time}, encrypted to this browser.
import * as m from '../generated/words/messages.js'
import { overwriteGetLocale } from '../generated/words/runtime.js'
import { chooseLocale } from '../state/locales'
import { eventWords, KNOWN_EVENTS } from '../words/events'
import { noticeLocale } from './notice-locale'

interface PushEvent extends Event {
  readonly data: { text(): string } | null
  waitUntil(work: Promise<unknown>): void
}
interface ClickEvent extends Event {
  readonly notification: Notification
  waitUntil(work: Promise<unknown>): void
}
interface Page {
  readonly url: string
  focus(): Promise<Page>
  navigate(url: string): Promise<Page | null>
}
interface Scope extends EventTarget {
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Page[]>
    openWindow(url: string): Promise<Page | null>
  }
}
const scope = globalThis as unknown as Scope

/** Where a notice is told of in full. */
const PLACES: Record<string, string> = {
  TransactionIncluded: '/transactions',
  TransactionFailed: '/transactions',
  ChangeQueued: '/waiting',
  EscapeStarted: '/waiting',
  RecoveryStarted: '/waiting',
  AccountFrozen: '/limits',
  AccountUnfrozen: '/limits',
  PasskeyAdded: '/passkeys',
  PasskeyRemoved: '/passkeys',
}

function read(event: PushEvent): { event: string; sequence: string } {
  try {
    const { event: name, sequence } = JSON.parse(event.data?.text() ?? '') as Record<string, unknown>
    return { event: typeof name === 'string' ? name : '', sequence: typeof sequence === 'number' ? `${sequence}` : '' }
  } catch {
    return { event: '', sequence: '' }
  }
}

async function show(told: PushEvent): Promise<void> {
  const locale = (await noticeLocale().catch(() => undefined)) ?? chooseLocale(navigator.languages)
  overwriteGetLocale(() => locale)
  const { event, sequence } = read(told)
  await scope.registration.showNotification(m.app_name(), {
    body: KNOWN_EVENTS.includes(event) ? eventWords({ event }) : m.notice_other(),
    lang: locale,
    icon: '/icon.svg',
    // The same notice twice is one.
    ...(sequence ? { tag: sequence } : {}),
    data: PLACES[event] ?? '/activity',
  })
}

async function open({ notification }: ClickEvent): Promise<void> {
  notification.close()
  const place = typeof notification.data === 'string' ? notification.data : '/activity'
  const [page] = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (!page) return void (await scope.clients.openWindow(place))
  await page.focus()
  // A page that this worker does not control stays where it is.
  await page.navigate(place).catch(() => null)
}

scope.addEventListener('push', (event) => {
  const told = event as PushEvent
  told.waitUntil(show(told))
})
scope.addEventListener('notificationclick', (event) => {
  const click = event as ClickEvent
  click.waitUntil(open(click))
})
