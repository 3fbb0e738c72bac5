// SPDX-License-Identifier: Apache-2.0
// Who opened this window, and what they ask. The origin is the one that the browser puts to a message, and nothing that an
// app says of itself; what it asks comes through one port, once, as a copy.
export interface Asked {
  /** MessageEvent.origin, as the browser serializes it. */
  readonly origin: string
  /** Whatever the app sent. */
  readonly request: unknown
  answer(result: unknown): void
  /** Codes of EIP-1193, EIP-1474 and EIP-5792. */
  refuse(code: number, message: string): void
}

interface Surroundings {
  readonly self: Window
  readonly top: Window | null
  readonly opener: Window | null
}

/** Pages without an origin of their own (sandboxed frames, files) are all called this. */
const NOBODY = 'null'

/**
 * Hears the app that opened this window; null when nobody did, or when this document is in a frame, where a person could
 * not see whose it is.
 */
export function hearOpener({ self, top, opener }: Surroundings = window as Surroundings): Promise<Asked> | null {
  if (opener === null || top !== self) return null
  return new Promise((resolve) => {
    self.addEventListener('message', function hear({ source, origin, data }: MessageEvent) {
      if (source !== opener || origin === NOBODY || data?.airAccount !== 'hello') return
      self.removeEventListener('message', hear)
      const { port1, port2 } = new MessageChannel()
      let isOver = false
      const end = (message: object) => {
        if (isOver) return
        isOver = true
        port1.postMessage(message)
      }
      port1.addEventListener(
        'message',
        ({ data: request }) =>
          resolve({
            origin,
            request,
            answer: (result) => end({ result }),
            refuse: (code, message) => end({ error: { code, message } }),
          }),
        { once: true },
      )
      port1.start()
      // An opener that has become another origin meanwhile gets nothing.
      opener.postMessage({ airAccount: 'port' }, origin, [port2])
    })
    // Says nothing but that this window is there; whoever opened it knows that.
    opener.postMessage({ airAccount: 'ready' }, '*')
  })
}
