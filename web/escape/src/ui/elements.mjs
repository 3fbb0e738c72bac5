// SPDX-License-Identifier: Apache-2.0
// Elements without a framework: text is always text, never markup.

/** An element with attributes, `on` handlers and children; null and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (name === 'on') for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler)
    else if (name === 'value') element.value = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

/** Puts `content` into `place` and keeps the focus, the caret and a half-typed secret where they were. */
export function replace(place, content) {
  const { activeElement: focused } = document
  const id = place.contains(focused) ? focused.id : ''
  const range = id && typeof focused.selectionStart === 'number' ? [focused.selectionStart, focused.selectionEnd] : null
  const typed = [...place.querySelectorAll('input[type=password]')].map((input) => [input.id, input.value])
  place.replaceChildren(...content)
  for (const [field, value] of typed) {
    const input = document.getElementById(field)
    if (input) input.value = value
  }
  const again = id && document.getElementById(id)
  if (!again) return
  again.focus({ preventScroll: true })
  if (range && again.setSelectionRange) again.setSelectionRange(...range)
}

/** Offers `text` as a file; the browser asks where to, or puts it into the downloads. */
export function saveFile(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = h('a', { href: url, download: name })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
