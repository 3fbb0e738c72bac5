// SPDX-License-Identifier: Apache-2.0
// The same operation for more: what a node prepares in its place does the same under the same nonce, or is refused.
import { describe, expect, it, test } from 'vitest'
import { call as encodeCall } from '../../../escape/src/core/abi.mjs'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import type { Chain, Wallet } from '../../src/api/models'
import { balanceOf, costOf, mostCostOf, rounded } from '../../src/transaction/amounts'
import { TransactionRefused } from '../../src/transaction/check'
import type { Call, QueueOrder, Transaction, TransactionOrder, UserOperation } from '../../src/transaction/models'
import { toApi } from '../../src/transaction/models'
import { executeCalls, hashOf, maxCostOf, paymentOf, queueContent } from '../../src/transaction/operation'
import { checkReplacement, isReplaceable, orderOf } from '../../src/transaction/replacement'

const ACCOUNT = checksummed(`0x${'c0'.repeat(20)}`)
const CAROL = `0x${'ca'.repeat(20)}`
const MALLORY = `0x${'66'.repeat(20)}`
const ID = '00000000-0000-4000-8000-00000000000'
const CHAIN = {
  chainId: 31337,
  entryPoint: checksummed('0x4337084d9e255ff0702461cf8895ce9e3b5ff108'),
  factory: CAROL,
} as unknown as Chain
const WALLET = { walletId: `${ID}1`, address: ACCOUNT, origin: null } as unknown as Wallet
const PLACE = { wallet: WALLET, chain: CHAIN, keyEpoch: 3, now: 1_800_000_000 } as Parameters<
  typeof checkReplacement
>[2]

function transaction(calls: readonly Call[], change: Partial<UserOperation> = {}, more: Partial<Transaction> = {}) {
  const userOperation: UserOperation = {
    sender: ACCOUNT,
    nonce: '0x20000000000000001',
    callData: executeCalls(calls),
    callGasLimit: '0x186a0',
    verificationGasLimit: '0x7a120',
    preVerificationGas: '0xc350',
    maxFeePerGas: '0x77359400',
    maxPriorityFeePerGas: '0x3b9aca00',
    ...change,
  }
  return {
    transactionId: `${ID}2`,
    walletId: WALLET.walletId,
    chainId: 31337,
    address: ACCOUNT,
    kind: 'calls',
    state: 'submitted',
    userOperation,
    entryPoint: CHAIN.entryPoint,
    digest: hashOf(userOperation, CHAIN.entryPoint, 31337),
    payer: 'account',
    maxCost: maxCostOf(userOperation).toString(),
    value: calls.reduce((sum, { value }) => sum + value, 0n).toString(),
    summary: calls.map(({ to, value }) => ({
      meaning: 'payment',
      to,
      counterparty: to,
      value: value.toString(),
      amount: value.toString(),
    })),
    ...more,
  } as Transaction
}

const PAYMENT = [paymentOf(null, CAROL, 7n)]
const MORE = { maxFeePerGas: '0x83215600', maxPriorityFeePerGas: '0x41a13000' }
const refusal = (before: Transaction, after: Transaction) => {
  try {
    checkReplacement(before, after, PLACE)
    return null
  } catch (error) {
    if (error instanceof TransactionRefused) return error.difference
    throw error
  }
}

describe('a replacement', () => {
  const before = transaction(PAYMENT)

  it('of the same calls under the same nonce is signed', () => {
    const checked = checkReplacement(before, transaction(PAYMENT, MORE), PLACE)
    expect(checked.digest).toBe(transaction(PAYMENT, MORE).digest)
    expect(checked.readings[0]).toMatchObject({ meaning: 'payment', counterparty: CAROL, amount: 7n })
  })

  it('that would be carried out beside it, or does something else, is refused', () => {
    expect(refusal(before, transaction(PAYMENT, { ...MORE, nonce: '0x20000000000000002' }))).toBe('nonce-other')
    expect(refusal(before, transaction([paymentOf(null, MALLORY, 7n)], MORE))).toBe('calls-other')
    expect(refusal(before, transaction([paymentOf(null, CAROL, 8n)], MORE))).toBe('calls-other')
    expect(refusal(before, transaction([...PAYMENT, ...PAYMENT], MORE))).toBe('calls-other')
    expect(refusal(before, transaction(PAYMENT, MORE, { digest: `0x${'11'.repeat(32)}` }))).toBe('digest-other')
    expect(refusal({ ...before, kind: 'freeze' }, transaction(PAYMENT, MORE))).toBe('kind-other')
    expect(refusal({ ...before, userOperation: null }, transaction(PAYMENT, MORE))).toBe('kind-other')
  })

  it('is offered for what a passkey signed and what waits', () => {
    expect(isReplaceable(before)).toBe(true)
    for (const state of ['prepared', 'included', 'final', 'failed', 'dropped', 'replaced'] as const)
      expect(isReplaceable({ ...before, state }), state).toBe(false)
    expect(isReplaceable({ ...before, kind: 'session' })).toBe(false)
    expect(isReplaceable({ ...before, userOperation: null })).toBe(false)
  })
})

test('what was ordered is read out of what was signed', () => {
  expect(orderOf(transaction(PAYMENT), 3)).toEqual({
    walletId: `${ID}1`,
    chainId: 31337,
    kind: 'calls',
    calls: PAYMENT.map(toApi),
  })
  const kinds: QueueOrder[] = [
    { kind: 'spend', calls: PAYMENT.map(toApi) },
    { kind: 'limit', token: null, perDay: '12' },
    { kind: 'limit', token: CAROL, perDay: '12' },
    { kind: 'gasCap', maxCost: '13' },
    { kind: 'domain', domainSeparator: `0x${'ab'.repeat(32)}` },
    { kind: 'call', target: CAROL, selector: '0xa9059cbb' } as unknown as QueueOrder,
  ]
  const numbers = ['spend', 'limit', 'gasCap', 'domain', 'call']
  for (const queue of kinds) {
    const values = [BigInt(numbers.indexOf(queue.kind)), queueContent(queue), 5n]
    const order = (which: 'queue' | 'confirm') =>
      orderOf(
        transaction(
          [{ to: ACCOUNT.toLowerCase(), value: 0n, data: encodeCall(`${which}(uint8,bytes,uint256)`, ...values) }],
          {},
          { kind: which },
        ),
        3,
      ) as (TransactionOrder & { kind: 'queue' }) | (TransactionOrder & { kind: 'confirm' })
    const read = order('queue') as TransactionOrder & { kind: 'queue' }
    expect(queueContent(read.queue), queue.kind).toBe(queueContent(queue))
    expect((order('confirm') as TransactionOrder & { kind: 'confirm' }).item).toMatch(/^0x[0-9a-f]{64}$/)
  }
  expect(orderOf(transaction(PAYMENT, { callData: '0x12345678' }), 3)).toBeNull()
  expect(orderOf(transaction(PAYMENT, {}, { kind: 'queue' }), 3)).toBeNull()
})

test('amounts that are only looked at are short, and never say too much or too little', () => {
  const ether = { symbol: 'ETH', decimals: 18 }
  expect(mostCostOf(217_337_563_993n, ether)).toBe('0.000000218 ETH')
  expect(costOf(217_337_563_993n, ether)).toBe('≈ 0.000000217 ETH')
  expect(costOf(200_000_000_000n, ether)).toBe('0.0000002 ETH')
  expect(mostCostOf(999_500_000_000_000_000n, ether)).toBe('1 ETH')
  expect(balanceOf(9_749_999_999_999_999_999n, ether)).toBe('9.74999 ETH')
  expect(balanceOf(1_234_567_890_123_456_789_012n, ether)).toBe('1234.56 ETH')
  expect(balanceOf(12_345_678_900_000_000_000_000_001n, ether)).toBe('12345678 ETH')
  expect(balanceOf(0n, ether)).toBe('0 ETH')
  expect(balanceOf(123_456_789n, { symbol: 'T', decimals: 0 })).toBe('123456789 T')
  for (let i = 0; i < 500; i++) {
    const amount = BigInt(
      `0x${crypto
        .randomUUID()
        .replaceAll('-', '')
        .slice(0, 1 + (i % 30))}`,
    )
    expect(rounded(amount, 18, 3, 'up')).toBeGreaterThanOrEqual(amount)
    expect(rounded(amount, 18, 6, 'down')).toBeLessThanOrEqual(amount)
  }
})
