// SPDX-License-Identifier: Apache-2.0
// Changes of keys and rules: computed here, and a node that answers another one is found out before the touch.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { checksummed, uint } from '../../../escape/src/core/bytes.mjs'
import { rpIdHash } from '../../../escape/src/core/signing.mjs'
import type { Chain, Wallet } from '../../src/api/models'
import { type Action, actionDigest, actionOf, type Stamp } from '../../src/transaction/actions'
import { checkPrepared, type TransactionDifference, TransactionRefused } from '../../src/transaction/check'
import {
  actionOfCall,
  actionOfItem,
  changeIn,
  foreignIn,
  type KeyRow,
  type KeysOrder,
  keysAction,
  pointOf,
} from '../../src/transaction/keys'
import type { Transaction, TransactionOrder, WaitingItem, WalletState } from '../../src/transaction/models'

const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'
const MALLORY = `0x${'66'.repeat(20)}`
const SERVER = `0x${'5e'.repeat(20)}`
const NEXT = `0x${'5f'.repeat(20)}`
const ESCAPE = `0x${'e5'.repeat(20)}`
const ID = '00000000-0000-4000-8000-00000000000'
const RP_ID = 'node.example'
const RP_HASH = rpIdHash(RP_ID) as string
const STAMP: Stamp = [3n, 77n, 1_800_003_600n]

const rows = JSON.parse(
  readFileSync(new URL('../../../../tests/vectors/account/actions.json', import.meta.url), 'utf8'),
) as { name: string; digest: string; call: string }[]
const vector = (name: string) => rows.find((row) => row.name === name) as (typeof rows)[0]

const publicKey = (n: number) => `${uint(1000 + n)}${(uint(2000 + n) as string).slice(2)}`
const onChain = (slot: number, n: number, passkeyId: string | null = `${ID}${slot}`) => ({
  slot,
  publicKey: publicKey(n),
  rpIdHash: RP_HASH,
  passkeyId,
  name: passkeyId && `Device ${slot}`,
})
const PASSKEYS = [onChain(0, 1), onChain(1, 2)] as WalletState['passkeys']
const KEYS = {
  passkeys: PASSKEYS,
  serverKey: checksummed(SERVER),
  escapeKey: checksummed(ESCAPE),
  rpId: RP_ID,
  points: new Map([[`${ID}9`, { x: 1009n, y: 2009n }]]),
}
const WALLET = { walletId: `${ID}1`, address: checksummed(ACCOUNT) } as unknown as Wallet
const CHAIN = { chainId: 31337 } as Chain
const PLACE = { wallet: WALLET, chain: CHAIN, keyEpoch: 3, keys: KEYS, now: 1_800_000_000 }

const keysOrder = (keys: KeysOrder['keys'], votes: 1 | 2 = 1): KeysOrder => ({
  walletId: WALLET.walletId,
  chainId: 31337,
  kind: 'keys',
  votes,
  keys,
})
const change = (removed: bigint[], added: KeyRow[], serverKey: string, escapeKey: string, votes: number): Action => ({
  name: 'ChangeKeys',
  fields: '[]',
  values: [removed, added, serverKey, escapeKey, votes],
})
const NONE = `0x${'00'.repeat(20)}`
const NEW_ROW: KeyRow = [1009n, 2009n, RP_HASH]

/** What a node answers that had `action` signed, and says so. */
function prepared(order: TransactionOrder, action: Action, more: Partial<Transaction> = {}): Transaction {
  const [, , serverKey] = action.values
  return {
    transactionId: `${ID}2`,
    walletId: WALLET.walletId,
    address: WALLET.address,
    chainId: 31337,
    kind: order.kind,
    digest: actionDigest(31337, ACCOUNT, action, STAMP),
    typedData: { message: { keyEpoch: 3, nonce: '77', deadline: 1_800_003_600, serverKey } },
    votesNeeded: 1,
    payer: 'node',
    maxCost: '0',
    value: '0',
    summary: [],
    ...more,
  } as unknown as Transaction
}

function refused(order: TransactionOrder, transaction: Transaction, place = PLACE): TransactionDifference | null {
  try {
    checkPrepared(order, transaction, place)
    return null
  } catch (error) {
    if (error instanceof TransactionRefused) return error.difference
    throw error
  }
}

test('changes of keys have the digest that other libraries compute', () => {
  const row = (n: number): KeyRow => [1000n + BigInt(n), 2000n + BigInt(n), uint(77 + n) as string]
  const stamp: Stamp = [3n, 0x1234567890abcdefn, 1_800_000_000n]
  const action = change([1n, 2n ** 255n], [row(1), row(2)], uint(5, 20), uint(0, 20), 2)
  expect(actionDigest(31337, ACCOUNT, action, stamp)).toBe(vector('ChangeKeys').digest)
  for (const name of ['Escape', 'Recover']) {
    const read = actionOfCall(vector(name).call)
    expect(read?.action.name).toBe(name)
    expect(read && actionDigest(31337, ACCOUNT, read.action, read.stamp), name).toBe(vector(name).digest)
  }
  expect(actionOfCall('0x12345678')).toBeNull()
})

describe('a change of keys', () => {
  const adding = keysOrder({ add: [`${ID}9`] })
  const honest = change([], [NEW_ROW], NONE, NONE, 1)

  it('as it was ordered is signed', () => {
    expect(refused(adding, prepared(adding, honest))).toBeNull()
    const removing = keysOrder({ remove: [1] }, 2)
    expect(refused(removing, prepared(removing, change([1002n], [], NONE, NONE, 2)))).toBeNull()
    const other = keysOrder({ escapeKey: checksummed(NEXT) })
    expect(refused(other, prepared(other, change([], [], NONE, NEXT, 1)))).toBeNull()
  })

  it('with anything else behind its digest is refused', () => {
    for (const other of [
      change([], [[1010n, 2010n, RP_HASH]], NONE, NONE, 1),
      change([], [[1009n, 2010n, RP_HASH]], NONE, NONE, 1),
      change([], [[1009n, 2009n, rpIdHash('evil.example') as string]], NONE, NONE, 1),
      change([], [NEW_ROW, [1010n, 2010n, RP_HASH]], NONE, NONE, 1),
      change([1001n], [NEW_ROW], NONE, NONE, 1),
      change([], [NEW_ROW], MALLORY, NONE, 1),
      change([], [NEW_ROW], NONE, MALLORY, 1),
      change([], [NEW_ROW], NONE, NONE, 2),
      change([], [], NONE, NONE, 1),
    ])
      expect(refused(adding, prepared(adding, other)), other.values.join()).toBe('digest-other')
    expect(refused(adding, prepared(adding, honest), { ...PLACE, keyEpoch: 4 })).toBe('key-epoch-other')
    expect(refused(adding, prepared(adding, honest, { payer: 'account' }))).toBe('payer-other')
  })

  it('that names a key which the page does not know itself is refused', () => {
    const stranger = keysOrder({ add: [`${ID}8`] })
    expect(refused(stranger, prepared(stranger, honest))).toBe('content-missing')
    const nobody = keysOrder({ remove: [7] })
    expect(refused(nobody, prepared(nobody, change([1001n], [], NONE, NONE, 1)))).toBe('content-missing')
  })

  it('takes the next server key from the node when it is a new one, and no other', () => {
    const moving = keysOrder({ add: [`${ID}9`], serverKey: 'next' })
    const to = (key: string) => prepared(moving, change([], [NEW_ROW], key, NONE, 1))
    expect(refused(moving, to(NEXT))).toBeNull()
    for (const key of [NONE, SERVER, ESCAPE]) expect(refused(moving, to(key)), key).toBe('content-missing')
    // Another key than the one that is shown.
    const shown = { message: { keyEpoch: 3, nonce: '77', deadline: 1_800_003_600, serverKey: MALLORY } }
    expect(refused(moving, { ...to(NEXT), typedData: shown as never })).toBe('digest-other')
    expect(refused(moving, { ...to(NEXT), typedData: { message: {} } as never })).toBe('content-missing')
    expect(checkPrepared(moving, to(NEXT), PLACE).action?.values[2]).toBe(NEXT)
    // One that the person named is taken as it was named.
    const foreign = keysOrder({ serverKey: checksummed(NEXT) })
    expect(refused(foreign, prepared(foreign, change([], [], NEXT, NONE, 1)))).toBeNull()
    expect(refused(foreign, prepared(foreign, change([], [], MALLORY, NONE, 1)))).toBe('digest-other')
  })
})

describe('a move to another node', () => {
  const foreign = { publicKey: publicKey(20), rpIdHash: rpIdHash('other.example') as string }
  const row: KeyRow = [1020n, 2020n, foreign.rpIdHash]
  const moving = keysOrder({ serverKey: checksummed(NEXT), addForeign: [foreign] })

  it('names the keys of the slip, and is refused with any other', () => {
    expect(refused(moving, prepared(moving, change([], [row], NEXT, NONE, 1)))).toBeNull()
    for (const other of [
      // Another passkey, half a point, the node's own place, a third place.
      change([], [[1021n, 2021n, foreign.rpIdHash]], NEXT, NONE, 1),
      change([], [[1020n, 2021n, foreign.rpIdHash]], NEXT, NONE, 1),
      change([], [[1020n, 2020n, RP_HASH]], NEXT, NONE, 1),
      change([], [[1020n, 2020n, rpIdHash('evil.example') as string]], NEXT, NONE, 1),
      // One more, one less, one that goes.
      change([], [row, NEW_ROW], NEXT, NONE, 1),
      change([], [], NEXT, NONE, 1),
      change([1001n], [row], NEXT, NONE, 1),
      // Another gate, another way out, another number of votes.
      change([], [row], MALLORY, NONE, 1),
      change([], [row], NONE, NONE, 1),
      change([], [row], NEXT, MALLORY, 1),
      change([], [row], NEXT, NONE, 2),
    ])
      expect(refused(moving, prepared(moving, other)), other.values.join()).toBe('digest-other')
  })

  it('takes own passkeys before foreign ones, in the order of the wish', () => {
    const both = keysOrder({ add: [`${ID}9`], serverKey: checksummed(NEXT), addForeign: [foreign] })
    expect(refused(both, prepared(both, change([], [NEW_ROW, row], NEXT, NONE, 1)))).toBeNull()
    expect(refused(both, prepared(both, change([], [row, NEW_ROW], NEXT, NONE, 1)))).toBe('digest-other')
  })

  it('never gives a foreign passkey to an account that keeps a key of this node', () => {
    for (const keys of [{ addForeign: [foreign] }, { serverKey: 'next' as const, addForeign: [foreign] }]) {
      const order = keysOrder(keys)
      expect(refused(order, prepared(order, change([], [row], NEXT, NONE, 1)))).toBe('content-missing')
    }
  })
})

describe('a change of rules', () => {
  const rules = {
    guardiansHash: uint(9) as string,
    guardianThreshold: 2,
    recoveryDelay: 604_800,
    strict: false,
    unlistedTokens: false,
  }
  const order = { walletId: WALLET.walletId, chainId: 31337, kind: 'rules', votes: 1, rules } as const
  const answer = (other: Partial<typeof rules> = {}, votes: 1 | 2 = 1) =>
    prepared(order, actionOf({ ...order, votes, rules: { ...rules, ...other } } as TransactionOrder) as Action)

  it('is signed as it was ordered, and nothing else', () => {
    expect(refused(order, answer())).toBeNull()
    for (const other of [
      { guardiansHash: uint(10) as string },
      { guardianThreshold: 1 },
      { recoveryDelay: 86_400 },
      { strict: true },
      { unlistedTokens: true },
    ])
      expect(refused(order, answer(other)), JSON.stringify(other)).toBe('digest-other')
    expect(refused(order, answer({}, 2))).toBe('digest-other')
  })
})

describe('what was signed elsewhere', () => {
  const { call } = vector('Escape')
  const order = { walletId: WALLET.walletId, chainId: 31337, kind: 'escape', call } as const
  const read = actionOfCall(call) as NonNullable<ReturnType<typeof actionOfCall>>
  const hash = actionDigest(31337, ACCOUNT, read.action, read.stamp)
  const brought = (more: Partial<Transaction> = {}) =>
    prepared(order, read.action, {
      digest: null,
      votesNeeded: 0,
      summary: [{ meaning: 'escape', hash }] as never,
      ...more,
    })

  it('is brought as it is', () => {
    expect(refused(order, brought())).toBeNull()
    expect(refused(order, brought({ summary: [{ meaning: 'escape', hash: uint(1) }] as never }))).toBe('summary-other')
    expect(refused(order, brought({ digest: hash }))).toBe('kind-other')
    expect(refused(order, brought({ payer: 'account' }))).toBe('payer-other')
    const other = { ...order, call: vector('Recover').call }
    expect(refused(other, brought())).toBe('kind-other')
    expect(refused({ ...order, call: '0x1234' }, brought())).toBe('kind-other')
  })
})

describe('an item', () => {
  const action = change([1002n], [NEW_ROW], NEXT, NONE, 1)
  const message = {
    removed: ['1002'],
    added: [{ x: '1009', y: '2009', rpIdHash: RP_HASH }],
    serverKey: checksummed(NEXT),
    escapeKey: NONE,
    votes: '1',
    keyEpoch: '3',
    nonce: '77',
    deadline: '1800003600',
  }
  const item = (other: Partial<typeof message> = {}) =>
    ({
      item: actionDigest(31337, ACCOUNT, action, STAMP),
      kind: 'changeKeys',
      typedData: { message: { ...message, ...other } },
    }) as unknown as WaitingItem

  it('is read when its id follows from its content', () => {
    const read = actionOfItem(item(), 31337, checksummed(ACCOUNT)) as Action
    expect(changeIn(read, PASSKEYS)).toEqual({
      removed: [1002n],
      added: [NEW_ROW],
      serverKey: NEXT,
      escapeKey: null,
    })
    for (const other of [
      { removed: [] },
      { added: [{ x: '1009', y: '2010', rpIdHash: RP_HASH }] },
      { serverKey: MALLORY },
      { votes: '2' },
      { added: 'nothing' },
      { nonce: '78' },
    ])
      expect(actionOfItem(item(other as never), 31337, ACCOUNT), JSON.stringify(other)).toBeNull()
    expect(actionOfItem(item(), 1, ACCOUNT)).toBeNull()
    expect(actionOfItem({ ...item(), kind: 'unfreeze' }, 31337, ACCOUNT)).toBeNull()
    expect(actionOfItem({ ...item(), typedData: null }, 31337, ACCOUNT)).toBeNull()
  })

  it('brings passkeys of another node, which are found by their place', () => {
    const at = (waiting: WaitingItem[], passkeys = PASSKEYS) =>
      foreignIn({ address: ACCOUNT, chainId: 31337, passkeys, waiting } as unknown as WalletState, RP_HASH)
    const elsewhere = rpIdHash('other.example') as string
    const row = { x: '1009', y: '2009', rpIdHash: elsewhere }
    const coming = change([1002n], [[1009n, 2009n, elsewhere]], NEXT, NONE, 1)
    const foreign = {
      ...item({ added: [row] as never }),
      item: actionDigest(31337, ACCOUNT, coming, STAMP),
      isReadable: true,
    } as WaitingItem
    expect(at([foreign])).toEqual([1009n])
    expect(at([{ ...item(), isReadable: true } as WaitingItem]), 'of this node').toEqual([])
    // What the chain's server tells otherwise than the item's id says is nobody's passkey.
    expect(at([{ ...foreign, item: `0x${'11'.repeat(32)}` } as WaitingItem])).toEqual([])
    const there = [{ ...onChain(2, 7, null), rpIdHash: elsewhere.toUpperCase().replace('0X', '0x') }]
    expect(at([], [...PASSKEYS, ...there] as WalletState['passkeys'])).toEqual([1007n])
  })

  it('of an escape says what goes and what comes', () => {
    const started = { name: 'Escape', fields: '[]', values: [[[1002n, 2002n, RP_HASH], NEW_ROW], NEXT, 1n] }
    expect(changeIn(started, PASSKEYS)).toEqual({
      removed: [1001n],
      added: [NEW_ROW],
      serverKey: NEXT,
      escapeKey: null,
    })
    expect(changeIn({ name: 'Freeze', fields: '', values: [] }, PASSKEYS)).toBeNull()
  })
})

test('points are read out of public keys', () => {
  expect(pointOf(publicKey(9))).toEqual({ x: 1009n, y: 2009n })
  expect(keysAction(keysOrder({ add: [`${ID}9`] }), KEYS, null)?.values[1]).toEqual([NEW_ROW])
})
