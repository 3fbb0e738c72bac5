// SPDX-License-Identifier: Apache-2.0
// What a change makes of an account's keys and rules, out of the bytes that are signed or wait (spec/account.md,
// section 2). Keys are known by their numbers; the node's names for them are shown beside, never instead.
import { digestOf, readCall } from '../../../escape/src/core/actions.mjs'
import { ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import { rpIdHash } from '../../../escape/src/core/signing.mjs'
import type { PasskeyPoint } from '../passkey/ceremony'
import { type Action, type Stamp, stampOf } from './actions'
import type { TransactionOrder, WaitingItem, WalletState } from './models'

export type KeysOrder = Extract<TransactionOrder, { kind: 'keys' }>
/** x, y, SHA-256 of the relying party's id. */
export type KeyRow = readonly [bigint, bigint, string]

/** What the page knows of keys without the answer that is checked. */
export interface KeyFacts {
  /** The account's, as the page shows them. */
  readonly passkeys: WalletState['passkeys']
  readonly serverKey: string
  readonly escapeKey: string
  readonly rpId: string
  /** Of passkeys that are to be added, by passkeyId: told by the browser that made them, or proven by a touch. */
  readonly points: ReadonlyMap<string, PasskeyPoint>
}

export interface KeyChange {
  /** x of each. */
  readonly removed: readonly bigint[]
  readonly added: readonly KeyRow[]
  /** Lower case; null: as it is. */
  readonly serverKey: string | null
  readonly escapeKey: string | null
}

/** Kinds of items by the names of their structs. */
const KINDS = { ChangeKeys: 'changeKeys', ChangeRules: 'changeRules', Escape: 'escape', Recover: 'recover' } as const
const FIELDS = 'uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes'

/** Of a P-256 key as the API writes it: x || y. */
export const pointOf = (publicKey: string): PasskeyPoint => ({
  x: BigInt(publicKey.slice(0, 66)),
  y: BigInt(`0x${publicKey.slice(66, 130)}`),
})
export const xOf = (passkey: { readonly publicKey: string }) => pointOf(passkey.publicKey).x

const isAddress = (value: unknown): value is string => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)

/**
 * The struct that an order of keys asks for. Everything in it follows from the order and from what the page knows, but
 * for the address of a `next` server key: that one the node tells, and it must be a new key. Null when it cannot be.
 */
export function keysAction(order: KeysOrder, facts: KeyFacts, typedData: unknown): Action | null {
  const { add = [], remove = [], addForeign = [], serverKey, escapeKey } = order.keys
  const removed = remove.map((slot) => facts.passkeys.find((one) => one.slot === slot))
  const added = add.map((id) => facts.points.get(id))
  if (removed.includes(undefined) || added.includes(undefined)) return null
  // The node's core takes a passkey of another place only together with the server key of that place.
  if (addForeign.length > 0 && !isAddress(serverKey)) return null
  let server = (serverKey ?? ZERO_ADDRESS).toLowerCase()
  if (serverKey === 'next') {
    const told = (typedData as { message?: { serverKey?: unknown } } | null)?.message?.serverKey
    if (!isAddress(told)) return null
    server = told.toLowerCase()
    const taken = [ZERO_ADDRESS, facts.serverKey, facts.escapeKey, escapeKey ?? facts.escapeKey]
    if (taken.some((key) => key.toLowerCase() === server)) return null
  }
  const digest = rpIdHash(facts.rpId)
  return {
    name: 'ChangeKeys',
    fields: FIELDS,
    values: [
      removed.map((one) => xOf(one as { publicKey: string })),
      [
        ...added.map((one) => [(one as PasskeyPoint).x, (one as PasskeyPoint).y, digest]),
        ...addForeign.map((one) => [xOf(one), pointOf(one.publicKey).y, one.rpIdHash.toLowerCase()]),
      ],
      server,
      (escapeKey ?? ZERO_ADDRESS).toLowerCase(),
      order.votes ?? 1,
    ],
  }
}

const keyOrNull = (key: unknown) => (key === ZERO_ADDRESS ? null : (key as string))

/** What the struct of a change, an escape or a recovery does to the keys of an account that has `passkeys` now. */
export function changeIn(
  { name, values }: Action,
  passkeys: readonly { readonly publicKey: string }[],
): KeyChange | null {
  if (name === 'ChangeKeys') {
    const [removed, added, serverKey, escapeKey] = values as [bigint[], KeyRow[], string, string]
    return { removed, added, serverKey: keyOrNull(serverKey), escapeKey: keyOrNull(escapeKey) }
  }
  if (name !== 'Escape' && name !== 'Recover') return null
  const [rows, serverKey, escapeKey] = values as [KeyRow[], string, string | number]
  const had = passkeys.map(xOf)
  return {
    removed: had.filter((x) => !rows.some((row) => row[0] === x)),
    added: rows.filter((row) => !had.includes(row[0])),
    serverKey,
    escapeKey: name === 'Recover' ? keyOrNull(escapeKey) : null,
  }
}

/** Structs that change keys or rules. */
export const isOfKeys = ({ name }: Action) => name in KINDS

/** Action and stamp of a call that is brought as it is, an escape for instance; null for any other call. */
export function actionOfCall(data: string): { action: Action; stamp: Stamp } | null {
  const read = readCall(data.toLowerCase()) as { name: string; values: unknown[]; stamp: Stamp } | null
  return read && { action: { name: read.name, fields: '[]', values: read.values }, stamp: read.stamp }
}

function valuesIn(name: string, message: Record<string, unknown>): unknown[] {
  const number = (field: string) => BigInt(message[field] as string)
  const rows = (field: string) =>
    (message[field] as { x: string; y: string; rpIdHash: string }[]).map((row) => [
      BigInt(row.x),
      BigInt(row.y),
      row.rpIdHash.toLowerCase(),
    ])
  const key = (field: string) => `${message[field]}`.toLowerCase()
  switch (name) {
    case 'ChangeKeys':
      return [
        (message.removed as string[]).map(BigInt),
        rows('added'),
        key('serverKey'),
        key('escapeKey'),
        number('votes'),
      ]
    case 'ChangeRules':
      return [
        key('guardiansHash'),
        number('guardianThreshold'),
        number('recoveryDelay'),
        message.strict === true,
        message.unlistedTokens === true,
        number('votes'),
      ]
    case 'Escape':
      return [rows('passkeys'), key('serverKey'), number('votes')]
    default:
      return [rows('passkeys'), key('serverKey'), key('escapeKey')]
  }
}

/** What an item does, when what the node tells of it has the item's id for a digest; else null: believe nothing. */
export function actionOfItem({ item, kind, typedData }: WaitingItem, chainId: number, account: string): Action | null {
  const name = Object.entries(KINDS).find(([, one]) => one === kind)?.[0]
  const stamp = stampOf(typedData)
  if (!name || !stamp) return null
  try {
    const values = valuesIn(name, (typedData as unknown as { message: Record<string, unknown> }).message)
    const own = digestOf(chainId, account.toLowerCase(), name, values, stamp) === item.toLowerCase()
    return own ? { name, fields: '[]', values } : null
  } catch {
    // Something that does not even fit its type is not the item's content.
    return null
  }
}

/** x of each passkey of another relying party than `own` (its id's digest) that the account has, or that waits for it. */
export function foreignIn({ address, chainId, passkeys, waiting }: WalletState, own: string): bigint[] {
  const coming = waiting.flatMap((item) => {
    const action = item.isReadable ? actionOfItem(item, chainId, address) : null
    return (action && changeIn(action, passkeys)?.added) ?? []
  })
  return [
    ...passkeys.filter((one) => one.rpIdHash.toLowerCase() !== own).map(xOf),
    ...coming.filter(([, , place]) => place !== own).map(([x]) => x),
  ]
}
