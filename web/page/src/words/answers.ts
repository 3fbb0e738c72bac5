// SPDX-License-Identifier: Apache-2.0
// The three answers of the verifier in words (spec/attestation.md, section 6). `good` is whether the answer says what
// one would wish; no answer stands for another.
import type { Genuine, Match, Voucher } from '../../../attestation/src/index'
import * as m from '../generated/words/messages.js'
import { longTime } from './times'

export interface AnswerWords {
  readonly short: string
  readonly long: string
  readonly good: boolean
}

const MATCH: Record<Match, () => AnswerWords> = {
  matches: () => ({ short: m.code_matches(), long: m.code_matches_long(), good: true }),
  differs: () => ({ short: m.code_differs(), long: m.code_differs_long(), good: false }),
  not_listed: () => ({ short: m.code_not_listed(), long: m.code_not_listed_long(), good: false }),
  no_manifest: () => ({ short: m.code_no_manifest(), long: m.code_no_manifest_long(), good: false }),
  not_measured: () => ({ short: m.code_not_measured(), long: m.code_not_measured_long(), good: false }),
}

const VOUCHER: Record<Voucher, (since: string) => AnswerWords> = {
  pinned: (time) => ({ short: m.key_pinned(), long: m.key_pinned_long({ time }), good: true }),
  listed: () => ({ short: m.key_listed(), long: m.key_listed_long(), good: true }),
  unknown: () => ({ short: m.key_unknown(), long: m.key_unknown_long(), good: false }),
  other_key_pinned: () => ({ short: m.key_other(), long: m.key_other_long(), good: false }),
  other_core: () => ({ short: m.key_other_core(), long: m.key_other_core_long(), good: false }),
  no_key: () => ({ short: m.key_none(), long: m.key_none_long(), good: false }),
}

// Of the two measurements the worse one speaks: an application of one release on the system of another is neither.
const WORST: readonly Match[] = ['differs', 'not_listed', 'not_measured', 'no_manifest', 'matches']

export function codeWords({ code }: Genuine): AnswerWords {
  const worst = WORST.find((match) => code.application === match || code.system === match) ?? 'not_listed'
  return MATCH[worst]()
}

export const keyWords = ({ key }: Genuine): AnswerWords => VOUCHER[key.voucher](key.since ? longTime(key.since) : '')

export function machineWords({ machine }: Genuine): AnswerWords {
  switch (machine.protection) {
    case 'none':
      return { short: m.machine_none(), long: m.machine_none_long(), good: false }
    case 'emulated':
      return { short: m.machine_emulated(), long: m.machine_emulated_long(), good: false }
    default:
      return machine.believed
        ? { short: m.machine_hardware(), long: m.machine_hardware_long(), good: true }
        : { short: m.machine_claimed(), long: m.machine_claimed_long(), good: false }
  }
}

const FAILURES: Record<string, () => string> = {
  attestation_busy: () => m.check_busy(),
  core_unavailable: () => m.check_core_away(),
}

export const checkFailureWords = (rule: string) => (FAILURES[rule] ?? (() => m.check_failed({ rule })))()
