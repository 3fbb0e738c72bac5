// SPDX-License-Identifier: Apache-2.0
// The recovery file's vote (spec/account.md, section 2), for an escape or beside a passkey's, signed in this page: the escape key goes nowhere
// else, and is forgotten with the call.
import { digestOf, ESCAPE_SIGNER, runCall } from '../../../escape/src/core/actions.mjs'
import { random } from '../../../escape/src/core/bytes.mjs'
import { checkNewKeys } from '../../../escape/src/core/init-data.mjs'
import { Problem as CoreProblem } from '../../../escape/src/core/problem.mjs'
import { parseRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { keySignature } from '../../../escape/src/core/signing.mjs'
import type { Stamp } from '../transaction/actions'
import type { KeyRow } from '../transaction/keys'
import type { WalletState } from '../transaction/models'

/** How long it may be submitted, counted from the block that the page saw. */
const SIGNED_FOR_S = 86_400
const VOTES = 1n

export interface NewKeys {
  readonly passkey: KeyRow
  /** Lower case. */
  readonly serverKey: string
}

export type FileFault = 'unreadable' | 'other-account' | 'key-replaced'

export class FileRefused extends Error {
  constructor(
    readonly fault: FileFault,
    options?: ErrorOptions,
  ) {
    super(`recovery file: ${fault}`, options)
    this.name = 'FileRefused'
  }
}

/** Of the account as of one block. */
export type EscapeFacts = Pick<WalletState, 'chainId' | 'address' | 'escapeKey' | 'keyEpoch' | 'blockTime'>

function escapeKeyOf(content: string, state: EscapeFacts): string {
  let file: { account: string; escapeKey: string; escapeAddress: string }
  try {
    file = parseRecoveryFile(content) as typeof file
  } catch (error) {
    if (error instanceof CoreProblem) throw new FileRefused('unreadable', { cause: error })
    throw error
  }
  if (file.account !== state.address.toLowerCase()) throw new FileRefused('other-account')
  if (file.escapeAddress !== state.escapeKey.toLowerCase()) throw new FileRefused('key-replaced')
  return file.escapeKey
}

/**
 * The file's vote for a change whose digest this page computed (spec/account.md, section 1): as good as a passkey's, and
 * worth nothing without one. Throws FileRefused.
 */
export const escapeVote = (content: string, state: WalletState, digest: string): string =>
  keySignature(escapeKeyOf(content, state), digest)

/** Call data that starts the escape to `keys`. Throws FileRefused. */
export function escapeCall(content: string, state: EscapeFacts, keys: NewKeys): string {
  const secret = escapeKeyOf(content, state)
  checkNewKeys([keys.passkey], keys.serverKey, state.escapeKey.toLowerCase())
  const deadline = BigInt(Math.floor(Date.parse(state.blockTime) / 1_000) + SIGNED_FOR_S)
  const stamp: Stamp = [BigInt(state.keyEpoch), BigInt(random(32)), deadline]
  const values = [[keys.passkey], keys.serverKey, VOTES]
  const id = digestOf(state.chainId, state.address.toLowerCase(), 'Escape', values, stamp)
  return runCall('Escape', values, stamp, [[ESCAPE_SIGNER, keySignature(secret, id)]])
}
