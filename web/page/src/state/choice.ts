// SPDX-License-Identifier: Apache-2.0
// Which account a person looked at last in this browser. Views take it for a wish: what is not among the accounts that
// the node tells is passed over.

export interface Choice {
  readonly walletId: string
  readonly chainId: number
}

const nameOf = (userId: string) => `account ${userId}`

export function choiceOf(userId: string): Choice | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(nameOf(userId)) ?? 'null')
    if (typeof kept !== 'object' || kept === null) return null
    const { walletId, chainId } = kept as Partial<Choice>
    return typeof walletId === 'string' && typeof chainId === 'number' ? { walletId, chainId } : null
  } catch {
    return null
  }
}

export function keepChoice(userId: string, choice: Choice) {
  try {
    localStorage.setItem(nameOf(userId), JSON.stringify(choice))
  } catch {
    // It then lasts until the page is left.
  }
}

export function forgetChoice(userId: string) {
  try {
    localStorage.removeItem(nameOf(userId))
  } catch {
    // Nothing was kept where storage is forbidden.
  }
}
