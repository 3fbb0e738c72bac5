// SPDX-License-Identifier: Apache-2.0
// Guardians: the list behind the hash that the chain keeps, the recovery that they are asked to sign, and what they
// signed (spec/account.md, section 2). The files are those of `community-node account` (spec/recovery-file.md).

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { encode } from '../../../escape/src/core/abi.mjs'
import { digestOf, runCall } from '../../../escape/src/core/actions.mjs'
import { concat, keccak, parseAddress, random, slice, toHex, uint } from '../../../escape/src/core/bytes.mjs'
import { checkNewKeys } from '../../../escape/src/core/init-data.mjs'
import { Problem as CoreProblem } from '../../../escape/src/core/problem.mjs'
import { members, parseStrictJson } from '../../../escape/src/core/strict-json.mjs'
import type { Stamp } from '../transaction/actions'
import type { KeyRow } from '../transaction/keys'

/** Of the contract. */
export const MOST_GUARDIANS = 16
const LIST_FORMAT = 'community-guardians-1'
const REQUEST_FORMAT = 'community-recovery-request-1'
/** As many bytes as `community-node account` reads. */
const MOST_BYTES = 32_768
const MOST_GUARDIAN_BYTES = 512
const MOST_PASSKEYS = 8
/** Guardians are people on their way: a week to sign. */
const SIGNED_FOR_S = 7 * 86_400

export interface GuardianList {
  /** Lower case. */
  readonly account: string
  readonly threshold: number
  readonly salt: string
  /** Ascending by keccak256, as the contract wants them: addresses, or longer signers of ERC-7913. */
  readonly guardians: readonly string[]
}

export interface RecoveryRequest extends GuardianList {
  readonly chainId: number
  readonly passkeys: readonly KeyRow[]
  readonly serverKey: string
  readonly escapeKey: string
  readonly stamp: Stamp
}

/** What is wrong with a file or a signature, named for the page's words. */
export type GuardianFault = 'file-malformed' | 'file-other' | 'signature-malformed' | 'signature-foreign'

export class GuardiansRefused extends Error {
  constructor(
    readonly fault: GuardianFault,
    options?: ErrorOptions,
  ) {
    super(`guardians: ${fault}`, options)
    this.name = 'GuardiansRefused'
  }
}

const inOrder = (guardians: readonly string[]) =>
  [...guardians].sort((one, other) => ((keccak(one) as string) < (keccak(other) as string) ? -1 : 1))

/** `addresses` as people type them, without repetitions. */
export function makeList(account: string, addresses: readonly string[], threshold: number): GuardianList {
  const guardians = inOrder([...new Set(addresses.map((one) => parseAddress(one) as string))])
  return { account: account.toLowerCase(), threshold, salt: random(32), guardians }
}

/** `keccak256(abi.encode(bytes32 salt, bytes[] guardians))`. */
export const hashOfList = ({ salt, guardians }: GuardianList): string =>
  keccak(encode('(bytes32,bytes[])', [salt, guardians]))

const listMembers = ({ account, threshold, salt, guardians }: GuardianList) => ({
  account,
  threshold,
  salt,
  guardians,
})
const text = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`

export const writeList = (list: GuardianList): string => text({ format: LIST_FORMAT, ...listMembers(list) })

export function writeRequest(request: RecoveryRequest): string {
  const [keyEpoch, nonce, deadline] = request.stamp
  return text({
    format: REQUEST_FORMAT,
    chainId: request.chainId,
    ...listMembers(request),
    passkeys: request.passkeys.map(([x, y, rpIdHash]) => ({ x: uint(x), y: uint(y), rpIdHash })),
    serverKey: request.serverKey,
    escapeKey: request.escapeKey,
    keyEpoch: Number(keyEpoch),
    nonce: nonce.toString(),
    deadline: Number(deadline),
  })
}

// --- reading ----------------------------------------------------------------------------------------------------------

function need(holds: boolean): asserts holds {
  if (!holds) throw new GuardiansRefused('file-malformed')
}

const hex = (value: unknown, length?: number): string => {
  need(typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value))
  need(length === undefined || value.length === 2 + 2 * length)
  return value
}
const number = (value: unknown, least: number, most: number): number => {
  need(typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
  return value
}

const LIST_MEMBERS = ['account', 'threshold', 'salt', 'guardians']

function readMembers(content: string, format: string, names: readonly string[]): Record<string, unknown> {
  need(content.length <= MOST_BYTES)
  try {
    const map = parseStrictJson(content)
    if (!(map instanceof Map) || map.get('format') !== format) throw new GuardiansRefused('file-other')
    return members(map, 'file', ['format', ...names])
  } catch (error) {
    if (error instanceof CoreProblem) throw new GuardiansRefused('file-malformed', { cause: error })
    throw error
  }
}

function listOf(file: Record<string, unknown>): GuardianList {
  need(Array.isArray(file.guardians) && file.guardians.length >= 1 && file.guardians.length <= MOST_GUARDIANS)
  const guardians = file.guardians.map((one) => hex(one))
  need(guardians.every((one) => one.length >= 42 && one.length <= 2 + 2 * MOST_GUARDIAN_BYTES))
  need(new Set(guardians).size === guardians.length && inOrder(guardians).join() === guardians.join())
  return {
    account: hex(file.account, 20),
    threshold: number(file.threshold, 1, guardians.length),
    salt: hex(file.salt, 32),
    guardians,
  }
}

/** Throws GuardiansRefused. */
export const readList = (content: string): GuardianList => listOf(readMembers(content, LIST_FORMAT, LIST_MEMBERS))

/** Throws GuardiansRefused, also for keys that no account takes. */
export function readRequest(content: string): RecoveryRequest {
  const names = ['chainId', ...LIST_MEMBERS, 'passkeys', 'serverKey', 'escapeKey', 'keyEpoch', 'nonce', 'deadline']
  const file = readMembers(content, REQUEST_FORMAT, names)
  need(Array.isArray(file.passkeys) && file.passkeys.length >= 1 && file.passkeys.length <= MOST_PASSKEYS)
  need(typeof file.nonce === 'string' && /^\d{1,78}$/.test(file.nonce) && BigInt(file.nonce) < 2n ** 256n)
  try {
    const passkeys = file.passkeys.map((one): KeyRow => {
      const { x, y, rpIdHash } = members(one, 'passkeys', ['x', 'y', 'rpIdHash'])
      return [BigInt(hex(x, 32)), BigInt(hex(y, 32)), hex(rpIdHash, 32)]
    })
    const request: RecoveryRequest = {
      ...listOf(file),
      chainId: number(file.chainId, 1, Number.MAX_SAFE_INTEGER),
      passkeys,
      serverKey: hex(file.serverKey, 20),
      escapeKey: hex(file.escapeKey, 20),
      stamp: [
        BigInt(number(file.keyEpoch, 0, 2 ** 32 - 1)),
        BigInt(file.nonce),
        BigInt(number(file.deadline, 1, 2 ** 48 - 1)),
      ],
    }
    checkNewKeys(request.passkeys, request.serverKey, request.escapeKey)
    return request
  } catch (error) {
    if (error instanceof CoreProblem) throw new GuardiansRefused('file-malformed', { cause: error })
    throw error
  }
}

// --- signing and bringing ---------------------------------------------------------------------------------------------

export function makeRequest(
  list: GuardianList,
  keys: Pick<RecoveryRequest, 'chainId' | 'passkeys' | 'serverKey' | 'escapeKey'>,
  keyEpoch: number,
  now: number,
): RecoveryRequest {
  const stamp: Stamp = [BigInt(keyEpoch), BigInt(random(32)), BigInt(Math.floor(now) + SIGNED_FOR_S)]
  return { ...list, ...keys, stamp }
}

const valuesOf = ({ passkeys, serverKey, escapeKey }: RecoveryRequest) => [passkeys, serverKey, escapeKey]

/** Of the account as of one block. */
export interface GuardedAccount {
  readonly address: string
  readonly keyEpoch: number
  readonly guardiansHash: string
  readonly blockTime: string
}

/** Whether a request of before still fits the account: its week is not over, and neither keys nor guardians changed. */
export const isCurrent = (request: RecoveryRequest, account: GuardedAccount): boolean =>
  request.account === account.address.toLowerCase() &&
  Number(request.stamp[0]) === account.keyEpoch &&
  hashOfList(request) === account.guardiansHash.toLowerCase() &&
  Number(request.stamp[2]) > Date.parse(account.blockTime) / 1_000

/** What each guardian signs; also the id of what then waits. */
export const digestOfRequest = (request: RecoveryRequest): string =>
  digestOf(request.chainId, request.account, 'Recover', valuesOf(request), request.stamp)

/** The same as `eth_signTypedData_v4` takes it, for a guardian's own wallet. */
export function typedDataOf(request: RecoveryRequest): string {
  const [keyEpoch, nonce, deadline] = request.stamp
  const field = (pair: string) => ({ type: pair.split(' ')[0], name: pair.split(' ')[1] })
  const fields = (list: string) => list.split(',').map(field)
  return text({
    types: {
      EIP712Domain: fields('string name,string version,uint256 chainId,address verifyingContract'),
      Passkey: fields('uint256 x,uint256 y,bytes32 rpIdHash'),
      Recover: fields(
        'Passkey[] passkeys,address serverKey,address escapeKey,uint32 keyEpoch,uint256 nonce,uint48 deadline',
      ),
    },
    primaryType: 'Recover',
    domain: { name: 'CommunityAccount', version: '1', chainId: request.chainId, verifyingContract: request.account },
    message: {
      passkeys: request.passkeys.map(([x, y, rpIdHash]) => ({ x: `${x}`, y: `${y}`, rpIdHash })),
      serverKey: request.serverKey,
      escapeKey: request.escapeKey,
      keyEpoch: `${keyEpoch}`,
      nonce: `${nonce}`,
      deadline: `${deadline}`,
    },
  })
}

function signerOf(digest: string, signature: string): string | null {
  const v = Number.parseInt(signature.slice(130), 16)
  const recovery = v >= 27 ? v - 27 : v
  if (recovery > 1) return null
  try {
    const bytes = Uint8Array.from(signature.slice(2, 130).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    const message = Uint8Array.from(digest.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    const point = secp256k1.Signature.fromBytes(bytes, 'compact').addRecoveryBit(recovery).recoverPublicKey(message)
    return slice(keccak(toHex(point.toBytes(false).slice(1))), 12)
  } catch {
    return null
  }
}

/**
 * Signatures out of what guardians sent: 65 bytes each in hex, alone or after `GUARDIAN=`, anything between them. Each
 * is verified here: an address of the list must have signed this request. Throws GuardiansRefused.
 */
export function readSignatures(content: string, request: RecoveryRequest): ReadonlyMap<string, string> {
  const found = content.match(/0x[0-9a-fA-F]{130}(?![0-9a-fA-F])/g)
  if (!found) throw new GuardiansRefused('signature-malformed')
  const digest = digestOfRequest(request)
  const signatures = new Map<string, string>()
  for (const one of found.slice(0, MOST_GUARDIANS)) {
    const signature = one.toLowerCase()
    const guardian = signerOf(digest, signature)
    if (guardian === null || !request.guardians.includes(guardian)) throw new GuardiansRefused('signature-foreign')
    // Wallets write the parity as 0 or 1, too; the contract reads 27 or 28, with the low one of two equal signatures.
    const v = Number.parseInt(signature.slice(130), 16)
    signatures.set(guardian, normalised(concat(signature.slice(0, 130), uint(v >= 27 ? v : v + 27, 1))))
  }
  return signatures
}

function normalised(signature: string): string {
  const order = secp256k1.Point.Fn.ORDER
  const s = BigInt(`0x${signature.slice(66, 130)}`)
  if (s <= order / 2n) return signature
  const v = Number.parseInt(signature.slice(130), 16)
  return concat(signature.slice(0, 66), uint(order - s), uint(v === 27 ? 28 : 27, 1))
}

/** The call that starts the recovery. Guardians without a signature take no part, or approved on the chain. */
export function recoverCall(request: RecoveryRequest, signatures: ReadonlyMap<string, string>): string {
  const { salt, guardians, stamp } = request
  const proof = [salt, guardians, guardians.map((one) => signatures.get(one) ?? '0x')]
  return runCall('Recover', valuesOf(request), stamp, proof)
}
