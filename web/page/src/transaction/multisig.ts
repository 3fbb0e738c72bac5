// SPDX-License-Identifier: Apache-2.0
// The bytes of a multisig (spec/multisig.md), made and read here: init data and address, what owners call, and the id
// that a proposal's content must hash to before anybody is asked to approve it.
import { call, decode, decodeCall, encode, Malformed } from '../../../escape/src/core/abi.mjs'
import { concat, keccak, random, size, slice, utf8, ZERO_ADDRESS } from '../../../escape/src/core/bytes.mjs'
import { DifferenceFound } from '../account/difference'
import type { Chain } from '../api/models'
import type { components } from '../generated/api'
import type { Call, CallSummary } from './models'
import { agrees, type Reading, readCall } from './reading'

type Schemas = components['schemas']
export type Multisig = Schemas['Multisig']
export type MultisigState = Schemas['MultisigState']
export type MultisigProposal = Schemas['MultisigProposal']
export type ProposalContent = NonNullable<MultisigProposal['content']>
export type MultisigOwner = MultisigState['owners'][number]

export const MOST_OWNERS = 32
/** Of the rows that make an address. */
export const MOST_LIMITS = 32
/** What the contract's field of a limit holds. */
export const MOST_PER_DAY = 2n ** 112n - 1n

const INIT = '((bytes[],uint8,(uint256,address,uint256)[],uint256))'
const CALL_ROWS = '(address,uint256,bytes)[]'
const PROPOSE = `propose(${CALL_ROWS},uint256,uint48)`
const EXECUTE = `execute(bytes32,${CALL_ROWS},uint256,uint48)`
const CHANGE_OWNERS = 'changeOwners(bytes[],bytes[],uint8)'
const SET_DAILY_LIMIT = 'setDailyLimit(address,uint112)'
const CALL_TYPE = keccak(utf8('Call(address to,uint256 value,bytes data)'))

export type MultisigDifference =
  | 'init-data-broken'
  | 'init-data-other'
  | 'address-other'
  | 'owners-other'
  | 'limits-other'
  | 'proposal-id-other'
  | 'summary-other'
  | 'self-call-other'

export class MultisigRefused extends DifferenceFound<MultisigDifference> {
  override name = 'MultisigRefused'
}

function need(holds: boolean, difference: MultisigDifference, words = ''): asserts holds {
  if (!holds) throw new MultisigRefused(difference, words)
}

const lower = (hex: string) => hex.toLowerCase()
const same = (one: string, other: string) => lower(one) === lower(other)

// --- creation ---------------------------------------------------------------------------------------------------------

export interface LimitRow {
  readonly chainId: bigint
  /** The zero address is the native currency. */
  readonly token: string
  /** Smallest units a UTC day that one owner may spend alone. */
  readonly perDay: bigint
}

export interface MultisigInit {
  /** Signers as in ERC-7913, in lower case: an address, or a verifier and a key. */
  readonly owners: readonly string[]
  readonly threshold: number
  readonly limits: readonly LimitRow[]
  readonly salt: bigint
}

export const freshSalt = (): bigint => BigInt(random(32))

export const encodeInit = ({ owners, threshold, limits, salt }: MultisigInit): string =>
  encode(INIT, [
    [
      owners.map(lower),
      BigInt(threshold),
      limits.map(({ chainId, token, perDay }) => [chainId, lower(token), perDay]),
      salt,
    ],
  ])

/** In its canonical encoding. Throws MultisigRefused. */
export function readInit(initData: string): MultisigInit {
  try {
    const [[owners, threshold, rows, salt]] = decode(INIT, initData) as [
      [string[], bigint, [bigint, string, bigint][], bigint],
    ]
    const limits = rows.map(([chainId, token, perDay]) => ({ chainId, token, perDay }))
    const init = { owners, threshold: Number(threshold), limits, salt }
    need(same(encodeInit(init), initData), 'init-data-broken')
    return init
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) throw new MultisigRefused('init-data-broken')
    throw error
  }
}

/** CREATE2 (EIP-1014) of the chain's factory with the salt `keccak256(initData)`. */
export const multisigAddress = (
  { multisigFactory, multisigProxyInitCodeHash }: Pick<Chain, 'multisigFactory' | 'multisigProxyInitCodeHash'>,
  initData: string,
): string => {
  const parts = concat('0xff', lower(multisigFactory), keccak(lower(initData)), lower(multisigProxyInitCodeHash))
  return slice(keccak(parts), 12)
}

/** What the node keeps is what was asked for, at the address that follows from it. Throws MultisigRefused. */
export function checkKept(kept: Multisig, init: MultisigInit, chain: Chain) {
  const initData = encodeInit(init)
  need(kept.initData !== null && same(kept.initData, initData), 'init-data-other')
  need(same(kept.address, multisigAddress(chain, initData)), 'address-other', kept.address)
}

/** What the node says of a multisig agrees with its init data, as long as nothing could change it. */
export function checkState(state: MultisigState, chain: Chain) {
  if (state.initData === null) return
  const init = readInit(state.initData)
  need(same(state.address, multisigAddress(chain, state.initData)), 'address-other', state.address)
  if (state.isDeployed) return
  const owners = state.owners.map(({ signer }) => lower(signer))
  need(owners.join() === init.owners.join() && state.threshold === init.threshold, 'owners-other')
  const here = init.limits.filter(({ chainId, perDay }) => chainId === BigInt(chain.chainId) && perDay > 0n)
  const shown = state.limits.filter(({ perDay }) => BigInt(perDay) > 0n)
  const isShown = ({ token, perDay }: LimitRow) =>
    shown.some((one) => same(one.token ?? ZERO_ADDRESS, token) && BigInt(one.perDay) === perDay)
  need(shown.length === here.length && here.every(isShown), 'limits-other')
}

export const createCall = (chain: Chain, initData: string): Call => ({
  to: lower(chain.multisigFactory),
  value: 0n,
  data: call('createMultisig(bytes)', lower(initData)),
})

// --- what owners call -------------------------------------------------------------------------------------------------

const rowsOf = (calls: readonly Call[]) => calls.map(({ to, value, data }) => [lower(to), value, lower(data)])
const toMultisig = (multisig: string, data: string): Call => ({ to: lower(multisig), value: 0n, data })

/** Ends 14 days after it is proposed. */
const DEFAULT_EXPIRY = 0n

export const proposeCall = (multisig: string, calls: readonly Call[], salt: bigint, expiry = DEFAULT_EXPIRY): Call =>
  toMultisig(multisig, call(PROPOSE, rowsOf(calls), salt, expiry))

/** One owner's acts on a proposal, by its id. */
export const VOTES = ['approve', 'withdrawApproval', 'reject', 'cancel'] as const
export type Vote = (typeof VOTES)[number]
export const voteCall = (multisig: string, vote: Vote, id: string): Call =>
  toMultisig(multisig, call(`${vote}(bytes32)`, lower(id)))

export const spendCall = (multisig: string, token: string | null, to: string, amount: bigint): Call =>
  toMultisig(multisig, call('spend(address,address,uint256)', lower(token ?? ZERO_ADDRESS), lower(to), amount))

/** What only the multisig may call: alone in a proposal, without value (spec/multisig.md, section 3). */
export type ChangeOwners = Omit<Extract<SelfCall, { kind: 'changeOwners' }>, 'kind'>
export const changeOwnersCall = (multisig: string, { removed, added, threshold }: ChangeOwners): Call =>
  toMultisig(multisig, call(CHANGE_OWNERS, removed.map(lower), added.map(lower), BigInt(threshold)))

export const setDailyLimitCall = (multisig: string, token: string | null, perDay: bigint): Call =>
  toMultisig(multisig, call(SET_DAILY_LIMIT, lower(token ?? ZERO_ADDRESS), perDay))

const callsOf = ({ calls }: ProposalContent): Call[] =>
  calls.map(({ to, value, data }) => ({ to: lower(to), value: BigInt(value), data: lower(data) }))

export const executeCall = (multisig: string, content: ProposalContent): Call =>
  toMultisig(
    multisig,
    call(EXECUTE, lower(content.proposer), rowsOf(callsOf(content)), BigInt(content.salt), BigInt(content.expiry)),
  )

// --- proposals --------------------------------------------------------------------------------------------------------

/** keccak256 of the signer: how the contract names an owner. */
export const ownerId = (signer: string): string => keccak(lower(signer))

export function proposalId(chainId: number, multisig: string, content: ProposalContent): string {
  const hashes = callsOf(content).map(({ to, value, data }) =>
    keccak(encode('(bytes32,address,uint256,bytes32)', [CALL_TYPE, to, value, keccak(data)])),
  )
  return keccak(
    encode('(uint256,address,bytes32,bytes32,uint256,uint48)', [
      BigInt(chainId),
      lower(multisig),
      lower(content.proposer),
      keccak(concat('0x', ...hashes)),
      BigInt(content.salt),
      BigInt(content.expiry),
    ]),
  )
}

export type SelfCall =
  | { readonly kind: 'changeOwners'; readonly removed: string[]; readonly added: string[]; readonly threshold: number }
  | { readonly kind: 'setDailyLimit'; readonly token: string | null; readonly perDay: bigint }

/** A call of the multisig to itself; null for other bytes. */
export function readSelfCall(data: string): SelfCall | null {
  try {
    const owners = decodeCall(CHANGE_OWNERS, data) as [string[], string[], bigint] | null
    if (owners) {
      const [removed, added, threshold] = owners
      return same(call(CHANGE_OWNERS, ...owners), data)
        ? { kind: 'changeOwners', removed, added, threshold: Number(threshold) }
        : null
    }
    const limit = decodeCall(SET_DAILY_LIMIT, data) as [string, bigint] | null
    if (!limit || !same(call(SET_DAILY_LIMIT, ...limit), data)) return null
    return { kind: 'setDailyLimit', token: limit[0] === ZERO_ADDRESS ? null : limit[0], perDay: limit[1] }
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return null
    throw error
  }
}

export interface CheckedProposal {
  /** Each call, read out of its bytes. */
  readonly readings: readonly Reading[]
  readonly selfCall: SelfCall | null
  readonly summary: readonly CallSummary[]
  /** The owner who made it; null when they left since. */
  readonly proposer: MultisigOwner | null
}

/**
 * What somebody votes on: the content hashes to the id that the vote names, and the node's words about it are those of
 * its bytes. Null when the node has no content. Throws MultisigRefused.
 */
export function checkProposal(proposal: MultisigProposal, state: MultisigState): CheckedProposal | null {
  const { content } = proposal
  if (content === null) return null
  let computed = ''
  try {
    computed = proposalId(state.chainId, state.address, content)
  } catch (error) {
    // Numbers and bytes that no proposal holds.
    if (!(error instanceof Error)) throw error
  }
  need(same(computed, proposal.proposalId), 'proposal-id-other', `${computed} instead of ${proposal.proposalId}`)
  const calls = callsOf(content)
  const proposer = state.owners.find(({ signer }) => same(ownerId(signer), content.proposer)) ?? null
  const [only] = calls
  const selfCall = calls.length === 1 && only && same(only.to, state.address) ? readSelfCall(only.data) : null
  if (selfCall) {
    need(proposal.selfCall?.kind === selfCall.kind, 'self-call-other')
    return { readings: [], selfCall, summary: [], proposer }
  }
  const readings = calls.map(readCall)
  // Beyond the node's bound it has no words, and the bytes speak alone.
  need(proposal.summary.length === 0 || proposal.summary.length === readings.length, 'summary-other')
  proposal.summary.forEach((summary, i) => {
    const reading = readings[i] as Reading
    const isKnown = reading.meaning !== 'contractCall' || summary.meaning === 'contractCall'
    need(!isKnown || agrees(reading, summary), 'summary-other', `call ${i}`)
  })
  return { readings, selfCall: null, summary: proposal.summary, proposer }
}

/** The address of an owner who is one; a verifier with a key has none. */
export const addressOfSigner = (signer: string): string | null => (size(signer) === 20 ? lower(signer) : null)
