// SPDX-License-Identifier: Apache-2.0
// Transactions of keys of the phrase: digests as other libraries have them, and every way in which a node could have
// another one signed.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { keccak } from '../../../escape/src/core/bytes.mjs'
import type { Chain, Wallet } from '../../src/api/models'
import { checkPrepared, type Place, TransactionRefused } from '../../src/transaction/check'
import { type EoaOrder, type EoaTransaction, eoaCost, eoaDigest, readAuthorizations } from '../../src/transaction/eoa'
import type { Transaction } from '../../src/transaction/models'
import { checkReplacement, isReplaceable } from '../../src/transaction/replacement'

const TO = '0x00000000219ab540356cBB839Cbe05303d7705Fa'
const CODE = '0x4838B106FCe9647Bdf1E7877BF73cE8B0BAD5f97'
const MALLORY = `0x${'66'.repeat(20)}`
const AUTHORIZATION = {
  chainId: '0x7a69',
  address: CODE,
  nonce: '0x0',
  yParity: '0x1',
  r: `0xab${'1'.repeat(60)}`,
  s: `0x1b${'2'.repeat(62)}`,
}
const KEY = { account: 0, index: 1, path: "m/44'/60'/0'/0/1" }
const CALL = { nonce: '0x7', gas: '0x668a', to: TO, value: '0x112210f47de98115', data: '0xa9059cbb00ff', key: KEY }
const FEES = { maxFeePerGas: '0xb2d05e00', maxPriorityFeePerGas: '0x3b9aca00' }
const LEGACY: EoaTransaction = { ...CALL, type: 'legacy', gasPrice: '0xb2d05e00' }
const DYNAMIC: EoaTransaction = { ...CALL, ...FEES, type: 'eip1559' }
const WITH_CODE: EoaTransaction = { ...CALL, ...FEES, type: 'eip7702', authorizationList: [AUTHORIZATION] }

describe('the digest of a transaction', () => {
  test.each([
    // As viem 2 has them.
    [LEGACY, '0x864c92299a058224fb7e1d135626ae893927fbdf7b7b1b697d84796b70051355'],
    [DYNAMIC, '0xfc2f614cbb166557bd5da1155696cd24b0f2d3f1eb03d61af9c12c9b5ad5166a'],
    [WITH_CODE, '0x5e69e2ddf8cf88b7c494321d3aba59b2678972b3b0f93c1b4732bd787f6a2cfd'],
  ])('is that of other libraries: $type', (tx, digest) => expect(eoaDigest(31_337, tx)).toBe(digest))

  it('is that of the vectors', () => {
    const text = readFileSync(new URL('../../../../tests/vectors/transactions.jsonl', import.meta.url), 'utf8')
    let count = 0
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const { in: given, out } = JSON.parse(line)
      const { tx, kind } = given
      const isOurs = kind === 'eip155' || (kind === 'london' && (tx.accessList ?? []).length === 0)
      if (!isOurs || !tx.to) continue
      // Zero is written in several ways there.
      const number = (name: string) => (tx[name] === undefined || tx[name] === '0x' ? '0x0' : tx[name])
      const own = eoaDigest(Number(number('chainId')), {
        type: kind === 'eip155' ? 'legacy' : 'eip1559',
        key: KEY,
        to: tx.to,
        data: tx.data ?? '0x',
        gas: number('gasLimit'),
        nonce: number('nonce'),
        value: number('value'),
        gasPrice: number('gasPrice'),
        maxFeePerGas: number('maxFeePerGas'),
        maxPriorityFeePerGas: number('maxPriorityFeePerGas'),
      })
      expect(own, line).toBe(keccak(out.unsigned))
      count++
    }
    expect(count).toBeGreaterThan(50)
  })
})

const ID = '00000000-0000-4000-8000-00000000000'
const PAYER = `0x${'c0'.repeat(20)}`
const PLACE = {
  wallet: { walletId: `${ID}1`, address: `0x${'ac'.repeat(20)}` } as unknown as Wallet,
  chain: { chainId: 31_337 } as unknown as Chain,
  payer: PAYER,
  keyEpoch: 0,
  now: 1_800_000_000,
} as unknown as Place
const ORDER: EoaOrder = {
  walletId: `${ID}1`,
  chainId: 31_337,
  kind: 'eoa',
  eoa: { type: 'eip1559', key: { index: 1 }, to: TO, value: BigInt(CALL.value).toString(), data: CALL.data },
}
const WITH_CODE_ORDER: EoaOrder = {
  ...ORDER,
  eoa: { ...ORDER.eoa, type: 'eip7702', authorizationList: [AUTHORIZATION] },
}

const prepared = (tx: EoaTransaction, more: Partial<Transaction> = {}) =>
  ({
    walletId: ORDER.walletId,
    chainId: ORDER.chainId,
    kind: 'eoa',
    state: 'prepared',
    address: PAYER,
    payer: 'account',
    maxCost: eoaCost(tx).toString(),
    value: BigInt(tx.value).toString(),
    summary: [{ meaning: 'contractCall', to: tx.to, selector: tx.data.slice(0, 10), dataSize: 6 }],
    digest: eoaDigest(ORDER.chainId, tx),
    userOperation: null,
    eoa: tx,
    ...more,
  }) as unknown as Transaction

const differenceOf = (body: () => unknown) => {
  try {
    body()
  } catch (error) {
    if (error instanceof TransactionRefused) return error.difference
    throw error
  }
  return null
}

describe('what a node prepared for a key', () => {
  it('is signed as it was ordered', () => {
    const checked = checkPrepared(ORDER, prepared(DYNAMIC), PLACE)
    expect(checked.digest).toBe(eoaDigest(31_337, DYNAMIC))
    expect(checked.maxCost).toBe(26_250n * 3_000_000_000n)
    expect(differenceOf(() => checkPrepared(WITH_CODE_ORDER, prepared(WITH_CODE), PLACE))).toBeNull()
  })

  const tx = (changes: Partial<EoaTransaction>) => prepared({ ...DYNAMIC, ...changes })
  test.each<[string, Transaction, string]>([
    ['another recipient', tx({ to: MALLORY }), 'calls-other'],
    ['another amount', tx({ value: '0x1' }), 'calls-other'],
    ['other data', tx({ data: '0xa9059cbb00fe' }), 'calls-other'],
    ['another type', prepared(LEGACY), 'calls-other'],
    ['another key by its number', tx({ key: { ...KEY, index: 2 } }), 'calls-other'],
    ['authorizations that nobody ordered', prepared(WITH_CODE), 'calls-other'],
    ['another key', prepared(DYNAMIC, { address: MALLORY }), 'account-other'],
    ['another cost', prepared(DYNAMIC, { maxCost: '1' }), 'cost-other'],
    ['another value', prepared(DYNAMIC, { value: '1' }), 'value-other'],
    ['somebody else who pays', prepared(DYNAMIC, { payer: 'sponsor' }), 'payer-other'],
    ['another digest', prepared(DYNAMIC, { digest: eoaDigest(1, DYNAMIC) }), 'digest-other'],
    ['no transaction', prepared(DYNAMIC, { eoa: null }), 'content-missing'],
    ['a transaction without a fee', prepared(DYNAMIC, { eoa: { ...CALL, type: 'eip1559' } }), 'content-other'],
    ['no words', prepared(DYNAMIC, { summary: [] }), 'summary-other'],
  ])('is refused: %s', (_, given, difference) =>
    expect(differenceOf(() => checkPrepared(ORDER, given, PLACE))).toBe(difference),
  )

  it('is refused with another authorization, or where no key was shown', () => {
    const other = { ...WITH_CODE, authorizationList: [{ ...AUTHORIZATION, address: MALLORY }] }
    expect(differenceOf(() => checkPrepared(WITH_CODE_ORDER, prepared(other), PLACE))).toBe('calls-other')
    const { payer: _, ...unknown } = PLACE
    expect(differenceOf(() => checkPrepared(ORDER, prepared(DYNAMIC), unknown))).toBe('account-other')
  })

  it('is replaced by the same under the same number', () => {
    const before = prepared(DYNAMIC, { state: 'submitted' })
    expect(isReplaceable(before)).toBe(true)
    expect(isReplaceable(prepared(DYNAMIC, { state: 'included' }))).toBe(false)
    const { payer: _, ...place } = PLACE
    const raised = { ...DYNAMIC, maxFeePerGas: '0xc9000000', maxPriorityFeePerGas: '0x44000000' }
    expect(differenceOf(() => checkReplacement(before, prepared(raised), place))).toBeNull()
    for (const [changed, difference] of [
      [{ nonce: '0x8' }, 'nonce-other'],
      [{ to: MALLORY }, 'calls-other'],
    ] as const)
      expect(differenceOf(() => checkReplacement(before, prepared({ ...raised, ...changed }), place))).toBe(difference)
  })
})

describe('authorizations that a person brings', () => {
  it('are taken as other programs write them', () => {
    const viem = { ...AUTHORIZATION, chainId: 31_337, nonce: 0, yParity: 1, r: `0x00ab${'1'.repeat(60)}` }
    expect(readAuthorizations(JSON.stringify(viem), 31_337)).toEqual([AUTHORIZATION])
    expect(readAuthorizations(JSON.stringify([AUTHORIZATION]), 31_337)).toEqual([AUTHORIZATION])
  })
  test.each([
    ['nothing', ''],
    ['an empty list', '[]'],
    ['too many', JSON.stringify(Array(17).fill(AUTHORIZATION))],
    ['of all chains', JSON.stringify({ ...AUTHORIZATION, chainId: 0 })],
    ['of another chain', JSON.stringify({ ...AUTHORIZATION, chainId: 1 })],
    ['without a signature', JSON.stringify({ ...AUTHORIZATION, s: undefined })],
    ['to nobody', JSON.stringify({ ...AUTHORIZATION, address: '0x' })],
    ['with another parity', JSON.stringify({ ...AUTHORIZATION, yParity: 2 })],
  ])('are none: %s', (_, text) => expect(readAuthorizations(text, 31_337)).toBeNull())
})
