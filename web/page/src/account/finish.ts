// SPDX-License-Identifier: Apache-2.0
// From a passkey to an account that this page has checked. What the node answers is believed after the check alone; the
// escape key then waits in this browser for its recovery file.
import { call } from '../api/client'
import type { LoggedIn, Wallet } from '../api/models'
import { node } from '../state/node.svelte'
import { escapeAddress, makeEscapeKey } from './escape-key'
import { type RegistrationDraft, registrationDraft, unsavedKeys, type WalletDraft, walletDraft } from './kept'
import { checkAccount } from './origin-check'
import { provePasskey } from './passkey-proof'

/** As the recovery file writes times: RFC 3339 in UTC, to the second. */
const fileTime = () => `${new Date().toISOString().slice(0, 19)}Z`

/** Throws Problem; AccountRefused when the account is not the one that these keys make. */
export async function finishRegistration(draft: RegistrationDraft): Promise<{ answer: LoggedIn; walletId: string }> {
  const { finish, options } = draft
  if (!finish || !options) throw new TypeError('the passkey comes first')
  const info = await node.known()
  const escapeKey = escapeAddress(finish.escapeSecret)
  const { wallet, ...answer } = await call('post', '/api/v1/registrations/{registrationId}/passkey', {
    path: { registrationId: draft.registrationId },
    body: { credential: finish.credential, escapeKey, deviceName: finish.deviceName },
  })
  const passkey = { x: BigInt(finish.passkey.x), y: BigInt(finish.passkey.y) }
  checkAccount(wallet, {
    rpId: options.rp.id,
    escapeKey,
    passkey,
    chains: info.chains,
    recoveryDelaySeconds: info.defaults.recoveryDelaySeconds,
  })
  await unsavedKeys.write({
    userId: answer.user.userId,
    walletId: wallet.walletId,
    escapeSecret: finish.escapeSecret,
    rpId: options.rp.id,
    wallet,
    passkey: finish.passkey,
    createdAt: fileTime(),
  })
  await registrationDraft.delete()
  return { answer, walletId: wallet.walletId }
}

/** A draft that a reload finds again, with an escape key of its own. */
export async function beginWallet(userId: string, alias: string): Promise<WalletDraft> {
  const draft: WalletDraft = {
    userId,
    requestId: crypto.randomUUID(),
    escapeSecret: makeEscapeKey().secret,
    ...(alias ? { alias } : {}),
  }
  await walletDraft.write(draft)
  return draft
}

/** Throws Problem, PasskeyFailure, and AccountRefused as above. The person touches the passkey, which proves it theirs. */
export async function finishWallet(draft: WalletDraft): Promise<Wallet> {
  const info = await node.known()
  const escapeKey = escapeAddress(draft.escapeSecret)
  const { requestId, alias } = draft
  const wallet = await call('post', '/api/v1/wallets', { body: { escapeKey, requestId, ...(alias ? { alias } : {}) } })
  const init = checkAccount(wallet, {
    rpId: info.rpId,
    escapeKey,
    passkey: null,
    chains: info.chains,
    recoveryDelaySeconds: info.defaults.recoveryDelaySeconds,
  })
  const [x, y] = init.passkeys[0] as readonly [bigint, bigint, string]
  await provePasskey({ x, y }, info.rpId)
  await unsavedKeys.write({
    userId: draft.userId,
    walletId: wallet.walletId,
    escapeSecret: draft.escapeSecret,
    rpId: info.rpId,
    wallet,
    passkey: { x: x.toString(), y: y.toString() },
    createdAt: fileTime(),
  })
  await walletDraft.delete()
  return wallet
}

/**
 * Finds the escape key of a registration whose answer never arrived: the account exists, so the key is worth a file.
 * Throws AccountRefused when the account is not the one that the draft's keys make.
 */
export async function adoptDrafts(userId: string, wallets: readonly Wallet[]): Promise<void> {
  const registration = await registrationDraft.read()
  // A later wallet under way proves its passkey by a touch, which its own view asks for.
  if (!registration?.finish) return
  const { escapeSecret, passkey } = registration.finish
  const info = await node.known()
  for (const wallet of wallets) {
    if (wallet.recoveryFileSaved || wallet.origin?.escapeKey.toLowerCase() !== escapeAddress(escapeSecret)) continue
    checkAccount(wallet, {
      rpId: info.rpId,
      escapeKey: escapeAddress(escapeSecret),
      passkey: { x: BigInt(passkey.x), y: BigInt(passkey.y) },
      chains: info.chains,
      recoveryDelaySeconds: info.defaults.recoveryDelaySeconds,
    })
    const createdAt = fileTime()
    await unsavedKeys.write({
      userId,
      walletId: wallet.walletId,
      escapeSecret,
      rpId: info.rpId,
      wallet,
      passkey,
      createdAt,
    })
    await registrationDraft.delete()
  }
}
