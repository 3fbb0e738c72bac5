// SPDX-License-Identifier: Apache-2.0
// Who pays for transactions: a funded key that signs here, or a wallet of the browser (EIP-1193). Plus what both share:
// trial run, gas, fees, enough money, and following a transaction until it is in a block or replaced.
import { isHex, quantity } from './bytes.mjs'
import { Problem, require } from './problem.mjs'
import { explain } from './reverts.mjs'
import { reported } from './rpc.mjs'
import { addressOf } from './signing.mjs'
import { signTransaction } from './transaction.mjs'

/** A replacement must offer this much more of both fees, or nodes refuse it (10 % is their rule). */
const BUMP_PERCENT = 125n
const PATIENCE = 5
const DEFAULT_TIP = 1_000_000_000n

export const keyPayer = (secret) => ({ kind: 'key', address: addressOf(secret), secret })

/** Asks the wallet for an account; the wallet shows what it is about to do itself. */
export async function walletPayer(provider) {
  const accounts = await ask(provider, 'eth_requestAccounts')
  require(Array.isArray(accounts) && isHex(accounts[0], 20), 'wallet_without_account')
  return { kind: 'wallet', address: accounts[0].toLowerCase(), provider }
}

async function ask(provider, method, params = []) {
  try {
    return await provider.request({ method, params })
  } catch (error) {
    if (error?.code === 4001) throw new Problem('wallet_refused')
    throw reported(error)
  }
}

/** Brings the wallet to the chain of the page. */
async function matchChain(provider, chainId) {
  const current = async () => BigInt(await ask(provider, 'eth_chainId'))
  if ((await current()) === BigInt(chainId)) return
  try {
    await ask(provider, 'wallet_switchEthereumChain', [{ chainId: quantity(chainId) }])
  } catch (error) {
    if (error.problem === 'wallet_refused') throw error
  }
  require((await current()) === BigInt(chainId), 'wallet_on_other_chain', { chainId })
}

async function fees(rpc) {
  const { baseFee } = await rpc.block()
  require(baseFee !== undefined, 'chain_without_fee_market')
  const tip = await rpc.count('eth_maxPriorityFeePerGas').catch(() => DEFAULT_TIP)
  return { tip, maxFee: 2n * baseFee + tip }
}

/** Gas of the whole way as it is offered, and half as much again: making the account 460,000, the rest 750,000. */
const WAY_GAS = 1_100_000n
const CREATION_GAS = 700_000n

/** What the way from here on costs at most, at twice today's fees; null when the chain does not say. */
export async function wayCost(rpc, deployed) {
  try {
    const { maxFee } = await fees(rpc)
    return maxFee * (deployed ? WAY_GAS : WAY_GAS + CREATION_GAS)
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

/** Gas for `call`, after a trial run that says why it would fail. */
export async function estimate(rpc, from, call) {
  const transaction = { from, to: call.to, data: call.data, value: quantity(call.value ?? 0) }
  try {
    await rpc.call(transaction)
    const gas = await rpc.count('eth_estimateGas', [transaction])
    return (gas * 5n) / 4n
  } catch (error) {
    throw explain(error)
  }
}

async function sendSigned(rpc, payer, tx) {
  const { raw, hash } = signTransaction(payer.secret, tx)
  const answered = await rpc.bytes('eth_sendRawTransaction', [raw]).catch((error) => {
    const text = String(error.values?.message ?? '').toLowerCase()
    // It is there already: an earlier attempt arrived although its answer did not.
    if (/already known|already imported|known transaction/.test(text)) return hash
    if (/insufficient funds/.test(text))
      throw new Problem('funds_insufficient', { address: payer.address, missing: 0n })
    if (/nonce too low|invalid nonce/.test(text)) throw new Problem('nonce_used', {})
    if (/underpriced|fee too low/.test(text)) throw new Problem('fee_too_low', {})
    throw error
  })
  require(answered === hash, 'rpc_lies', { what: 'transaction hash' })
  return { hash, tx }
}

/** Sends `call` {to, data, value} on `chainId`. Answers what `follow` wants. */
export async function send(rpc, payer, chainId, call) {
  const gas = await estimate(rpc, payer.address, call)
  const value = BigInt(call.value ?? 0)
  if (payer.kind === 'wallet') {
    await matchChain(payer.provider, chainId)
    const hash = await ask(payer.provider, 'eth_sendTransaction', [
      { from: payer.address, to: call.to, data: call.data, value: quantity(value), gas: quantity(gas) },
    ])
    require(isHex(hash, 32), 'rpc_answer_malformed', { host: 'wallet', method: 'eth_sendTransaction' })
    return { hash: hash.toLowerCase() }
  }
  const { tip, maxFee } = await fees(rpc)
  const balance = await rpc.balance(payer.address)
  const cost = gas * maxFee + value
  require(balance >= cost, 'funds_insufficient', { address: payer.address, missing: cost - balance })
  // Behind what waits already: a second send must not push the first one out.
  const nonce = await rpc.count('eth_getTransactionCount', [payer.address, 'pending'])
  return sendSigned(rpc, payer, { chainId, nonce, tip, maxFee, gas, to: call.to, value, data: call.data })
}

/** The same transaction with higher fees, so that it is taken sooner. */
export async function bump(rpc, payer, sent) {
  require(payer.kind === 'key' && sent.tx, 'wallet_bumps_itself')
  const now = await fees(rpc)
  const more = (fee, current) => {
    const raised = (fee * BUMP_PERCENT) / 100n + 1n
    return raised > current ? raised : current
  }
  const tx = { ...sent.tx, tip: more(sent.tx.tip, now.tip), maxFee: more(sent.tx.maxFee, now.maxFee) }
  const balance = await rpc.balance(payer.address)
  const cost = tx.gas * tx.maxFee + tx.value
  require(balance >= cost, 'funds_insufficient', { address: payer.address, missing: cost - balance })
  const again = await sendSigned(rpc, payer, tx)
  return { ...again, earlier: [...(sent.earlier ?? []), sent.hash] }
}

async function receiptOf(rpc, sent) {
  for (const hash of [sent.hash, ...(sent.earlier ?? [])]) {
    const receipt = await rpc.request('eth_getTransactionReceipt', [hash])
    if (!receipt) continue
    require(receipt.transactionHash?.toLowerCase() === hash && Array.isArray(receipt.logs), 'rpc_lies', {
      what: 'receipt',
    })
    return receipt
  }
  return null
}

/**
 * One look at a sent transaction: its receipt, or null while it waits. A problem when it reverted, or when another
 * transaction of the payer took its number.
 */
export async function look(rpc, payer, sent) {
  const read = async () => {
    const receipt = await receiptOf(rpc, sent)
    if (receipt) require(BigInt(receipt.status) === 1n, 'transaction_reverted', { hash: receipt.transactionHash })
    return receipt
  }
  const receipt = await read()
  if (receipt || payer.kind !== 'key') return receipt
  const used = await rpc.count('eth_getTransactionCount', [payer.address, 'latest'])
  if (used <= sent.tx.nonce) return null
  // Between the two questions it may have been included.
  const late = await read()
  require(late, 'nonce_replaced', { nonce: sent.tx.nonce })
  return late
}

/**
 * Looks again and again until there is a receipt. `pause` waits between two looks and may throw to give up. A server
 * may count a transaction before it shows its receipt, so a taken number counts only when it is seen `PATIENCE` times.
 */
export async function follow(rpc, payer, sent, pause) {
  for (let taken = 0; ; await pause()) {
    try {
      const receipt = await look(rpc, payer, typeof sent === 'function' ? sent() : sent)
      if (receipt) return receipt
      taken = 0
    } catch (error) {
      // What was sent does not come back because a server is away for a while.
      if (error.problem === 'rpc_unreachable' || error.problem === 'rpc_busy') continue
      if (error.problem !== 'nonce_replaced' || ++taken === PATIENCE) throw error
    }
  }
}
