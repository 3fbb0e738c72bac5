// SPDX-License-Identifier: Apache-2.0
// Before the first paint: the colours and the language that this browser was told, so that nothing flashes.
;(() => {
  try {
    const theme = localStorage.getItem('theme')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
    const locale = localStorage.getItem('locale')
    if (locale) document.documentElement.lang = locale
  } catch {
    // Storage may be forbidden; the page then follows the system.
  }
})()
