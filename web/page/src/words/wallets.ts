// SPDX-License-Identifier: Apache-2.0
import type { Wallet } from '../api/models'
import * as m from '../generated/words/messages.js'

export const nameOfWallet = ({ alias, isPrimary, address }: Wallet) =>
  alias ?? (isPrimary ? m.wallet_primary() : m.wallet_at({ address: `${address.slice(0, 8)}…` }))
