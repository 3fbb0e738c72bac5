// SPDX-License-Identifier: Apache-2.0
// Multisigs in words: what is proposed, how it stands, and what goes wrong. They come with the views of multisigs.
import './transaction-failures'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import type { Chain } from '../api/models'
import * as m from '../generated/words/messages.js'
import { amountOf } from '../transaction/amounts'
import type { Asset, TokenBalance } from '../transaction/models'
import {
  addressOfSigner,
  type CheckedProposal,
  type MultisigProposal,
  type MultisigState,
  type SelfCall,
} from '../transaction/multisig'
import { assetOf } from '../transaction/tokens'
import { PROBLEM_WORDS } from './failures'
import { type Line, linesOf, nativeOf } from './transactions'

const say = (title: string, next: string) => ({ title, next })

const WORDS: typeof PROBLEM_WORDS = {
  'init-data-invalid': () => say(m.problem_shared_init(), m.problem_shared_init_next()),
  'not-deployed': () => say(m.problem_shared_nothing(), m.problem_shared_nothing_next()),
  'not-a-multisig': () => say(m.problem_shared_other(), m.problem_shared_other_next()),
  'already-kept': () => say(m.problem_shared_kept(), m.problem_shared_kept_next()),
  'too-many-multisigs': () => say(m.problem_shared_many(), m.problem_shared_many_next()),
}
Object.assign(PROBLEM_WORDS, WORDS)

export const nameOfMultisig = ({ name }: { name: string | null }) => name ?? m.shared_unnamed()

const STATUS: Record<MultisigProposal['status'], () => string> = {
  unknown: m.proposal_unknown,
  open: m.proposal_open,
  executed: m.proposal_executed,
  cancelled: m.proposal_cancelled,
  expired: m.proposal_expired,
}
export const statusWords = ({ status }: MultisigProposal) => STATUS[status]()

const VOTES = { none: m.vote_none, approved: m.vote_approved, rejected: m.vote_rejected }
export const voteWords = (vote: keyof typeof VOTES) => VOTES[vote]()

/** A signer as people compare it: an address with its checksum, or the passkey's bytes. */
export const signerText = (signer: string): string => {
  const address = addressOfSigner(signer)
  return address === null ? signer : checksummed(address)
}

const assetAt = (token: string | null, chain: Chain, known: readonly TokenBalance[]): Asset => {
  if (token === null) return nativeOf(chain)
  const found = known.find(({ address }) => address.toLowerCase() === token.toLowerCase())
  return assetOf(found ?? { address: token, symbol: null, decimals: null, standard: null })
}

/** What a shared account does to its own owners or limits, by its bytes. */
export function linesOfSelfCall(call: SelfCall, chain: Chain, known: readonly TokenBalance[]): Line[] {
  if (call.kind === 'setDailyLimit') {
    const limit = { words: m.does_shared_limit({ amount: amountOf(call.perDay, assetAt(call.token, chain, known)) }) }
    return [call.token === null ? limit : { ...limit, token: checksummed(call.token) }]
  }
  return [
    ...call.removed.map((signer) => ({ words: m.does_shared_remove({ owner: signerText(signer) }) })),
    ...call.added.map((signer) => ({ words: m.does_shared_add({ owner: signerText(signer) }) })),
    { words: m.does_shared_threshold({ count: call.threshold }) },
  ]
}

/** What a proposal does, by its bytes; names and decimals of tokens are the node's word. */
export function linesOfProposal(checked: CheckedProposal, state: MultisigState, chain: Chain): Line[] {
  const { selfCall, readings, summary } = checked
  if (selfCall) return linesOfSelfCall(selfCall, chain, state.tokens)
  const order = { walletId: '', chainId: chain.chainId, kind: 'calls', calls: [] } as const
  return linesOf(order as never, readings, summary, chain, state.tokens)
}
