// SPDX-License-Identifier: Apache-2.0
// An account on its way here: what a node tells of it, what waits on the chain, the escape, and the file of the old node.
import { createHash } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { digestOf, finishCall, readCall } from '../../../escape/src/core/actions.mjs'
import { checksummed, uint } from '../../../escape/src/core/bytes.mjs'
import { accountAddress, encodeInit } from '../../../escape/src/core/init-data.mjs'
import { writeRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { addressOf, newKey, passkeyOf } from '../../../escape/src/core/signing.mjs'
import {
  adoptionDigest,
  escapeHere,
  escapeKeyIn,
  escapeKeyOf,
  finishOf,
  isForArrival,
  isItsList,
  passkeyOf as ownOf,
  requestHere,
  slipOf,
  waitingOf,
} from '../../src/account/arrival'
import { FileRefused } from '../../src/account/escape'
import { digestOfRequest, hashOfList, makeList, readRequest, writeRequest } from '../../src/account/guardians'
import { type MovingSlip, writeSlip } from '../../src/account/moving-slip'
import { AccountRefused } from '../../src/account/origin-check'
import { makeBroughtFile } from '../../src/account/recovery-file'
import type { Arrival, ArrivalOnChain, Chain, Passkey } from '../../src/api/models'
import {
  type BroughtFault,
  BroughtFileRefused,
  MOST_BYTES,
  readBrought,
  readBroughtFile,
} from '../../src/privacy/brought-file'
import type { Stamp } from '../../src/transaction/actions'
import type { KeyRow } from '../../src/transaction/keys'
import type { WaitingItem } from '../../src/transaction/models'

const row = (n: number, rpId: string) => passkeyOf(uint(n), rpId) as unknown as KeyRow
const keyOf = ([x, y, digest]: KeyRow) => ({
  publicKey: `${uint(x)}${(uint(y) as string).slice(2)}`,
  rpIdHash: digest,
})
const HERE = 'node.example'
const OWN = row(9, HERE)
const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'
const SERVER = `0x${'5e'.repeat(20)}`
const SLIP: MovingSlip = {
  chainId: 31337,
  account: ACCOUNT,
  passkey: keyOf(OWN),
  serverKey: SERVER,
  origin: 'https://node.example',
}

const ESCAPE = `0x${'e5'.repeat(20)}`
const THERE = row(1, 'old.example')
const STAMP: Stamp = [3n, 77n, 1_800_003_600n]
const facts = (change: Partial<ArrivalOnChain> = {}): ArrivalOnChain => ({
  deployed: true,
  serverKey: checksummed(`0x${'5d'.repeat(20)}`),
  passkeys: [keyOf(THERE)],
  escapeKey: checksummed(ESCAPE),
  guardiansHash: uint(0) as string,
  guardianThreshold: 0,
  recoveryDelaySeconds: 604_800,
  keyEpoch: 3,
  blockTime: '2027-01-15T08:00:00Z',
  waiting: [],
  ...change,
})
const arrivalWith = (onChain: ArrivalOnChain | null, change: Partial<Arrival> = {}): Arrival => ({
  arrivalId: '00000000-0000-4000-8000-000000000001',
  walletId: '00112233-4455-4677-8899-aabbccddeeff',
  chainId: 31337,
  account: checksummed(ACCOUNT),
  alias: null,
  state: 'expected',
  adoption: null,
  keys: { passkey: keyOf(OWN), serverKey: checksummed(SERVER) },
  onChain,
  createdAt: '2027-01-15T08:00:00Z',
  arrivedAt: null,
  ...change,
})

test('the slip of an arrival is what the node told, with the place of this page', () => {
  expect(slipOf(arrivalWith(facts()), 'https://node.example')).toEqual(SLIP)
})

test('the adoption’s challenge is the trusted core’s, computed here', () => {
  const arrival = arrivalWith(null)
  const bytes = Buffer.concat([
    Buffer.from('community account adoption'),
    Buffer.from('0011223344554677' + '8899aabbccddeeff', 'hex'),
    Buffer.from('0000000000000007' + '0000000000007a69', 'hex'),
    Buffer.from(ACCOUNT.slice(2), 'hex'),
    Buffer.from('00000002', 'hex'),
  ])
  expect(adoptionDigest(arrival, 7, 2)).toBe(`0x${createHash('sha256').update(bytes).digest('hex')}`)
  for (const other of [
    adoptionDigest(arrival, 8, 2),
    adoptionDigest(arrival, 7, 3),
    adoptionDigest({ ...arrival, chainId: 1 }, 7, 2),
  ])
    expect(other).not.toBe(adoptionDigest(arrival, 7, 2))
})

test('an arrival to somebody else’s passkey, or another place, is refused', () => {
  const mine = { passkeyId: 'p', publicKey: keyOf(OWN).publicKey, isActive: true } as unknown as Passkey
  const difference = (arrival: Arrival, list: readonly Passkey[], rpId = HERE) => {
    try {
      return ownOf(arrival, list, rpId).passkeyId
    } catch (error) {
      if (error instanceof AccountRefused) return error.difference
      throw error
    }
  }
  const arrival = arrivalWith(null)
  expect(difference(arrival, [mine])).toBe('p')
  expect(difference(arrival, [])).toBe('passkey-other')
  expect(difference(arrival, [{ ...mine, isActive: false }])).toBe('passkey-other')
  expect(difference(arrivalWith(null, { keys: { ...arrival.keys, passkey: keyOf(row(10, HERE)) } }), [mine])).toBe(
    'passkey-other',
  )
  expect(difference(arrival, [mine], 'evil.example')).toBe('relying-party-other')
  expect(difference(arrivalWith(null, { keys: { ...arrival.keys, serverKey: uint(0, 20) } }), [mine])).toBe(
    'server-key-other',
  )
})

describe('what waits on the chain', () => {
  const ZERO = uint(0, 20) as string
  const passkeys = (rows: KeyRow[]) => rows.map(([x, y, digest]) => ({ x: `${x}`, y: `${y}`, rpIdHash: digest }))
  const stamp = { keyEpoch: 3, nonce: '77', deadline: 1_800_003_600 }
  function changeKeys(removed: bigint[], added: KeyRow[], serverKey = SERVER, escapeKey = ZERO): WaitingItem {
    const values = [removed, added, serverKey, escapeKey, 1n]
    return {
      item: digestOf(31337, ACCOUNT, 'ChangeKeys', values, STAMP),
      kind: 'changeKeys',
      isReadable: true,
      typedData: {
        message: { removed: removed.map(String), added: passkeys(added), serverKey, escapeKey, votes: 1, ...stamp },
      },
    } as unknown as WaitingItem
  }
  function escapeTo(rows: KeyRow[], serverKey = SERVER): WaitingItem {
    return {
      item: digestOf(31337, ACCOUNT, 'Escape', [rows, serverKey, 1n], STAMP),
      kind: 'escape',
      isReadable: true,
      typedData: { message: { passkeys: passkeys(rows), serverKey, votes: 1, ...stamp } },
    } as unknown as WaitingItem
  }
  const leads = (item: WaitingItem, onChain: Partial<ArrivalOnChain> = {}) =>
    waitingOf(arrivalWith(facts({ ...onChain, waiting: [item] }))).here.length === 1

  it('leads here with these keys and no others', () => {
    expect(leads(changeKeys([], [OWN]))).toBe(true)
    expect(leads(changeKeys([THERE[0]], [OWN]))).toBe(true)
    expect(leads(escapeTo([OWN]))).toBe(true)
    // The account may have the passkey already: one that was taken back in time.
    expect(leads(changeKeys([], []), { passkeys: [keyOf(THERE), keyOf(OWN)] })).toBe(true)
  })

  it('with any other key leads elsewhere', () => {
    const mallory = row(66, HERE)
    for (const other of [
      changeKeys([], [OWN, mallory]),
      changeKeys([], [mallory]),
      changeKeys([], [row(9, 'evil.example')]),
      changeKeys([], [OWN], `0x${'66'.repeat(20)}`),
      changeKeys([], [OWN], ZERO),
      changeKeys([], [OWN], SERVER, `0x${'66'.repeat(20)}`),
      changeKeys([], []),
      escapeTo([OWN, mallory]),
      escapeTo([mallory]),
      escapeTo([OWN], `0x${'66'.repeat(20)}`),
    ])
      expect(leads(other), JSON.stringify(other.typedData)).toBe(false)
    expect(leads(changeKeys([OWN[0]], []), { passkeys: [keyOf(OWN)] })).toBe(false)
  })

  it('is not believed when its content is another one', () => {
    const item = changeKeys([], [OWN])
    expect(leads({ ...item, item: uint(1) as string })).toBe(false)
    expect(leads({ ...item, isReadable: false })).toBe(false)
    expect(leads({ ...item, typedData: null })).toBe(false)
    const { other } = waitingOf(arrivalWith(facts({ waiting: [{ ...item, isReadable: false }] })))
    expect(other.length).toBe(1)
    expect(waitingOf(arrivalWith(null))).toEqual({ here: [], other: [] })
  })

  it('is carried out by the content that began it', () => {
    const [comes] = waitingOf(arrivalWith(facts({ waiting: [escapeTo([OWN])] }))).here
    expect(comes && finishOf(comes)).toBe(finishCall('Escape', [[OWN], SERVER, 1n], STAMP))
    const [change] = waitingOf(arrivalWith(facts({ waiting: [changeKeys([], [OWN])] }))).here
    expect(change && finishOf(change)).toBe(finishCall('ChangeKeys', [[], [OWN], SERVER, ZERO, 1n], STAMP))
  })
})

describe('the escape to here', () => {
  const secret = uint(77) as string
  const factory = `0x${'fa'.repeat(20)}`
  const proxyInitCodeHash = `0x${'77'.repeat(32)}`
  const initData: string = encodeInit({
    passkeys: [THERE],
    serverKey: `0x${'5d'.repeat(20)}`,
    escapeKey: addressOf(secret),
    guardiansHash: uint(0),
    guardianThreshold: 0,
    recoveryDelay: 604_800,
    strict: false,
    gasCaps: [],
    limits: [],
    salt: 7n,
  })
  const account = accountAddress(factory, initData, proxyInitCodeHash) as string
  const file: string = writeRecoveryFile({
    account,
    factory,
    entryPoint: `0x${'ee'.repeat(20)}`,
    proxyInitCodeHash,
    initData,
    escapeKey: secret,
    escapeKeyIsLater: undefined,
    chains: [],
    createdAt: '2026-01-31T12:00:00Z',
  })
  const arrival = (change: Partial<ArrivalOnChain> = {}) =>
    arrivalWith(facts({ escapeKey: addressOf(secret) as string, ...change }), { account: checksummed(account) })

  it('names exactly the keys of the arrival', () => {
    const data = escapeHere(file, arrival())
    expect(data).not.toContain(secret.slice(2))
    const read = readCall(data) as { name: string; values: unknown[]; stamp: readonly bigint[] }
    expect([read.name, ...read.values]).toEqual(['Escape', [OWN], SERVER, 1n])
    expect([read.stamp[0], read.stamp[2]]).toEqual([3n, BigInt(Date.parse('2027-01-16T08:00:00Z') / 1_000)])
  })

  it('takes the file of this account alone', () => {
    expect(() => escapeHere(file, arrivalWith(facts()))).toThrow(FileRefused)
    expect(() => escapeHere(file, arrival({ escapeKey: ESCAPE }))).toThrow(/key-replaced/)
    expect(() => escapeHere(writeSlip(SLIP), arrival())).toThrow(/unreadable/)
    expect(() => escapeHere(file, { ...arrival(), onChain: null })).toThrow(TypeError)
  })
})

describe('the file of the old node', () => {
  const document = {
    format: 'community-node person export',
    version: 1,
    exportedAt: '2027-01-15T08:00:00Z',
    origin: 'https://old.example',
    userId: 'u',
    keys: [],
    tables: {
      wallet_bindings: [
        { wallet_address: checksummed(ACCOUNT), chain_id: 31337, alias: ' Ma\u202ein\u0007 ' },
        { wallet_address: ACCOUNT.slice(2), chain_id: 10, alias: '' },
        { wallet_address: '0x12', chain_id: 1 },
        { wallet_address: ACCOUNT, chain_id: '1' },
        { wallet_address: ACCOUNT, chain_id: -1 },
        'row',
        null,
      ],
      transactions_entries: [{ state: 4 }, { state: 5 }, { state: 4 }, null],
    },
    complete: true,
  }
  const text = (change: Record<string, unknown> = {}) => JSON.stringify({ ...document, ...change })
  const fault = (content: string): BroughtFault | null => {
    try {
      readBrought(content)
      return null
    } catch (error) {
      if (error instanceof BroughtFileRefused) return error.fault
      throw error
    }
  }

  it('tells accounts and history, as plain text', () => {
    expect(readBrought(text())).toEqual({
      origin: 'https://old.example',
      exportedAt: '2027-01-15T08:00:00Z',
      accounts: [
        { chainId: 31337, address: ACCOUNT, name: 'Main' },
        { chainId: 10, address: ACCOUNT, name: '' },
      ],
      transactions: 2,
    })
    expect(readBrought(text({ tables: {} }))).toMatchObject({ accounts: [], transactions: 0 })
    expect(readBrought(text({ tables: { wallet_bindings: 'many', transactions_entries: {} } }))).toMatchObject({
      accounts: [],
      transactions: 0,
    })
    expect(readBrought(text({ origin: `<b>${'x'.repeat(1_000)}` })).origin.length).toBe(300)
  })

  it('tells no more accounts than a person can have', () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ wallet_address: uint(i + 1, 20), chain_id: 1 }))
    expect(readBrought(text({ tables: { wallet_bindings: rows } })).accounts.length).toBe(256)
  })

  it('is refused with a reason when it is none', () => {
    const cases: [string, BroughtFault][] = [
      ['', 'not-json'],
      ['hello', 'not-json'],
      ['[]', 'other-file'],
      ['null', 'other-file'],
      ['7', 'other-file'],
      [writeSlip(SLIP), 'other-file'],
      [text({ version: 2 }), 'newer'],
      [text({ version: '1' }), 'other-file'],
      [text({ exportedAt: 'yesterday' }), 'other-file'],
      [text({ origin: null }), 'other-file'],
      [text({ tables: [] }), 'other-file'],
      [text({ complete: false }), 'cut-off'],
      [text({ complete: undefined }), 'cut-off'],
    ]
    for (const [bad, reason] of cases) expect(fault(bad), bad.slice(0, 200)).toBe(reason)
    for (let end = 80; end < text().length; end += 37) expect(fault(text().slice(0, end)), `${end}`).toBe('cut-off')
  })

  it('that is too large is not even read', async () => {
    const large = { size: MOST_BYTES + 1, text: () => Promise.reject(new Error('was read')) } as unknown as Blob
    await expect(readBroughtFile(large)).rejects.toMatchObject({ fault: 'too-large' })
    const right = new Blob([text()])
    await expect(readBroughtFile(right)).resolves.toMatchObject({ told: { transactions: 2 } })
  })
})

describe('by the guardians', () => {
  const guardians = [1, 2, 3].map((n) => addressOf(uint(n)) as string)
  const list = makeList(ACCOUNT, guardians, 2)
  const onChain = facts({ guardiansHash: hashOfList(list), guardianThreshold: 2 })
  const arrival = arrivalWith(onChain)
  const secret = newKey()
  const escapeKey = addressOf(secret) as string
  const request = requestHere(list, escapeKey, arrival)

  it('only the list behind the chain’s hash counts', () => {
    expect(isItsList(list, arrival)).toBe(true)
    expect(isItsList({ ...list, account: `0x${'11'.repeat(20)}` }, arrival)).toBe(false)
    expect(isItsList(makeList(ACCOUNT, guardians, 2), arrival), 'another salt').toBe(false)
    expect(isItsList(makeList(ACCOUNT, guardians.slice(1), 2), arrival)).toBe(false)
    expect(isItsList(list, arrivalWith(null))).toBe(false)
  })

  it('the request names exactly this arrival’s keys, and as many guardians as the chain asks for', () => {
    expect(request.passkeys).toEqual([OWN])
    expect([request.serverKey, request.escapeKey, request.chainId]).toEqual([SERVER, escapeKey, 31337])
    expect(requestHere({ ...list, threshold: 1 }, escapeKey, arrival).threshold).toBe(2)
    expect(readRequest(writeRequest(request))).toEqual(request)
    expect(() => requestHere(list, escapeKey, arrivalWith(null))).toThrow(TypeError)
  })

  it('a request of before is over with its week, the account’s keys, its guardians or another arrival', () => {
    expect(isForArrival(request, arrival)).toBe(true)
    const later = (change: Partial<ArrivalOnChain>) => isForArrival(request, arrivalWith({ ...onChain, ...change }))
    expect(later({ blockTime: '2027-01-22T07:59:59Z' })).toBe(true)
    expect(later({ blockTime: '2027-01-22T08:00:00Z' })).toBe(false)
    expect(later({ keyEpoch: 4 })).toBe(false)
    expect(later({ guardiansHash: hashOfList(makeList(ACCOUNT, guardians, 2)) })).toBe(false)
    const keys = { passkey: keyOf(row(10, HERE)), serverKey: arrival.keys.serverKey }
    expect(isForArrival(request, arrivalWith(onChain, { keys }))).toBe(false)
    const other = { passkey: arrival.keys.passkey, serverKey: checksummed(`0x${'5f'.repeat(20)}`) }
    expect(isForArrival(request, arrivalWith(onChain, { keys: other }))).toBe(false)
    expect(isForArrival(request, arrivalWith(onChain, { chainId: 1 }))).toBe(false)
    expect(isForArrival({ ...request, passkeys: [OWN, THERE] }, arrival)).toBe(false)
  })

  it('what waits is compared with the file that the person kept', () => {
    const waits = (theirs: string): WaitingItem => {
      const { passkeys, serverKey, stamp } = request
      const message = {
        passkeys: passkeys.map(([x, y, digest]) => ({ x: `${x}`, y: `${y}`, rpIdHash: digest })),
        serverKey,
        escapeKey: theirs,
        keyEpoch: Number(stamp[0]),
        nonce: `${stamp[1]}`,
        deadline: Number(stamp[2]),
      }
      const item = digestOf(31337, ACCOUNT, 'Recover', [passkeys, serverKey, theirs], stamp)
      return { item, kind: 'recover', isReadable: true, typedData: { message } } as unknown as WaitingItem
    }
    const stranger = addressOf(newKey()) as string
    const items = [waits(escapeKey), waits(stranger)]
    const { here } = waitingOf(arrivalWith({ ...onChain, waiting: items }))
    expect(here.map(({ item }) => item.item)[0]).toBe(digestOfRequest(request))
    expect(here.map(escapeKeyOf)).toEqual([escapeKey, stranger])
    const chain = { chainId: 31337, name: 'Chain', entryPoint: `0x${'ee'.repeat(20)}` } as unknown as Chain
    const key = { escapeSecret: secret, createdAt: '2027-01-15T08:00:00Z' }
    const { text } = makeBroughtFile({ chainId: 31337, address: checksummed(ACCOUNT) }, key, [chain])
    expect(escapeKeyIn(text, arrival)).toBe(escapeKey)
    const elsewhere = makeBroughtFile({ chainId: 31337, address: `0x${'12'.repeat(20)}` }, key, [chain])
    const fault = (content: string) => {
      try {
        return escapeKeyIn(content, arrival)
      } catch (error) {
        if (error instanceof FileRefused) return error.fault
        throw error
      }
    }
    expect(fault(elsewhere.text)).toBe('other-account')
    expect(fault(text.replace('community-recovery-2', 'community-recovery-9'))).toBe('unreadable')
    expect(() => makeBroughtFile({ chainId: 1, address: ACCOUNT }, key, [chain])).toThrow(TypeError)
  })
})
