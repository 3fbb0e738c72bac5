// SPDX-License-Identifier: Apache-2.0
// The same cases in Chromium, whose WebCrypto is another library than that of Node.js. A page on the loopback runs them
// and sends its answers back.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser']
const PATIENCE_MS = 120_000
const ROOT = path.join(import.meta.dirname, '../../..')
const SERVED = { '/attestation/': path.join(ROOT, 'build/attestation'), '/test/': import.meta.dirname }
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript' }

const PAGE = `<!doctype html><title>cases</title><script type="module">
import * as attestation from '/attestation/index.js'
import { answersOf, judgeOf } from '/test/cases.mjs'
const send = (body) => fetch('/answers', { method: 'POST', body: JSON.stringify(body) })
try {
  const vectors = await (await fetch('/cases.json')).json()
  const judge = judgeOf(attestation, vectors)
  const answers = {}
  for (const one of vectors.cases) answers[one.name] = answersOf(attestation, await judge(one))
  await send({ answers })
} catch (error) {
  await send({ error: String(error.stack ?? error) })
}
</script>`

/** What is missing, in words; empty when nothing is. */
export function missingBrowser() {
  return PROGRAMS.some((program) => fs.existsSync(program)) ? '' : 'Debian package chromium'
}

function serve(vectors, done) {
  return http.createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost')
    const prefix = Object.keys(SERVED).find((one) => url.pathname.startsWith(one))
    const file = prefix && path.join(SERVED[prefix], path.basename(url.pathname))
    if (request.method === 'POST') {
      let body = ''
      request.on('data', (piece) => (body += piece))
      request.on('end', () => {
        response.end()
        done(JSON.parse(body))
      })
    } else if (url.pathname === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE)
    } else if (url.pathname === '/cases.json') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(vectors))
    } else if (file && fs.existsSync(file)) {
      response.setHeader('content-type', TYPES[path.extname(file)] ?? 'text/plain').end(fs.readFileSync(file))
    } else {
      response.writeHead(404).end()
    }
  })
}

/** The answers of a page in Chromium, by the names of the cases. */
export async function answersInBrowser(vectors) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'attestation-browser-'))
  let finish
  const answered = new Promise((resolve) => (finish = resolve))
  const server = serve(vectors, finish)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  const program = PROGRAMS.find((one) => fs.existsSync(one))
  // No sandbox: tests run in containers too, and the page is our own.
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const browser = spawn(program, [...flags, `--user-data-dir=${folder}`, url], { stdio: 'ignore', detached: true })
  const patience = setTimeout(() => finish({ error: 'Chromium did not answer' }), PATIENCE_MS)
  try {
    const { answers, error } = await answered
    if (error) throw new Error(error)
    return answers
  } finally {
    clearTimeout(patience)
    const ended = new Promise((resolve) => browser.once('exit', resolve))
    // Its own process group: the browser has children.
    process.kill(-browser.pid, 'SIGKILL')
    await ended
    server.closeAllConnections()
    server.close()
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
