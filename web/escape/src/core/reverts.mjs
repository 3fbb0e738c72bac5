// SPDX-License-Identifier: Apache-2.0
// Names of the refusals of account, reader, factory and EntryPoint, found again by their selectors.
import { Malformed, argumentsOf, decode, selector } from './abi.mjs'
import { slice } from './bytes.mjs'
import { Problem } from './problem.mjs'

const ERRORS = [
  'Error(string)',
  'Panic(uint256)',
  // The reader.
  'ForeignKeyEpoch(uint32,uint32)',
  'DeadlinePassed(uint48)',
  'SignersNotAscending(uint256)',
  'NoSuchSigner(uint8)',
  'SignatureInvalid(uint8)',
  'WrongSigners(uint256)',
  'VotesOutOfRange(uint8)',
  'PasskeysUnknown(uint256,uint256)',
  'NotCancellable(bytes32,uint8)',
  'CallToZeroAddress(uint256)',
  'CallToSelf(uint256)',
  'CallToEntryPoint(uint256)',
  'QueueContentMalformed(uint8)',
  // Items and the freeze.
  'AlreadyUsed(bytes32)',
  'ItemUnknown(bytes32)',
  'ItemNotReady(bytes32,uint256)',
  'ItemVoid(bytes32)',
  'AlreadyFrozen()',
  'NotFrozen()',
  'AccountFrozen()',
  'ServerFreezeTooSoon(uint48)',
  // Init data.
  'PasskeyCountOutOfRange(uint256)',
  'PasskeyNotOnCurve(uint256)',
  'PasskeyWithoutRpId(uint256)',
  'DuplicatePasskey(uint256)',
  'ZeroServerKey()',
  'ZeroEscapeKey()',
  'EscapeKeyIsServerKey()',
  // Spending.
  'GasCostOverCap(uint256,uint256,uint256)',
  'DayIsOver(uint256,uint256)',
  'OverLimit(address,uint256,uint256)',
  'UnlistedToken(address,bytes4)',
  'UncountedTokenCall(address,bytes4)',
  'HiddenTokenCall(address,bytes4)',
  'CallDataMalformed(address,bytes4)',
  'CallNotAllowed(address,bytes4)',
  'NewRecipient(address)',
  'CallFailed(uint256)',
  'CallCountOutOfRange(uint256)',
  'ExecutionDataMalformed()',
  // EntryPoint, and ERC-6093 of tokens.
  'FailedOp(uint256,string)',
  'FailedOpWithRevert(uint256,string,bytes)',
  'ERC20InsufficientBalance(address,uint256,uint256)',
]

/** Refusals that mean "not today and not without waiting"; the queue is the way (spec/account.md, section 3). */
const OVER_LIMIT = new Set([
  'OverLimit',
  'UnlistedToken',
  'UncountedTokenCall',
  'HiddenTokenCall',
  'CallNotAllowed',
  'NewRecipient',
])

const bySelector = new Map(ERRORS.map((text) => [selector(text), text]))

/** Name and values of revert data; the name is its selector when it is not known. */
export function readRevert(data) {
  if (data.length < 10) return { name: 'nothing', values: [] }
  const text = bySelector.get(data.slice(0, 10).toLowerCase())
  if (!text) return { name: data.slice(0, 10), values: [] }
  const name = text.slice(0, text.indexOf('('))
  try {
    return { name, values: decode(argumentsOf(text), slice(data, 4)) }
  } catch (error) {
    if (error instanceof Malformed) return { name, values: [] }
    throw error
  }
}

export const isOverLimit = (revert) => OVER_LIMIT.has(revert.name)

/** A revert as a problem with its name; anything else as it was. */
export function explain(error) {
  if (!(error instanceof Problem) || error.problem !== 'rpc_refused') return error
  const reverted = /revert/i.test(error.values.message)
  if (!error.revert && !reverted) return error
  const revert = error.revert ? readRevert(error.revert) : { name: 'nothing', values: [] }
  const details = revert.values
    .map((value) => String(value))
    .join(', ')
    .slice(0, 200)
  const problem = new Problem('would_revert', { rule: revert.name, details })
  problem.reverted = revert
  return problem
}
