// SPDX-License-Identifier: Apache-2.0
// Tokens that a person wants to see, by chain. Which ones they are is kept in this browser and told to the node with
// each question alone.
import type { Asset, TokenBalance, TokenFacts, WalletState } from './models'

/** As many as the node answers for at once. */
export const MOST_TOKENS = 32
const UNITS = { decimals: 0 }

const nameOf = (userId: string, chainId: number) => `tokens ${userId} ${chainId}`

/** Lower case, in the order in which they were added. */
export function tokensOf(userId: string, chainId: number): readonly string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(nameOf(userId, chainId)) ?? '[]')
    if (!Array.isArray(list)) return []
    return list.filter((one): one is string => /^0x[0-9a-f]{40}$/.test(one)).slice(0, MOST_TOKENS)
  } catch {
    return []
  }
}

export function keepTokens(userId: string, chainId: number, tokens: readonly string[]) {
  const list = [...new Set(tokens.map((one) => one.toLowerCase()))].slice(0, MOST_TOKENS)
  try {
    localStorage.setItem(nameOf(userId, chainId), JSON.stringify(list))
  } catch {
    // They are then known until the page is left.
  }
}

/** On every chain. */
export function forgetTokens(userId: string) {
  try {
    for (const name of Object.keys(localStorage))
      if (name.startsWith(`tokens ${userId} `)) localStorage.removeItem(name)
  } catch {
    // Nothing was kept where storage is forbidden.
  }
}

/** A token that counts in whole units when its contract tells no decimals, and is called by its address without a name. */
export function assetOf(token: TokenBalance | TokenFacts): Asset {
  const { address, symbol, decimals } = token
  const token_ = address.toLowerCase()
  return { token: token_, symbol: symbol ?? `${address.slice(0, 8)}…`, ...(decimals === null ? UNITS : { decimals }) }
}

/** Whether amounts of it mean something: no collectible. */
export const isCounted = ({ standard }: Pick<TokenBalance, 'standard'>) =>
  standard !== 'erc721' && standard !== 'erc1155'

/**
 * Whether nothing leaves at once: the account is older than this chain at its node, and the rules that its address
 * commits to name other chains alone. A limit of zero that somebody set looks the same, and is meant the same.
 */
export const isClosed = (state: WalletState): boolean => BigInt(limitOf(state, null)?.perDay ?? 0) === 0n

export const limitOf = (state: WalletState, token: string | null) =>
  state.limits.find((limit) => (limit.token?.toLowerCase() ?? null) === token)
