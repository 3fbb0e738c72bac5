// SPDX-License-Identifier: Apache-2.0
// The language of notices, where the page and its service worker both find it: workers have no localStorage.
import type { Locale } from '../state/locales'
import { LOCALES } from '../state/locales'

const CACHE = 'notices'
const KEY = '/notices.js?locale'

/** Kept from the first subscription on; before, there is nobody to read it. */
export async function keepNoticeLocale(locale: Locale, { always = false } = {}): Promise<void> {
  if (!('caches' in globalThis) || (!always && !(await caches.has(CACHE)))) return
  await (await caches.open(CACHE)).put(KEY, new Response(locale))
}

export async function noticeLocale(): Promise<Locale | undefined> {
  if (!(await caches.has(CACHE))) return undefined
  const text = await (await (await caches.open(CACHE)).match(KEY))?.text()
  return LOCALES.find((locale) => locale === text)
}

export const forgetNoticeLocale = () => caches.delete(CACHE)
