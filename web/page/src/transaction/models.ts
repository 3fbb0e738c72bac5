// SPDX-License-Identifier: Apache-2.0
// Short names for the API's objects about transactions, and amounts as the page reckons with them.
import type { components } from '../generated/api'

type Schemas = components['schemas']
export type AccountLimit = Schemas['AccountLimit']
export type ApiCall = Schemas['Call']
export type CallSummary = Schemas['CallSummary']
export type GrantState = Schemas['GrantState']
export type QueueOrder = Schemas['QueueOrder']
export type TokenBalance = Schemas['TokenBalance']
export type TokenFacts = Schemas['TokenFacts']
export type Transaction = Schemas['Transaction']
export type TransactionOrder = Schemas['TransactionOrder']
export type UserOperation = Schemas['UserOperation']
export type WaitingItem = Schemas['WaitingItem']
export type WalletState = Schemas['WalletState']
export type Warning = Schemas['Warning']

/** One call of a batch, in the page's own terms: addresses and bytes in lower case, wei as a number. */
export interface Call {
  readonly to: string
  readonly value: bigint
  readonly data: string
}

/** What a token calls itself and how it counts; the chain's native currency has no address. */
export interface Asset {
  /** Lower case; null for the native currency. */
  readonly token: string | null
  readonly symbol: string
  readonly decimals: number
}

export const toApi = ({ to, value, data }: Call): ApiCall => ({
  to,
  value: value.toString(),
  ...(data === '0x' ? {} : { data }),
})
