// SPDX-License-Identifier: Apache-2.0
// The account that the person looks at: one wallet on one chain. Views of money share the choice.
import { loadWallets, type Wallets } from '../account/wallets'
import { call } from '../api/client'
import type { Chain, Wallet } from '../api/models'
import type { Place } from '../transaction/check'
import type { KeyFacts } from '../transaction/keys'
import type { WalletState } from '../transaction/models'
import { tokensOf } from '../transaction/tokens'
import { type Choice, choiceOf, keepChoice } from './choice'
import { node } from './node.svelte'
import { session } from './session.svelte'

export interface Account {
  readonly wallet: Wallet
  readonly chain: Chain
}

let wallets = $state.raw<Wallets | null>(null)
let owner = ''
let chosen = $state.raw<Choice | null>(null)

// The chains in the node's order: its first one is where people begin.
const places = (list: readonly Wallet[]): Account[] =>
  list.flatMap((wallet) =>
    (node.info?.chains ?? []).flatMap((chain) =>
      wallet.accounts.some(({ chainId }) => chainId === chain.chainId) ? [{ wallet, chain }] : [],
    ),
  )

export const account = {
  get wallets() {
    return wallets
  },
  /** Every wallet on every chain that this node serves, primary first. */
  get all(): readonly Account[] {
    return places(wallets?.list ?? [])
  },
  get current(): Account | null {
    const all = account.all
    const found = all.find(
      ({ wallet, chain }) => wallet.walletId === chosen?.walletId && chain.chainId === chosen.chainId,
    )
    return found ?? all[0] ?? null
  },
  choose({ wallet, chain }: Account) {
    chosen = { walletId: wallet.walletId, chainId: chain.chainId }
    keepChoice(owner, chosen)
  },
  /** Asks for the wallets; another person's choice is that person's own. Throws Problem and AccountRefused. */
  async load(): Promise<void> {
    const userId = session.user?.userId ?? ''
    if (owner !== userId) {
      owner = userId
      wallets = null
      chosen = choiceOf(userId)
    }
    await node.known()
    wallets = await loadWallets(userId)
  },
  /** The account on chain as of one block, with the tokens that the person added. Throws Problem. */
  async state({ wallet, chain }: Account): Promise<WalletState> {
    const tokens = tokensOf(session.user?.userId ?? '', chain.chainId)
    return call('get', '/api/v1/wallets/{walletId}/state', {
      path: { walletId: wallet.walletId },
      query: { chainId: chain.chainId, ...(tokens.length > 0 ? { token: [...tokens] } : {}) },
    })
  },
  /** What a prepared answer is held against; `points` of passkeys that it may add, `payer` of a key of the phrase. */
  place({ wallet, chain }: Account, state: WalletState, points: KeyFacts['points'] = new Map(), payer?: string): Place {
    // A development chain may be ahead of this device by as much as its developer likes.
    const block = node.info?.development ? Date.parse(state.blockTime) : 0
    const { passkeys, serverKey, escapeKey } = state
    const keys = { passkeys, serverKey, escapeKey, rpId: node.info?.rpId ?? '', points }
    return { wallet, chain, keyEpoch: state.keyEpoch, keys, payer, now: Math.max(Date.now(), block) / 1_000 }
  },
}
