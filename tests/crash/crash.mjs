// SPDX-License-Identifier: Apache-2.0
// Sends sponsored operations, rotates root keys, and kills node, trusted core or chain at random points. Afterwards every
// accepted operation is on chain, core and database agree (the node would not start otherwise), no budget was reset, and
// a last rotation ends with one root key and every record under it.
// node crash.mjs BUILD ROUNDS SEED
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { chainOf, deploySimpleFactory, root, rpcOf, startNode, until } from '../clients/node.mjs'
import { SimpleAccount } from '../clients/userops.mjs'

const [build, roundsText, seedText] = process.argv.slice(2)
const rounds = Number(roundsText)
// The trusted core's program as /proc has it, in the body that this run is about.
const coreProgram = { process: 'key-enclave', 'optee-qemu': 'qemu-system-aar' }[process.env.COMMUNITY_NODE_KEYS__BODY ?? 'process']
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
// A whole node under kill -9 on a busy machine may take its time; how long is not part of the test.
const patienceMs = 240_000

// mulberry32: a run is repeated by its seed.
let state = Number(seedText) >>> 0
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % below
}

// The same node again, on its folder and ports, without the main job's end mattering.
function restart(node) {
  const [program, ...flags] = node.child.spawnargs
  node.child = spawn(program, flags, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  node.ended = new Promise((resolve) => node.child.on('exit', resolve))
  for (const stream of [node.child.stdout, node.child.stderr])
    stream.on('data', (data) => { node.log = (node.log + data).slice(-100_000) })
}

const ready = (node) => until('the node is ready', async () => (await fetch(`${node.urls.rpc}/ready`)).ok, patienceMs)

// Wei that the core may still sign for, from the node's metrics.
async function budgets(node) {
  const text = await (await fetch(`${node.urls.rpc}/metrics`)).text()
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
    } catch { /* It ended meanwhile. */ }
  }
  return null
}

const checks = { passed: 0, failed: 0 }
function check(ok, what) {
  checks[ok ? 'passed' : 'failed']++
  if (!ok) console.log(`FAILED: ${what}`)
}

// An order of the operator's to the running node; `said` comes with its first words or its end, `ended` with its status.
function keysCommand(node, ...words) {
  const child = spawn(path.resolve(root, build, 'bin/community-node'),
    ['keys', '--data-dir', path.join(node.folder, 'data'), ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const command = { text: '' }
  command.ended = new Promise((resolve) => child.on('exit', resolve))
  command.said = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => { command.text += data; resolve() })
    child.on('exit', resolve)
  })
  return command
}

// Hash to account and nonce.
const accepted = new Map()
let forgotten = 0
const refused = new Map()
const killed = { node: 0, core: 0, chain: 0 }
const orders = []

async function send(account) {
  try {
    const op = await account.prepare()
    accepted.set(await account.send(op), { account, nonce: op.nonce })
  } catch (error) {
    // Not accepted: nothing was promised.
    const words = String(error.message).slice(0, 60)
    refused.set(words, (refused.get(words) ?? 0) + 1)
  }
}

async function oneRound(node, accounts, round, before) {
  const sends = accounts.map(async (account) => {
    for (let i = 0; i < 3; i++) {
      await send(account)
      await sleep(random(150))
    }
  })
  // It has reached the node, or was refused, before anything dies; what becomes of it then is the node's to finish.
  const order = keysCommand(node, random(3) === 0 ? 'retire' : 'rotate')
  await order.said
  orders.push(order)
  await sleep(random(2_500))
  const victim = ['node', 'core', 'chain'][random(3)]
  const pid = victim === 'node' ? node.child.pid : childOf(node.child.pid, victim === 'core' ? coreProgram : 'anvil')
  if (pid) {
    process.kill(pid, 'SIGKILL')
    killed[victim]++
  }
  await Promise.all(sends)
  if (victim === 'node') {
    await node.ended
    restart(node)
  }
  await ready(node)
  const after = await until('budgets are shown', () => budgets(node), patienceMs)
  check(after.sponsor <= before.sponsor && after.executor <= before.executor,
    `round ${round}: a budget grew after the ${victim} was killed`)
  return after
}

async function run(node) {
  const chain = await chainOf(node.urls.chain)
  const context = { node, chain, factories: { 0.8: await deploySimpleFactory(chain, '0.8') } }
  const accounts = []
  for (let i = 0; i < 4; i++) accounts.push(await SimpleAccount.make(context, '0.8'))
  // Deployed before the first kill, and the chain's state with them on disk, in the copy that repairs a half-written one.
  for (const account of accounts) await account.run()
  const kept = path.join(node.folder, 'data/chain.json.whole')
  const isKept = (text) => accounts.every(({ address }) => text.includes(address.toLowerCase()))
  await until('the chain keeps the accounts', () => isKept(fs.readFileSync(kept, 'utf8').toLowerCase()), patienceMs)
  let left = await until('budgets are shown', () => budgets(node), patienceMs)
  for (let round = 0; round < rounds; round++) left = await oneRound(node, accounts, round, left)
  check(accepted.size > rounds, `only ${accepted.size} operations were accepted`)
  await Promise.all(orders.map((order) => order.ended))
  check(orders.some((order) => order.text.includes('is the newest')), 'no root key was rotated')
  const retire = keysCommand(node, 'retire')
  check(await retire.ended === 0, `the older root keys are not retired: ${retire.text}`)
  const rotate = keysCommand(node, 'rotate', '--retire')
  check(await rotate.ended === 0, `the last rotation fails: ${rotate.text}`)
  const status = keysCommand(node, 'status')
  await status.ended
  check(/number \d+, the newest: \d+ records/.test(status.text) && status.text.match(/^root key/gm).length === 1,
    `more than one root key, or records not counted: ${status.text}`)
  const rpc = rpcOf(node.urls.rpc)
  for (const [hash, { account, nonce }] of accepted) {
    // One operation was signed for each nonce, so a used nonce means that exactly this operation was executed, once.
    const executed = await until(`operation ${hash} is executed`, async () => (await account.nonceAt(nonce)) > nonce, patienceMs)
      .catch(() => false)
    const status = executed ? '' : JSON.stringify(await rpc('pimlico_getUserOperationStatus', [hash]).catch((e) => e.message))
    check(executed, `accepted operation ${hash} is lost: ${status}`)
    if (!executed) break
    if (!(await chain.rpc('eth_getLogs', [{ fromBlock: '0x0', address: account.entryPoint, topics: [null, hash] }])).length) {
      // A killed anvil may keep what a block did and forget the block: nobody can show a receipt then.
      forgotten++
      continue
    }
    const told = await until(`the receipt of ${hash} is on the chain`, async () => {
      const receipt = await rpc('eth_getUserOperationReceipt', [hash])
      if (!receipt?.success) return false
      const onChain = await chain.rpc('eth_getTransactionReceipt', [receipt.receipt.transactionHash])
      return onChain?.status === '0x1' && onChain.blockHash === receipt.receipt.blockHash
    }, patienceMs).catch(() => false)
    check(told, `the node tells no receipt of ${hash} that is on the chain`)
    if (!told) break
  }
}

const node = await startNode(path.resolve(root, build))
try {
  await run(node)
} catch (error) {
  checks.failed++
  console.log(error)
}
node.child.kill('SIGTERM')
await node.ended
fs.rmSync(node.folder, { recursive: true, force: true })
console.log(`seed ${seedText}: ${accepted.size} operations accepted, ${[...refused].map(([w, n]) => `${n} × "${w}"`).join(', ') || 'none refused'}; ` +
  `killed node ${killed.node}, core ${killed.core}, chain ${killed.chain} times; blocks of ${forgotten} forgotten by the chain`)
if (checks.failed) console.log(node.log.slice(-6_000))
console.log(`${checks.passed} passed, ${checks.failed} failed, 0 skipped`)
process.exit(checks.failed ? 1 : 0)
