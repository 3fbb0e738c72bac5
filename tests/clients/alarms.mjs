// SPDX-License-Identifier: Apache-2.0
// The program with a rule that freezes: the escape key starts an escape through nobody of this node's, the alarm is
// counted, and the account is frozen by the server key. node alarms.mjs BUILD
import fs from 'node:fs'
import path from 'node:path'
import { encodeFunctionData, parseAbi, sha256, toBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { chainOf, harness, startNode, until } from './node.mjs'

const abi = parseAbi([
  'struct Passkey { uint256 x; uint256 y; bytes32 rpIdHash; }',
  'struct Stamp { uint32 keyEpoch; uint256 nonce; uint48 deadline; }',
  'struct Signature { uint8 signer; bytes data; }',
  'function escape(Passkey[] passkeys, address serverKey, uint8 votes, Stamp stamp, Signature[] signatures)',
  'function frozen() view returns (uint48 until, uint48 serverFreezeNotBefore)',
  'event ServerFrozen(uint48 until)',
])
const types = {
  Passkey: [{ name: 'x', type: 'uint256' }, { name: 'y', type: 'uint256' }, { name: 'rpIdHash', type: 'bytes32' }],
  Escape: [{ name: 'passkeys', type: 'Passkey[]' }, { name: 'serverKey', type: 'address' }, { name: 'votes', type: 'uint8' },
    { name: 'keyEpoch', type: 'uint32' }, { name: 'nonce', type: 'uint256' }, { name: 'deadline', type: 'uint48' }],
}
// The generator of P-256, whose secret is 1: a point on the curve is all that an escape asks for.
const generator = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  rpIdHash: sha256(toBytes('localhost')),
}
const escapeSigner = 8

async function startEscape(chain, account, escapeKey, nonce) {
  const deadline = Number((await chain.client.getBlock()).timestamp) + 86_400
  const escape = { passkeys: [generator], serverKey: '0x' + '77'.repeat(20), votes: 1 }
  const stamp = { keyEpoch: 0, nonce, deadline }
  const data = await escapeKey.signTypedData({
    domain: { name: 'CommunityAccount', version: '1', chainId: chain.chain.id, verifyingContract: account },
    types, primaryType: 'Escape', message: { ...escape, ...stamp },
  })
  return chain.send({
    to: account,
    data: encodeFunctionData({
      abi, functionName: 'escape',
      args: [escape.passkeys, escape.serverKey, escape.votes, stamp, [{ signer: escapeSigner, data }]],
    }),
  })
}

// Sum of the series of a metric whose labels contain `labels`.
async function metric(node, name, labels) {
  const text = await (await fetch(`${node.urls.rpc}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(name + '{') && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const node = await startNode(process.argv[2] ?? 'build/dev', { COMMUNITY_NODE_ALARMS__ESCAPE_STARTED: 'freeze' })
const run = harness()
let code = 1
try {
  const chain = await chainOf(node.urls.chain)
  await until('the main job is done', () => node.log.includes('transaction 0x'))
  const recovery = JSON.parse(fs.readFileSync(path.join(node.folder, 'data/person/recovery.json'), 'utf8'))
  const { account } = recovery
  const escapeKey = privateKeyToAccount(recovery.escapeKey)
  const frozen = () => chain.client.readContract({ address: account, abi, functionName: 'frozen' })
  let started

  await run.test('the main job is no alarm', async () => {
    if (await metric(node, 'community_alarms_total', '') !== 0) throw new Error('an alarm was raised')
    if ((await frozen())[0] !== 0) throw new Error('the account is frozen')
  })
  await run.test('an escape that came elsewhere is an alarm, and the rule freezes the account', async () => {
    started = await startEscape(chain, account, escapeKey, 1n)
    const [end, notBefore] = await until('the freeze', async () => {
      const state = await frozen()
      return state[0] !== 0 && state
    })
    if (notBefore - end !== 30 * 86_400) throw new Error(`frozen until ${end}, not before ${notBefore}`)
    await until('the alarm', async () => await metric(node, 'community_alarms_total', 'class="escape_started"') === 1)
    await until('the alarm of the freeze',
      async () => await metric(node, 'community_alarms_total', 'class="server_frozen"') === 1)
  })
  await run.test('a second escape does not freeze a second time', async () => {
    await startEscape(chain, account, escapeKey, 2n)
    await until('the alarm', async () => await metric(node, 'community_alarms_total', 'class="escape_started"') === 2)
    const freezes = await chain.client.getContractEvents({
      address: account, abi, eventName: 'ServerFrozen', fromBlock: started.blockNumber,
    })
    if (freezes.length !== 1) throw new Error(`${freezes.length} freezes`)
  })
  code = run.end()
  if (code !== 0) console.log(node.log.slice(-4_000))
} catch (error) {
  console.log(String(error.stack ?? error))
  console.log(node.log.slice(-4_000))
} finally {
  await node.stop()
}
process.exit(code)
