// SPDX-License-Identifier: Apache-2.0
// The export of another node (spec/person-export.schema.json), read here before anybody keeps anything of it: which
// accounts it tells of, and how much history. It comes from a file, so nothing in it is believed: bounded, and as text.
import { FORMAT } from './export'

/** What the node takes. */
export const MOST_BYTES = 16 * 1024 * 1024
const VERSION = 1
/** A person has 16 wallets on 16 chains at most (spec/openapi.json); more rows are not shown. */
const MOST_ACCOUNTS = 256
const MOST_NAME = 64
const MOST_ORIGIN = 300
/** State of a transaction deep enough in the chain, as tables write it. */
const FINAL = 4

export interface BroughtAccount {
  readonly chainId: number
  /** Lower case. */
  readonly address: string
  /** The person's name for it; empty without one. */
  readonly name: string
}

export interface BroughtFile {
  readonly origin: string
  readonly exportedAt: string
  readonly accounts: readonly BroughtAccount[]
  /** Transactions that are final; the others are not history yet. */
  readonly transactions: number
}

export type BroughtFault = 'too-large' | 'not-json' | 'other-file' | 'newer' | 'cut-off'

export class BroughtFileRefused extends Error {
  constructor(
    readonly fault: BroughtFault,
    options?: ErrorOptions,
  ) {
    super(`export: ${fault}`, options)
    this.name = 'BroughtFileRefused'
  }
}

type Row = Readonly<Record<string, unknown>>
const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)
const rowsOf = (tables: unknown, name: string): Row[] => {
  const rows = isRow(tables) ? tables[name] : undefined
  return Array.isArray(rows) ? rows.filter(isRow) : []
}

/** Without control and direction characters: a name stands beside an address. */
const plain = (value: unknown, most: number) =>
  typeof value === 'string'
    ? value
        .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
        .trim()
        .slice(0, most)
    : ''

function accountOf({ wallet_address: address, chain_id: chainId, alias }: Row): BroughtAccount[] {
  // Tables have addresses without 0x.
  if (typeof address !== 'string' || !/^(?:0x)?[0-9a-fA-F]{40}$/.test(address)) return []
  if (typeof chainId !== 'number' || !Number.isSafeInteger(chainId) || chainId < 1) return []
  return [{ chainId, address: `0x${address.slice(-40).toLowerCase()}`, name: plain(alias, MOST_NAME) }]
}

function accountsOf(tables: unknown): BroughtAccount[] {
  const found = new Map<string, BroughtAccount>()
  for (const row of rowsOf(tables, 'wallet_bindings'))
    for (const one of accountOf(row)) found.set(`${one.address} ${one.chainId}`, one)
  return [...found.values()].slice(0, MOST_ACCOUNTS)
}

/** Throws BroughtFileRefused. */
export function readBrought(text: string): BroughtFile {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    // A download that broke off has a beginning of ours, and no end.
    const isBegun = text.slice(0, 200).includes(FORMAT)
    throw new BroughtFileRefused(isBegun ? 'cut-off' : 'not-json', { cause: error })
  }
  if (!isRow(file) || file.format !== FORMAT) throw new BroughtFileRefused('other-file')
  if (typeof file.version === 'number' && file.version > VERSION) throw new BroughtFileRefused('newer')
  const { origin, exportedAt, tables } = file
  const isWhole =
    file.version === VERSION && typeof origin === 'string' && typeof exportedAt === 'string' && isRow(tables)
  if (!isWhole || Number.isNaN(Date.parse(exportedAt))) throw new BroughtFileRefused('other-file')
  if (file.complete !== true) throw new BroughtFileRefused('cut-off')
  return {
    origin: plain(origin, MOST_ORIGIN),
    exportedAt,
    accounts: accountsOf(tables),
    transactions: rowsOf(tables, 'transactions_entries').filter(({ state }) => state === FINAL).length,
  }
}

/** Throws BroughtFileRefused; a file that is too large is not even read. */
export async function readBroughtFile(file: Blob): Promise<{ text: string; told: BroughtFile }> {
  if (file.size > MOST_BYTES) throw new BroughtFileRefused('too-large')
  const text = await file.text()
  return { text, told: readBrought(text) }
}
