// SPDX-License-Identifier: Apache-2.0
// Amounts between what a person types and whole numbers of the smallest unit. Nothing is ever rounded.
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
