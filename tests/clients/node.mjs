// SPDX-License-Identifier: Apache-2.0
// A node of this project on free ports with a fresh folder, and what tests need around it.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { concatHex, createPublicClient, http, pad } from 'viem'

export const root = path.join(import.meta.dirname, '../..')
export const bundle = JSON.parse(fs.readFileSync(path.join(root, 'build/contracts.json'), 'utf8'))

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// Waits until `probe` answers something true; how long that takes is not part of any test.
export async function until(what, probe, patienceMs = 120_000) {
  const end = Date.now() + patienceMs
  let last = ''
  while (Date.now() < end) {
    try {
      const value = await probe()
      if (value) return value
    } catch (error) {
      last = error.message
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what} did not happen: ${last}`)
}

// `environment` is added to this process' own.
export async function startNode(build, environment = {}) {
  const ports = { rpc: await freePort(), http: await freePort(), chain: await freePort() }
  const urls = {
    rpc: `http://127.0.0.1:${ports.rpc}`, http: `http://127.0.0.1:${ports.http}`, chain: `http://127.0.0.1:${ports.chain}`,
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'clients-'))
  const child = spawn(path.resolve(root, build, 'bin/community-node'),
    ['run', '--dev', '--data-dir', path.join(folder, 'data'), '--rpc', `localhost:${ports.rpc}`, '--http',
      `localhost:${ports.http}`, '--chain', urls.chain, '--contracts', path.join(root, 'build/contracts.json')],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  const node = { child, urls, folder, log: '', ended: new Promise((resolve) => child.on('exit', resolve)) }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => { node.log = (node.log + data).slice(-100_000) })
  node.stop = async () => {
    child.kill('SIGTERM')
    await node.ended
    fs.rmSync(folder, { recursive: true, force: true })
  }
  try {
    await until('the node is ready', async () => {
      if (child.exitCode !== null) return true
      return (await fetch(`${urls.rpc}/ready`)).ok
    })
    if (child.exitCode !== null) throw new Error('the node ended')
  } catch (error) {
    await node.stop()
    throw new Error(`${error.message}\n${node.log}`)
  }
  return node
}

export const rpcOf = (url) => async (method, params = []) => {
  const answer = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = await answer.json()
  if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data })
  return result
}

// The development chain's first account is unlocked and rich.
export async function chainOf(url) {
  const rpc = rpcOf(url)
  const id = Number(await rpc('eth_chainId'))
  const chain = {
    id, name: 'dev', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [url] } },
  }
  const client = createPublicClient({ chain, transport: http(url), pollingInterval: 50, cacheTime: 0 })
  const [rich] = await rpc('eth_accounts')
  const send = async (transaction) => {
    const hash = await rpc('eth_sendTransaction', [{ from: rich, gas: '0xf00000', ...transaction }])
    const receipt = await client.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error('set-up transaction failed')
    return receipt
  }
  return { rpc, chain, client, send }
}

// SimpleAccountFactory of an EntryPoint version at its deterministic address.
export async function deploySimpleFactory(chain, version) {
  const sample = bundle.samples.SimpleAccountFactory[version]
  const entryPoint = bundle.entryPoints[version].address
  if (!(await chain.client.getCode({ address: sample.address })))
    await chain.send({ to: bundle.deployer.address, data: concatHex(['0x' + '00'.repeat(32), sample.initCode, pad(entryPoint)]) })
  return sample
}

export const hexed = (op) => Object.fromEntries(Object.entries(op).filter(([, v]) => v !== undefined)
  .map(([k, v]) => [k, typeof v === 'bigint' ? '0x' + v.toString(16) : v]))

export function harness() {
  const tally = { passed: 0, failed: 0, skipped: 0 }
  return {
    async test(name, body) {
      try {
        const words = await body()
        tally.passed++
        console.log(`ok      ${name}${words ? ': ' + words : ''}`)
      } catch (error) {
        tally.failed++
        console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).slice(0, 1500)}`)
      }
    },
    end() {
      console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`)
      return tally.failed === 0 ? 0 : 1
    },
  }
}

export function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${typeof actual} ${actual} instead of ${typeof expected} ${expected}`)
}
export function holds(condition, what) {
  if (!condition) throw new Error(what)
}
