// SPDX-License-Identifier: Apache-2.0
// Where a passkey counts: what the chain says of each account, held against what the node knows.
import type { Passkey } from '../api/models'
import { type Account, account } from '../state/account.svelte'
import { actionOfItem, changeIn, pointOf, xOf } from '../transaction/keys'
import type { WaitingItem, WalletState } from '../transaction/models'

export interface Place {
  readonly of: Account
  readonly state: WalletState
}

/** Every account of the person as of now. Throws Problem. */
export async function loadPlaces(): Promise<Place[]> {
  await account.load()
  return Promise.all(account.all.map(async (of) => ({ of, state: await account.state(of) })))
}

export type Standing =
  /** Node and account take it. */
  | 'counts'
  /** The node takes it, and a change that waits gives it to the account. */
  | 'comes'
  | 'goes'
  /** The node takes it, the account does not. */
  | 'missing'
  /** The account takes it, the node does not: it votes, and signs nothing here. */
  | 'node-missing'

export interface Standings {
  readonly place: Place
  readonly standing: Standing
  /** What makes it come or go. */
  readonly item?: WaitingItem
}

/** What the waiting changes of keys do, each with its item; what cannot be read does nothing here. */
export const changesOf = ({ of, state }: Place) =>
  state.waiting.flatMap((item) => {
    const action = item.isReadable ? actionOfItem(item, of.chain.chainId, state.address) : null
    const change = action && changeIn(action, state.passkeys)
    return change ? [{ item, change }] : []
  })

/** In which slot the account has it; null when it has not. */
export const slotIn = ({ state }: Place, x: bigint) => state.passkeys.find((one) => xOf(one) === x)?.slot ?? null

export function standingOf(passkey: Pick<Passkey, 'publicKey' | 'isActive'>, place: Place): Standings {
  const { x } = pointOf(passkey.publicKey)
  const changes = changesOf(place)
  if (slotIn(place, x) !== null) {
    const going = changes.find(({ change }) => change.removed.includes(x))
    if (going) return { place, standing: 'goes', item: going.item }
    return { place, standing: passkey.isActive ? 'counts' : 'node-missing' }
  }
  const coming = changes.find(({ change }) => change.added.some((row) => row[0] === x))
  return coming ? { place, standing: 'comes', item: coming.item } : { place, standing: 'missing' }
}

/** The account's passkeys that sign at this node, without those named by x: who may vote for a change. */
export const voters = ({ state }: Place, list: readonly Passkey[], without: readonly bigint[] = []) =>
  state.passkeys.filter((one) => {
    const own = list.find(({ passkeyId }) => passkeyId === one.passkeyId)
    return own?.isActive === true && !without.includes(xOf(one))
  })
