// SPDX-License-Identifier: Apache-2.0
// Moving money with the new keys: within the daily limits at once, else through the queue, which waits 24 hours
// (spec/account.md, section 3).
import { Malformed, call, decode, encode } from './abi.mjs'
import { view } from './account.mjs'
import { KIND } from './actions.mjs'
import { ZERO_ADDRESS, random, toBytes } from './bytes.mjs'
import { Problem, require } from './problem.mjs'
import { CALLS, executeData, tryExecute } from './operation.mjs'

/** Kinds of `queue`; only a spend is started or confirmed here. */
const SPEND = 0
const MAX_CALLS = 32
const MAX_SYMBOL = 16

async function symbolOf(rpc, token) {
  const data = await rpc.call({ to: token, data: call('symbol()') }).catch(() => '0x')
  let text = ''
  try {
    text = data.length === 66 ? new TextDecoder().decode(toBytes(data)) : decode('(string)', data)[0]
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
  }
  // Whoever made the token chose its name: only plain characters are shown.
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, MAX_SYMBOL)
}

async function limitOf(rpc, state, token) {
  const [perDay, spent, day] = await view(
    rpc,
    state.account,
    'spendingLimit(address)',
    [token],
    '(uint256,uint256,uint256)',
  )
  const today = state.block.timestamp / 86_400n
  const used = day >= today ? spent : 0n
  // An operation without fees is charged one wei of the native limit, where there is one.
  const own = token === ZERO_ADDRESS ? 1n : 0n
  return { perDay, left: used + own < perDay ? perDay - used - own : 0n }
}

/** The account's ether (or what the chain calls it). */
export async function nativeAsset(rpc, state) {
  return {
    token: ZERO_ADDRESS,
    symbol: '',
    decimals: 18,
    balance: await rpc.balance(state.account),
    ...(await limitOf(rpc, state, ZERO_ADDRESS)),
  }
}

/** An ERC-20 token with the account's balance. */
export async function tokenAsset(rpc, state, token) {
  require((await rpc.code(token)) !== '0x', 'token_missing', { token })
  try {
    const [balance] = await view(rpc, token, 'balanceOf(address)', [state.account], '(uint256)')
    const [decimals] = await view(rpc, token, 'decimals()', [], '(uint256)')
    require(decimals <= 77n, 'token_malformed', { token })
    return {
      token,
      symbol: await symbolOf(rpc, token),
      decimals: Number(decimals),
      balance,
      ...(await limitOf(rpc, state, token)),
    }
  } catch (error) {
    if (error.problem === 'rpc_answer_malformed' || error.problem === 'rpc_refused')
      throw new Problem('token_malformed', { token })
    throw error
  }
}

/** Tokens that the init data names for this chain: worth looking for. */
export const knownTokens = (file, chainId) =>
  (file.init?.limits ?? [])
    .filter(([chain, token]) => chain === BigInt(chainId) && token !== ZERO_ADDRESS)
    .map(([, token]) => token)

/** One call of a batch: `amount` of `token` to `to`. */
export const transferOf = (token, to, amount) =>
  token === ZERO_ADDRESS ? [to, amount, '0x'] : [token, 0n, call('transfer(address,uint256)', to, amount)]

/** Whether `calls` may go now. `refusal` is the account's reason when they have to wait in the queue. */
export async function planMove(rpc, file, state, calls) {
  require(calls.length > 0 && calls.length <= MAX_CALLS, 'nothing_to_move')
  const nowhere = [ZERO_ADDRESS, file.account, file.entryPoint]
  for (const one of calls) {
    const { token, to } = readTransfer(one) ?? { to: one[0] }
    // Tokens that are sent to their own contract are lost too.
    require(!nowhere.includes(to) && !nowhere.includes(one[0]) && to !== token, 'recipient_refused')
  }
  const native = await limitOf(rpc, state, ZERO_ADDRESS)
  const value = calls.reduce((sum, [, amount]) => sum + amount, 0n)
  require(value <= (await rpc.balance(file.account)), 'balance_too_small')
  // Run by itself, a batch is not charged the wei of the operation that will carry it.
  const beyond = value > native.left ? { name: 'OverLimit' } : null
  return { calls, refusal: (await tryExecute(rpc, file, executeData(calls))) ?? beyond }
}

const queueData = (account, content, salt) =>
  executeData([[account, 0n, call('queue(uint8,bytes,uint256)', SPEND, content, salt)]])

/** Call data of the operation that a plan leads to: the batch itself, or its way into the queue. */
export function planData(file, plan) {
  if (!plan.refusal) return executeData(plan.calls)
  return queueData(file.account, encode(CALLS, [plan.calls]), BigInt(random(32)))
}

/** The calls of a queued spend, or null for other items. */
export function queuedCalls(item) {
  if (item.kind !== KIND.queued || item.queueKind !== SPEND) return null
  return decode(CALLS, item.content)[0]
}

/** What a call moves, when it is a plain transfer: {token, to, amount}; else null. */
export function readTransfer([to, value, data]) {
  if (data === '0x') return { token: ZERO_ADDRESS, to, amount: value }
  if (!data.startsWith('0xa9059cbb') || data.length !== 138 || value !== 0n) return null
  const [recipient, amount] = decode('(address,uint256)', '0x' + data.slice(10))
  return { token: to, to: recipient, amount }
}

/** Call data that carries out a queued spend. */
export const confirmData = (file, item) =>
  executeData([[file.account, 0n, call('confirm(uint8,bytes,uint256)', SPEND, item.content, item.salt)]])
