// SPDX-License-Identifier: Apache-2.0
// JSON-RPC over fetch to the one place that the person named. Answers are bounded, checked for their form, and asked
// for again when the server says "later".
import { isHex, quantity } from './bytes.mjs'
import { Problem, require } from './problem.mjs'
import { isRpcUrl } from './recovery-file.mjs'

const PATIENCE_MS = 20_000
/** Logs of one account are small; a longer answer is somebody's mistake or an attack. */
const MAX_ANSWER = 8 * 1024 * 1024
const ATTEMPTS = 3
const PAUSE_MS = 700

const host = (url) => new URL(url).host

async function post(url, body, fetcher) {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS)
  try {
    const answer = await fetcher(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: abort.signal,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
      redirect: 'error',
    })
    const text = await answer.text()
    return { status: answer.status, text }
  } catch {
    // A browser does not say whether the name, the network or the server's CORS rules were the reason.
    throw new Problem('rpc_unreachable', { host: host(url) })
  } finally {
    clearTimeout(timer)
  }
}

/** What a node said of a call that reverts, wherever it hides it. */
function revertData(error) {
  const found = [error?.data, error?.data?.data, error?.data?.originalError?.data, error?.error?.data].find((value) =>
    isHex(value),
  )
  if (found) return found
  const inText = /0x[0-9a-fA-F]{8,}/.exec(typeof error?.data === 'string' ? error.data : '')
  return inText && isHex(inText[0]) ? inText[0] : undefined
}

// Of several servers behind one name, some may not have the newest block yet.
const BEHIND =
  /header not found|(?:unknown|missing|no such) block|block (?:is )?not (?:found|available)|missing trie node/i

/** A failure that the server or wallet reported. */
export function reported(error) {
  const message = String(error?.message ?? 'unknown')
    .replace(/[\u0000-\u001f]/g, ' ')
    .slice(0, 300)
  const problem = new Problem('rpc_refused', { message, code: error?.code ?? 0 })
  problem.revert = revertData(error)
  return problem
}

export function createRpc(
  url,
  { fetcher = (...all) => fetch(...all), pause = (ms) => new Promise((done) => setTimeout(done, ms)) } = {},
) {
  require(isRpcUrl(url), 'rpc_url_malformed')
  let id = 0

  async function once(method, params) {
    const own = ++id
    const { status, text } = await post(url, JSON.stringify({ jsonrpc: '2.0', id: own, method, params }), fetcher)
    if (text.length > MAX_ANSWER) throw new Problem('rpc_answer_malformed', { host: host(url), method })
    let answer
    try {
      answer = JSON.parse(text)
    } catch {
      if (status === 429 || status >= 500) throw new Problem('rpc_busy', { host: host(url), status })
      throw new Problem('rpc_answer_malformed', { host: host(url), method })
    }
    if (answer?.error) {
      const later = status === 429 || answer.error.code === -32005 || BEHIND.test(String(answer.error.message))
      if (later) throw new Problem('rpc_busy', { host: host(url), status })
      throw reported(answer.error)
    }
    if (answer?.id !== own || !('result' in answer))
      throw new Problem('rpc_answer_malformed', { host: host(url), method })
    return answer.result
  }

  async function request(method, params = []) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(method, params)
      } catch (error) {
        const again = error.problem === 'rpc_busy' || error.problem === 'rpc_unreachable'
        if (!again || attempt === ATTEMPTS) throw error
        await pause(PAUSE_MS * attempt)
      }
    }
  }

  const malformed = (method) => new Problem('rpc_answer_malformed', { host: host(url), method })

  /** A quantity as bigint. */
  async function count(method, params = []) {
    const value = await request(method, params)
    if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw malformed(method)
    return BigInt(value)
  }

  async function bytes(method, params = []) {
    const value = await request(method, params)
    if (!isHex(value)) throw malformed(method)
    return value.toLowerCase()
  }

  const tag = (block) => (block === undefined ? 'latest' : quantity(block))

  return {
    url,
    host: host(url),
    request,
    count,
    bytes,
    call: (transaction, block) => bytes('eth_call', [transaction, tag(block)]),
    code: (address, block) => bytes('eth_getCode', [address, tag(block)]),
    storage: (address, slot, block) => bytes('eth_getStorageAt', [address, slot, tag(block)]),
    balance: (address, block) => count('eth_getBalance', [address, tag(block)]),
    async block(number) {
      const value = await request('eth_getBlockByNumber', [tag(number), false])
      if (!value || !isHex(value.hash, 32)) throw malformed('eth_getBlockByNumber')
      const optional = (field) => (field === undefined || field === null ? undefined : BigInt(field))
      return {
        number: BigInt(value.number),
        timestamp: BigInt(value.timestamp),
        baseFee: optional(value.baseFeePerGas),
      }
    },
  }
}
