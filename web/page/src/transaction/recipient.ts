// SPDX-License-Identifier: Apache-2.0
// Who gets something: an address as a person types, pastes or scans it, or a payment request of EIP-681.
import { checksummed, parseAddress } from '../../../escape/src/core/bytes.mjs'

export interface Recipient {
  /** With its checksum (EIP-55). */
  readonly address: string
  /** What a payment request says besides; absent where it says nothing. */
  readonly chainId?: number
  readonly token?: string
  /** Smallest units. */
  readonly amount?: bigint
}

export type RecipientFault = 'malformed' | 'checksum' | 'request'

export class RecipientRefused extends Error {
  constructor(readonly fault: RecipientFault) {
    super(`recipient: ${fault}`)
    this.name = 'RecipientRefused'
  }
}

/** Longer than any request that this page understands. */
const MOST_CHARACTERS = 512
// EIP-681: the target, its chain, a function, its parameters.
const REQUEST = /^ethereum:(?:pay-)?(0x[0-9a-fA-F]{40})(?:@(\d{1,16}))?(?:\/(\w+))?(?:\?(.*))?$/i
const NUMBER = /^(\d{1,78})(?:\.(\d{1,78}))?(?:e(\d{1,2}))?$/

function readAddress(text: string): string {
  try {
    return checksummed(parseAddress(text)) as string
  } catch (error) {
    const { problem } = error as { problem?: string }
    throw new RecipientRefused(problem === 'address_checksum' ? 'checksum' : 'malformed')
  }
}

// EIP-681 writes numbers as 1.5e18, too; they are whole all the same.
function readNumber(text: string): bigint {
  const match = NUMBER.exec(text)
  if (!match) throw new RecipientRefused('request')
  const [, whole = '', rest = '', power = '0'] = match
  if (rest.length > Number(power)) throw new RecipientRefused('request')
  const amount = BigInt(whole + rest) * 10n ** BigInt(Number(power) - rest.length)
  if (amount >= 2n ** 256n) throw new RecipientRefused('request')
  return amount
}

function readRequest([, target = '', chain, method, query = '']: RegExpExecArray): Recipient {
  const chainId = chain === undefined ? {} : { chainId: Number(chain) }
  const values = new URLSearchParams(query)
  for (const name of new Set(values.keys())) if (values.getAll(name).length > 1) throw new RecipientRefused('request')
  const told = (name: string) => values.get(name)
  if (method === undefined) {
    const value = told('value')
    return { address: readAddress(target), ...chainId, ...(value === null ? {} : { amount: readNumber(value) }) }
  }
  const to = told('address')
  const amount = told('uint256')
  // Another function would do something that this form does not say.
  if (method !== 'transfer' || to === null || told('value') !== null) throw new RecipientRefused('request')
  return {
    address: readAddress(to),
    ...chainId,
    token: readAddress(target),
    ...(amount === null ? {} : { amount: readNumber(amount) }),
  }
}

/** Throws RecipientRefused. A mixed-case address must have the right checksum: one wrong character is found out. */
export function readRecipient(text: string): Recipient {
  const plain = text.trim()
  if (plain.length > MOST_CHARACTERS) throw new RecipientRefused('malformed')
  const request = REQUEST.exec(plain)
  if (request) return readRequest(request)
  if (/^ethereum:/i.test(plain)) throw new RecipientRefused('request')
  return { address: readAddress(plain) }
}
