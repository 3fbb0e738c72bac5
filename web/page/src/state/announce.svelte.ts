// SPDX-License-Identifier: Apache-2.0
// Short messages that appear without a change of view: seen at the foot of the page, and read out.

let text = $state('')
let timer: ReturnType<typeof setTimeout> | undefined

export const announcement = {
  get text() {
    return text
  },
}

const SHOWN_MS = 6_000

export function announce(words: string) {
  clearTimeout(timer)
  // The same words twice are two messages: an empty one between makes a reader say them again.
  text = ''
  queueMicrotask(() => {
    text = words
    timer = setTimeout(() => {
      text = ''
    }, SHOWN_MS)
  })
}
