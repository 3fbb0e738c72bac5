// SPDX-License-Identifier: Apache-2.0
// What a node prepares, right and tampered with: the page computes everything that is signed itself.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { checksummed, concat, random, uint } from '../../../escape/src/core/bytes.mjs'
import type { Chain, Wallet } from '../../src/api/models'
import { type Action, actionDigest, actionOf, stampOf } from '../../src/transaction/actions'
import { amountText, readAmount } from '../../src/transaction/amounts'
import {
  type Checked,
  checkPrepared,
  type TransactionDifference,
  TransactionRefused,
} from '../../src/transaction/check'
import type { CallSummary, Transaction, TransactionOrder, UserOperation } from '../../src/transaction/models'
import { toApi } from '../../src/transaction/models'
import {
  createAccountData,
  executeCalls,
  hashOf,
  maxCostOf,
  paymentOf,
  pieceOf,
  queueContent,
  queuedId,
  readBatch,
  readContent,
  readQueued,
} from '../../src/transaction/operation'
import { agrees, readCall } from '../../src/transaction/reading'
import { readRecipient } from '../../src/transaction/recipient'

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../tests/vectors/account/${name}.json`, import.meta.url), 'utf8'))

const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'
const MALLORY = `0x${'66'.repeat(20)}`
const CAROL = `0x${'ca'.repeat(20)}`
const BOB = `0x${'b0'.repeat(20)}`
const TOKEN = `0x${'70'.repeat(20)}`
const ID = '00000000-0000-4000-8000-00000000000'
const CHAIN: Chain = {
  chainId: 31337,
  name: 'Development chain',
  currency: { symbol: 'ETH', decimals: 18 },
  factory: checksummed(`0x${'fa'.repeat(20)}`),
  entryPoint: checksummed('0x4337084d9e255ff0702461cf8895ce9e3b5ff108'),
  proxyInitCodeHash: `0x${'77'.repeat(32)}`,
  paymaster: null,
  multisigFactory: `0x${'f1'.repeat(20)}`,
  multisigProxyInitCodeHash: `0x${'78'.repeat(32)}`,
  coinType: 60,
}
const WALLET = {
  walletId: `${ID}1`,
  address: checksummed(ACCOUNT),
  origin: { factory: CHAIN.factory, initData: '0x0102' },
} as unknown as Wallet
const KEYS = {
  passkeys: [],
  serverKey: checksummed(`0x${'5e'.repeat(20)}`),
  escapeKey: checksummed(`0x${'e5'.repeat(20)}`),
  rpId: 'localhost',
  points: new Map<string, { x: bigint; y: bigint }>(),
}
const PLACE = { wallet: WALLET, chain: CHAIN, keyEpoch: 3, keys: KEYS, now: 1_800_000_000 }

test('the page has the hash that other libraries compute', () => {
  const rows = vectors('operations') as {
    name: string
    chainId: number
    entryPoint: string
    userOperation: UserOperation
    hash: string
  }[]
  expect(rows.length).toBeGreaterThan(5)
  for (const { name, chainId, entryPoint, userOperation, hash } of rows)
    expect(hashOf(userOperation, entryPoint, chainId), name).toBe(hash)
})

test('the page has the digests of plain functions that other libraries compute', () => {
  const stamp = [3n, 0x1234567890abcdefn, 1_800_000_000n] as const
  const word = (n: number) => uint(n)
  const address = (n: number) => uint(n, 20)
  const base = { walletId: `${ID}1`, chainId: 31337 }
  const orders: Record<string, TransactionOrder> = {
    Freeze: { ...base, kind: 'freeze' },
    Unfreeze: { ...base, kind: 'unfreeze', votes: 1 },
    Cancel: { ...base, kind: 'cancel', item: word(10) },
    LowerLimit: { ...base, kind: 'lowerLimit', token: address(11), perDay: '12' },
    LowerGasCap: { ...base, kind: 'lowerGasCap', maxCost: '13' },
    UnlistDomain: { ...base, kind: 'unlistDomain', domainSeparator: word(14) },
    DisallowCall: { ...base, kind: 'disallowCall', target: address(15), selector: '0xa9059cbb' },
    RevokeGrant: { ...base, kind: 'revokeGrant', grantId: word(16) },
    ChangeRules: {
      ...base,
      kind: 'rules',
      votes: 1,
      rules: {
        guardiansHash: word(9),
        guardianThreshold: 2,
        recoveryDelay: 604_800,
        strict: true,
        unlistedTokens: false,
      },
    },
  }
  const rows = (vectors('actions') as { name: string; digest: string }[]).filter(({ name }) => name in orders)
  expect(rows.length).toBe(Object.keys(orders).length)
  for (const { name, digest } of rows) {
    const action = actionOf(orders[name] as TransactionOrder) as Action
    expect(actionDigest(31337, ACCOUNT, action, stamp), name).toBe(digest)
  }
})

test('what is queued and confirmed is read, and its id follows from it', () => {
  const { queued } = vectors('self_calls') as {
    queued: { kind: number; content: string; id: string; queue: string; confirm: string }[]
  }
  expect(queued.length).toBe(5)
  for (const { kind, content, id, ...calls } of queued)
    for (const which of ['queue', 'confirm'] as const) {
      const batch = readBatch(calls[which])
      const item = batch && readQueued(batch, ACCOUNT, which)
      if (!item) throw new Error(`kind ${kind} is not read`)
      expect(item.content).toBe(content)
      expect(queuedId(31337, ACCOUNT, item, 3)).toBe(id)
      expect(queuedId(31337, ACCOUNT, item, 4)).not.toBe(id)
      expect(readContent(item)?.length).toBe(kind === 0 ? 2 : 1)
      expect(readQueued(batch, MALLORY, which)).toBeNull()
      expect(readQueued([...batch, ...batch], ACCOUNT, which)).toBeNull()
    }
})

// --- tampered answers -------------------------------------------------------------------------------------------------

const ORDER = {
  walletId: WALLET.walletId,
  chainId: 31337,
  kind: 'calls',
  calls: [toApi(paymentOf(null, CAROL, 7n)), toApi(paymentOf(TOKEN, CAROL, 9n))],
} as const satisfies TransactionOrder

const OPERATION: UserOperation = {
  sender: checksummed(ACCOUNT),
  nonce: '0x30000000000000002',
  callData: executeCalls([paymentOf(null, CAROL, 7n), paymentOf(TOKEN, CAROL, 9n)]),
  callGasLimit: '0x186a0',
  verificationGasLimit: '0x7a120',
  preVerificationGas: '0xc350',
  maxFeePerGas: '0x77359400',
  maxPriorityFeePerGas: '0x3b9aca00',
  paymaster: checksummed(`0x${'05'.repeat(20)}`),
  paymasterVerificationGasLimit: '0x9c40',
  paymasterPostOpGasLimit: '0x0',
  paymasterData: '0x0102',
}
const SUMMARY: CallSummary[] = [
  { meaning: 'payment', to: checksummed(CAROL), counterparty: checksummed(CAROL), value: '7', amount: '7' },
  { meaning: 'tokenTransfer', to: checksummed(TOKEN), counterparty: checksummed(CAROL), value: '0', amount: '9' },
]

/** What an honest node answers to `order`. */
function prepared(order: TransactionOrder, change: Partial<Transaction> = {}): Transaction {
  return {
    transactionId: `${ID}2`,
    walletId: WALLET.walletId,
    address: WALLET.address,
    chainId: 31337,
    kind: order.kind,
    digest: null,
    userOperation: null,
    entryPoint: null,
    typedData: null,
    votesNeeded: 1,
    payer: 'node',
    maxCost: '0',
    value: '0',
    summary: [],
    ...change,
  } as Transaction
}

/** The same for an operation; what a node changed is hashed anew, so that all it says fits together. */
function operation(
  change: Partial<UserOperation> = {},
  more: Partial<Transaction> = {},
  order: TransactionOrder = ORDER,
) {
  const userOperation = { ...OPERATION, ...change }
  return prepared(order, {
    userOperation,
    entryPoint: CHAIN.entryPoint,
    digest: hashOf(userOperation, more.entryPoint ?? CHAIN.entryPoint, more.chainId ?? 31337),
    payer: 'sponsor',
    maxCost: maxCostOf(userOperation).toString(),
    value: '7',
    summary: SUMMARY,
    ...more,
  })
}

function refusal(act: () => Checked): TransactionDifference | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof TransactionRefused) return error.difference
    throw error
  }
}
const refused = (transaction: Transaction, order: TransactionOrder = ORDER, place = PLACE) =>
  refusal(() => checkPrepared(order, transaction, place))

describe('an operation', () => {
  it('as it was ordered is signed', () => {
    const checked = checkPrepared(ORDER, operation(), PLACE)
    expect(checked.digest).toBe(operation().digest)
    expect(checked.readings.map(({ meaning, counterparty, amount }) => [meaning, counterparty, amount])).toEqual([
      ['payment', CAROL, 7n],
      ['tokenTransfer', CAROL, 9n],
    ])
    expect(checked.maxCost).toBe(690_000n * 2_000_000_000n)
  })

  it('with another digest than the page computes is refused', () => {
    expect(refused(operation({}, { digest: `0x${'11'.repeat(32)}` }))).toBe('digest-other')
    expect(refused(operation({}, { digest: null }))).toBe('digest-other')
    // The nonce, fees and sponsorship are the node's to choose; what it hashed must be what it showed.
    const { digest } = operation()
    for (const change of [
      { nonce: '0x30000000000000003' },
      { paymasterData: '0x0103' },
      { preVerificationGas: '0xc34f', callGasLimit: '0x186a1' },
      { maxPriorityFeePerGas: '0x3b9aca01' },
    ])
      expect(refused(operation(change, { digest })), JSON.stringify(change)).toBe('digest-other')
  })

  it('to another recipient or of another amount is refused, although its hash fits', () => {
    const calls = (...list: [string | null, string, bigint][]) =>
      executeCalls(list.map(([token, to, amount]) => paymentOf(token, to, amount)))
    for (const callData of [
      calls([null, MALLORY, 7n], [TOKEN, CAROL, 9n]),
      calls([null, CAROL, 7n], [TOKEN, MALLORY, 9n]),
      calls([null, CAROL, 8n], [TOKEN, CAROL, 9n]),
      calls([null, CAROL, 7n], [TOKEN, CAROL, 10n]),
      calls([null, CAROL, 7n], [MALLORY, CAROL, 9n]),
      calls([null, CAROL, 7n]),
      calls([null, CAROL, 7n], [TOKEN, CAROL, 9n], [null, MALLORY, 1n]),
      calls([TOKEN, CAROL, 9n], [null, CAROL, 7n]),
      concat(OPERATION.callData, uint(0)),
      '0x',
    ])
      expect(refused(operation({ callData })), callData).toBe('calls-other')
  })

  it('of another account, chain or EntryPoint is refused', () => {
    expect(refused(operation({ sender: MALLORY }))).toBe('account-other')
    expect(refused(operation({ sender: MALLORY }, { address: MALLORY }))).toBe('account-other')
    expect(refused(operation({}, { walletId: `${ID}9` }))).toBe('wallet-other')
    expect(refused(operation({}, { chainId: 1 }))).toBe('chain-other')
    expect(refused(operation({}, { entryPoint: MALLORY }))).toBe('entry-point-other')
    expect(refused(operation({}, { kind: 'queue' }))).toBe('kind-other')
    expect(refused(operation({}, { userOperation: null }))).toBe('content-missing')
  })

  it('is made by its own factory alone', () => {
    const factoryData = createAccountData('0x0102')
    expect(refused(operation({ factory: CHAIN.factory, factoryData }))).toBeNull()
    expect(refused(operation({ factory: MALLORY, factoryData }))).toBe('factory-other')
    expect(refused(operation({ factory: CHAIN.factory, factoryData: createAccountData('0x0103') }))).toBe(
      'factory-other',
    )
    expect(refused(operation({ factoryData }))).toBe('factory-other')
  })

  it('costs what is shown, and its payer is who is shown', () => {
    expect(refused(operation({}, { maxCost: '1' }))).toBe('cost-other')
    expect(refused(operation({}, { payer: 'account' }))).toBe('payer-other')
    const { paymaster, paymasterData, paymasterVerificationGasLimit, paymasterPostOpGasLimit, ...alone } = OPERATION
    expect(paymaster && paymasterData && paymasterVerificationGasLimit && paymasterPostOpGasLimit).toBeTruthy()
    const own = (change: Partial<Transaction> = {}) =>
      prepared(ORDER, {
        userOperation: alone,
        entryPoint: CHAIN.entryPoint,
        digest: hashOf(alone, CHAIN.entryPoint, 31337),
        maxCost: maxCostOf(alone).toString(),
        value: '7',
        summary: SUMMARY,
        payer: 'account',
        ...change,
      })
    expect(refused(own())).toBeNull()
    expect(refused(own({ payer: 'sponsor' }))).toBe('payer-other')
    expect(refused(operation({}, { value: '6' }))).toBe('value-other')
  })

  it('is told by the node as the page reads it', () => {
    const [first, second] = SUMMARY as [CallSummary, CallSummary]
    for (const summary of [
      [],
      [second, first],
      [{ ...first, amount: '6' }, second],
      [first, { ...second, counterparty: MALLORY }],
      [first, { ...second, meaning: 'payment' as const }],
    ])
      expect(refused(operation({}, { summary })), JSON.stringify(summary)).toBe('summary-other')
    // One token of an ERC-721 is moved by the same bytes.
    const { amount, ...rest } = second
    expect(refused(operation({}, { summary: [first, { ...rest, tokenId: amount as string }] }))).toBeNull()
  })
})

describe('what waits a day', () => {
  const queue = { kind: 'spend', calls: [toApi(paymentOf(null, CAROL, 7n))] } as const
  const order = { walletId: WALLET.walletId, chainId: 31337, kind: 'queue', queue } as const
  const content = queueContent(queue)
  const item = { kind: 'spend', content, salt: 5n } as const
  const { queued } = vectors('self_calls') as {
    queued: { queue: string; confirm: string; content: string; id: string }[]
  }
  const [spend, limit] = queued as [(typeof queued)[0], (typeof queued)[0]]
  const more = { value: '0', summary: SUMMARY.slice(0, 1) }

  it('is queued as it was ordered', () => {
    const right = spend.queue
    const wrong = { ...order, queue: { kind: 'limit', token: uint(3, 20), perDay: '9' } } as const
    const limits = {
      kind: 'queue',
      value: '0',
      summary: [{ meaning: 'changeLimit', to: uint(3, 20), amount: '9' }],
    } as const
    expect(refused(operation({ callData: limit.queue }, limits, wrong), wrong)).toBeNull()
    expect(refused(operation({ callData: right }, limits, wrong), wrong)).toBe('content-other')
    expect(refused(operation({ callData: limit.confirm }, limits, wrong), wrong)).toBe('calls-other')
    expect(refused(operation({ callData: right }, more, order), order)).toBe('content-other')
    expect(content).not.toBe(spend.content)
  })

  it('is confirmed when the item is the one that was chosen', () => {
    const confirm = { walletId: WALLET.walletId, chainId: 31337, kind: 'confirm', item: limit.id } as const
    const limits = { value: '0', summary: [{ meaning: 'changeLimit', to: uint(3, 20), amount: '9' }] } as const
    const good = operation({ callData: limit.confirm }, limits, confirm)
    expect(refused(good, confirm)).toBeNull()
    expect(refused(good, { ...confirm, item: spend.id })).toBe('item-other')
    expect(refused(good, confirm, { ...PLACE, keyEpoch: 4 })).toBe('item-other')
    expect(refused(operation({ callData: spend.confirm }, limits, confirm), confirm)).toBe('item-other')
    expect(queuedId(31337, ACCOUNT, item, 3)).not.toBe(queuedId(31337, ACCOUNT, { ...item, salt: 6n }, 3))
  })
})

describe('a plain function', () => {
  const order = { walletId: WALLET.walletId, chainId: 31337, kind: 'lowerLimit', token: null, perDay: '5' } as const
  const message = { token: uint(0, 20), perDay: '5', keyEpoch: 3, nonce: '77', deadline: 1_800_086_400 }
  const digest = actionDigest(31337, ACCOUNT, actionOf(order) as Action, [3n, 77n, 1_800_086_400n])
  const answer = (change: Partial<typeof message> = {}, more: Partial<Transaction> = {}) =>
    prepared(order, { typedData: { message: { ...message, ...change } } as never, digest, ...more })

  it('is signed as it was ordered, whatever else the node shows', () => {
    expect(refused(answer(), order)).toBeNull()
    expect(checkPrepared(order, answer({ perDay: '999' }), PLACE).digest).toBe(digest)
  })

  it('with another content behind its digest is refused', () => {
    const other = (change: Partial<typeof order>) =>
      actionDigest(31337, ACCOUNT, actionOf({ ...order, ...change } as TransactionOrder) as Action, [
        3n,
        77n,
        1_800_086_400n,
      ])
    expect(refused(answer({}, { digest: other({ perDay: '500' as never }) }), order)).toBe('digest-other')
    expect(
      refused(
        answer({}, { digest: actionDigest(1, ACCOUNT, actionOf(order) as Action, [3n, 77n, 1_800_086_400n]) }),
        order,
      ),
    ).toBe('digest-other')
    expect(
      refused(
        answer({}, { digest: actionDigest(31337, MALLORY, actionOf(order) as Action, [3n, 77n, 1_800_086_400n]) }),
        order,
      ),
    ).toBe('digest-other')
    expect(refused(answer({ nonce: '78' }), order)).toBe('digest-other')
    expect(refused(answer({ keyEpoch: 4 }), order)).toBe('key-epoch-other')
    expect(refused(answer({ deadline: 1_800_000_000 + 400 * 86_400 }), order)).toBe('deadline-far')
    expect(refused(answer({}, { typedData: null }), order)).toBe('content-missing')
    expect(refused(answer({}, { payer: 'account' }), order)).toBe('payer-other')
  })

  it('has a stamp of three numbers that fit', () => {
    expect(stampOf({ message: { keyEpoch: 1, nonce: '0x10', deadline: '9' } })).toEqual([1n, 16n, 9n])
    for (const bad of [{}, { ...message, nonce: -1 }, { ...message, keyEpoch: 2 ** 33 }, { ...message, nonce: '1e3' }])
      expect(stampOf({ message: bad })).toBeNull()
    expect(stampOf(null)).toBeNull()
    expect(stampOf('x')).toBeNull()
  })

  it('that nobody signs has no digest', () => {
    const finish = { walletId: WALLET.walletId, chainId: 31337, kind: 'finish', item: uint(4) } as const
    expect(checkPrepared(finish, prepared(finish, { votesNeeded: 0 }), PLACE).digest).toBeNull()
    expect(refused(prepared(finish, { votesNeeded: 1, digest: uint(1) }), finish)).toBe('kind-other')
  })
})

// --- what people type ---------------------------------------------------------------------------------------------------

describe('a recipient', () => {
  const address = checksummed(CAROL) as string
  const fault = (text: string) => {
    try {
      readRecipient(text)
      return null
    } catch (error) {
      return (error as { fault: string }).fault
    }
  }

  it('is an address in one case, or with the right checksum', () => {
    for (const text of [CAROL, CAROL.toUpperCase().replace('0X', '0x'), address, ` ${address}\n`])
      expect(readRecipient(text)).toEqual({ address })
    expect(
      fault(address.replace(/[a-f]/, (c) => c.toUpperCase()).replace(/[A-F](?=[^A-F]*$)/, (c) => c.toLowerCase())),
    ).toBe('checksum')
    for (const text of ['', '0x', CAROL.slice(2), `${CAROL}00`, 'alice.eth', `${'0'.repeat(600)}`])
      expect(fault(text), text).toBe('malformed')
  })

  it('is a payment request of EIP-681', () => {
    expect(readRecipient(`ethereum:${CAROL}@31337?value=1.5e18`)).toEqual({
      address,
      chainId: 31337,
      amount: 15n * 10n ** 17n,
    })
    expect(readRecipient(`ethereum:pay-${CAROL}`)).toEqual({ address })
    expect(readRecipient(`ethereum:${TOKEN}@1/transfer?address=${CAROL}&uint256=9`)).toEqual({
      address,
      chainId: 1,
      token: checksummed(TOKEN),
      amount: 9n,
    })
    for (const text of [
      `ethereum:${CAROL}/approve?address=${CAROL}&uint256=9`,
      `ethereum:${TOKEN}/transfer?uint256=9`,
      `ethereum:${TOKEN}/transfer?address=${CAROL}&address=${MALLORY}`,
      `ethereum:${CAROL}?value=1.55e1`,
      `ethereum:${CAROL}?value=1e99`,
      'ethereum:alice.eth',
    ])
      expect(fault(text), text).toBe('request')
  })

  it('is never read wrongly out of anything', () => {
    for (let i = 0; i < 2_000; i++) {
      const bytes = random(1 + (i % 60)) as string
      const text = i % 3 === 0 ? `ethereum:${bytes}` : i % 3 === 1 ? bytes : atob(btoa(bytes)).replace(/0/g, '@')
      try {
        expect(readRecipient(text).address.toLowerCase()).toBe(/0x[0-9a-f]{40}/i.exec(text)?.[0]?.toLowerCase())
      } catch (error) {
        expect((error as Error).name).toBe('RecipientRefused')
      }
    }
  })
})

test('amounts are never rounded', () => {
  expect(readAmount('1.000000000000000001', 18)).toBe(10n ** 18n + 1n)
  expect(readAmount('0,5', 6)).toBe(500_000n)
  for (const text of ['', '.5', '1e3', '-1', '1.0000001', '1 000', '٣', `${2n ** 256n}`])
    expect(readAmount(text, 6), text).toBeNull()
  expect(amountText(10n ** 18n + 1n, 18)).toBe('1.000000000000000001')
  expect(amountText('0', 18)).toBe('0')
  expect(amountText(5n, 0)).toBe('5')
})

test('calls that the page does not know are told as what they are', () => {
  const call = (data: string) => readCall({ to: TOKEN, value: 0n, data })
  expect(call('0x')).toMatchObject({ meaning: 'payment' })
  expect(call('0x12345678')).toMatchObject({ meaning: 'contractCall', selector: '0x12345678', dataSize: 4 })
  const transfer = paymentOf(TOKEN, CAROL, 9n).data
  expect(call(transfer)).toMatchObject({ meaning: 'tokenTransfer' })
  const piece = pieceOf(TOKEN, BOB, CAROL, 9n).data
  expect(call(piece)).toMatchObject({ meaning: 'tokenTransferFrom', from: BOB, counterparty: CAROL, amount: 9n })
  expect(call(`${piece}00`)).toMatchObject({ meaning: 'contractCall' })
  const said = { to: TOKEN, value: '0', meaning: 'tokenTransferFrom', counterparty: CAROL, tokenId: '9' }
  expect(agrees(call(piece), { ...said, from: BOB } as CallSummary)).toBe(true)
  for (const other of [{ from: CAROL }, { from: BOB, tokenId: '8' }, { from: BOB, counterparty: BOB }, {}])
    expect(agrees(call(piece), { ...said, ...other } as CallSummary), JSON.stringify(other)).toBe(false)
  // More bytes than arguments, and an address with something in its upper half.
  expect(call(`${transfer}00`)).toMatchObject({ meaning: 'contractCall' })
  expect(call(transfer.replace('a9059cbb00', 'a9059cbb01'))).toMatchObject({ meaning: 'contractCall' })
})
