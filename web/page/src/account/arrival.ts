// SPDX-License-Identifier: Apache-2.0
// An account that comes here from another node: what this page checks of the node's answer before it hands its keys on,
// what leads here of that which waits on the chain, and the escape or the recovery to exactly those keys.
import { finishCall } from '../../../escape/src/core/actions.mjs'
import { concat, sha256, toHex, uint, utf8, ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import { Problem as CoreProblem } from '../../../escape/src/core/problem.mjs'
import { parseRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { rpIdHash } from '../../../escape/src/core/signing.mjs'
import { call } from '../api/client'
import type { Arrival, ArrivalOnChain, Passkey } from '../api/models'
import { fromBase64url } from '../passkey/base64url'
import { assertionJson, type PasskeyPoint, usePasskey } from '../passkey/ceremony'
import { madeHere } from '../state/passkeys.svelte'
import { type Action, type Stamp, stampOf } from '../transaction/actions'
import { actionOfItem, changeIn, type KeyRow, pointOf } from '../transaction/keys'
import type { WaitingItem } from '../transaction/models'
import { escapeCall, FileRefused } from './escape'
import { type GuardianList, hashOfList, isCurrent, makeRequest, type RecoveryRequest } from './guardians'
import { addedPasskeys } from './kept'
import type { MovingSlip } from './moving-slip'
import { AccountRefused } from './origin-check'
import { isSignedBy } from './passkey-proof'

const TOUCH_MS = 120_000

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

/** The passkey that the account is to get here, as the chain writes it. */
export function rowOf({ keys }: Pick<Arrival, 'keys'>): KeyRow {
  const { x, y } = pointOf(keys.passkey.publicKey)
  return [x, y, keys.passkey.rpIdHash.toLowerCase()]
}

/**
 * The person's passkey that the arrival names. Throws AccountRefused when it names none of `list`, another relying party
 * than this page's, or no server key.
 */
export function passkeyOf({ keys }: Pick<Arrival, 'keys'>, list: readonly Passkey[], rpId: string): Passkey {
  const found = list.find(({ publicKey, isActive }) => isActive && same(publicKey, keys.passkey.publicKey))
  if (!found) throw new AccountRefused('passkey-other')
  if (!same(keys.passkey.rpIdHash, rpIdHash(rpId))) throw new AccountRefused('relying-party-other', rpId)
  if (same(keys.serverKey, ZERO_ADDRESS)) throw new AccountRefused('server-key-other')
  return found
}

/** Whether this browser made the passkey, or saw it answer a touch: then its key is not the node's word alone. */
export async function isVouched(passkey: Passkey): Promise<boolean> {
  const own = await madeHere(passkey.passkeyId)
  const told = pointOf(passkey.publicKey)
  if (own && (own.x !== told.x || own.y !== told.y)) throw new AccountRefused('passkey-other')
  return own !== null
}

const DOMAIN = utf8('community account adoption')

/** What the trusted core asks to be signed (spec/trusted-core-protocol.md, "Accounts that began elsewhere"). */
export function adoptionDigest(
  { walletId, chainId, account }: Pick<Arrival, 'walletId' | 'chainId' | 'account'>,
  revision: number,
  serverKeyIndex: number,
): string {
  const wallet = `0x${walletId.replaceAll('-', '')}`
  const [first, second, last] = [uint(revision, 8), uint(chainId, 8), uint(serverKeyIndex, 4)]
  return sha256(concat(DOMAIN, wallet, first, second, account.toLowerCase(), last))
}

/** The challenge, computed here; the touch of a lying node's operation would be worth money. */
function challengeOf(arrival: Arrival): Uint8Array<ArrayBuffer> {
  const { adoption } = arrival
  if (!adoption) throw new TypeError('it was adopted already')
  const challenge = fromBase64url(adoption.challenge)
  const digest = adoptionDigest(arrival, adoption.revision, adoption.serverKeyIndex)
  if (toHex(new Uint8Array(challenge)) !== digest) throw new AccountRefused('adoption-other')
  return new Uint8Array(challenge)
}

/** From now on this browser knows that the person has it. */
export async function vouch({ passkeyId }: Passkey, { x, y }: PasskeyPoint) {
  await addedPasskeys.write({ passkeyId, x: `${x}`, y: `${y}` })
}

/**
 * The touch that has the node's trusted core take the account in. The same touch proves the passkey that the slip will
 * name. Throws PasskeyFailure and Problem, and AccountRefused before anything is sent when another passkey answered.
 */
export async function adopt(arrival: Arrival, passkey: Passkey, rpId: string): Promise<Arrival> {
  const challenge = challengeOf(arrival)
  const used = await usePasskey({
    challenge: arrival.adoption?.challenge ?? '',
    rpId,
    timeout: TOUCH_MS,
    userVerification: 'required',
    allowCredentials: [{ type: 'public-key', id: passkey.credentialId }],
  })
  const response = used.response as AuthenticatorAssertionResponse
  const assertion = {
    clientDataJSON: new Uint8Array(response.clientDataJSON),
    authenticatorData: new Uint8Array(response.authenticatorData),
    signature: new Uint8Array(response.signature),
  }
  const point = pointOf(passkey.publicKey)
  if (!isSignedBy(assertion, point, challenge, rpId)) throw new AccountRefused('passkey-other')
  await vouch(passkey, point)
  return call('post', '/api/v1/arrivals/{arrivalId}/adoption', {
    path: { arrivalId: arrival.arrivalId },
    body: { credential: assertionJson(used) },
  })
}

export const slipOf = ({ chainId, account, keys }: Arrival, origin: string): MovingSlip => ({
  chainId,
  account: account.toLowerCase(),
  passkey: {
    publicKey: keys.passkey.publicKey.toLowerCase(),
    rpIdHash: keys.passkey.rpIdHash.toLowerCase(),
  },
  serverKey: keys.serverKey.toLowerCase(),
  origin,
})

export interface Comes {
  readonly item: WaitingItem
  readonly action: Action
  readonly stamp: Stamp
}

const isRow = (one: KeyRow, other: KeyRow) => one.every((value, i) => value === other[i])

/** Whether a change brings this arrival's keys and no others. */
function leadsHere(action: Action, arrival: Arrival, { passkeys }: ArrivalOnChain): boolean {
  const change = changeIn(action, passkeys)
  const own = rowOf(arrival)
  if (!change?.serverKey || !same(change.serverKey, arrival.keys.serverKey)) return false
  // Guardians bring a new escape key with all others; in any other change one would be somebody's vote.
  if (change.escapeKey !== null && action.name !== 'Recover') return false
  const isThere = passkeys.some((one) => same(one.publicKey, arrival.keys.passkey.publicKey))
  const [added] = change.added
  if (change.removed.includes(own[0]) || change.added.length > 1) return false
  return added ? isRow(added, own) : isThere
}

/** What waits on the chain: what leads here, and the rest. What cannot be read leads nowhere. */
export function waitingOf(arrival: Arrival): { here: readonly Comes[]; other: readonly WaitingItem[] } {
  const { onChain, chainId, account } = arrival
  const here: Comes[] = []
  const other: WaitingItem[] = []
  for (const item of onChain?.waiting ?? []) {
    const action = item.isReadable ? actionOfItem(item, chainId, account) : null
    const stamp = stampOf(item.typedData)
    if (onChain && action && stamp && leadsHere(action, arrival, onChain)) here.push({ item, action, stamp })
    else other.push(item)
  }
  return { here, other }
}

/** Call data that carries out what waited; anybody may bring it. */
export const finishOf = ({ action, stamp }: Comes): string => finishCall(action.name, action.values, stamp)

/** Call data that starts the escape to this arrival's keys, signed by the key in the recovery file. Throws FileRefused. */
export function escapeHere(content: string, { chainId, account, keys, onChain, ...rest }: Arrival): string {
  if (!onChain) throw new TypeError('the chain has to say which keys the account has')
  const { escapeKey, keyEpoch, blockTime } = onChain
  const facts = { chainId, address: account, escapeKey, keyEpoch, blockTime }
  return escapeCall(content, facts, { passkey: rowOf({ ...rest, keys }), serverKey: keys.serverKey.toLowerCase() })
}

// --- by the guardians -------------------------------------------------------------------------------------------------

/** Whether this is the list behind the hash that the chain has for the account. */
export const isItsList = (list: GuardianList, { account, onChain }: Arrival): boolean =>
  onChain !== null && list.account === account.toLowerCase() && hashOfList(list) === onChain.guardiansHash.toLowerCase()

/** What the guardians are asked to sign: this arrival's keys, and the escape key of a new recovery file. */
export function requestHere(list: GuardianList, escapeKey: string, arrival: Arrival): RecoveryRequest {
  const { chainId, keys, onChain } = arrival
  if (!onChain) throw new TypeError('the chain has to say which guardians the account has')
  const serverKey = keys.serverKey.toLowerCase()
  const wanted = { chainId, passkeys: [rowOf(arrival)], serverKey, escapeKey }
  // The hash says who they are; how many it takes, the chain says and not the file.
  const counted = { ...list, threshold: onChain.guardianThreshold }
  return makeRequest(counted, wanted, onChain.keyEpoch, Date.parse(onChain.blockTime) / 1_000)
}

/** Whether a request of before is for this arrival, and the account would still take it. */
export function isForArrival(request: RecoveryRequest, arrival: Arrival): boolean {
  const { account, chainId, keys, onChain } = arrival
  const [passkey, ...others] = request.passkeys
  if (!onChain || !passkey || others.length > 0) return false
  const isItsKeys = isRow(passkey, rowOf(arrival)) && same(request.serverKey, keys.serverKey)
  return isItsKeys && request.chainId === chainId && isCurrent(request, { address: account, ...onChain })
}

/** The escape key that a recovery gives the account, lower case; null for what leaves it as it is. */
export const escapeKeyOf = ({ action }: Comes): string | null =>
  action.name === 'Recover' ? `${action.values[2]}`.toLowerCase() : null

/** Of the recovery file that the person kept, for comparing. Throws FileRefused. */
export function escapeKeyIn(content: string, { account }: Arrival): string {
  try {
    const file = parseRecoveryFile(content) as { account: string; escapeAddress: string }
    if (file.account !== account.toLowerCase()) throw new FileRefused('other-account')
    return file.escapeAddress
  } catch (error) {
    if (error instanceof CoreProblem) throw new FileRefused('unreadable', { cause: error })
    throw error
  }
}
