// SPDX-License-Identifier: Apache-2.0
// Amounts between what a person types and whole numbers of the smallest unit. What is typed or signed is never
// rounded; what is only looked at is, with all its digits at hand.
import { formatAmount, parseAmount } from '../../../escape/src/core/bytes.mjs'

const MOST = 2n ** 256n - 1n

/** Smallest units; null when the text is no number, has more places than the asset, or does not fit. */
export function readAmount(text: string, decimals: number): bigint | null {
  try {
    const amount = parseAmount(text, decimals) as bigint
    return amount <= MOST ? amount : null
  } catch {
    return null
  }
}

/** All digits, without needless zeros; the separator is a point in every language, as it is typed. */
export const amountText = (amount: bigint | string, decimals: number): string => formatAmount(BigInt(amount), decimals)

/** With the asset's name behind it. */
export const amountOf = (amount: bigint | string, asset: { readonly decimals: number; readonly symbol: string }) =>
  `${amountText(amount, asset.decimals)} ${asset.symbol}`

type Rounding = 'down' | 'nearest' | 'up'

/** The amount with `digits` significant ones; what stands before the point is never cut. */
export function rounded(amount: bigint | string, decimals: number, digits: number, rounding: Rounding): bigint {
  const exact = BigInt(amount)
  const length = exact.toString().length
  const cut = length - Math.max(digits, length - decimals)
  if (cut <= 0) return exact
  const step = 10n ** BigInt(cut)
  const more = rounding === 'up' ? step - 1n : rounding === 'nearest' ? step / 2n : 0n
  return ((exact + more) / step) * step
}

type Named = { readonly decimals: number; readonly symbol: string }
const FEE_DIGITS = 3
const BALANCE_DIGITS = 6

/** Never less than it is. */
export const mostCostOf = (amount: bigint | string, asset: Named) =>
  amountOf(rounded(amount, asset.decimals, FEE_DIGITS, 'up'), asset)

/** Says by its sign when it is not exact. */
export function costOf(amount: bigint | string, asset: Named): string {
  const shown = rounded(amount, asset.decimals, FEE_DIGITS, 'nearest')
  return `${shown === BigInt(amount) ? '' : '≈ '}${amountOf(shown, asset)}`
}

/** Never more than there is. */
export const balanceOf = (amount: bigint | string, asset: Named) =>
  amountOf(rounded(amount, asset.decimals, BALANCE_DIGITS, 'down'), asset)
