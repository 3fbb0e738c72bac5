// SPDX-License-Identifier: Apache-2.0
// The recovery file of an account (spec/recovery-file.md), made of checked values and read back before anybody gets it.
import { sha256, utf8 } from '../../../escape/src/core/bytes.mjs'
import { parseRecoveryFile, writeBroughtFile, writeRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import type { Chain } from '../api/models'
import type { UnsavedKey } from './kept'

/** Crockford's digits: none that a person mixes up. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 4
/** Bytes of one QR code: version 17, whose modules are 0.9 mm on the sheet; any phone reads that. */
const PART_BYTES = 500

export interface RecoveryFile {
  readonly text: string
  readonly name: string
  /** Four characters out of the file's hash; they stand on the printed sheet and nowhere on the screen. */
  readonly code: string
}

// A file has one line for each chain of the account; names are shortened to what the format takes.
function chainLine(chainId: number, chains: readonly Chain[]) {
  const name = chains.find((chain) => chain.chainId === chainId)?.name ?? `chain ${chainId}`
  const plain = name.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '').trim()
  return { chainId, name: plain.slice(0, 64) || `chain ${chainId}` }
}

export function codeOf(text: string): string {
  const digest = BigInt(sha256(utf8(text)))
  let code = ''
  for (let i = 0; i < CODE_LENGTH; i++) code += DIGITS[Number((digest >> BigInt(251 - 5 * i)) & 31n)]
  return code
}

/** Whether a person typed the code; what they mix up counts as what they meant. */
export const isCode = (typed: string, code: string) =>
  typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1') === code

/**
 * `isLater`: the escape key is not the one of the account's beginning. Throws a `Problem` of the escape page's core when the values do not make a file that
 * it reads.
 */
export function makeRecoveryFile(
  key: Pick<UnsavedKey, 'wallet' | 'escapeSecret' | 'createdAt'> & { readonly isLater?: boolean },
  chains: readonly Chain[],
): RecoveryFile {
  const { origin, address } = key.wallet
  if (origin === null) throw new TypeError('an account without its origin has no recovery file')
  const text: string = writeRecoveryFile({
    account: address.toLowerCase(),
    factory: origin.factory.toLowerCase(),
    entryPoint: origin.entryPoint.toLowerCase(),
    proxyInitCodeHash: origin.proxyInitCodeHash.toLowerCase(),
    initData: origin.initData.toLowerCase(),
    escapeKey: key.escapeSecret,
    escapeKeyIsLater: key.isLater,
    chains: key.wallet.accounts.map(({ chainId }) => chainLine(chainId, chains)),
    createdAt: key.createdAt,
  })
  parseRecoveryFile(text)
  return { text, name: `airaccount-recovery-${address.slice(2, 10).toLowerCase()}.json`, code: codeOf(text) }
}

/**
 * Of an account that came from another node, with the escape key that a recovery brings on this chain: which init data it
 * began with only its first node knew. Throws as above.
 */
export function makeBroughtFile(
  account: { readonly chainId: number; readonly address: string },
  key: { readonly escapeSecret: string; readonly createdAt: string },
  chains: readonly Chain[],
): RecoveryFile {
  const here = chains.find(({ chainId }) => chainId === account.chainId)
  if (!here) throw new TypeError('the node does not serve this chain')
  const text: string = writeBroughtFile({
    account: account.address.toLowerCase(),
    entryPoint: here.entryPoint.toLowerCase(),
    escapeKey: key.escapeSecret,
    chains: [chainLine(account.chainId, chains)],
    createdAt: key.createdAt,
  })
  parseRecoveryFile(text)
  // Keys are per chain: another chain has another file.
  const name = `airaccount-recovery-new-${account.address.slice(2, 10).toLowerCase()}-${account.chainId}.json`
  return { text, name, code: codeOf(text) }
}

/** Whether a chosen file is this one, whatever a mailer or editor did to its white space. */
export function isSameFile(chosen: string, file: RecoveryFile): boolean {
  const told = (text: string) => {
    const { account, factory, initData, escapeKey, proxyInitCodeHash, entryPoint } = parseRecoveryFile(text) as Record<
      string,
      string
    >
    return [account, factory, entryPoint, proxyInitCodeHash, initData, escapeKey].join()
  }
  return told(chosen) === told(file.text)
}

/**
 * The file in parts for QR codes, without needless white space. The texts one after another, in order and with nothing
 * between, are a recovery file.
 */
export function partsOf(file: RecoveryFile): string[] {
  const bytes = new TextEncoder().encode(JSON.stringify(JSON.parse(file.text)))
  const count = Math.ceil(bytes.length / PART_BYTES)
  const size = Math.ceil(bytes.length / count)
  const parts: string[] = []
  let at = 0
  while (at < bytes.length) {
    let end = Math.min(at + size, bytes.length)
    // Not inside a character: 10xxxxxx continues one.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
    parts.push(new TextDecoder().decode(bytes.subarray(at, end)))
    at = end
  }
  return parts
}
