// SPDX-License-Identifier: Apache-2.0
// A further passkey: made by a device, kept by the node, and of use to nobody until a change of keys adds it.
import { call } from '../api/client'
import type { Passkey } from '../api/models'
import { makePasskey, type PasskeyPoint } from '../passkey/ceremony'
import { node } from '../state/node.svelte'
import { madeHere } from '../state/passkeys.svelte'
import { pointOf } from '../transaction/keys'
import { addedPasskeys } from './kept'
import { AccountRefused } from './origin-check'
import { provePasskey } from './passkey-proof'

/** Throws Problem and PasskeyFailure; AccountRefused when the node kept another key than the device made. */
export async function addPasskey(deviceName: string, signal?: AbortSignal): Promise<Passkey> {
  const { passkey: options } = await call('post', '/api/v1/passkeys/challenge', { body: {} })
  const { credential, point } = await makePasskey(options, signal)
  const passkey = await call('post', '/api/v1/passkeys', { body: { credential, deviceName } })
  const kept = pointOf(passkey.publicKey)
  if (kept.x !== point.x || kept.y !== point.y) throw new AccountRefused('passkey-other')
  await addedPasskeys.write({ passkeyId: passkey.passkeyId, x: `${point.x}`, y: `${point.y}` })
  return passkey
}

/**
 * What a passkey is, not by the node's word alone: this browser made it, or it answers a touch now. Throws
 * PasskeyFailure, and AccountRefused when the key of the node is not the one that answered.
 */
export async function vouchedPoint(passkey: Passkey): Promise<PasskeyPoint> {
  const own = await madeHere(passkey.passkeyId)
  const told = pointOf(passkey.publicKey)
  if (own) {
    if (own.x !== told.x || own.y !== told.y) throw new AccountRefused('passkey-other')
    return own
  }
  const { rpId } = await node.known()
  await provePasskey(told, rpId, passkey.credentialId)
  await addedPasskeys.write({ passkeyId: passkey.passkeyId, x: `${told.x}`, y: `${told.y}` })
  return told
}
