// SPDX-License-Identifier: Apache-2.0
// Sends sponsored operations and kills node, trusted core or chain at random points. Afterwards every accepted operation
// is on chain, the core and the node's database agree (the node would not start otherwise), and no budget was reset.
// node crash.mjs BUILD ROUNDS SEED
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createRequire } from 'node:module'

const root = path.join(import.meta.dirname, '../..')
const require = createRequire(path.join(root, 'tests/clients/package.json'))
const { createPublicClient, http, encodeFunctionData, parseAbi, concatHex, pad, numberToHex, keccak256, toHex } =
  require('viem')
const { privateKeyToAccount } = require('viem/accounts')
const { getUserOperationHash } = require('viem/account-abstraction')

const [build, roundsText, seedText] = process.argv.slice(2)
const rounds = Number(roundsText)
const bundle = JSON.parse(fs.readFileSync(path.join(root, 'build/contracts.json'), 'utf8'))
const entryPoint = bundle.entryPoints['0.8'].address
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crash-'))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// mulberry32: a run is repeated by its seed.
let state = Number(seedText) >>> 0
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % below
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

const ports = { rpc: await freePort(), http: await freePort(), chain: await freePort() }
const urls = { rpc: `http://127.0.0.1:${ports.rpc}`, chain: `http://127.0.0.1:${ports.chain}` }
let node = null
let log = ''

function startNode() {
  const child = spawn(
    path.join(root, build, 'bin/community-node'),
    ['run', '--dev', '--data-dir', path.join(folder, 'data'), '--rpc', `localhost:${ports.rpc}`,
      '--http', `localhost:${ports.http}`, '--chain', urls.chain, '--contracts', path.join(root, 'build/contracts.json')],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  child.ended = new Promise((resolve) => child.on('exit', resolve))
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => { log = (log + data).slice(-200_000) })
  return child
}

async function rpc(method, params) {
  const answer = await fetch(urls.rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(20_000),
  })
  const { result, error } = await answer.json()
  if (error) throw new Error(`${method}: ${error.code} ${error.message}`)
  return result
}

// Waits until `probe` answers something; nothing here depends on how long that takes.
async function until(what, probe, patienceMs = 180_000) {
  const end = Date.now() + patienceMs
  let last = ''
  while (Date.now() < end) {
    try {
      const value = await probe()
      if (value) return value
    } catch (error) {
      last = error.message
    }
    await sleep(200)
  }
  throw new Error(`${what} did not happen: ${last}`)
}

const ready = () => until('the node is ready', async () => (await fetch(`${urls.rpc}/ready`)).ok)

const chain = createPublicClient({ transport: http(urls.chain, { retryCount: 0 }) })
const factoryAbi = parseAbi(['function createAccount(address owner, uint256 salt) returns (address)',
  'function getAddress(address owner, uint256 salt) view returns (address)'])
const accountAbi = parseAbi(['function execute(address dest, uint256 value, bytes func)'])
const sample = bundle.samples.SimpleAccountFactory['0.8']

async function chainCall(method, params) {
  return chain.request({ method, params })
}

async function deployFactory() {
  if ((await chain.getCode({ address: sample.address })) !== undefined) return
  const [from] = await chainCall('eth_accounts', [])
  const data = concatHex(['0x' + '00'.repeat(32), sample.initCode, pad(entryPoint)])
  const hash = await chainCall('eth_sendTransaction', [{ from, to: bundle.deployer.address, data, gas: '0xb71b00' }])
  await until('the factory is there', () => chainCall('eth_getTransactionReceipt', [hash]))
}

const accounts = []
async function makeAccount(number) {
  const owner = privateKeyToAccount(keccak256(toHex(`crash ${seedText} ${number}`)))
  const address = await chain.readContract({ address: sample.address, abi: factoryAbi, functionName: 'getAddress', args: [owner.address, 0n] })
  const factoryData = encodeFunctionData({ abi: factoryAbi, functionName: 'createAccount', args: [owner.address, 0n] })
  accounts.push({ owner, address, factoryData, next: 1n })
}

const hex = (op) => Object.fromEntries(Object.entries(op).map(([k, v]) => [k, typeof v === 'bigint' ? numberToHex(v) : v]))

async function sendOne(account) {
  const key = account.next++
  const deployed = (await chain.getCode({ address: account.address })) !== undefined
  const fees = (await rpc('pimlico_getUserOperationGasPrice', [])).fast
  const op = {
    sender: account.address, nonce: key << 64n,
    ...(deployed ? {} : { factory: sample.address, factoryData: account.factoryData }),
    callData: encodeFunctionData({ abi: accountAbi, functionName: 'execute', args: ['0x00000000000000000000000000000000000d00d5', 0n, '0x12345678'] }),
    maxFeePerGas: BigInt(fees.maxFeePerGas), maxPriorityFeePerGas: BigInt(fees.maxPriorityFeePerGas),
    signature: '0x' + 'ff'.repeat(15) + 'f0' + '00'.repeat(16) + '7a' + 'aa'.repeat(31) + '1c',
    callGasLimit: 0n, verificationGasLimit: 0n, preVerificationGas: 0n,
  }
  const sponsor = (answer) => {
    for (const k of ['paymaster', 'paymasterData']) op[k] = answer[k]
    for (const k of ['paymasterVerificationGasLimit', 'paymasterPostOpGasLimit']) if (answer[k]) op[k] = BigInt(answer[k])
  }
  sponsor(await rpc('pm_getPaymasterStubData', [hex(op), entryPoint, '0x7a69', {}]))
  const gas = await rpc('eth_estimateUserOperationGas', [hex(op), entryPoint])
  for (const [k, v] of Object.entries(gas)) op[k] = BigInt(v)
  sponsor(await rpc('pm_getPaymasterData', [hex(op), entryPoint, '0x7a69', {}]))
  const hash = getUserOperationHash({ userOperation: op, entryPointAddress: entryPoint, entryPointVersion: '0.8', chainId: 31337 })
  op.signature = await account.owner.sign({ hash })
  await rpc('eth_sendUserOperation', [hex(op), entryPoint])
  return hash
}

// Wei that the core may still sign for, from the node's metrics.
async function budgets() {
  const text = await (await fetch(`${urls.rpc}/metrics`)).text()
  const left = {}
  for (const [, kind, value] of text.matchAll(/^community_keys_budget_left_wei\{[^}]*kind="(\w+)"[^}]*\} (\S+)$/gm))
    left[kind] = Number(value)
  return Object.keys(left).length === 2 ? left : null
}

function childOf(parent, name) {
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = fs.readFileSync(`/proc/${entry}/stat`, 'utf8')
      const end = stat.lastIndexOf(')')
      if (stat.slice(stat.indexOf('(') + 1, end).startsWith(name) && Number(stat.slice(end + 2).split(' ')[1]) === parent)
        return Number(entry)
    } catch { /* it ended meanwhile */ }
  }
  return null
}

const checks = { passed: 0, failed: 0 }
function check(ok, what) {
  checks[ok ? 'passed' : 'failed']++
  if (!ok) console.log(`FAILED: ${what}`)
}

const accepted = new Set()
const killed = { node: 0, core: 0, chain: 0 }
async function oneRound(round, before) {
  const sends = accounts.map(async (account) => {
    for (let i = 0; i < 3; i++) {
      try {
        accepted.add(await sendOne(account))
      } catch { /* Not accepted: nothing was promised. */ }
      await sleep(random(150))
    }
  })
  await sleep(random(2_500))
  const victim = ['node', 'core', 'chain'][random(3)]
  const pid = victim === 'node' ? node.pid : childOf(node.pid, victim === 'core' ? 'key-enclave' : 'anvil')
  if (pid) {
    process.kill(pid, 'SIGKILL')
    killed[victim]++
  }
  await Promise.all(sends)
  if (victim === 'node') {
    await node.ended
    node = startNode()
  }
  await ready()
  const after = await until('budgets are shown', budgets)
  check(after.sponsor <= before.sponsor && after.executor <= before.executor,
    `round ${round}: a budget grew after the ${victim} was killed`)
  return after
}

async function main() {
  node = startNode()
  await ready()
  await until('the main job is done', () => log.includes('transaction 0x') && true)
  await until('the chain state is written', () => fs.existsSync(path.join(folder, 'data/chain.json')))
  await deployFactory()
  for (let i = 0; i < 4; i++) await makeAccount(i)
  let left = await until('budgets are shown', budgets)
  for (let round = 0; round < rounds; round++) left = await oneRound(round, left)
  check(accepted.size > rounds, `only ${accepted.size} operations were accepted`)
  for (const hash of accepted) {
    const receipt = await until(`operation ${hash} is included`, () => rpc('eth_getUserOperationReceipt', [hash])).catch(() => null)
    const status = receipt ? '' : JSON.stringify(await rpc('pimlico_getUserOperationStatus', [hash]).catch((e) => e.message))
    check(receipt?.success === true, `accepted operation ${hash} is lost: ${status}`)
    if (!receipt) continue
    const onChain = await chainCall('eth_getTransactionReceipt', [receipt.receipt.transactionHash]).catch(() => null)
    check(onChain?.status === '0x1', `the receipt of ${hash} names a transaction that is not on the chain`)
  }
}

let failure = null
try {
  await main()
} catch (error) {
  failure = error
  checks.failed++
}
if (node) {
  node.kill('SIGTERM')
  await Promise.race([node.ended, sleep(20_000)])
  if (node.exitCode === null) node.kill('SIGKILL')
}
console.log(`seed ${seedText}: ${accepted.size} operations accepted; killed node ${killed.node}, core ${killed.core}, chain ${killed.chain} times`)
if (checks.failed) console.log(failure ?? '', '\n' + log.slice(-6_000))
fs.rmSync(folder, { recursive: true, force: true })
console.log(`${checks.passed} passed, ${checks.failed} failed, 0 skipped`)
process.exit(checks.failed ? 1 : 0)
