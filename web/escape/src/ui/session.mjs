// SPDX-License-Identifier: Apache-2.0
// What one visit knows, and what a person can do in it. Nothing is stored anywhere; a reload begins anew and finds the
// rest on the chain. Views read `session` and call these functions.
import { ZERO_ADDRESS, parseAddress, parseAmount } from '../core/bytes.mjs'
import { FOREVER, chainIdOf, compareStates, readAccount, slotOf } from '../core/account.mjs'
import { KIND } from '../core/actions.mjs'
import {
  cancelCall,
  createAccountCall,
  escapeCall,
  finishEscapeCall,
  freezeCall,
  leadsTo,
  startedByEscapeKey,
} from '../core/escape.mjs'
import { emptyMemory, findItems, timesOf } from '../core/items.mjs'
import { makeKeys, parseKeysFile, parsePublicKeys, writeKeysFile } from '../core/keys-file.mjs'
import {
  confirmData,
  knownTokens,
  nativeAsset,
  planData,
  planMove,
  queuedCalls,
  tokenAsset,
  transferOf,
} from '../core/money.mjs'
import { operationCall, operationOutcome } from '../core/operation.mjs'
import { bump, follow, keyPayer, send, walletPayer, wayCost } from '../core/payer.mjs'
import { Problem, require } from '../core/problem.mjs'
import { parseRecoveryFile } from '../core/recovery-file.mjs'
import { createRpc } from '../core/rpc.mjs'
import { parseSecret } from '../core/signing.mjs'
import { saveFile } from './elements.mjs'
import { t } from './words.mjs'

const LOOK_EVERY_MS = 2_000
const REFRESH_EVERY_MS = 15_000

export const session = {
  form: {
    chain: '',
    rpc: '',
    rpc2: '',
    payerKind: 'file',
    keysKind: 'own',
    rpId: 'escape.invalid',
    to: '',
    token: '',
    amounts: {},
  },
  file: null,
  rpc: null,
  rpc2: null,
  chainId: 0,
  state: null,
  items: [],
  memory: emptyMemory(),
  readAt: 0,
  payer: null,
  payerBalance: 0n,
  wayCost: null,
  freezeSkipped: false,
  anotherEscape: false,
  keys: null,
  draft: null,
  otherKeys: null,
  triedAt: 0,
  assets: null,
  plan: null,
  movedOut: false,
  busy: '',
  progress: '',
  sent: null,
  error: null,
  notice: '',
}

let render = () => {}
export const onChange = (listener) => {
  render = listener
}
export const changed = () => render()

function say(text) {
  session.progress = text
  render()
}

/** Runs one piece of work of `step`; a failure is shown there. Only one at a time. */
async function work(step, body) {
  if (session.busy) return
  Object.assign(session, { busy: step, error: null, notice: '', progress: '' })
  render()
  try {
    await body()
  } catch (error) {
    session.error = { step, error }
  }
  Object.assign(session, { busy: '', progress: '', sent: null })
  render()
}

// ---- 1 to 3: file, chain, payer

/** The text of a chosen file; `work` shows what is wrong with it. */
const textOf = (file) => {
  require(file.size <= 1_000_000, 'file_too_large', { limit: 131_072 })
  return file.text()
}

export const openRecoveryFile = (chosen) =>
  work('file', async () => {
    const file = parseRecoveryFile(await textOf(chosen))
    const [first] = file.chains
    Object.assign(session, { file, keys: null, draft: null, otherKeys: null })
    Object.assign(session.form, { chain: first ? String(first.chainId) : 'other', rpc: first?.rpcUrls[0] ?? '' })
    session.notice = t('file.good')
    forgetChain()
  })

/** Back to an earlier step; what follows from it is forgotten. */
export function goBack(step) {
  if (session.busy) return
  session.error = null
  if (step === 'file') session.file = null
  if (step === 'file' || step === 'chain') forgetChain()
  else session.payer = null
  render()
}

function forgetChain() {
  Object.assign(session, {
    rpc: null,
    rpc2: null,
    state: null,
    items: [],
    memory: emptyMemory(),
    payer: null,
    freezeSkipped: false,
    anotherEscape: false,
    assets: null,
    plan: null,
    movedOut: false,
  })
}

export const chainName = () =>
  session.file?.chains.find(({ chainId }) => chainId === session.chainId)?.name ?? `${session.chainId}`

export const connect = () =>
  work('chain', async () => {
    const { form } = session
    const wanted = form.chain === 'other' ? undefined : Number(form.chain)
    say(t('progress.reading'))
    session.memory = emptyMemory()
    const rpc = createRpc(form.rpc.trim())
    const chainId = await chainIdOf(rpc, wanted)
    const rpc2 = form.rpc2.trim() ? createRpc(form.rpc2.trim()) : null
    if (rpc2) await chainIdOf(rpc2, chainId)
    await read({ rpc, rpc2, chainId })
    const cost = await wayCost(rpc, session.state.deployed)
    Object.assign(session, { rpc, rpc2, chainId, wayCost: cost })
  })

/** Reads account and items; with a second server, both must agree. */
async function read({ rpc, rpc2, chainId, quiet = false } = session) {
  const state = await readAccount(rpc, session.file, chainId)
  if (rpc2) compareStates(state, await readAccount(rpc2, session.file, chainId))
  const onProgress = (percent) => quiet || say(t('progress.searching', { percent }))
  const items = await findItems(rpc, state, { memory: session.memory, onProgress })
  Object.assign(session, { state, items, readAt: Date.now(), triedAt: Date.now() })
  if (session.payer) session.payerBalance = await rpc.balance(session.payer.address)
  const place = whereNow()
  if (place === 'wait' || place === 'finish') session.freezeSkipped = false
}

export const refresh = () =>
  work(whereNow(), async () => {
    say(t('progress.reading'))
    await read()
    if (ownKeysRule()) await readAssets()
  })

/** Looks now and then by itself, when nothing else happens. Silent: the next press of a button says what is wrong. */
export async function refreshQuietly() {
  if (session.busy || !session.payer || document.hidden || Date.now() - session.triedAt < REFRESH_EVERY_MS) return
  session.triedAt = Date.now()
  const before = whereNow()
  await read({ ...session, quiet: true }).catch(() => {})
  if (whereNow() !== before) session.error = null
  render()
}

const wallets = new Map()

/** Wallets of the browser: EIP-6963 announcements, and whatever sits in `window.ethereum`. */
export function listenForWallets() {
  window.addEventListener('eip6963:announceProvider', ({ detail }) => {
    if (!detail?.provider || typeof detail.info?.uuid !== 'string' || wallets.size >= 16) return
    wallets.set(detail.info.uuid, { name: String(detail.info.name).slice(0, 40), provider: detail.provider })
    render()
  })
  window.dispatchEvent(new Event('eip6963:requestProvider'))
}

export function foundWallets() {
  if (wallets.size > 0) return [...wallets.values()]
  return window.ethereum ? [{ name: t('payer.wallet.unnamed'), provider: window.ethereum }] : []
}

async function takePayer(payer) {
  session.payerBalance = await session.rpc.balance(payer.address)
  session.payer = payer
}

export const payWithFile = () => work('payer', () => takePayer(keyPayer(session.file.escapeKey)))
export const payWithKey = (text) => work('payer', () => takePayer(keyPayer(parseSecret(text))))
export const payWithWallet = ({ provider }) => work('payer', async () => takePayer(await walletPayer(provider)))

// ---- sending

/** Signs, sends and follows one call; `make` builds it from what the chain says now. */
async function transact(make) {
  say(t('progress.reading'))
  await read()
  say(t('progress.trying'))
  const call = await make()
  say(t(session.payer.kind === 'wallet' ? 'progress.wallet' : 'progress.sending'))
  const sent = await send(session.rpc, session.payer, session.chainId, call)
  session.sent = { current: sent, since: Date.now(), stopped: false }
  say(t('progress.waiting'))
  const receipt = await follow(session.rpc, session.payer, () => session.sent.current, pauseOrStop)
  session.sent = null
  await read()
  return { call, receipt }
}

function pauseOrStop() {
  return new Promise((resolve, reject) => {
    const end = Date.now() + LOOK_EVERY_MS
    const look = () => {
      if (session.sent?.stopped) reject(new Problem('waiting_stopped', { hash: session.sent.current.hash }))
      else if (Date.now() >= end) resolve()
      else setTimeout(look, 100)
    }
    look()
  })
}

/** Offers more for a transaction that waits. */
export async function offerMore() {
  const { sent } = session
  if (!sent || sent.raising) return
  sent.raising = true
  try {
    sent.current = await bump(session.rpc, session.payer, sent.current)
    say(t('progress.raised'))
  } catch (error) {
    session.error = { step: session.busy, error }
    render()
  }
  sent.raising = false
}

export function stopWaiting() {
  if (session.sent) session.sent.stopped = true
}

// ---- 4 to 7: freeze, start, wait, finish

export const createAccount = () => work('freeze', () => transact(() => createAccountCall(session.file, session.state)))

export const freeze = () =>
  work(whereNow(), async () => {
    await transact(() => freezeCall(session.file, session.state))
    session.notice = t('freeze.done')
  })

export function skipFreeze() {
  session.freezeSkipped = true
  render()
}

/** New keys, offered as a file; they count once the file was chosen again. */
export const draftKeys = () =>
  work('start', async () => {
    const draft = makeKeys(
      session.file.account,
      session.form.rpId.trim(),
      new Date().toISOString().replace(/\.\d+/, ''),
    )
    session.draft = draft
    saveFile(`community-keys-${draft.account.slice(2, 10)}.json`, writeKeysFile(draft))
    session.notice = t('start.saved')
  })

/** A keys file that was saved a moment ago or on an earlier visit. */
export const openKeysFile = (chosen) =>
  work(whereNow(), async () => {
    const keys = parseKeysFile(await textOf(chosen), session.file.account)
    const { draft } = session
    if (draft && draft.passkeySecret !== keys.passkeySecret && whereNow() === 'start')
      throw new Problem('keys_file_is_another')
    Object.assign(session, { keys, draft: null, assets: null, plan: null })
    session.notice = t('start.read_back')
    if (ownKeysRule()) await readAssets()
  })

export function forgetKeys() {
  Object.assign(session, { keys: null, draft: null, otherKeys: null })
  render()
}

export const takeOtherKeys = (fields) =>
  work('start', async () => {
    session.otherKeys = parsePublicKeys({ ...fields, serverKey: parseAddress(fields.serverKey) })
    escapeCall(session.file, session.state, session.otherKeys)
  })

export const startEscape = () =>
  work('start', async () => {
    const keys = session.form.keysKind === 'own' ? session.keys : session.otherKeys
    await transact(() => escapeCall(session.file, session.state, keys))
    session.anotherEscape = false
    session.notice = t('start.done')
  })

export function startAnother() {
  session.anotherEscape = true
  render()
}

export const cancel = (item) =>
  work(whereNow(), async () => {
    await transact(() => cancelCall(session.file, session.state, item))
    session.notice = t('items.cancelled')
  })

export const finish = (item) =>
  work('finish', async () => {
    await transact(() => finishEscapeCall(session.state, item))
    const [[passkey], serverKey] = item.action.values
    if (!leadsTo(item, session.keys)) session.otherKeys = { passkey, serverKey }
    session.notice = t('finish.done')
    if (ownKeysRule()) await readAssets()
  })

// ---- 8: move money

async function readAssets() {
  const { rpc, state, file, chainId } = session
  const own = (session.assets ?? []).map(({ token }) => token)
  const tokens = [...new Set([...knownTokens(file, chainId), ...own])].filter((token) => token !== ZERO_ADDRESS)
  const assets = [await nativeAsset(rpc, state)]
  for (const token of tokens) {
    const asset = await tokenAsset(rpc, state, token).catch((error) => {
      if (error instanceof Problem) return null
      throw error
    })
    if (asset) assets.push(asset)
  }
  session.assets = assets
}

export const showAssets = () => work('move', readAssets)

export const addToken = () =>
  work('move', async () => {
    const asset = await tokenAsset(session.rpc, session.state, parseAddress(session.form.token))
    session.assets = [...session.assets.filter(({ token }) => token !== asset.token), asset]
    session.form.token = ''
  })

/** Looks whether what was typed may go now or has to wait. */
export const checkMove = () =>
  work('move', async () => {
    say(t('progress.trying'))
    session.plan = null
    await read()
    const to = parseAddress(session.form.to)
    const calls = session.assets.flatMap((asset) => {
      const typed = session.form.amounts[asset.token]?.trim() ?? ''
      const sum = typed === '' ? 0n : parseAmount(typed, asset.decimals)
      require(sum <= asset.balance, 'balance_too_small')
      return sum === 0n ? [] : [transferOf(asset.token, to, sum)]
    })
    session.plan = await planMove(session.rpc, session.file, session.state, calls)
  })

export function forgetPlan() {
  session.plan = null
  render()
}

/** Sends an operation of the account. */
async function operate({ callData, calls }) {
  const { rpc, file, keys, payer, state } = session
  const operation = () => operationCall(rpc, { file, state, keys, callData, calls, beneficiary: payer.address })
  const { call, receipt } = await transact(operation)
  operationOutcome(receipt, file.entryPoint, call.hash)
}

export const move = () =>
  work('move', async () => {
    const { plan, file } = session
    await operate({ callData: planData(file, plan), calls: plan.calls.length })
    const waits = plan.refusal !== null
    Object.assign(session, { plan: null, movedOut: session.movedOut || !waits })
    session.form.amounts = {}
    await read()
    await readAssets()
    session.notice = t(waits ? 'move.queued' : 'move.done')
  })

export const confirmQueued = (item) =>
  work('move', async () => {
    await operate({ callData: confirmData(session.file, item), calls: queuedCalls(item).length })
    session.movedOut = true
    await read()
    await readAssets()
    session.notice = t('move.done')
  })

// ---- where the person is

/** Seconds of the chain since `state` was read are those of this machine. */
export const elapsed = () => BigInt(Math.max(0, Math.floor((Date.now() - session.readAt) / 1000)))

export const ownEscapes = () =>
  session.items.filter((item) => item.kind === KIND.escape && (startedByEscapeKey(item) || leadsTo(item, session.keys)))

export const leftOf = (item) => {
  const { left } = timesOf(item)
  return left > elapsed() ? left - elapsed() : 0n
}

/** Whether the account's keys are no longer those it began with. */
export const keysChanged = () => session.state?.deployed && session.state.keyEpoch > 0n

/** Whether the keys of the opened keys file are the account's now. */
export const ownKeysRule = () => slotOf(session.state, session.keys) !== null

/** The step that comes next: file, chain, payer, freeze, start, wait, finish or move. */
export function whereNow() {
  const { file, state, payer } = session
  if (!file) return 'file'
  if (!state || !session.rpc) return 'chain'
  if (!payer) return 'payer'
  if (ownKeysRule() || slotOf(state, session.otherKeys) !== null) return 'move'
  const own = ownEscapes()
  if (own.length > 0 && !session.anotherEscape) return own.some((item) => leftOf(item) === 0n) ? 'finish' : 'wait'
  // A freeze by the node may end before the escape does, so the choice is offered then.
  const frozen = state.frozenUntil === FOREVER
  return state.deployed && (frozen || session.freezeSkipped) ? 'start' : 'freeze'
}
