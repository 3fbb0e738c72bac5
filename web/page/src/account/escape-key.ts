// SPDX-License-Identifier: Apache-2.0
// The escape key: made here, and only its address leaves the page.
import { addressOf, newKey } from '../../../escape/src/core/signing.mjs'

export interface EscapeKey {
  readonly secret: string
  /** Lower case. */
  readonly address: string
}

export function makeEscapeKey(): EscapeKey {
  const secret = newKey()
  return { secret, address: addressOf(secret) }
}

export const escapeAddress = (secret: string): string => addressOf(secret)
