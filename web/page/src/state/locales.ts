// SPDX-License-Identifier: Apache-2.0
// The languages that the page has words in, for the page and for its service worker.

export const LOCALES = ['en', 'zh-Hans', 'th'] as const
export type Locale = (typeof LOCALES)[number]

/** Of BCP 47 tags in order of preference; English for none of them. */
export function chooseLocale(tags: readonly string[]): Locale {
  for (const tag of tags) {
    const language = tag.toLowerCase()
    if (language === 'zh' || language.startsWith('zh-')) return 'zh-Hans'
    const found = LOCALES.find((locale) => language === locale || language.startsWith(`${locale}-`))
    if (found) return found
  }
  return 'en'
}
