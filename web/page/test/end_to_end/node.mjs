// SPDX-License-Identifier: Apache-2.0
// A real node with a development chain, a data folder and ports of its own; codes come out of its outbox.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

export const ROOT = path.resolve(import.meta.dirname, '../../../..')
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser']
export const PATIENCE_MS = 180_000

const BUILD = process.env.COMMUNITY_TEST_BUILD ?? path.join(ROOT, 'build/dev')
export const PROGRAM = path.join(BUILD, 'bin/community-node')
export const chromiumPath = () => CHROMIUM.find((program) => existsSync(program))

/** What is missing for these tests, in words; empty when nothing is. */
export function missingForNode() {
  const needed = [
    PROGRAM,
    path.join(BUILD, 'bin/key-enclave'),
    path.join(ROOT, 'build/contracts.json'),
    path.join(ROOT, 'contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil'),
  ]
  const absent = needed.find((file) => !existsSync(file))
  if (absent) return path.relative(ROOT, absent)
  return chromiumPath() ? '' : 'Debian package chromium'
}

/** Of all lanes: the kernel may name a port again before the program that it was for listens there. */
const taken = new Set()

const portOfKernel = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

async function freePort() {
  for (;;) {
    const port = await portOfKernel()
    if (taken.has(port)) continue
    taken.add(port)
    return port
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 30))

export async function until(condition, what) {
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end) {
    const answer = await condition()
    if (answer) return answer
    await pause()
  }
  throw new Error(`${what} did not happen`)
}

/**
 * `name`: of a node below localhost; `chain`: URL of another node's chain, which it joins; `further`: ids of chains that it
 * serves beside the first.
 */
export async function startNode({ name = '', chain: joined = '', further = [] } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'page-node-'))
  const [rpc, http, chain] = await Promise.all([freePort(), freePort(), freePort()])
  const data = path.join(folder, 'data')
  const flags = ['run', '--dev', '--data-dir', data, '--rpc', `localhost:${rpc}`, '--http', `localhost:${http}`]
  const chainUrl = joined || `http://127.0.0.1:${chain}`
  flags.push('--chain', chainUrl, '--contracts', path.join(ROOT, 'build/contracts.json'))
  const origin = `http://${name || 'localhost'}:${http}`
  const env = {
    ...process.env,
    COMMUNITY_NODE_KEYS__BODY: 'process',
    COMMUNITY_NODE_NODE__PAGE: path.join(ROOT, 'build/page'),
    // Everybody in these tests comes from one address.
    COMMUNITY_NODE_LIMITS__REGISTRATIONS_PER_HOUR: '10000',
    COMMUNITY_NODE_LIMITS__REQUESTS_PER_MINUTE: '1000000',
    COMMUNITY_NODE_LIMITS__ATTEMPTS_PER_MINUTE: '100000',
    // A push service that no name leads to: nothing leaves this machine.
    COMMUNITY_NODE_PUSH__CONTACT: 'mailto:operator@example.org',
    COMMUNITY_NODE_PUSH__SERVICES: 'push.invalid',
    // One person does in seconds what people do in days.
    COMMUNITY_NODE_LIMITS__PERSON_REQUESTS_PER_MINUTE: '1000000',
    COMMUNITY_NODE_LIMITS__PREPARED_PER_MINUTE: '1000000',
    COMMUNITY_NODE_LIMITS__SIGNED_PER_MINUTE: '1000000',
    ...(name ? { COMMUNITY_NODE_SECURITY__RP_ID: name, COMMUNITY_NODE_SECURITY__ORIGIN: origin } : {}),
  }
  const chains = {}
  for (const id of further) {
    chains[id] = `http://127.0.0.1:${await freePort()}`
    env[`COMMUNITY_NODE_CHAINS__CHAIN${id}__RPC_URL`] = chains[id]
    env[`COMMUNITY_NODE_CHAINS__CHAIN${id}__CHAIN_ID`] = `${id}`
  }
  const child = spawn(PROGRAM, flags, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece) => {
      output += piece
    })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const node = {
    origin,
    // Names below localhost are known to browsers alone.
    local: `http://localhost:${http}`,
    chain: chainUrl,
    /** Of the further ones, by their ids. */
    chains,
    data,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
    ...outboxOf(data),
  }
  try {
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the node ended:\n${output}`)
      return output.includes('transaction 0x')
    }, 'the node is ready')
  } catch (error) {
    await node.stop()
    throw new Error(`${error.message}\n${output}`)
  }
  return node
}

/** The words of a mail: its header, and its body out of base64 (RFC 2045). */
function wordsOf(mail) {
  const text = mail.replaceAll('\r\n', '\n')
  const end = text.indexOf('\n\n')
  const head = text.slice(0, end)
  const isPacked = /^Content-Transfer-Encoding: base64$/im.test(head)
  return { head, body: isPacked ? Buffer.from(text.slice(end), 'base64').toString() : text.slice(end) }
}

/** Each mail is a file of the outbox. */
export function outboxOf(data) {
  const outbox = path.join(data, 'outbox')
  // A notice may come between two codes, and after the code that is waited for: mails without a code do not count.
  const codes = (email) => {
    if (!existsSync(outbox)) return []
    return readdirSync(outbox)
      .filter((name) => name.endsWith('.eml'))
      .map((name) => path.join(outbox, name))
      .map((file) => ({ time: statSync(file, { bigint: true }).mtimeNs, ...wordsOf(readFileSync(file, 'utf8')) }))
      .filter(({ head }) => head.toLowerCase().includes(`<${email.toLowerCase()}>`))
      .sort((one, other) => (one.time < other.time ? -1 : 1))
      .flatMap(({ body }) => body.match(/\b\d{8}\b/) ?? [])
  }
  return {
    codesTo: (email) => codes(email).length,
    /** The code that was sent to `email` last, once there are more than `before`. */
    codeFor: (email, before = 0) => until(() => codes(email).slice(before).at(-1), `a code for ${email}`),
  }
}
