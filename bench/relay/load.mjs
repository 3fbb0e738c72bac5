// SPDX-License-Identifier: Apache-2.0
// Pre-signed operations at a fixed rate, whatever the answers take; inclusion is observed on the chain, not asked from the
// node: node load.mjs BUILD [--rate N] [--ops N] [--accounts N] [--version 0.7|0.8] [--estimates N]
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { chainOf, deploySimpleFactory, hexed, rpcOf, startNode, until, bundle } from '../../tests/clients/node.mjs'
import { SimpleAccount } from '../../tests/clients/userops.mjs'

const require = createRequire(path.join(import.meta.dirname, '../../tests/clients/package.json'))
const { encodeFunctionData, numberToHex } = require('viem')
const { toPackedUserOperation } = require('viem/account-abstraction')

const option = (name, fallback) => {
  const i = process.argv.indexOf('--' + name)
  return i < 0 ? fallback : process.argv[i + 1]
}
const [rate, total, count, estimates] = ['rate:30', 'ops:600', 'accounts:200', 'estimates:200'].map((text) => {
  const [name, fallback] = text.split(':')
  return Number(option(name, fallback))
})
const version = option('version', '0.8')
const build = process.argv[2] && !process.argv[2].startsWith('--') ? process.argv[2] : 'build/release'
const entryPoint = bundle.entryPoints[version]

const percentile = (values, p) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length ? Math.round(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] * 10) / 10 : null
}
const figures = (values) => ({ n: values.length, p50: percentile(values, 50), p95: percentile(values, 95), max: percentile(values, 100) })
const memory = (pid) => {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1])
  return { now: Math.round(kib('VmRSS') / 1024), peak: Math.round(kib('VmHWM') / 1024) }
}
const cpu = (pid) => {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function deployAccounts(context, accounts) {
  const { chain } = context
  const beneficiary = '0x00000000000000000000000000000000000c0de5'
  for (const account of accounts)
    await chain.rpc('anvil_setBalance', [account.address, '0xde0b6b3a7640000'])
  for (let i = 0; i < accounts.length; i += 20) {
    const ops = []
    for (const account of accounts.slice(i, i + 20)) {
      const op = { sender: account.address, nonce: 0n, factory: account.factory, factoryData: account.factoryData, callData: '0x', callGasLimit: 50_000n, verificationGasLimit: 700_000n, preVerificationGas: 0n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, signature: '0x' }
      ops.push(toPackedUserOperation(await account.sign(op)))
    }
    await chain.send({ to: entryPoint.address, data: encodeFunctionData({ abi: entryPoint.abi, functionName: 'handleOps', args: [ops, beneficiary] }) })
  }
}

const node = await startNode(build)
try {
  const chain = await chainOf(node.urls.chain)
  const context = { node, chain, factories: { [version]: await deploySimpleFactory(chain, version) } }
  const rpc = rpcOf(node.urls.rpc)
  const accounts = await Promise.all(Array.from({ length: count }, () => SimpleAccount.make(context, version)))
  await deployAccounts(context, accounts)
  const before = memory(node.child.pid)

  // All accounts are alike: one estimate serves, with room for the digits that differ.
  const draft = await accounts[0].draft()
  const gas = await accounts[0].estimate(draft)
  const estimateTimes = []
  for (let i = 0; i < estimates; i++) {
    const op = { ...draft, nonce: accounts[0].freshNonce() }
    const begin = performance.now()
    await accounts[0].estimate(op)
    estimateTimes.push(performance.now() - begin)
  }
  const fees = await accounts[0].fees()
  const signed = []
  for (let i = 0; i < total; i++) {
    const account = accounts[i % count]
    const op = await account.sign({
      sender: account.address, nonce: account.freshNonce(), callData: draft.callData, ...fees, maxFeePerGas: fees.maxFeePerGas * 2n,
      callGasLimit: gas.callGasLimit + 5_000n, verificationGasLimit: gas.verificationGasLimit + 30_000n, preVerificationGas: gas.preVerificationGas + 2_000n, signature: '0x',
    })
    signed.push({ account, op, wire: hexed(op), hash: account.hash(op) })
  }

  const sentAt = new Map()
  const included = new Map()
  const sendTimes = []
  const errors = {}
  const topic = '0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f'
  let from = Number(await chain.rpc('eth_blockNumber')) + 1
  const watch = async () => {
    const head = Number(await chain.rpc('eth_blockNumber'))
    if (head < from) return
    const logs = await chain.rpc('eth_getLogs', [{ address: entryPoint.address, topics: [topic], fromBlock: numberToHex(from), toBlock: numberToHex(head) }])
    const now = performance.now()
    for (const log of logs) if (!included.has(log.topics[1])) included.set(log.topics[1], { at: now, transaction: log.transactionHash })
    from = head + 1
  }
  const cpuBefore = cpu(node.child.pid)
  const start = performance.now()
  const answers = []
  for (let i = 0; i < total; i++) {
    const wait = start + (i * 1000) / rate - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const one = signed[i]
    const begin = performance.now()
    sentAt.set(one.hash, begin)
    answers.push(rpc('eth_sendUserOperation', [one.wire, entryPoint.address]).then(
      () => { sendTimes.push(performance.now() - begin) },
      (error) => { sentAt.delete(one.hash); errors[error.message.slice(0, 100)] = (errors[error.message.slice(0, 100)] ?? 0) + 1 }))
    if (i % rate === 0) await watch()
  }
  await Promise.all(answers)
  await until('everything is included', async () => { await watch(); return [...sentAt.keys()].every((hash) => included.has(hash)) })
  const last = Math.max(...[...included.values()].map(({ at }) => at))
  const inclusion = [...sentAt].map(([hash, at]) => included.get(hash).at - at)
  const bundles = new Set([...included.values()].map(({ transaction }) => transaction)).size
  console.log(JSON.stringify({
    version, rate, operations: total, accepted: sentAt.size, included: included.size,
    operations_per_second: Math.round((sentAt.size * 10_000) / (last - start)) / 10,
    estimate_ms: figures(estimateTimes), send_ms: figures(sendTimes), inclusion_ms: figures(inclusion), bundles,
    node_memory_mb: { before: before.now, ...memory(node.child.pid) }, node_cpu_s: Math.round((cpu(node.child.pid) - cpuBefore) * 100) / 100, errors,
  }, null, 1))
} catch (error) {
  console.log(String(error.stack ?? error), node.log.slice(-3_000))
  process.exitCode = 1
} finally {
  await node.stop()
}
process.exit()
