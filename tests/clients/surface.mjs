// SPDX-License-Identifier: Apache-2.0
// What an outsider can send to the two ports, and what comes back.
import fs from 'node:fs'
import path from 'node:path'
import { zeroHash } from 'viem'
import { bundle, equal, hexed, holds, root, rpcOf } from './node.mjs'
import { SimpleAccount } from './userops.mjs'

export async function surfaceTests(context) {
  const { node, test } = context
  const url = node.urls.rpc
  const rpc = rpcOf(url)
  const entryPoint = bundle.entryPoints['0.7'].address
  const post = (body, path = '/') => fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const code = async (body) => (await (await post(body)).json()).error?.code

  await test('both ports answer /health, /ready and /metrics', async () => {
    for (const base of [node.urls.rpc, node.urls.http]) {
      const health = await (await fetch(base + '/health')).json()
      equal(health.status, 'ok', 'health')
      equal((await fetch(base + '/ready')).status, 200, 'ready')
      holds((await (await fetch(base + '/metrics')).text()).includes('community_pool_userops'), 'metrics')
    }
    const version = await (await fetch(node.urls.http + '/api/v1/version')).json()
    holds(version.version.startsWith('community-node/'), 'version')
    equal((await fetch(node.urls.http + '/api/v1/nothing')).status, 404, 'unknown path')
  })

  await test('reads pass through, nothing that signs does', async () => {
    holds(Number(await rpc('eth_blockNumber')) > 0, 'block number')
    equal(await rpc('eth_chainId'), '0x' + context.chain.chain.id.toString(16), 'chain id')
    equal(await rpc('net_version'), String(context.chain.chain.id), 'net version')
    holds((await rpc('web3_clientVersion')).startsWith('community-node'), 'client version')
    holds((await rpc('eth_getCode', [entryPoint, 'latest'])).length > 1_000, 'code')
    for (const method of ['eth_sendTransaction', 'eth_accounts', 'eth_sendRawTransaction', 'eth_sign', 'personal_unlockAccount', 'anvil_setBalance', 'evm_mine', 'debug_traceCall', 'rundler_maxPriorityFeePerGas'])
      equal((await rpc(method, []).catch((e) => e)).code, -32601, method)
  })

  await test('every method of spec/openrpc.json is there', async () => {
    const { methods } = JSON.parse(fs.readFileSync(path.join(root, 'spec/openrpc.json'), 'utf8'))
    for (const { name } of methods) {
      const answer = await rpc(name, []).catch((e) => e)
      holds(answer?.code !== -32601, name)
    }
    return `${methods.length} methods`
  })

  await test('batches and /rpc', async () => {
    const body = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, { jsonrpc: '2.0', id: 'b', method: 'eth_supportedEntryPoints', params: [] }, { jsonrpc: '2.0', id: 3, method: 'nothing' }])
    const answers = await (await post(body, '/rpc')).json()
    equal(answers.length, 3, 'answers')
    equal(answers.find((a) => a.id === 'b').result.length, 2, 'entry points')
    equal(answers.find((a) => a.id === 3).error.code, -32601, 'unknown method')
  })

  await test('broken envelopes have their own errors', async () => {
    equal(await code('{"jsonrpc":"2.0","id":1,'), -32700, 'cut off')
    equal(await code(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), -32700, 'invalid UTF-8')
    equal(await code('{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"eth_accounts"}'), -32600, 'duplicate member')
    equal(await code('{"jsonrpc":"2.0","id":1,"method":7}'), -32600, 'method is no string')
    equal(await code('[]'), -32600, 'empty batch')
    equal(await code('[' + '['.repeat(5_000) + ']'.repeat(5_000) + ']'), -32600, 'too deep')
    equal((await post('x'.repeat(1_100_000))).status, 413, 'too large')
    equal((await fetch(url + '/')).status, 405, 'GET')
  })

  await test('broken operations name the field', async () => {
    const account = await SimpleAccount.make(context, '0.7')
    const good = hexed(await account.sign({ ...(await account.draft()), callGasLimit: 50_000n, verificationGasLimit: 500_000n, preVerificationGas: 100_000n }))
    const refusal = async (fields, at = entryPoint) => rpc('eth_sendUserOperation', [{ ...good, ...fields }, at]).catch((e) => e)
    for (const [fields, word] of [
      [{ sender: undefined }, 'sender'], [{ sender: '0x12' }, 'sender'], [{ nonce: '0x' + 'f'.repeat(65) }, 'nonce'],
      [{ nonce: 1.5 }, 'nonce'], [{ callData: '0x123' }, 'callData'], [{ callData: 17 }, 'callData'],
      [{ maxFeePerGas: '0x1' + '0'.repeat(32) }, 'maxFeePerGas'], [{ signature: null }, 'signature'],
      [{ factory: undefined }, 'factoryData'], [{ preVerificationGas: '0x1' }, 'preVerificationGas'],
      [{ maxPriorityFeePerGas: '0xffffffffffff' }, 'maxPriorityFeePerGas'], [{ maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' }, 'maxFeePerGas'],
      [{ callGasLimit: '0x1312d00' }, 'gas limit'], [{ verificationGasLimit: '0x1312d00' }, 'verificationGasLimit'],
      [{ callGasLimit: '0x1' }, 'callGasLimit'],
    ]) {
      const error = await refusal(fields)
      equal(error.code, -32602, JSON.stringify(fields) + ' ' + error.message)
      holds(error.message.includes(word), `${error.message} does not name ${word}`)
    }
    equal((await refusal({}, '0x' + '11'.repeat(20))).code, -32602, 'unknown entry point')
    equal((await rpc('eth_sendUserOperation', [good]).catch((e) => e)).code, -32602, 'one parameter')
    equal((await rpc('eth_sendUserOperation', { op: good }).catch((e) => e)).code, -32602, 'named parameters')
    equal((await rpc('eth_estimateUserOperationGas', [good, entryPoint, 7]).catch((e) => e)).code, -32602, 'overrides')
    equal((await rpc('pm_getPaymasterStubData', [good, entryPoint, '0x1', null]).catch((e) => e)).code, -32602, 'foreign chain')
    // Nothing of it reached the pool.
    holds((await (await fetch(url + '/metrics')).text()).includes('community_pool_userops{status="waiting"} 0'), 'pool is empty')
  })

  await test('unknown and broken hashes', async () => {
    for (const method of ['eth_getUserOperationReceipt', 'eth_getUserOperationByHash']) {
      equal(await rpc(method, [zeroHash]), null, method)
      for (const params of [[], ['0x12'], [7], [null], ['']]) {
        const error = await rpc(method, params).catch((e) => e)
        equal(error.code, -32602, method)
        holds(error.message.includes('Missing/invalid userOpHash'), error.message)
      }
    }
  })
}
