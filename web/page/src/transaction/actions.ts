// SPDX-License-Identifier: Apache-2.0
// Plain functions of the account: what a passkey signs, made from the person's own order (spec/account.md, sections 1
// and 2). Of what the node answers only the stamp is taken.
import { encode } from '../../../escape/src/core/abi.mjs'
import { digestOf, domainSeparator, STAMP, typed } from '../../../escape/src/core/actions.mjs'
import { concat, keccak, utf8, ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import type { TransactionOrder } from './models'

/** keyEpoch, nonce, deadline (seconds since 1970). */
export type Stamp = readonly [bigint, bigint, bigint]

export interface Action {
  /** Primary type of the EIP-712 struct. */
  readonly name: string
  /** Its fields before the stamp, `uint8 votes` for instance, with their values. */
  readonly fields: string
  readonly values: readonly unknown[]
}

const RULES_FIELDS =
  'bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,bool unlistedTokens,uint8 votes'
const STAMP_FIELDS = 'uint32 keyEpoch,uint256 nonce,uint48 deadline'

/** The struct that an order says whole; null for others: `keys` needs more (keys.ts), an operation has none. */
export function actionOf(order: TransactionOrder): Action | null {
  const action = (name: string, fields: string, ...values: readonly unknown[]) => ({ name, fields, values })
  switch (order.kind) {
    case 'freeze':
      return action('Freeze', '')
    case 'unfreeze':
      return action('Unfreeze', 'uint8 votes', order.votes ?? 1)
    case 'cancel':
      return action('Cancel', 'bytes32 item', order.item)
    case 'lowerLimit':
      return action('LowerLimit', 'address token,uint256 perDay', order.token ?? ZERO_ADDRESS, BigInt(order.perDay))
    case 'lowerGasCap':
      return action('LowerGasCap', 'uint256 maxCost', BigInt(order.maxCost))
    case 'revokeGrant':
      return action('RevokeGrant', 'bytes32 grantId', order.grantId)
    case 'disallowCall':
      return action('DisallowCall', 'address target,bytes4 selector', order.target, order.selector)
    case 'unlistDomain':
      return action('UnlistDomain', 'bytes32 domainSeparator', order.domainSeparator)
    case 'rules': {
      const { guardiansHash, guardianThreshold, recoveryDelay, strict, unlistedTokens } = order.rules
      const rules = [guardiansHash, guardianThreshold, recoveryDelay, strict, unlistedTokens]
      return action('ChangeRules', RULES_FIELDS, ...rules, order.votes ?? 1)
    }
    default:
      return null
  }
}

/** EIP-712 digest of the struct for this account. */
export function actionDigest(chainId: number, account: string, action: Action, stamp: Stamp): string {
  const { name, fields, values } = action
  // Lists are hashed by themselves.
  if (fields.includes('[]')) return digestOf(chainId, account.toLowerCase(), name, values, stamp)
  const type = `${name}(${fields ? `${fields},` : ''}${STAMP_FIELDS})`
  const types = fields ? fields.split(',').map((field) => field.split(' ')[0]) : []
  const content = encode(`(${types.join(',')})`, values)
  const struct = keccak(concat(keccak(utf8(type)), content, encode(STAMP, stamp)))
  return typed(domainSeparator(chainId, account.toLowerCase()), struct)
}

const FIELDS = [32n, 256n, 48n]

/** The stamp in an answer's typed data; null when it has none. */
export function stampOf(typedData: unknown): Stamp | null {
  const message = (typedData as { message?: Record<string, unknown> } | null)?.message
  const values = ['keyEpoch', 'nonce', 'deadline'].map((name) => message?.[name])
  const numbers = values.map((value) => {
    const text = typeof value === 'number' || typeof value === 'string' ? `${value}` : ''
    return /^(?:\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text) ? BigInt(text) : null
  })
  if (numbers.some((value, i) => value === null || value >> (FIELDS[i] as bigint) !== 0n)) return null
  return numbers as unknown as Stamp
}
