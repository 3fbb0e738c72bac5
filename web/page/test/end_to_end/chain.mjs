// SPDX-License-Identifier: Apache-2.0
// The development chain of a node under test: what is on it, and time that passes.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT, until } from './node.mjs'

export const ETHER = 10n ** 18n

export function chainOf(node) {
  let id = 0
  async function rpc(method, ...params) {
    const response = await fetch(node.chain, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
    })
    const { result, error } = await response.json()
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const word = (hex) => hex.replace(/^0x/, '').toLowerCase().padStart(64, '0')
  async function send(transaction) {
    const [from] = await rpc('eth_accounts')
    const hash = await rpc('eth_sendTransaction', { from, ...transaction })
    return until(() => rpc('eth_getTransactionReceipt', hash), 'a receipt')
  }
  return {
    rpc,
    balance: async (address) => BigInt(await rpc('eth_getBalance', address, 'latest')),
    tokens: async (token, owner) =>
      BigInt(await rpc('eth_call', { to: token, data: `0x70a08231${word(owner)}` }, 'latest')),
    /** The last transaction to an address. Blocks come without transactions, too, so it is looked for, from the newest back. */
    async transactionTo(address) {
      for (let number = Number(await rpc('eth_blockNumber')); number >= 0; number--) {
        const { transactions } = await rpc('eth_getBlockByNumber', `0x${number.toString(16)}`, true)
        const found = transactions.findLast(({ to }) => to?.toLowerCase() === address.toLowerCase())
        if (found) return found
      }
      throw new Error(`no transaction to ${address}`)
    },
    /** An ERC-20 token, and `amount` of it for `owner`. */
    async token(owner, amount) {
      const { samples } = JSON.parse(readFileSync(path.join(ROOT, 'build/contracts.json'), 'utf8'))
      const { contractAddress } = await send({ data: samples.TestToken.initCode })
      await send({ to: contractAddress, data: `0x40c10f19${word(owner)}${word(amount.toString(16))}` })
      return contractAddress
    },
    /** An ERC-721 contract, and its piece `id` for `owner`. */
    async collectible(owner, id) {
      const { samples } = JSON.parse(readFileSync(path.join(ROOT, 'build/contracts.json'), 'utf8'))
      const { contractAddress } = await send({ data: samples.TestCollectible.initCode })
      await send({ to: contractAddress, data: `0x40c10f19${word(owner)}${word(id.toString(16))}` })
      return contractAddress
    },
    ownerOf: async (token, id) =>
      `0x${(await rpc('eth_call', { to: token, data: `0x6352211e${word(id.toString(16))}` }, 'latest')).slice(-40)}`,
    /** Until the node has seen it, too. */
    async passTime(seconds) {
      await rpc('evm_increaseTime', `0x${seconds.toString(16)}`)
      await rpc('evm_mine')
      const number = Number(await rpc('eth_blockNumber'))
      await until(async () => {
        const text = await (await fetch(`${node.local}/metrics`)).text()
        return Number(/^community_chain_head (\d+)/m.exec(text)?.[1] ?? 0) >= number
      }, 'the node sees the new time')
    },
  }
}
