// SPDX-License-Identifier: Apache-2.0
// The same operation for a higher fee. What was signed before is taken apart again, so that the same is signed now: the
// same calls under the same nonce, of which a chain carries out one alone.
import { decode } from '../../../escape/src/core/abi.mjs'
import { CALLS } from '../../../escape/src/core/operation.mjs'
import { type Checked, checkPrepared, type Place, TransactionRefused } from './check'
import { eoaOrderOf } from './eoa'
import { type ApiCall, type Call, type QueueOrder, type Transaction, type TransactionOrder, toApi } from './models'
import { type Queued, queueContent, queuedId, readBatch, readQueued } from './operation'

type Row = readonly [string, bigint, string]

const callsOf = (rows: readonly Row[]): ApiCall[] => rows.map(([to, value, data]) => toApi({ to, value, data }))

/** The order that makes such a content; null for one in another encoding. Throws Malformed. */
function queueOrderOf({ kind, content }: Queued): QueueOrder | null {
  const read = (): QueueOrder => {
    switch (kind) {
      case 'spend':
        return { kind, calls: callsOf((decode(CALLS, content) as unknown as [Row[]])[0]) }
      case 'limit': {
        const [token, perDay] = decode('(address,uint256)', content) as [string, bigint]
        return { kind, token: /^0x0{40}$/.test(token) ? null : token, perDay: perDay.toString() }
      }
      case 'gasCap':
        return { kind, maxCost: (decode('(uint256)', content) as [bigint])[0].toString() }
      case 'domain':
        return { kind, domainSeparator: (decode('(bytes32)', content) as [string])[0] }
      default: {
        const [target, selector] = decode('(address,bytes4)', content) as [string, string]
        return { kind, target, selector }
      }
    }
  }
  const order = read()
  return queueContent(order) === content ? order : null
}

/** What was ordered, out of the bytes that were signed; null where this page orders no such thing. Throws Malformed. */
export function orderOf(before: Transaction, keyEpoch: number) {
  const { walletId, chainId, address, kind, userOperation, eoa } = before
  if (kind === 'eoa') return eoa && eoaOrderOf(before, eoa)
  const calls: Call[] | null = userOperation && readBatch(userOperation.callData)
  if (!calls) return null
  const at = { walletId, chainId }
  if (kind === 'calls') return { ...at, kind, calls: calls.map(toApi) } satisfies TransactionOrder
  if (kind !== 'queue' && kind !== 'confirm') return null
  const queued = readQueued(calls, address, kind)
  if (!queued) return null
  if (kind === 'confirm')
    return { ...at, kind, item: queuedId(chainId, address, queued, keyEpoch) } satisfies TransactionOrder
  const queue = queueOrderOf(queued)
  return queue && ({ ...at, kind, queue } satisfies TransactionOrder)
}

/** Whether a person may offer more for it: it waits, and a passkey signed it. */
export const isReplaceable = ({ state, kind, userOperation }: Transaction) =>
  (kind === 'eoa' && state === 'submitted') ||
  ((state === 'signed' || state === 'submitted') &&
    userOperation !== null &&
    (kind === 'calls' || kind === 'queue' || kind === 'confirm'))

const nonceOf = ({ userOperation, eoa }: Transaction) => userOperation?.nonce ?? eoa?.nonce

/** What may be signed in place of `before`. Throws TransactionRefused. */
export function checkReplacement(before: Transaction, transaction: Transaction, place: Place): Checked {
  const order = orderOf(before, place.keyEpoch)
  if (order === null) throw new TransactionRefused('kind-other')
  // Of the same key, which the person saw when they signed it first.
  const checked = checkPrepared(order, transaction, order.kind === 'eoa' ? { ...place, payer: before.address } : place)
  const nonce = nonceOf(transaction)
  // Under another nonce both would be carried out.
  if (nonce === undefined || BigInt(nonce) !== BigInt(nonceOf(before) ?? -1))
    throw new TransactionRefused('nonce-other')
  return checked
}
