// SPDX-License-Identifier: Apache-2.0
// Failures in the person's words: what happened, and what to do next. By rule; what has no words of its own gets
// general ones with the node's title, so that nothing is swallowed.
import { Problem } from '../api/problem'
import * as m from '../generated/words/messages.js'
import { NoticeFailure, type NoticeFailureKind } from '../notices/failures'
import { PasskeyFailure, type PasskeyFailureKind } from '../passkey/failures'

export interface FailureWords {
  readonly title: string
  readonly next: string
}

type Words = (problem: Problem) => FailureWords

const say = (title: string, next: string): FailureWords => ({ title, next })

/** One row for each rule of spec/openapi.json (a test compares them), and this page's own. */
export const PROBLEM_WORDS: Record<string, Words> = {
  'malformed-request': () => say(m.problem_malformed(), m.problem_malformed_next()),
  'content-type-unsupported': () => say(m.problem_malformed(), m.problem_malformed_next()),
  'body-too-large': () => say(m.problem_large(), m.problem_large_next()),
  'field-invalid': () => say(m.problem_field(), m.problem_field_next()),
  'too-many-requests': ({ details }) =>
    say(m.problem_too_many(), m.problem_too_many_next({ seconds: details.retryAfterSeconds ?? 60 })),
  'database-unavailable': () => say(m.problem_database(), m.problem_away_next()),
  'core-unavailable': () => say(m.problem_core(), m.problem_away_next()),
  'code-wrong': ({ details }) => say(m.problem_code(), m.problem_code_next({ count: details.attemptsLeft ?? 0 })),
  'core-refused': ({ details }) =>
    say(m.problem_core_refused(), m.problem_core_refused_next({ rule: details.refusal ?? details.title ?? '?' })),
  'already-registered': () => say(m.problem_registered(), m.problem_registered_next()),
  'registration-expired': () => say(m.problem_expired(), m.problem_expired_next()),
  'passkey-refused': () => say(m.problem_passkey(), m.problem_passkey_next()),
  'not-logged-in': () => say(m.problem_login(), m.problem_login_next()),
  'csrf-token-wrong': () => say(m.problem_csrf(), m.problem_csrf_next()),
  'origin-wrong': () => say(m.problem_origin(), m.problem_origin_next()),
  'not-found': () => say(m.problem_not_found(), m.problem_not_found_next()),
  'too-many-wallets': () => say(m.problem_wallets(), m.problem_wallets_next()),
  'too-many-apps': () => say(m.problem_apps(), m.problem_apps_next()),
  'node-unreachable': () => say(m.problem_unreachable(), m.problem_unreachable_next()),
  'node-too-slow': () => say(m.problem_slow(), m.problem_away_next()),
  'subscriptions-full': () => say(m.problem_subscriptions(), m.problem_subscriptions_next()),
  'push-unavailable': () => say(m.problem_push(), m.problem_push_next()),
  'export-cut-off': () => say(m.problem_cut_off(), m.problem_cut_off_next()),
  'answer-unreadable': ({ details }) => say(m.problem_unreadable(), details.title ?? ''),
}

const PASSKEY_WORDS: Record<PasskeyFailureKind, () => FailureWords> = {
  unsupported: () => say(m.passkey_unsupported(), m.passkey_unsupported_next()),
  cancelled: () => say(m.passkey_cancelled(), m.passkey_cancelled_next()),
  'already-here': () => say(m.passkey_already(), m.passkey_already_next()),
  'not-possible': () => say(m.passkey_impossible(), m.passkey_impossible_next()),
  'wrong-address': () => say(m.passkey_address(), m.passkey_address_next()),
  aborted: () => say(m.passkey_cancelled(), m.passkey_cancelled_next()),
  unknown: () => say(m.passkey_unknown(), m.passkey_unknown_next()),
}

const NOTICE_WORDS: Record<NoticeFailureKind, () => FailureWords> = {
  unsupported: () => say(m.notice_unsupported(), m.notice_unsupported_next()),
  denied: () => say(m.notice_denied(), m.notice_denied_next()),
  dismissed: () => say(m.notice_dismissed(), m.notice_dismissed_next()),
  'push-service': () => say(m.notice_service(), m.notice_service_next()),
}

export function wordsOf(error: unknown): FailureWords {
  if (error instanceof NoticeFailure) return NOTICE_WORDS[error.kind]()
  if (error instanceof PasskeyFailure) return PASSKEY_WORDS[error.kind]()
  if (error instanceof Problem) {
    const words = PROBLEM_WORDS[error.rule]
    if (words) return words(error)
    return say(m.problem_other(), error.details.title ?? error.rule)
  }
  return say(m.problem_page(), error instanceof Error ? error.message : String(error))
}
