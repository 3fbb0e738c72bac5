// SPDX-License-Identifier: Apache-2.0
// Session grants as the account takes them (spec/account.md, section 4): what a batch grants is compared with what was
// ordered, and its id computed here.
import { decodeCall, encode, call as encodeCall } from '../../../escape/src/core/abi.mjs'
import { keccak } from '../../../escape/src/core/bytes.mjs'
import type { Place } from './check'
import type { Transaction, TransactionOrder } from './models'
import { readBatch } from './operation'
import type { Reading } from './reading'

const GRANT = '(address,bytes4[],uint128,uint128,uint48,uint48,address,uint256)'
const CREATE = `createGrant(${GRANT})`
type Grant = readonly [string, string[], bigint, bigint, bigint, bigint, string, bigint]
type GrantOrder = Extract<TransactionOrder, { kind: 'grant' }>['grant']

/** The node's clock and its chain's may differ from this device's by so much. */
const CLOCKS_S = 600

const lower = (hex: string) => hex.toLowerCase()
const sorted = (list: readonly string[]) => [...list].map(lower).sort().join()

/** Null for anything but the one grant that was ordered. Throws Malformed. */
export function readGrant(
  ordered: GrantOrder,
  callData: string,
  { address, chainId }: Transaction,
  { chain, keyEpoch, now }: Place,
): Reading | null {
  const calls = readBatch(callData)
  const [only] = calls ?? []
  if (!only || calls?.length !== 1 || only.to !== lower(address) || only.value !== 0n) return null
  const values = decodeCall(CREATE, only.data) as [Grant] | null
  if (!values || encodeCall(CREATE, ...values) !== only.data) return null
  const [grant] = values
  const [target, selectors, perCall, total, after, until, paymaster] = grant
  const isOrdered =
    target === lower(ordered.target) &&
    sorted(selectors) === sorted(ordered.selectors ?? []) &&
    perCall === BigInt(ordered.valuePerCall) &&
    total === BigInt(ordered.valueTotal)
  // From now on, and not a moment longer than was ordered; the block that is known may be a little old.
  const life = until - after
  const isInTime =
    life <= BigInt(ordered.validFor) + 1n && until <= BigInt(Math.floor(now) + ordered.validFor + CLOCKS_S)
  if (!isOrdered || !isInTime || paymaster !== lower(chain.paymaster ?? '')) return null
  const id = keccak(
    encode(`(uint256,address,uint32,${GRANT})`, [BigInt(chainId), lower(address), BigInt(keyEpoch), grant]),
  )
  return { meaning: 'createGrant', to: target, value: 0n, amount: total, hash: id }
}
