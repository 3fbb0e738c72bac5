// SPDX-License-Identifier: Apache-2.0
// What the levels of protection and the bodies of the trusted core are called. Where the hardware does nothing, no word
// here says that anything is protected.

import type { TrustedCore } from '../api/models'
import * as m from '../generated/words/messages.js'
import type { Level } from '../state/protection'

const LEVELS: Record<Level, () => string> = {
  unknown: () => m.level_unknown(),
  none: () => m.level_none(),
  emulated: () => m.level_emulated(),
  'hardware-claimed': () => m.level_claimed(),
  'hardware-proven': () => m.level_proven(),
  contradicted: () => m.level_contradicted(),
}

const LONG: Record<Level, () => string> = {
  unknown: () => m.level_unknown_long(),
  none: () => m.level_none_long(),
  emulated: () => m.level_emulated_long(),
  'hardware-claimed': () => m.level_claimed_long(),
  'hardware-proven': () => m.level_proven_long(),
  contradicted: () => m.level_contradicted_long(),
}

const BODIES: Record<TrustedCore['body'], () => string> = {
  process: () => m.body_process(),
  'optee-qemu': () => m.body_optee_qemu(),
  'optee-device': () => m.body_optee_device(),
}

export const levelWords = (level: Level) => LEVELS[level]()
export const levelLongWords = (level: Level) => LONG[level]()
export const bodyWords = (body: TrustedCore['body']) => BODIES[body]()
