// SPDX-License-Identifier: Apache-2.0
// What bytes that are to be signed say, read here and not believed from the node. The few calls that this page makes
// itself are read whole; of others it says their function and size.
import { decodeCall, Malformed } from '../../../escape/src/core/abi.mjs'
import { size, slice } from '../../../escape/src/core/bytes.mjs'
import type { Call, CallSummary } from './models'

/** The names of CallSummary's `meaning`, as far as this page reads bytes itself. */
export type Meaning =
  | 'payment'
  | 'tokenTransfer'
  | 'tokenTransferFrom'
  | 'allowance'
  | 'contractCall'
  | 'changeLimit'
  | 'changeGasCap'
  | 'listDomain'
  | 'allowCall'
  | 'createGrant'

export interface Reading {
  readonly meaning: Meaning
  /** Target of the call; of a changed limit its token. Null: the native currency, or nothing is called. */
  readonly to: string | null
  readonly value: bigint
  /** Whose it is, where the call names somebody. */
  readonly from?: string
  /** Who gets, or may take. */
  readonly counterparty?: string
  readonly amount?: bigint
  readonly selector?: string
  readonly dataSize?: number
  readonly hash?: string
}

const SELECTOR_BYTES = 4
const WORD_BYTES = 32

/** Bytes behind the arguments would be somebody's secret message to the contract. */
function valuesOf<T extends readonly unknown[]>(signature: string, words: number, data: string): T | null {
  return size(data) === SELECTOR_BYTES + words * WORD_BYTES
    ? (decodeCall(signature, data) as unknown as T | null)
    : null
}

function tokenCall({ to, value, data }: Call): Reading | null {
  try {
    for (const [signature, meaning] of [
      ['transfer(address,uint256)', 'tokenTransfer'],
      ['approve(address,uint256)', 'allowance'],
    ] as const) {
      const values = valuesOf<[string, bigint]>(signature, 2, data)
      if (values) return { meaning, to, value, counterparty: values[0], amount: values[1] }
    }
    for (const signature of ['safeTransferFrom(address,address,uint256)', 'transferFrom(address,address,uint256)']) {
      const values = valuesOf<[string, string, bigint]>(signature, 3, data)
      if (!values) continue
      const [from, counterparty, amount] = values
      return { meaning: 'tokenTransferFrom', to, value, from, counterparty, amount }
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
  }
  return null
}

export function readCall(call: Call): Reading {
  const { to, value, data } = call
  if (data === '0x') return { meaning: 'payment', to, value, counterparty: to, amount: value }
  return tokenCall(call) ?? { meaning: 'contractCall', to, value, selector: slice(data, 0, 4), dataSize: size(data) }
}

const same = (one: string | null | undefined, other: string | null | undefined) =>
  (one ?? null)?.toLowerCase() === (other ?? null)?.toLowerCase()

/** Whether the node's words are about the same: what it says of a call that this page reads, too, may not differ. */
export function agrees(reading: Reading, summary: CallSummary): boolean {
  if (reading.meaning === 'contractCall')
    return (
      same(reading.to, summary.to) && same(reading.selector, summary.selector) && summary.dataSize === reading.dataSize
    )
  // The same bytes move one ERC-721 or an amount of ERC-20; which of them, the token's contract alone knows.
  const amount = summary.amount ?? summary.tokenId
  return (
    (reading.meaning === summary.meaning || summary.meaning === 'unreadableTokenCall') &&
    same(reading.to, summary.to) &&
    (reading.from === undefined || same(reading.from, summary.from)) &&
    (reading.counterparty === undefined || same(reading.counterparty, summary.counterparty)) &&
    (reading.amount === undefined || reading.amount.toString() === amount) &&
    (reading.hash === undefined || same(reading.hash, summary.hash))
  )
}
