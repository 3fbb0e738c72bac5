// SPDX-License-Identifier: Apache-2.0
// Transactions of a key of the wallet's phrase, as every chain of Ethereum's kind reads them: legacy (EIP-155), fees by
// EIP-1559, and with authorizations (EIP-7702). What the passkey signs is their digest, computed here.
import { compact, concat, keccak } from '../../../escape/src/core/bytes.mjs'
import { rlp } from '../../../escape/src/core/transaction.mjs'
import type { Transaction, TransactionOrder } from './models'

export type EoaOrder = Extract<TransactionOrder, { kind: 'eoa' }>
export type EoaTransaction = NonNullable<Transaction['eoa']>

type Item = string | readonly Item[]

const lower = (hex: string) => hex.toLowerCase()
const NO_ACCESS_LIST: Item = []

/** A quantity that the type of the transaction has. Throws SyntaxError and TypeError for one that is not there. */
const quantity = (value: string | undefined): string => compact(BigInt(value as string))

function fieldsOf(chainId: number, tx: EoaTransaction): readonly [type: string, fields: Item] {
  const call = [quantity(tx.gas), lower(tx.to), quantity(tx.value), lower(tx.data)]
  const chain = compact(chainId)
  const nonce = quantity(tx.nonce)
  if (tx.type === 'legacy') return ['0x', [nonce, quantity(tx.gasPrice), ...call, chain, '0x', '0x']]
  const fees = [quantity(tx.maxPriorityFeePerGas), quantity(tx.maxFeePerGas)]
  const fields = [chain, nonce, ...fees, ...call, NO_ACCESS_LIST]
  if (tx.type === 'eip1559') return ['0x02', fields]
  const authorizations = (tx.authorizationList ?? []).map((one) => [
    quantity(one.chainId),
    lower(one.address),
    ...[one.nonce, one.yParity, one.r, one.s].map(quantity),
  ])
  return ['0x04', [...fields, authorizations]]
}

/** keccak-256 of the unsigned encoding. */
export function eoaDigest(chainId: number, tx: EoaTransaction): string {
  const [type, fields] = fieldsOf(chainId, tx)
  return keccak(concat(type, rlp(fields) as string))
}

/** wei that the key is liable for besides what it sends. */
export const eoaCost = (tx: EoaTransaction): bigint =>
  BigInt(tx.gas) * BigInt((tx.type === 'legacy' ? tx.gasPrice : tx.maxFeePerGas) as string)

type Authorization = NonNullable<EoaOrder['eoa']['authorizationList']>[number]
const authorizationText = (one: Authorization) =>
  [one.chainId, one.address, one.nonce, one.yParity, one.r, one.s].map((value) => BigInt(value)).join()

const same = (one: string, other: string) => lower(one) === lower(other)

/** Whether this is the call of that key which was ordered; nonce, gas and fees are the node's to find. */
export function isOrdered({ eoa: wanted }: EoaOrder, tx: EoaTransaction): boolean {
  const lists = [wanted.authorizationList ?? [], tx.authorizationList ?? []].map((list) => list.map(authorizationText))
  return (
    tx.type === wanted.type &&
    tx.key.account === (wanted.key?.account ?? 0) &&
    tx.key.index === (wanted.key?.index ?? 0) &&
    same(tx.to, wanted.to) &&
    BigInt(tx.value) === BigInt(wanted.value ?? 0) &&
    same(tx.data, wanted.data ?? '0x') &&
    lists[0]?.join(';') === lists[1]?.join(';')
  )
}

/** The order that led to it, for the same again with a higher fee. */
export function eoaOrderOf({ walletId, chainId }: Transaction, tx: EoaTransaction): EoaOrder {
  const { account, index } = tx.key
  const { type, to, data, authorizationList } = tx
  return {
    walletId,
    chainId,
    kind: 'eoa',
    eoa: {
      type,
      key: { account, index },
      to,
      value: BigInt(tx.value).toString(),
      data,
      ...(type === 'eip7702' && authorizationList ? { authorizationList } : {}),
    },
  }
}

export const MOST_AUTHORIZATIONS = 16
const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/

function readAuthorization(value: unknown, chainId: number): Authorization | null {
  if (typeof value !== 'object' || value === null) return null
  const given = value as Record<string, unknown>
  const number = (name: string, most: bigint) => {
    const one = given[name]
    if (typeof one !== 'string' && !Number.isSafeInteger(one)) return null
    const text = typeof one === 'string' ? one.toLowerCase() : `0x${(one as number).toString(16)}`
    // Leading zeros of r and s are as other programs write them.
    const short = text.replace(/^0x0+(?=.)/, '0x')
    return QUANTITY.test(short) && BigInt(short) <= most ? short : null
  }
  const { address } = given
  const read = {
    chainId: number('chainId', BigInt(Number.MAX_SAFE_INTEGER)),
    nonce: number('nonce', 2n ** 64n - 1n),
    yParity: number('yParity', 1n),
    r: number('r', 2n ** 256n - 1n),
    s: number('s', 2n ** 256n - 1n),
  }
  if (typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) return null
  if (Object.values(read).includes(null) || BigInt(read.chainId as string) !== BigInt(chainId)) return null
  return { ...(read as Record<keyof typeof read, string>), address }
}

/** Signed authorizations as JSON, one or a list; null for anything else, and for those of another chain. */
export function readAuthorizations(text: string, chainId: number): Authorization[] | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  const list = Array.isArray(parsed) ? parsed : [parsed]
  if (list.length === 0 || list.length > MOST_AUTHORIZATIONS) return null
  const read = list.map((one) => readAuthorization(one, chainId))
  return read.includes(null) ? null : (read as Authorization[])
}
