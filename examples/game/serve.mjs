#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The game on a port of its own, which makes it another origin than the node: node serve.mjs [--node URL] [--chain URL]
// [--port N]. Compiles the contract and deploys it to the development chain, which holds no money.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'

const here = import.meta.dirname
const root = path.resolve(here, '../..')
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
  '/main.js': ['main.js', 'text/javascript; charset=utf-8'],
  '/board.js': ['board.js', 'text/javascript; charset=utf-8'],
  '/saves.js': ['saves.js', 'text/javascript; charset=utf-8'],
}

/** Creation code, and selectors by signature. */
export function compileContract() {
  const solc = createRequire(path.join(root, 'contracts/package.json'))('solc')
  const content = readFileSync(path.join(here, 'contract/SaveGame.sol'), 'utf8')
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { 'SaveGame.sol': { content } },
        settings: {
          optimizer: { enabled: true },
          evmVersion: 'cancun',
          outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.methodIdentifiers'] } },
        },
      }),
    ),
  )
  const wrong = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) throw new Error(wrong.map(({ formattedMessage }) => formattedMessage).join('\n'))
  const { bytecode, methodIdentifiers } = output.contracts['SaveGame.sol'].SaveGame.evm
  return { code: `0x${bytecode.object}`, selectors: methodIdentifiers }
}

async function ask(chain, method, ...params) {
  const response = await fetch(chain, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = await response.json()
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

/** By an account that the development chain unlocks; answers the contract's address. */
async function deploy(chain, code) {
  const [from] = await ask(chain, 'eth_accounts')
  if (!from) throw new Error('this chain unlocks no account: the game is for development chains')
  const hash = await ask(chain, 'eth_sendTransaction', { from, data: code })
  for (;;) {
    const receipt = await ask(chain, 'eth_getTransactionReceipt', hash)
    if (receipt) return receipt.contractAddress
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Serves until `stop`. `port` 0: any that is free. */
export async function startGame({ node, chain, port = 0, host = '127.0.0.1' }) {
  const { code, selectors } = compileContract()
  const contract = await deploy(chain, code)
  const chainId = Number(await ask(chain, 'eth_chainId'))
  // Of the script that belongs to these sources: a node that serves another one is not trusted.
  const script = readFileSync(path.join(root, 'web/provider/provider.js'))
  const places = {
    NODE: node,
    INTEGRITY: `sha384-${createHash('sha384').update(script).digest('base64')}`,
    SAVE: `0x${selectors['save(bytes32,uint32)']}`,
    SAVES: `0x${selectors['saves(address)']}`,
  }
  const fill = (text) => text.replace(/\{\{(\w+)\}\}/g, (_, name) => places[name])
  const policy = `default-src 'none'; script-src 'self' ${node}; style-src 'self'; img-src 'self'; connect-src 'self' ${node} ${chain}; frame-ancestors 'none'; base-uri 'none'`
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://game')
    if (request.method !== 'GET') return response.writeHead(405, { allow: 'GET' }).end()
    if (pathname === '/config.json')
      return response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify({ contract, chainId, chain }))
    const found = Object.hasOwn(FILES, pathname) ? FILES[pathname] : null
    if (!found) return response.writeHead(404).end()
    const headers = { 'content-type': found[1], 'cache-control': 'no-store', 'content-security-policy': policy }
    response.writeHead(200, headers).end(fill(readFileSync(path.join(here, 'page', found[0]), 'utf8')))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    origin: `http://${host}:${server.address().port}`,
    contract,
    selectors: places,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      node: { type: 'string', default: 'http://localhost:9000' },
      chain: { type: 'string', default: 'http://127.0.0.1:8545' },
      port: { type: 'string', default: '9100' },
    },
  })
  try {
    const game = await startGame({ ...values, port: Number(values.port) })
    console.log(`the game is at ${game.origin}, its contract at ${game.contract}; Ctrl-C ends it`)
  } catch (error) {
    console.error(`the game cannot start: ${error.message}\nis \`make run\` running in another terminal?`)
    process.exit(1)
  }
}
