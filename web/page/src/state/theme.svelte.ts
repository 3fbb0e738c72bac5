// SPDX-License-Identifier: Apache-2.0
// Light or dark: the system's wish, unless the person chose.

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const told = document.documentElement.dataset.theme
let current = $state<Theme>(told === 'light' || told === 'dark' ? told : 'system')

export const theme = {
  get current() {
    return current
  },
  choose(chosen: Theme) {
    current = chosen
    const { dataset } = document.documentElement
    try {
      if (chosen === 'system') {
        delete dataset.theme
        localStorage.removeItem('theme')
      } else {
        dataset.theme = chosen
        localStorage.setItem('theme', chosen)
      }
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  },
}
