// SPDX-License-Identifier: Apache-2.0
// The person's wallets, and which of their escape keys wait in this browser for a recovery file.

import { call } from '../api/client'
import type { Wallet } from '../api/models'
import { adoptDrafts } from './finish'
import { type UnsavedKey, unsavedKeys } from './kept'

export interface Wallets {
  readonly list: readonly Wallet[]
  readonly unsaved: readonly UnsavedKey[]
}

/** Throws Problem, or AccountRefused for an account that a lost answer told of. */
export async function loadWallets(userId: string): Promise<Wallets> {
  const { wallets } = await call('get', '/api/v1/wallets', {})
  await adoptDrafts(userId, wallets)
  // One that is saved is of no more use here; a copy of the secret less.
  const kept = await unsavedKeys.list()
  for (const key of kept)
    if (wallets.some((wallet) => wallet.walletId === key.walletId && wallet.recoveryFileSaved))
      await unsavedKeys.delete(key.walletId)
  return { list: wallets, unsaved: (await unsavedKeys.list()).filter((key) => key.userId === userId) }
}
