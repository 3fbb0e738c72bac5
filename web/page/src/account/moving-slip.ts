// SPDX-License-Identifier: Apache-2.0
// The moving slip (spec/moving-slip.md): keys of the node that an account moves to, as its page hands them to the page of
// the node that the account leaves. No secrets, and worth as much as the way it came: people compare the check code.
import { sha256, utf8, ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import { Problem as CoreProblem } from '../../../escape/src/core/problem.mjs'
import { isOnCurve, rpIdHash } from '../../../escape/src/core/signing.mjs'
import { members, parseStrictJson } from '../../../escape/src/core/strict-json.mjs'

export interface MovingSlip {
  readonly chainId: number
  /** Lower case, as all of its bytes are. */
  readonly account: string
  readonly passkey: {
    /** x || y. */
    readonly publicKey: string
    readonly rpIdHash: string
  }
  readonly serverKey: string
  /** Of the page that the passkey belongs to. */
  readonly origin: string
}

/** What is wrong with a slip, named for the page's words. */
export type SlipFault =
  | 'empty'
  | 'too-large'
  | 'not-json'
  | 'other-file'
  | 'newer'
  | 'member-wrong'
  | 'key-broken'
  | 'place-other'

export class SlipRefused extends Error {
  constructor(
    readonly fault: SlipFault,
    /** The member or rule, for a report. */
    readonly words = '',
    options?: ErrorOptions,
  ) {
    super(`moving slip: ${fault} ${words}`.trim(), options)
    this.name = 'SlipRefused'
  }
}

const FORMAT = 'community-node moving slip'
const VERSION = 1
/** A slip with the longest host name has about 800 bytes; white space of an editor comes on top. */
export const MOST_CHARACTERS = 2_048
const MOST_ORIGIN = 300
/** Digits of the check code: 96 bits, so that nobody finds another slip with the same. */
const CODE_GROUPS = 6
const CODE_GROUP = 4

function need(holds: boolean, fault: SlipFault, words = ''): asserts holds {
  if (!holds) throw new SlipRefused(fault, words)
}

/** Passkeys exist where the page is a secure context: https, or this machine itself under a name. */
function hostOf(origin: unknown): string {
  need(typeof origin === 'string' && origin.length <= MOST_ORIGIN, 'member-wrong', 'origin')
  let url: URL
  try {
    url = new URL(origin)
  } catch (error) {
    throw new SlipRefused('member-wrong', 'origin', { cause: error })
  }
  const { protocol, hostname } = url
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  need(url.origin === origin && (protocol === 'https:' || (protocol === 'http:' && isLocal)), 'member-wrong', 'origin')
  return hostname
}

/** Relying parties that a page of this host may have: the host, and the domains above it (WebAuthn, section 5.1.3). */
function relyingPartiesOf(host: string): string[] {
  const labels = host.split('.')
  return labels.slice(0, Math.max(1, labels.length - 1)).map((_, i) => labels.slice(i).join('.'))
}

const hexOf = (value: unknown, member: string, length: number): string => {
  need(typeof value === 'string' && value.length === 2 + 2 * length, 'member-wrong', member)
  need(/^0x[0-9a-fA-F]*$/.test(value), 'member-wrong', member)
  return value.toLowerCase()
}

/** The slip when it obeys every rule of the specification, with its bytes in lower case. Throws SlipRefused. */
export function checkedSlip(slip: MovingSlip): MovingSlip {
  const { chainId } = slip
  need(Number.isSafeInteger(chainId) && chainId > 0, 'member-wrong', 'chainId')
  const account = hexOf(slip.account, 'account', 20)
  const serverKey = hexOf(slip.serverKey, 'serverKey', 20)
  const publicKey = hexOf(slip.passkey.publicKey, 'passkey.publicKey', 64)
  const digest = hexOf(slip.passkey.rpIdHash, 'passkey.rpIdHash', 32)
  const host = hostOf(slip.origin)
  need(account !== ZERO_ADDRESS, 'member-wrong', 'account')
  need(serverKey !== ZERO_ADDRESS && serverKey !== account, 'key-broken', 'serverKey')
  const [x, y] = [BigInt(publicKey.slice(0, 66)), BigInt(`0x${publicKey.slice(66)}`)]
  need(isOnCurve(x, y), 'key-broken', 'passkey.publicKey')
  // A passkey of a third place beside an honest address would be a vote of somebody else.
  need(
    relyingPartiesOf(host).some((rpId) => rpIdHash(rpId) === digest),
    'place-other',
    slip.origin,
  )
  return { chainId, account, passkey: { publicKey, rpIdHash: digest }, serverKey, origin: slip.origin }
}

/** The canonical text: members in this order, no white space. Throws SlipRefused. */
export function writeSlip(slip: MovingSlip): string {
  const { chainId, account, passkey, serverKey, origin } = checkedSlip(slip)
  const { publicKey, rpIdHash: digest } = passkey
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    chainId,
    account,
    passkey: { publicKey, rpIdHash: digest },
    serverKey,
    origin,
  })
}

function membersOf(text: string): Record<string, unknown> {
  let map: unknown
  try {
    map = parseStrictJson(text)
  } catch (error) {
    if (error instanceof CoreProblem) throw new SlipRefused('not-json', '', { cause: error })
    throw error
  }
  need(map instanceof Map && map.get('format') === FORMAT, 'other-file')
  const version: unknown = map.get('version')
  need(version === VERSION, typeof version === 'number' && version > VERSION ? 'newer' : 'member-wrong', 'version')
  try {
    const names = ['format', 'version', 'chainId', 'account', 'passkey', 'serverKey', 'origin']
    const slip = members(map, 'slip', names) as Record<string, unknown>
    return { ...slip, passkey: members(slip.passkey, 'passkey', ['publicKey', 'rpIdHash']) }
  } catch (error) {
    if (!(error instanceof CoreProblem)) throw error
    throw new SlipRefused('member-wrong', String((error.values as { member?: string }).member ?? ''), { cause: error })
  }
}

/** Out of a file, pasted text or a QR code: whatever order and white space it came in. Throws SlipRefused. */
export function readSlip(text: string): MovingSlip {
  need(text.length <= MOST_CHARACTERS, 'too-large')
  need(text.trim() !== '', 'empty')
  return checkedSlip(membersOf(text.trim()) as unknown as MovingSlip)
}

/** What people compare at both nodes: the first 96 bits of SHA-256 over the canonical text, in groups of four digits. */
export function checkCodeOf(slip: MovingSlip): string[] {
  const digits = (sha256(utf8(writeSlip(slip))) as string).slice(2)
  return Array.from({ length: CODE_GROUPS }, (_, i) => digits.slice(CODE_GROUP * i, CODE_GROUP * (i + 1)))
}

export const nameOfSlip = ({ account, chainId }: MovingSlip) => `moving-slip-${account.slice(2, 10)}-${chainId}.json`
