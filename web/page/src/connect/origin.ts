// SPDX-License-Identifier: Apache-2.0
// What a person should look at in the name of a page that asks. The name itself is shown as computers write it, so that
// letters of other alphabets cannot pass for the ones that they look like.

export interface OriginFacts {
  readonly scheme: string
  readonly host: string
  readonly port: string
  /** A page on this device: nobody else's, and no name to be sure of. */
  readonly isLocal: boolean
  /** Punycode (RFC 3492): the name has letters beyond those of ASCII. */
  readonly isInternational: boolean
  /** A name known to this person that it is not, but looks like. */
  readonly looksLike: string | null
}

const LOCAL = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/

/** Characters that are read for one another, brought to one of them. */
function skeleton(host: string): string {
  return host
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd')
    .replace(/[0o]/g, 'o')
    .replace(/[1li]/g, 'l')
    .replaceAll('5', 's')
    .replace(/[-_.]/g, '')
}

/** Whether one insertion, deletion, replacement or swap of neighbours makes one of the other. */
function isOneStepAway(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  if (long.length - short.length > 1) return false
  let i = 0
  while (i < short.length && short[i] === long[i]) i++
  if (short.length !== long.length) return short.slice(i) === long.slice(i + 1)
  const isSwap = short[i] === long[i + 1] && short[i + 1] === long[i] && short.slice(i + 2) === long.slice(i + 2)
  return isSwap || short.slice(i + 1) === long.slice(i + 1)
}

/** Below this length, names differ by a letter by chance. */
const LEAST_LETTERS = 6

const isAlike = (host: string, known: string) =>
  host !== known &&
  Math.min(host.length, known.length) >= LEAST_LETTERS &&
  (skeleton(host) === skeleton(known) || isOneStepAway(host, known))

/** `known`: hosts that the person has to do with, the node's own among them. */
export function factsOf(origin: string, known: readonly string[] = []): OriginFacts {
  const { protocol, hostname, port } = new URL(origin)
  const isLocal = LOCAL.test(hostname)
  const others = isLocal || known.includes(hostname) ? [] : known
  return {
    scheme: protocol.slice(0, -1),
    host: hostname,
    port,
    isLocal,
    isInternational: hostname.split('.').some((label) => label.startsWith('xn--')),
    looksLike: others.find((one) => isAlike(hostname, one)) ?? null,
  }
}
