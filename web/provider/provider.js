// SPDX-License-Identifier: Apache-2.0
// AirAccount for web apps of others: EIP-6963, EIP-1193, EIP-5792. It keeps no key and decides nothing: what the person is to
// allow is asked in a window of the node's own page, which shows the origin that the browser names. Only what a session grant
// covers goes to the node without a window, with the token that the person's page gave for it.
;(() => {
  'use strict'

  const script = document.currentScript
  const NODE = new URL(script?.dataset.node ?? script?.src ?? '').origin
  const API = `${NODE}/api/v1/apps`
  const KEPT = `airaccount ${NODE}`
  const WINDOW = 'popup,width=460,height=760'
  const CLOSED_MS = 300
  const TRIES = 3
  const MOST_IDS = 256

  // EIP-1193, EIP-1474 and EIP-5792.
  const REJECTED = 4001
  const UNAUTHORIZED = 4100
  const UNSUPPORTED = 4200
  const CHAIN_UNKNOWN = 4902
  const CAPABILITY_UNSUPPORTED = 5700
  const CHAIN_UNSUPPORTED = 5710
  const ID_TAKEN = 5720
  const ID_UNKNOWN = 5730
  const BATCH_TOO_LARGE = 5740
  const INVALID_PARAMS = -32602
  const INTERNAL = -32603
  const PENDING = -32002
  const LIMIT = -32005

  class ProviderError extends Error {
    constructor(code, message, data) {
      super(message)
      this.name = 'ProviderRpcError'
      this.code = code
      if (data !== undefined) this.data = data
    }
  }
  const fail = (code, message, data) => {
    throw new ProviderError(code, message, data)
  }
  const need = (holds, message) => holds || fail(INVALID_PARAMS, message)

  // --- what this page keeps: the connection while it is good, a grant as long as its tab --------------------------------

  const stored = (store) => {
    try {
      return JSON.parse(store.getItem(KEPT)) ?? {}
    } catch {
      return {}
    }
  }
  const store = (where, value) => {
    try {
      where.setItem(KEPT, JSON.stringify(value))
    } catch {
      // A browser without storage forgets with the page.
    }
  }
  /** {address, chainId} of what the person connected; null before. */
  let connection = stored(localStorage).connection ?? null
  /** {token, expiresAt, grantId, contract, selectors, valuePerCall}. */
  let grant = stored(sessionStorage).grant ?? null
  /** Ids that the app chose, with the node's. */
  const ids = new Map(stored(sessionStorage).ids ?? [])
  const keepTab = () => store(sessionStorage, { grant, ids: [...ids].slice(-MOST_IDS) })

  // --- events ----------------------------------------------------------------------------------------------------------

  const listeners = new Map()
  const emit = (event, value) => {
    for (const listener of [...(listeners.get(event) ?? [])]) {
      try {
        listener(value)
      } catch (error) {
        // What a listener throws is its page's own.
        setTimeout(() => {
          throw error
        })
      }
    }
  }

  function take(next) {
    const before = connection
    connection = next
    store(localStorage, { connection })
    if (before?.address !== next?.address) {
      grant = null
      keepTab()
      emit('accountsChanged', next ? [next.address] : [])
    }
    if (next && before?.chainId !== next.chainId) emit('chainChanged', next.chainId)
    if (!before && next) emit('connect', { chainId: next.chainId })
  }

  // --- the node's window -----------------------------------------------------------------------------------------------

  let asking = false

  /** Asks in a window of the node's page, which is opened by the click that led here. One at a time. */
  function ask(method, params) {
    if (asking) fail(PENDING, 'another request waits for the person')
    // A copy: what this page changes afterwards is another request.
    const request = structuredClone({ method, params })
    const popup = open(`${NODE}/connect`, 'airaccount', WINDOW)
    if (!popup) fail(INTERNAL, 'the browser lets no window open: ask from a click')
    asking = true
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearInterval(timer)
        removeEventListener('message', hear)
        asking = false
        settle(value)
      }
      const answered = ({ data }) => {
        if (data?.error) {
          const { code, message } = data.error
          // The person disconnected this page meanwhile, or logged in as somebody else.
          if (code === UNAUTHORIZED) take(null)
          end(reject, new ProviderError(code, message))
        } else end(resolve, data?.result)
      }
      const hear = ({ source, origin, data, ports }) => {
        if (source !== popup || origin !== NODE) return
        if (data?.airAccount === 'ready') popup.postMessage({ airAccount: 'hello' }, NODE)
        if (data?.airAccount !== 'port' || !ports[0]) return
        ports[0].onmessage = answered
        ports[0].postMessage(request)
      }
      const timer = setInterval(() => {
        if (popup.closed) end(reject, new ProviderError(REJECTED, 'the person closed the window'))
      }, CLOSED_MS)
      addEventListener('message', hear)
    })
  }

  // --- the node's API --------------------------------------------------------------------------------------------------

  const CODES = { 401: UNAUTHORIZED, 404: ID_UNKNOWN, 413: BATCH_TOO_LARGE, 429: LIMIT }

  /** The answer's body; what got lost on the way is asked again, which is harmless. */
  async function call(path, options) {
    for (let left = TRIES; ; ) {
      try {
        const response = await fetch(API + path, {
          ...options,
          mode: 'cors',
          credentials: 'omit',
          referrerPolicy: 'no-referrer',
        })
        const body = await response.json()
        if (response.ok) return body
        const code = CODES[response.status] ?? INTERNAL
        fail(code, body.detail ?? body.title ?? 'the node refused', body)
      } catch (error) {
        if (error instanceof ProviderError) throw error
        if (--left === 0) fail(INTERNAL, 'the node does not answer')
      }
    }
  }

  let chains = null
  const known = async () => {
    chains ??= (await call('/chains')).chains.map(({ chainId }) => `0x${chainId.toString(16)}`)
    return chains
  }

  // --- values ----------------------------------------------------------------------------------------------------------

  const isBytes = (value) => typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/i.test(value)
  const isAddress = (value) => typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value)
  const isQuantity = (value) => typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value)
  const same = (one, other) => one?.toLowerCase() === other?.toLowerCase()
  const lower = (hex) => `0x${BigInt(hex).toString(16)}`

  /** As the node takes it. A transaction that makes a contract has no place here: accounts call. */
  function toCall({ to, value, data, input }) {
    const bytes = data ?? input
    need(isAddress(to), 'to is an address')
    need(value === undefined || isQuantity(value), 'value is a quantity')
    need(bytes === undefined || isBytes(bytes), 'data are bytes')
    return { to, value: BigInt(value ?? 0).toString(), ...(bytes && bytes !== '0x' ? { data: bytes.toLowerCase() } : {}) }
  }

  function requestId() {
    const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const variant = '89ab'[Number.parseInt(hex[16], 16) % 4]
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-4$3-${variant}$4-$5`)
  }

  const isCovered = (calls) =>
    grant !== null &&
    Date.parse(grant.expiresAt) > Date.now() &&
    calls.every(
      ({ to, value, data }) =>
        same(to, grant.contract) &&
        grant.selectors.includes(data?.slice(0, 10)) &&
        BigInt(value) <= BigInt(grant.valuePerCall),
    )

  // --- methods ---------------------------------------------------------------------------------------------------------

  async function connect(chainId) {
    const { address, chainId: chosen } = await ask('connect', chainId ? { chainId: Number(chainId) } : {})
    take({ address, chainId: `0x${chosen.toString(16)}` })
    return [address]
  }

  /** Under the grant where it covers all of them; otherwise the person is asked. Answers the node's id. */
  async function send(calls) {
    if (!isCovered(calls)) return (await ask('sendCalls', { address: connection.address, calls })).id
    try {
      const body = JSON.stringify({ requestId: requestId(), calls })
      const headers = { authorization: `Bearer ${grant.token}`, 'content-type': 'application/json' }
      return (await call('/calls', { method: 'POST', headers, body })).id
    } catch (error) {
      const isOver = error.code === UNAUTHORIZED || /:(?:grant-over|would-revert)$/.test(error.data?.type ?? '')
      if (!isOver) throw error
      dropGrant()
      return fail(UNAUTHORIZED, 'the grant is over: ask the person again', error.data)
    }
  }

  function dropGrant() {
    if (!grant) return
    grant = null
    keepTab()
    emit('message', { type: 'airAccount_grantEnded', data: null })
  }

  function checkSender(from, chainId) {
    if (!connection) fail(UNAUTHORIZED, 'connect first')
    if (from !== undefined && !same(from, connection.address)) fail(UNAUTHORIZED, 'another account is connected')
    if (chainId !== undefined && lower(chainId) !== connection.chainId) fail(CHAIN_UNSUPPORTED, 'another chain is connected')
  }

  async function sendCalls(request) {
    need(request && typeof request === 'object', 'an object is expected')
    const { version, id, from, chainId, calls, capabilities = {} } = request
    need(version === '2.0.0' || version === '1.0', 'version 2.0.0 is expected')
    need(isQuantity(chainId), 'chainId is a quantity')
    need(id === undefined || (typeof id === 'string' && id !== '' && id.length <= 8194), 'id is a text of 4,096 bytes at most')
    need(Array.isArray(calls) && calls.length > 0, 'calls is a list')
    if (calls.length > 32) fail(BATCH_TOO_LARGE, '32 calls at most')
    const needed = [capabilities, ...calls.map((one) => one?.capabilities ?? {})].flatMap(Object.entries)
    for (const [name, capability] of needed)
      if (!capability?.optional) fail(CAPABILITY_UNSUPPORTED, `${name} is not supported`)
    checkSender(from, chainId)
    if (id !== undefined && ids.has(id)) fail(ID_TAKEN, 'this id was used before')
    const ours = await send(calls.map(toCall))
    if (id !== undefined) {
      ids.set(id, ours)
      keepTab()
    }
    return { id: id ?? ours }
  }

  async function status(id) {
    need(typeof id === 'string', 'an id is expected')
    const ours = ids.get(id) ?? id
    if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(ours)) fail(ID_UNKNOWN, 'no such calls')
    return { ...(await call(`/calls/${ours}`)), id }
  }

  async function sendTransaction(transaction) {
    need(transaction && typeof transaction === 'object', 'an object is expected')
    checkSender(transaction.from, transaction.chainId)
    const id = await send([toCall(transaction)])
    for (let wait = 400; ; wait = Math.min(wait * 1.5, 5_000)) {
      const { status: code, receipts } = await status(id)
      if (receipts[0]) return receipts[0].transactionHash
      if (code === 400) fail(INTERNAL, 'it did not come on chain')
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  /** EIP-191: bytes as hex, or a text. */
  function toPersonal(message) {
    need(typeof message === 'string', 'a message is a text or bytes')
    if (isBytes(message)) return message.toLowerCase()
    const bytes = new TextEncoder().encode(message)
    return `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }

  /** The account's ERC-1271 signature, which ERC-6492 verifiers take, too. */
  async function signMessage(from, toContent) {
    need(isAddress(from), 'the address of the account is missing')
    checkSender(from)
    const { signature } = await ask('signMessage', { address: connection.address, ...toContent() })
    return signature
  }

  // Some libraries give the address first.
  const personalSign = ([one, other]) => {
    const [message, from] = isAddress(one) && !isAddress(other) ? [other, one] : [one, other]
    return signMessage(from, () => ({ personal: toPersonal(message) }))
  }

  const signTypedData = ([from, document]) =>
    signMessage(from, () => {
      try {
        const typedData = typeof document === 'string' ? document : JSON.stringify(document)
        need(typeof typedData === 'string', 'a document is expected')
        return { typedData }
      } catch (error) {
        // A bigint, or an object that contains itself.
        return fail(INVALID_PARAMS, error.message)
      }
    })

  async function requestGrant(wanted) {
    checkSender()
    need(wanted && typeof wanted === 'object', 'an object is expected')
    const { contract, functions, valuePerCall = '0x0', valueTotal = '0x0', duration } = wanted
    need(isAddress(contract), 'contract is an address')
    need(Array.isArray(functions) && functions.length > 0 && functions.length <= 8, 'functions: 1 to 8')
    need(isQuantity(valuePerCall) && isQuantity(valueTotal), 'values are quantities')
    need(Number.isInteger(duration) && duration > 0 && duration <= 7_200, 'duration: 1 to 7,200 seconds')
    const made = await ask('grant', {
      address: connection.address,
      contract,
      functions,
      valuePerCall: BigInt(valuePerCall).toString(),
      valueTotal: BigInt(valueTotal).toString(),
      duration,
    })
    grant = { ...made, valuePerCall: BigInt(valuePerCall).toString() }
    keepTab()
    return { grantId: made.grantId, contract: made.contract, selectors: made.selectors, expiresAt: made.expiresAt }
  }

  async function switchChain(wanted) {
    need(isQuantity(wanted?.chainId), 'chainId is a quantity')
    const chainId = lower(wanted.chainId)
    if (!(await known()).includes(chainId)) fail(CHAIN_UNKNOWN, 'the node does not serve this chain')
    if (connection && connection.chainId !== chainId) await connect(chainId)
    return null
  }

  async function capabilities([address, wanted]) {
    if (!connection || !same(address, connection.address)) fail(UNAUTHORIZED, 'this account is not connected')
    const all = (await known()).filter((chainId) => !wanted || wanted.map(lower).includes(chainId))
    const each = { atomic: { status: 'supported' }, airAccountGrant: { supported: true, longest: 7_200 } }
    return Object.fromEntries(all.map((chainId) => [chainId, each]))
  }

  const METHODS = {
    eth_accounts: async () => (connection ? [connection.address] : []),
    eth_requestAccounts: async () => (connection ? [connection.address] : connect()),
    eth_chainId: async () => connection?.chainId ?? (await known())[0],
    net_version: async () => BigInt(connection?.chainId ?? (await known())[0]).toString(),
    wallet_switchEthereumChain: ([wanted]) => switchChain(wanted),
    wallet_getCapabilities: capabilities,
    wallet_sendCalls: ([request]) => sendCalls(request),
    wallet_getCallsStatus: ([id]) => status(id),
    wallet_showCallsStatus: async ([id]) => {
      const ours = ids.get(id) ?? id
      if (!/^[0-9a-f-]{36}$/.test(ours)) fail(ID_UNKNOWN, 'no such calls')
      open(`${NODE}/transactions/${ours}`, '_blank', 'noopener')
    },
    wallet_revokePermissions: async () => {
      dropGrant()
      take(null)
      return null
    },
    eth_sendTransaction: ([transaction]) => sendTransaction(transaction),
    personal_sign: personalSign,
    eth_signTypedData_v4: signTypedData,
    airAccount_requestGrant: ([wanted]) => requestGrant(wanted),
    airAccount_endGrant: async () => {
      dropGrant()
      return null
    },
  }

  const provider = Object.freeze({
    isAirAccount: true,
    async request(request) {
      need(request && typeof request.method === 'string', 'a method is expected')
      const { method, params = [] } = request
      const run = Object.hasOwn(METHODS, method) ? METHODS[method] : null
      if (!run) fail(UNSUPPORTED, `${method} is not supported`)
      need(Array.isArray(params), 'params is a list')
      return run(params)
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener])
      return provider
    },
    removeListener(event, listener) {
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((one) => one !== listener),
      )
      return provider
    },
  })

  const ICON =
    'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"%3E%3Crect width="32" height="32" rx="9" ' +
    'fill="%230b6b52"/%3E%3Cg fill="none" stroke="%23fff" stroke-width="2.4" stroke-linecap="round"%3E%3Cpath ' +
    'd="M11 17v8M11 21.5h3M21 17v8M21 21.5h-3"/%3E%3Ccircle cx="11" cy="12.5" r="4.2"/%3E%3Ccircle cx="21" cy="12.5" ' +
    'r="4.2"/%3E%3C/g%3E%3C/svg%3E'
  const info = Object.freeze({
    uuid: requestId(),
    name: 'AirAccount',
    icon: ICON,
    rdns: 'org.community-node.airaccount',
  })
  const announce = () =>
    dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }))
  addEventListener('eip6963:requestProvider', announce)
  announce()
})()
