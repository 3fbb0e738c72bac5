// SPDX-License-Identifier: Apache-2.0
// The person's passkeys as the node has them, and the points of those that this page vouches for itself.
import { rpIdHash } from '../../../escape/src/core/signing.mjs'
import { addedPasskeys } from '../account/kept'
import { call } from '../api/client'
import type { Passkey } from '../api/models'
import type { PasskeyPoint } from '../passkey/ceremony'
import { foreignIn, pointOf } from '../transaction/keys'
import type { WalletState } from '../transaction/models'
import { foreignName, type KeyNames } from '../words/keys'
import { node } from './node.svelte'

let list = $state.raw<readonly Passkey[] | null>(null)

export const passkeys = {
  /** Null until they were asked for. */
  get list() {
    return list
  },
  /** Throws Problem. */
  async load(): Promise<readonly Passkey[]> {
    const answer = (await call('get', '/api/v1/passkeys', {})).passkeys
    list = answer
    return answer
  },
  /**
   * Names by x, of those at the node and of those that an account has. What lives at another node, on the account or on
   * its way to it, is called that: it is no stranger, but nothing here vouches for whose it is.
   */
  names(...states: readonly WalletState[]): KeyNames {
    const names = new Map<bigint, string>()
    const { info } = node
    for (const state of info ? states : [])
      for (const x of foreignIn(state, rpIdHash(info?.rpId ?? ''))) names.set(x, foreignName(x))
    for (const state of states)
      for (const { name, publicKey } of state.passkeys) if (name) names.set(pointOf(publicKey).x, name)
    for (const { name, publicKey } of list ?? []) names.set(pointOf(publicKey).x, name)
    return names
  },
}

/** The point of a passkey that was made in this browser; null for others. */
export async function madeHere(passkeyId: string): Promise<PasskeyPoint | null> {
  const kept = await addedPasskeys.read(passkeyId)
  return kept ? { x: BigInt(kept.x), y: BigInt(kept.y) } : null
}
