// SPDX-License-Identifier: Apache-2.0
// A multisig's bytes are those of another implementation, and a node that shows something else is found out.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import type { Chain } from '../../src/api/models'
import type { Call } from '../../src/transaction/models'
import {
  changeOwnersCall,
  checkKept,
  checkProposal,
  checkState,
  createCall,
  encodeInit,
  executeCall,
  type Multisig,
  type MultisigDifference,
  type MultisigProposal,
  MultisigRefused,
  type MultisigState,
  multisigAddress,
  ownerId,
  type ProposalContent,
  proposalId,
  proposeCall,
  readInit,
  readSelfCall,
  setDailyLimitCall,
  spendCall,
  VOTES,
  voteCall,
} from '../../src/transaction/multisig'

interface Vectors {
  actions: { name: string; owner: string; call: string }[]
  proposal: { id: string; execute: string }
  creation: { initData: string; factory: string; proxyInitCodeHash: string; multisig: string; call: string }
  selfCalls: { changeOwners: string; setDailyLimit: string }
}
const FILE = new URL('../../../../tests/vectors/account/multisig.json', import.meta.url)
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors

const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`
const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`
const MULTISIG = '0x00000000000000000000000000000000c0ffee02'
const OWNERS = [address(0xa1), address(0xb0b), `${address(0x7e)}${word(1001).slice(2)}${word(2002).slice(2)}`] as const
const CALLS: Call[] = [
  { to: address(5), value: 10n ** 18n, data: '0x' },
  { to: address(6), value: 0n, data: '0xdeadbeef01' },
]
const EXPIRY = 1_790_000_000
const CONTENT: ProposalContent = {
  proposer: ownerId(OWNERS[1]),
  calls: CALLS.map(({ to, value, data }) => ({ to: checksummed(to), value: `${value}`, data })),
  salt: '7',
  expiry: EXPIRY,
}
const { creation } = vectors
const CHAIN = {
  chainId: 31337,
  multisigFactory: checksummed(creation.factory),
  multisigProxyInitCodeHash: creation.proxyInitCodeHash,
} as Chain
const INIT = {
  owners: OWNERS,
  threshold: 2,
  limits: [
    { chainId: 31337n, token: address(0), perDay: 10n ** 17n },
    { chainId: 1n, token: address(9), perDay: 2n ** 200n },
  ],
  salt: 99n,
}

test('what owners call is what another implementation encodes', () => {
  const called: Record<string, Call> = {
    Propose: proposeCall(checksummed(MULTISIG), CALLS, 7n, BigInt(EXPIRY)),
    Spend: spendCall(MULTISIG, address(11), address(12), 13n),
  }
  for (const vote of VOTES) called[`${vote[0]?.toUpperCase()}${vote.slice(1)}`] = voteCall(MULTISIG, vote, word(10))
  for (const { name, call } of vectors.actions) expect(called[name]).toEqual({ to: MULTISIG, value: 0n, data: call })
  expect(new Set(vectors.actions.map(({ name }) => name)).size).toBe(Object.keys(called).length)
  expect(executeCall(MULTISIG, CONTENT).data).toBe(vectors.proposal.execute)
  expect(createCall(CHAIN, creation.initData)).toEqual({ to: creation.factory, value: 0n, data: creation.call })
})

test('init data, address and ids, too', () => {
  expect(encodeInit(INIT)).toBe(creation.initData)
  expect(readInit(creation.initData)).toEqual({ ...INIT, owners: [...OWNERS] })
  expect(multisigAddress(CHAIN, creation.initData)).toBe(creation.multisig.toLowerCase())
  expect(proposalId(31337, MULTISIG, CONTENT)).toBe(vectors.proposal.id)
  expect(readSelfCall(vectors.selfCalls.setDailyLimit)).toEqual({
    kind: 'setDailyLimit',
    token: address(11),
    perDay: 2n ** 111n,
  })
  expect(readSelfCall(vectors.selfCalls.changeOwners)).toEqual({
    kind: 'changeOwners',
    removed: [OWNERS[0]],
    added: [OWNERS[1], OWNERS[2]],
    threshold: 2,
  })
  const change = { removed: [OWNERS[0]], added: [OWNERS[1], OWNERS[2]], threshold: 2 }
  expect(changeOwnersCall(MULTISIG, change)).toEqual({
    to: MULTISIG,
    value: 0n,
    data: vectors.selfCalls.changeOwners,
  })
  expect(setDailyLimitCall(MULTISIG, checksummed(address(11)), 2n ** 111n).data).toBe(vectors.selfCalls.setDailyLimit)
  expect(readSelfCall(setDailyLimitCall(MULTISIG, null, 0n).data)).toMatchObject({ token: null, perDay: 0n })
  expect(readSelfCall(`${vectors.selfCalls.setDailyLimit}00`)).toBeNull()
  expect(readSelfCall('0xdeadbeef')).toBeNull()
})

const refusal = (act: () => unknown): MultisigDifference | null => {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof MultisigRefused) return error.difference
    throw error
  }
}

describe('a node that lies', () => {
  const kept = { address: checksummed(creation.multisig), initData: creation.initData } as Multisig

  it('about what was kept is found out', () => {
    expect(refusal(() => checkKept(kept, INIT, CHAIN))).toBeNull()
    expect(refusal(() => checkKept({ ...kept, address: address(66) }, INIT, CHAIN))).toBe('address-other')
    expect(refusal(() => checkKept({ ...kept, initData: null }, INIT, CHAIN))).toBe('init-data-other')
    // Another owner instead of ours, with the address that follows from it.
    const other = encodeInit({ ...INIT, owners: [OWNERS[0], address(0xbad)] })
    const lie = { ...kept, initData: other, address: multisigAddress(CHAIN, other) }
    expect(refusal(() => checkKept(lie, INIT, CHAIN))).toBe('init-data-other')
    expect(refusal(() => readInit(`${creation.initData}00`))).toBe('init-data-broken')
    expect(refusal(() => readInit('0x12'))).toBe('init-data-broken')
  })

  const zero = { token: address(98), perDay: '0', spentToday: '0', leftToday: '0' }
  const limits = INIT.limits
    .filter(({ chainId }) => chainId === 31337n)
    .map(({ token, perDay }) => ({ ...zero, token: BigInt(token) === 0n ? null : token, perDay: `${perDay}` }))
  const state = {
    ...kept,
    limits,
    chainId: 31337,
    isDeployed: false,
    threshold: 2,
    owners: OWNERS.map((signer) => ({ signer, address: null, walletId: null, passkeyId: null })),
  } as unknown as MultisigState

  it('about who owns one that is to be made is found out', () => {
    expect(refusal(() => checkState(state, CHAIN))).toBeNull()
    expect(refusal(() => checkState({ ...state, threshold: 1 }, CHAIN))).toBe('owners-other')
    expect(refusal(() => checkState({ ...state, owners: state.owners.slice(1) }, CHAIN))).toBe('owners-other')
    expect(refusal(() => checkState({ ...state, address: address(66) }, CHAIN))).toBe('address-other')
    // On chain they may have changed.
    expect(refusal(() => checkState({ ...state, isDeployed: true, threshold: 1 }, CHAIN))).toBeNull()
  })

  it('about what one owner of one that is to be made may spend is found out', () => {
    const [first, ...others] = state.limits
    for (const limits of [
      [],
      others,
      [...state.limits, { ...zero, token: address(99), perDay: '1' }],
      [{ ...first, perDay: '1' }, ...others] as typeof state.limits,
    ])
      expect(refusal(() => checkState({ ...state, limits }, CHAIN))).toBe('limits-other')
    // A token that was asked for, without a limit.
    expect(refusal(() => checkState({ ...state, limits: [...state.limits, zero] }, CHAIN))).toBeNull()
  })

  const here = { ...state, address: checksummed(MULTISIG) } as MultisigState
  const payment = CONTENT.calls[0] as ProposalContent['calls'][number]
  const proposal = {
    proposalId: vectors.proposal.id,
    content: CONTENT,
    summary: [
      { meaning: 'payment', to: payment.to, counterparty: payment.to, amount: payment.value, value: payment.value },
      { meaning: 'contractCall', to: CONTENT.calls[1]?.to, selector: '0xdeadbeef', dataSize: 5 },
    ],
    selfCall: null,
  } as unknown as MultisigProposal

  it('about what a proposal does is found out before anybody approves', () => {
    const checked = checkProposal(proposal, here)
    expect(checked?.readings.map(({ meaning }) => meaning)).toEqual(['payment', 'contractCall'])
    expect(checked?.proposer?.signer).toBe(OWNERS[1])
    expect(checkProposal({ ...proposal, content: null }, here)).toBeNull()
    const changes: Partial<ProposalContent>[] = [
      { calls: [{ ...payment, to: address(66) }, CONTENT.calls[1] as typeof payment] },
      { calls: [{ ...payment, value: '1' }, CONTENT.calls[1] as typeof payment] },
      { calls: CONTENT.calls.slice(1) },
      { salt: '8' },
      { expiry: EXPIRY + 1 },
      { proposer: ownerId(OWNERS[0]) },
      { salt: `${2n ** 256n}` },
    ]
    for (const change of changes) {
      const lie = { ...proposal, content: { ...CONTENT, ...change } }
      expect(
        refusal(() => checkProposal(lie, here)),
        JSON.stringify(change),
      ).toBe('proposal-id-other')
    }
    expect(refusal(() => checkProposal(proposal, { ...here, chainId: 1 }))).toBe('proposal-id-other')
    const words = [{ ...proposal.summary[0], amount: '1' }, proposal.summary[1]] as MultisigProposal['summary']
    expect(refusal(() => checkProposal({ ...proposal, summary: words }, here))).toBe('summary-other')
    expect(refusal(() => checkProposal({ ...proposal, summary: words.slice(1) }, here))).toBe('summary-other')
    // Beyond its bound the node has no words.
    expect(checkProposal({ ...proposal, summary: [] }, here)?.readings.length).toBe(2)
  })

  it('about a change of the multisig itself is found out', () => {
    const content = { ...CONTENT, calls: [{ to: MULTISIG, value: '0', data: vectors.selfCalls.setDailyLimit }] }
    const change = {
      proposalId: proposalId(31337, MULTISIG, content),
      content,
      summary: [],
      selfCall: { kind: 'setDailyLimit', token: checksummed(address(11)), perDay: `${2n ** 111n}` },
    } as unknown as MultisigProposal
    expect(checkProposal(change, here)?.selfCall?.kind).toBe('setDailyLimit')
    expect(refusal(() => checkProposal({ ...change, selfCall: null }, here))).toBe('self-call-other')
  })
})
