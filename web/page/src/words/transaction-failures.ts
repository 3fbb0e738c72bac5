// SPDX-License-Identifier: Apache-2.0
// Failures of everything that moves money. They are words for views that are loaded later, so they come with those.
import type { Problem } from '../api/problem'
import * as m from '../generated/words/messages.js'
import { type FailureWords, PROBLEM_WORDS } from './failures'

const say = (title: string, next: string): FailureWords => ({ title, next })

/** The contract's words are cleaned by the node; they come from a stranger all the same, so they are cut. */
const MOST_CHARACTERS = 200
const revertOf = ({ details }: Problem) => (details.revert ?? details.detail ?? '').slice(0, MOST_CHARACTERS)

const WORDS: typeof PROBLEM_WORDS = {
  'calls-invalid': () => say(m.problem_calls(), m.problem_calls_next()),
  'chain-unknown': () => say(m.problem_chain(), m.problem_chain_next()),
  'chain-unavailable': () => say(m.problem_chain_away(), m.problem_away_next()),
  'account-frozen': () => say(m.problem_frozen(), m.problem_frozen_next()),
  'account-not-frozen': () => say(m.problem_not_frozen(), m.problem_not_frozen_next()),
  'account-not-deployed': () => say(m.problem_undeployed(), m.problem_undeployed_next()),
  'account-deploying': () => say(m.problem_deploying(), m.problem_deploying_next()),
  'account-elsewhere': () => say(m.problem_elsewhere(), m.problem_elsewhere_next()),
  'passkey-not-accounts': () => say(m.problem_not_accounts(), m.problem_not_accounts_next()),
  'passkey-started-item': () => say(m.problem_started(), m.problem_started_next()),
  'passkey-voted': () => say(m.problem_voted(), m.problem_voted_next()),
  'escape-signature-refused': () => say(m.problem_file_refused(), m.problem_file_refused_next()),
  'escape-key-voted': () => say(m.problem_file_voted(), m.problem_file_voted_next()),
  'escape-key-has-no-vote': () => say(m.problem_file_no_vote(), m.problem_file_no_vote_next()),
  'votes-missing': () => say(m.problem_votes(), m.problem_votes_next()),
  'passkey-in-use': () => say(m.problem_in_use(), m.problem_in_use_next()),
  'passkey-known': () => say(m.problem_known(), m.problem_known_next()),
  'too-many-passkeys': () => say(m.problem_passkeys(), m.problem_passkeys_next()),
  'item-kind': () => say(m.problem_item(), m.problem_item_next()),
  'item-not-ready': () => say(m.problem_not_ready(), m.problem_not_ready_next()),
  'would-revert': (problem) => say(m.problem_revert(), m.problem_revert_next({ revert: revertOf(problem) })),
  'over-limit': () => say(m.over_title(), m.over_words()),
  'insufficient-funds': () => say(m.problem_funds(), m.problem_funds_next()),
  'gas-cost-over-cap': () => say(m.problem_cap(), m.problem_cap_next()),
  'too-many-under-way': () => say(m.problem_many(), m.problem_many_next()),
  'not-replaceable': () => say(m.problem_replace(), m.problem_replace_next()),
  'too-late': () => say(m.problem_late(), m.problem_late_next()),
  'transaction-limit': () => say(m.problem_limit(), m.problem_limit_next()),
  'policy-refused': () => say(m.problem_policy(), m.problem_policy_next()),
  'not-prepared': () => say(m.problem_not_prepared(), m.problem_not_prepared_next()),
  'not-signed': () => say(m.problem_unsigned(), m.problem_unsigned_next()),
  'domain-not-listed': () => say(m.problem_domain(), m.problem_domain_next()),
  'message-refused': ({ details: { refusal } }) =>
    refusal === 'typed-data-is-permit'
      ? say(m.message_permit(), m.message_permit_next())
      : refusal === 'typed-data-other-chain'
        ? say(m.message_other_chain(), m.message_other_chain_next())
        : say(m.problem_message(), m.problem_message_next()),
  'phrase-missing': () => say(m.problem_no_phrase(), m.problem_no_phrase_next()),
  'nonce-taken': () => say(m.problem_nonce(), m.problem_nonce_next()),
  'phrase-exists': () => say(m.problem_phrase(), m.problem_phrase_next()),
  'digest-differs': () => say(m.problem_digest(), m.problem_digest_next()),
  'refused-by-node': () => say(m.problem_node_refused(), m.problem_node_refused_next()),
  'transaction-expired': () => say(m.problem_over_time(), m.problem_over_time_next()),
  'too-many-arrivals': () => say(m.problem_arrivals(), m.problem_arrivals_next()),
  'already-arrived': () => say(m.problem_arrived(), m.problem_arrived_next()),
  'not-expected': () => say(m.problem_unexpected(), m.problem_unexpected_next()),
  'challenge-stale': () => say(m.problem_stale(), m.problem_stale_next()),
  'call-refused': () => say(m.problem_call_refused(), m.problem_call_refused_next()),
  'import-invalid': ({ details }) =>
    say(m.problem_import(), m.problem_import_next({ detail: (details.detail ?? '').slice(0, MOST_CHARACTERS) })),
  'too-many-imports': () => say(m.problem_imports(), m.problem_imports_next()),
  'too-many-entries': () => say(m.problem_entries(), m.problem_entries_next()),
  'funds-given': ({ details }) =>
    say(m.problem_given(), m.problem_given_next({ seconds: details.retryAfterSeconds ?? 60 })),
}

/** Adds them to the words that every view has. */
Object.assign(PROBLEM_WORDS, WORDS)
