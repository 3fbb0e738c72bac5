// SPDX-License-Identifier: Apache-2.0
// Saves on chain: written through the person's wallet, read from the chain by the game itself.
import { pack, unpack } from './board.js'

const SAVE = 'save(bytes32,uint32)'
/** First four bytes of keccak-256 of `save(bytes32,uint32)` and `saves(address)`. */
const SAVE_SELECTOR = '{{SAVE}}'
const SAVES_SELECTOR = '{{SAVES}}'
const TWO_HOURS_S = 7_200

const word = (number) => number.toString(16).padStart(64, '0')

/** AirAccount among the wallets that announce themselves (EIP-6963); null when it is not there. */
function findWallet() {
  let found = null
  const hear = ({ detail }) => {
    if (detail.info.rdns === 'org.community-node.airaccount') found = detail.provider
  }
  addEventListener('eip6963:announceProvider', hear)
  dispatchEvent(new Event('eip6963:requestProvider'))
  removeEventListener('eip6963:announceProvider', hear)
  return found
}

export async function openSaves() {
  const wallet = findWallet()
  if (!wallet) return null
  const { contract, chainId, chain } = await (await fetch('/config.json')).json()
  const ask = (method, ...params) => wallet.request({ method, params })

  async function read(data) {
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: contract, data }, 'latest'] }
    const answer = await fetch(chain, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const { result, error } = await answer.json()
    if (error) throw new Error(error.message)
    return result
  }

  return {
    wallet,
    account: async () => (await ask('eth_accounts'))[0] ?? null,
    connect: async () => (await ask('eth_requestAccounts'))[0],
    /** One touch; from then on saves need none. */
    allow: () => ask('airAccount_requestGrant', { contract, functions: [SAVE], duration: TWO_HOURS_S }),
    end: () => ask('airAccount_endGrant'),
    /** Answers the id by which its status is asked. */
    async save(game) {
      const data = SAVE_SELECTOR + pack(game).slice(2) + word(game.score)
      const { id } = await ask('wallet_sendCalls', {
        version: '2.0.0',
        chainId: `0x${chainId.toString(16)}`,
        atomicRequired: true,
        calls: [{ to: contract, data }],
      })
      return id
    },
    /** Once it is in a block, or never will be. */
    async settled(id) {
      for (;;) {
        const { status, receipts } = await ask('wallet_getCallsStatus', id)
        if (status >= 200) return { isDone: status === 200, block: Number(receipts[0]?.blockNumber ?? 0) }
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    },
    /** The player's latest save; null when there is none. */
    async load(account) {
      const words = await read(SAVES_SELECTOR + account.slice(2).toLowerCase().padStart(64, '0'))
      return unpack(words.slice(0, 66), Number.parseInt(words.slice(66, 130), 16))
    },
  }
}
