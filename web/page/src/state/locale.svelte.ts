// SPDX-License-Identifier: Apache-2.0
// The page's language: chosen by the person, else the browser's first that there are words for, else English.
import { overwriteGetLocale } from '../generated/words/runtime.js'
import { chooseLocale, LOCALES, type Locale } from './locales'

export { chooseLocale, LOCALES, type Locale }
/** As their speakers call them. */
export const LOCALE_NAMES: Record<Locale, string> = { en: 'English', 'zh-Hans': '简体中文', th: 'ไทย' }

function stored(): Locale | undefined {
  try {
    const value = localStorage.getItem('locale')
    return LOCALES.find((locale) => locale === value)
  } catch {
    return undefined
  }
}

const first = stored() ?? chooseLocale(navigator.languages)
let current = $state<Locale>(first)
// Templates that call a message read this state, so a change shows at once.
overwriteGetLocale(() => current)
document.documentElement.lang = first

export const locale = {
  get current() {
    return current
  },
  choose(chosen: Locale) {
    current = chosen
    document.documentElement.lang = chosen
    try {
      localStorage.setItem('locale', chosen)
    } catch {
      // The choice then lasts as long as the page.
    }
  },
}
