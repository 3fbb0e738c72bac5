// SPDX-License-Identifier: Apache-2.0
// A development chain of the tests' own: anvil on a free loopback port with EntryPoint, verifier and factory at the
// addresses that build/contracts.json states, and time that the test moves.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { concat, quantity, uint } from '../src/core/bytes.mjs'
import { createRpc } from '../src/core/rpc.mjs'

export const root = path.join(import.meta.dirname, '../../..')
const DEPLOYER = '0x4e59b44847b379578588920ca78fbf26c0b4956c'

/** What is missing for a chain, in words; empty when nothing is. */
export function missing() {
  if (!anvilProgram()) return 'anvil (contracts/node_modules)'
  return fs.existsSync(path.join(root, 'build/contracts.json')) ? '' : 'build/contracts.json (make contracts)'
}

function anvilProgram() {
  const folder = path.join(root, 'contracts/node_modules/@foundry-rs')
  if (!fs.existsSync(folder)) return null
  const found = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith('anvil-'))
    .map((name) => path.join(folder, name, 'bin/anvil'))
    .find((file) => fs.existsSync(file))
  return found ?? null
}

export const contracts = () => JSON.parse(fs.readFileSync(path.join(root, 'build/contracts.json'), 'utf8'))

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Asks `probe` until it answers something true. */
export async function until(probe) {
  for (let i = 0; i < 1200; i++) {
    const value = await probe()
    if (value) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('what was waited for did not happen')
}

const answers = (rpc, child) =>
  until(async () => {
    if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`)
    return rpc.count('eth_chainId').catch(() => null)
  })

export async function startChain({ chainId = 31337 } = {}) {
  const port = await freePort()
  const child = spawn(
    anvilProgram(),
    ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), '--silent'],
    { stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  const rpc = createRpc(url)
  await answers(rpc, child)
  const [rich] = await rpc.request('eth_accounts')
  const send = async (transaction) => {
    const hash = await rpc.request('eth_sendTransaction', [{ from: rich, gas: '0xf00000', ...transaction }])
    const receipt = await until(() => rpc.request('eth_getTransactionReceipt', [hash]))
    if (BigInt(receipt.status) !== 1n) throw new Error('a set-up transaction failed')
    return receipt
  }
  const chain = {
    url,
    chainId,
    rpc,
    rich,
    send,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
  chain.give = (to, wei) => send({ to, value: quantity(wei) })
  chain.pass = async (seconds) => {
    await rpc.request('evm_increaseTime', [Number(seconds)])
    await rpc.request('evm_mine', [])
  }
  chain.snapshot = () => rpc.request('evm_snapshot')
  chain.revert = (id) => rpc.request('evm_revert', [id])
  return chain
}

async function place(chain, address, salt, initCode) {
  if ((await chain.rpc.code(address)) !== '0x') return
  await chain.send({ to: DEPLOYER, data: concat(salt, initCode) })
}

/** EntryPoint, P-256 verifier and factory through the deterministic deployer; answers what a recovery file needs. */
export async function deployContracts(chain, bundle, version = '0.8') {
  const entryPoint = bundle.entryPoints[version]
  const { p256Verifier, factories } = bundle.addresses
  const word = (address) => concat('0x' + '00'.repeat(12), address)
  await place(chain, entryPoint.address, entryPoint.salt, entryPoint.initCode)
  await place(chain, p256Verifier, uint(0), bundle.contracts.P256Verifier.initCode)
  const { initCode } = bundle.contracts.CommunityAccountFactory
  await place(
    chain,
    factories[version].factory,
    uint(0),
    concat(initCode, word(entryPoint.address), word(p256Verifier)),
  )
  const { factory, proxyInitCodeHash } = factories[version]
  for (const address of [entryPoint.address, p256Verifier, factory])
    if ((await chain.rpc.code(address)) === '0x') throw new Error(`nothing at ${address}`)
  return { entryPoint: entryPoint.address, factory, proxyInitCodeHash }
}

/** A test token; answers its address. */
export async function deployToken(chain, bundle) {
  const receipt = await chain.send({ data: bundle.samples.TestToken.initCode })
  return receipt.contractAddress.toLowerCase()
}
