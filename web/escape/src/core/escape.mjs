// SPDX-License-Identifier: Apache-2.0
// The calls of the path out, each signed by the escape key alone: make the account, freeze, escape, cancel, finish.
import { call } from './abi.mjs'
import { requireOwnVote } from './account.mjs'
import { ESCAPE_SIGNER, ESCAPE_VOTE, KIND, digestOf, finishCall, runCall } from './actions.mjs'
import { ZERO_WORD, random } from './bytes.mjs'
import { checkNewKeys } from './init-data.mjs'
import { require } from './problem.mjs'
import { keySignature } from './signing.mjs'

/** How long a signed struct may be submitted. Long enough for a stuck transaction, short enough to be forgotten. */
const SIGNED_FOR_S = 86_400n
const VOTES = (1n << 9n) - 1n

const newStamp = (state) => [state.keyEpoch, BigInt(random(32)), state.block.timestamp + SIGNED_FOR_S]

function signed(file, state, name, values) {
  requireOwnVote(file, state)
  const stamp = newStamp(state)
  const id = digestOf(state.chainId, state.account, name, values, stamp)
  const signatures = [[ESCAPE_SIGNER, keySignature(file.escapeKey, id)]]
  return { id, to: state.account, data: runCall(name, values, stamp, signatures) }
}

/** Makes the account on a chain where it was never used. */
export function createAccountCall(file, state) {
  require(state.factoryExists, 'factory_missing')
  return { to: file.factory, data: call('createAccount(bytes)', file.initData) }
}

export const freezeCall = (file, state) => signed(file, state, 'Freeze', [])

/** Starts an escape to `keys` {passkey, serverKey}; its `id` is the item's. */
export function escapeCall(file, state, keys) {
  checkNewKeys([keys.passkey], keys.serverKey, state.escapeKey)
  return signed(file, state, 'Escape', [[keys.passkey], keys.serverKey, 1n])
}

export function cancelCall(file, state, item) {
  require(canCancel(item), 'not_cancellable')
  return signed(file, state, 'Cancel', [item.id])
}

/** Finishes an escape; nobody has to sign. */
export function finishEscapeCall(state, item) {
  require(item.kind === KIND.escape && item.action, 'not_an_escape')
  return { to: state.account, data: finishCall('Escape', item.action.values, item.action.stamp) }
}

function bitCount(bits) {
  let count = 0
  for (let rest = bits; rest; rest &= rest - 1n) count++
  return count
}

/** Whether the escape key alone may end `item` (Actions.cancel of the contract). */
export function canCancel(item) {
  if (item.kind === KIND.queued || item.kind === KIND.upgrade) return true
  if (item.kind === KIND.recover) return false
  return bitCount(item.votes & VOTES) === 1 && (item.votes & ESCAPE_VOTE) === 0n
}

/** Who else could end an escape before it acts: slots of passkeys, the escape key, the guardians. */
export function whoCancels(item, state) {
  const one = bitCount(item.votes & VOTES) === 1
  const free = (signer) => ((item.votes >> BigInt(signer)) & 1n) === 0n
  return {
    passkeys: one ? state.passkeys.map(({ slot }) => slot).filter(free) : [],
    escapeKey: one && free(ESCAPE_SIGNER),
    guardians: state.guardians.hash !== ZERO_WORD,
  }
}

export const startedByEscapeKey = (item) => (item.votes & ESCAPE_VOTE) !== 0n

/** Whether `item` is an escape to exactly these keys. */
export function leadsTo(item, keys) {
  if (!keys || item.kind !== KIND.escape) return false
  const [passkeys, serverKey] = item.action.values
  return (
    serverKey === keys.serverKey && passkeys.length === 1 && passkeys[0].every((part, i) => part === keys.passkey[i])
  )
}
