// SPDX-License-Identifier: Apache-2.0
// Times as the person's language writes them, in the time zone of the device.
import { locale } from '../state/locale.svelte'

const TAGS = { en: 'en-GB', 'zh-Hans': 'zh-Hans-CN', th: 'th-TH' } as const

export function longTime(text: string): string {
  return new Intl.DateTimeFormat(TAGS[locale.current], { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(text),
  )
}

export function clockTime(text: string): string {
  return new Intl.DateTimeFormat(TAGS[locale.current], { timeStyle: 'short' }).format(new Date(text))
}

export function dayOf(text: string): string {
  return new Intl.DateTimeFormat(TAGS[locale.current], { dateStyle: 'full' }).format(new Date(text))
}
