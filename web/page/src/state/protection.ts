// SPDX-License-Identifier: Apache-2.0
// One word for the header: what the server key's machine is worth as far as this page knows. The strongest word needs
// all three answers; without them the node's own word is shown as its own word, and never a stronger one.
import type { Genuine } from '../../../attestation/src/index'
import type { TrustedCore } from '../api/models'

export type Level = 'unknown' | 'none' | 'emulated' | 'hardware-claimed' | 'hardware-proven' | 'contradicted'

export function levelOf(core: TrustedCore | null, answers: Genuine | null, refused: boolean): Level {
  if (refused) return 'contradicted'
  if (core === null) return 'unknown'
  // The node and its trusted core tell two stories: believe neither.
  if (answers !== null && (answers.machine.protection !== core.protection || answers.statement.body !== core.body))
    return 'contradicted'
  if (core.protection !== 'hardware') return core.protection
  return answers?.machine.believed ? 'hardware-proven' : 'hardware-claimed'
}
