// SPDX-License-Identifier: Apache-2.0
// Servers and wallets that fail, lag or talk nonsense, without a network.
import { concat, uint } from '../src/core/bytes.mjs'
import { encode, selector } from '../src/core/abi.mjs'
import { estimate, follow, keyPayer, look, send, walletPayer } from '../src/core/payer.mjs'
import { Problem } from '../src/core/problem.mjs'
import { createRpc, reported } from '../src/core/rpc.mjs'
import { newKey } from '../src/core/signing.mjs'
import { equal, refused } from './harness.mjs'

const URL_ = 'https://rpc.example/v1'
const HASH = '0x' + 'ab'.repeat(32)

/** An RPC whose answers are those of `replies`, one after the other, the last one for ever. */
function fake(...replies) {
  const asked = []
  const fetcher = async (url, { body }) => {
    const { id, method, params } = JSON.parse(body)
    const reply = replies[Math.min(asked.length, replies.length - 1)]
    asked.push({ url, method, params })
    if (reply === 'down') throw new TypeError('Failed to fetch')
    const { status = 200, text, ...rest } = reply
    return { status, text: async () => text ?? JSON.stringify({ jsonrpc: '2.0', id, ...rest }) }
  }
  return { rpc: createRpc(URL_, { fetcher, pause: async () => {} }), asked }
}

const NOT_FOUND = { error: { code: -32000, message: 'header not found' } }

export async function run({ test }) {
  await test('Server.IsAskedAgainWhenItIsBusyBehindOrAway', async () => {
    for (const trouble of [
      'down',
      { status: 429, text: 'slow down' },
      { status: 503, text: '<html>' },
      NOT_FOUND,
      { error: { code: -32005, message: 'limit' } },
    ]) {
      const { rpc, asked } = fake(trouble, trouble, { result: '0x1' })
      equal([await rpc.count('eth_chainId'), asked.length], [1n, 3], JSON.stringify(trouble))
    }
  })

  await test('Server.ThatStaysAwayIsNamed', async () => {
    const problem = await refused('rpc_unreachable', () => fake('down').rpc.count('eth_chainId'))
    equal(problem.values.host, 'rpc.example', 'host')
    await refused('rpc_busy', () => fake({ status: 429, text: '' }).rpc.count('eth_chainId'))
  })

  await test('Server.NonsenseIsNotBelieved', async () => {
    const nonsense = [
      { text: 'not json' },
      { text: '{}' },
      { text: 'null' },
      { text: '{"id":99,"result":"0x1"}' },
      { result: 1 },
      { result: '1' },
      { result: '0x' },
      { result: '0x' + '1'.repeat(65) },
      { text: ' '.repeat(9 * 1024 * 1024) },
    ]
    for (const reply of nonsense) await refused('rpc_answer_malformed', () => fake(reply).rpc.count('eth_chainId'))
    await refused('rpc_answer_malformed', () => fake({ result: '0x1' }).rpc.code('0x' + '11'.repeat(20)))
    await refused('rpc_answer_malformed', () => fake({ result: null }).rpc.block())
  })

  await test('Server.OnlyPlainUrlsAreAsked', async () => {
    for (const url of [
      '',
      'rpc.example',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'ws://rpc.example',
      'https://me:pw@rpc.example',
    ])
      await refused('rpc_url_malformed', () => createRpc(url), url)
  })

  await test('Server.ARevertIsFoundWhereverItIsPut', async () => {
    const data = concat(selector('ItemVoid(bytes32)'), encode('(bytes32)', [uint(7)]))
    const places = [data, { data }, { originalError: { data } }, `Reverted ${data}`]
    for (const place of places) {
      const { rpc } = fake({ error: { code: 3, message: 'execution reverted', data: place } })
      const problem = await refused('would_revert', () =>
        estimate(rpc, '0x' + '11'.repeat(20), { to: '0x' + '22'.repeat(20), data: '0x' }),
      )
      equal(problem.values.rule, 'ItemVoid', JSON.stringify(place).slice(0, 30))
    }
    equal(reported({ message: 'a\u0000b' + 'c'.repeat(999), code: 5 }).values.message.length, 300, 'a bounded message')
  })

  await test('Transaction.ALieAboutItsReceiptOrHashIsNoticed', async () => {
    const payer = keyPayer(newKey())
    const { rpc } = fake({ result: { transactionHash: '0x' + 'cd'.repeat(32), status: '0x1', logs: [] } })
    await refused('rpc_lies', () => look(rpc, payer, { hash: HASH, tx: { nonce: 0n } }))
    const answers = {
      eth_call: '0x',
      eth_estimateGas: '0x5208',
      eth_getBalance: '0xffffffffffffffffff',
      eth_getTransactionCount: '0x0',
      eth_maxPriorityFeePerGas: '0x1',
      eth_sendRawTransaction: HASH,
      eth_getBlockByNumber: { hash: HASH, number: '0x1', timestamp: '0x1', baseFeePerGas: '0x1' },
    }
    const fetcher = async (_, { body }) => {
      const { id, method } = JSON.parse(body)
      return { status: 200, text: async () => JSON.stringify({ id, result: answers[method] }) }
    }
    const call = { to: '0x' + '22'.repeat(20), data: '0x' }
    await refused('rpc_lies', () => send(createRpc(URL_, { fetcher }), payer, 1, call))
    delete answers.eth_getBlockByNumber.baseFeePerGas
    await refused('chain_without_fee_market', () => send(createRpc(URL_, { fetcher }), payer, 1, call))
  })

  await test('Transaction.AServerThatIsAwayForAWhileEndsNothing', async () => {
    const receipt = { transactionHash: HASH, status: '0x1', logs: [] }
    const { rpc } = fake('down', 'down', 'down', 'down', 'down', 'down', { result: receipt })
    equal(await follow(rpc, keyPayer(newKey()), { hash: HASH, tx: { nonce: 0n } }, async () => {}), receipt, 'receipt')
    const failed = fake({ result: { ...receipt, status: '0x0' } })
    await refused('transaction_reverted', () =>
      follow(failed.rpc, keyPayer(newKey()), { hash: HASH, tx: { nonce: 0n } }, async () => {}),
    )
  })

  await wallets({ test })
}

async function wallets({ test }) {
  const account = '0x' + '11'.repeat(20)
  const wallet = (answers) => ({
    request: async ({ method }) => {
      const answer = answers[method]
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  const no = Object.assign(new Error('User rejected'), { code: 4001 })
  const pays = { eth_call: '0x', eth_estimateGas: '0x5208' }
  const rpcOf = () =>
    createRpc(URL_, {
      fetcher: async (_, { body }) => {
        const { id, method } = JSON.parse(body)
        return { status: 200, text: async () => JSON.stringify({ id, result: pays[method] }) }
      },
    })

  await test('Wallet.ARefusalAndAnotherChainAreNamed', async () => {
    await refused('wallet_refused', () => walletPayer(wallet({ eth_requestAccounts: no })))
    await refused('wallet_without_account', () => walletPayer(wallet({ eth_requestAccounts: [] })))
    const call = { to: '0x' + '22'.repeat(20), data: '0x' }
    const sendWith = async (answers) =>
      send(rpcOf(), await walletPayer(wallet({ eth_requestAccounts: [account], ...answers })), 10, call)
    await refused('wallet_on_other_chain', () =>
      sendWith({ eth_chainId: '0x1', wallet_switchEthereumChain: new Error('unknown') }),
    )
    await refused('wallet_refused', () => sendWith({ eth_chainId: '0x1', wallet_switchEthereumChain: no }))
    await refused('wallet_refused', () => sendWith({ eth_chainId: '0xa', eth_sendTransaction: no }))
    equal(await sendWith({ eth_chainId: '0xa', eth_sendTransaction: HASH }), { hash: HASH }, 'sent')
    const odd = await refused('rpc_refused', () =>
      sendWith({ eth_chainId: '0xa', eth_sendTransaction: new Error('strange') }),
    )
    equal(odd instanceof Problem, true, 'a problem')
  })
}
