// SPDX-License-Identifier: Apache-2.0
// What waits in an account, found from its events alone: `ItemStarted` carries the whole call that started an item.
// An item is believed only when its id follows from that call, so whoever answers for the chain invents no content.
import { Malformed, decode, decodeCall, encode, topic } from './abi.mjs'
import { view } from './account.mjs'
import { ACTIONS, ESCAPE_VOTE, KIND, digestOf, readCall } from './actions.mjs'
import { isHex, keccak, quantity } from './bytes.mjs'
import { Problem, require } from './problem.mjs'

const ITEM_STARTED = topic('ItemStarted(bytes32,uint8,uint256,bytes)')
const QUEUE = 'queue(uint8,bytes,uint256)'
/** After its delay an item may be finished for this long. */
export const ITEM_LIFE_S = 30n * 86_400n
/** Whoever has one vote can start items without end. Those of the escape key come first: nobody else hides them. */
const MAX_OWN = 50
const MAX_FOREIGN = 40
const AT_ONCE = 8
const FIRST_WIDTH = 50_000n
const LEAST_WIDTH = 100n

export const queueId = (chainId, account, kind, content, salt, keyEpoch) =>
  keccak(
    encode('(uint256,address,uint8,bytes32,uint256,uint32)', [chainId, account, kind, keccak(content), salt, keyEpoch]),
  )

/** Kind and content behind an event, or null when the id does not follow from the call. */
function readStart(state, id, kind, data) {
  try {
    if (kind === KIND.queued) {
      const queued = decodeCall(QUEUE, data)
      if (!queued) return null
      const [queueKind, content, salt] = queued
      const own = queueId(state.chainId, state.account, queueKind, content, salt, state.keyEpoch) === id
      return own ? { queueKind: Number(queueKind), content, salt } : null
    }
    const action = readCall(data)
    if (!action || ACTIONS[action.name].kind !== kind) return null
    return digestOf(state.chainId, state.account, action.name, action.values, action.stamp) === id ? { action } : null
  } catch (error) {
    if (error instanceof Malformed) return null
    throw error
  }
}

/** The event in a log of the account, or null. */
export function readLog(state, log) {
  if (!log || log.address?.toLowerCase() !== state.account || !Array.isArray(log.topics) || log.topics.length !== 3)
    return null
  if (log.topics[0].toLowerCase() !== ITEM_STARTED || !isHex(log.topics[1], 32) || !isHex(log.data)) return null
  const id = log.topics[1].toLowerCase()
  const kind = Number(BigInt(log.topics[2]))
  let votes
  let data
  try {
    ;[votes, data] = decode('(uint256,bytes)', log.data)
  } catch (error) {
    if (error instanceof Malformed) return null
    throw error
  }
  const content = readStart(state, id, kind, data)
  return content && { id, kind, votes, ...content }
}

/** The first block that is not older than `timestamp`. */
async function blockAt(rpc, timestamp, newest) {
  let low = 0n
  let high = newest
  while (low < high) {
    const middle = (low + high) / 2n
    if ((await rpc.block(middle)).timestamp < timestamp) low = middle + 1n
    else high = middle
  }
  return low
}

/** Items of before a visit's last look may still be reorganised. */
const REORG_BLOCKS = 64n

/** The first block that can hold something that still waits. */
function oldestOf(rpc, state) {
  const week = 7n * 86_400n
  const longest = (state.guardians.recoveryDelay > week ? state.guardians.recoveryDelay : week) + ITEM_LIFE_S + 86_400n
  return blockAt(rpc, state.block.timestamp - longest, state.block.number)
}

// Many servers answer for some thousand blocks only: then piece by piece, newest first, back to where nothing waits.
async function logsOf(rpc, state, seen, onProgress) {
  const filter = { address: state.account, topics: [ITEM_STARTED] }
  const ask = async (from, to) => {
    const logs = await rpc.request('eth_getLogs', [{ ...filter, fromBlock: quantity(from), toBlock: quantity(to) }])
    require(Array.isArray(logs), 'rpc_answer_malformed', { host: rpc.host, method: 'eth_getLogs' })
    return logs
  }
  const newest = state.block.number
  const start = seen === undefined || seen < REORG_BLOCKS ? 0n : seen - REORG_BLOCKS
  try {
    return await ask(start, newest)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
  }
  const oldest = start > 0n ? start : await oldestOf(rpc, state)
  const found = []
  let width = FIRST_WIDTH
  for (let to = newest; to >= oldest;) {
    const from = to - width + 1n > oldest ? to - width + 1n : oldest
    try {
      found.unshift(...(await ask(from, to)))
      onProgress?.(Number(((newest - from) * 100n) / (newest - oldest + 1n)))
      to = from - 1n
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      width /= 4n
      if (width < LEAST_WIDTH) throw new Problem('logs_unavailable', { host: rpc.host })
    }
  }
  return found
}

/** What of `item` the account says now: still waiting, and for how long it has. */
async function statusOf(rpc, state, item) {
  const [kind, votes, keyEpoch, age, delay] = await view(
    rpc,
    state.account,
    'item(bytes32)',
    [item.id],
    '(uint8,uint16,uint32,uint256,uint256)',
    state.block.number,
  )
  if (Number(kind) !== item.kind || keyEpoch !== state.keyEpoch || age > delay + ITEM_LIFE_S) return null
  return { ...item, votes, age, delay }
}

/** What a visit remembers of an account's events, so that it asks for new ones only. */
export const emptyMemory = () => ({ items: new Map(), seen: undefined })

/** All that waits in the account of `state`, oldest first. */
export async function findItems(rpc, state, { memory = emptyMemory(), onProgress } = {}) {
  if (!state.deployed) return []
  const logs = await logsOf(rpc, state, memory.seen, onProgress)
  for (const item of logs.map((log) => readLog(state, log)).filter(Boolean)) memory.items.set(item.id, item)
  const known = [...memory.items.values()]
  const byEscapeKey = ({ votes }) => (votes & ESCAPE_VOTE) !== 0n
  const chosen = new Set([
    ...known.filter(byEscapeKey).slice(-MAX_OWN),
    ...known.filter((item) => !byEscapeKey(item)).slice(-MAX_FOREIGN),
  ])
  const items = []
  const asked = known.filter((item) => chosen.has(item))
  for (let i = 0; i < asked.length; i += AT_ONCE) {
    const some = asked.slice(i, i + AT_ONCE)
    const states = await Promise.all(some.map((item) => statusOf(rpc, state, item)))
    // What a reorganisation took away is unknown to the account too.
    states.forEach((waiting, j) => (waiting ? items.push(waiting) : memory.items.delete(some[j].id)))
  }
  memory.seen = state.block.number
  return items
}

/** Seconds until it may be finished (0: now), and until it is void. */
export function timesOf(item) {
  const left = item.delay > item.age ? item.delay - item.age : 0n
  return { left, life: item.delay + ITEM_LIFE_S - item.age }
}
