// SPDX-License-Identifier: Apache-2.0
// Sizes of files as the person's language writes them.
import { locale } from '../state/locale.svelte'

const STEP = 1_000
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

export function sizeWords(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP
    unit++
  }
  return new Intl.NumberFormat(locale.current, {
    style: 'unit',
    unit: UNITS[unit] as string,
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value)
}
