// SPDX-License-Identifier: Apache-2.0
// The page over the wire, as the node sends it.
import http from 'node:http'
import { brotliDecompressSync } from 'node:zlib'
import { equal, holds } from '../harness.mjs'

function ask(node, path, { method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(node.origin + path, { method, headers }, (response) => {
      const pieces = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }),
      )
    })
    request.on('error', reject)
    request.end()
  })
}

export async function run({ test }, _browser, node) {
  await test('Serving.TheIndexIsPackedTaggedAndUnderPolicy', async () => {
    const packed = await ask(node, '/register', { headers: { 'accept-encoding': 'gzip, deflate, br' } })
    equal([packed.status, packed.headers['content-encoding']], [200, 'br'], 'answer')
    const plain = await ask(node, '/')
    equal(brotliDecompressSync(packed.body).toString(), plain.body.toString(), 'the index in both codings')
    equal(packed.headers['cache-control'], 'no-cache', 'cache-control')
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", 'trusted-types notices'])
      holds(packed.headers['content-security-policy'].includes(rule), rule)
    equal(packed.headers['x-content-type-options'], 'nosniff', 'x-content-type-options')
    const again = await ask(node, '/', { headers: { 'if-none-match': plain.headers.etag } })
    equal([again.status, again.body.length], [304, 0], 'the same again')
    const head = await ask(node, '/', { method: 'HEAD' })
    equal([head.status, head.body.length, head.headers['content-length']], [200, 0, `${plain.body.length}`], 'HEAD')
  })

  await test('Serving.HashedFilesAreKeptForGood', async () => {
    const index = (await ask(node, '/')).body.toString()
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(index)
    const answer = await ask(node, script)
    equal(answer.headers['content-type'], 'text/javascript; charset=utf-8', 'content-type')
    equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable', 'cache-control')
    equal((await ask(node, '/assets/gone-123.js')).status, 404, 'a file of an older page')
  })

  await test('Serving.TheListIsTheOneOfTheManifest', async () => {
    const list = (await ask(node, '/files.sha256')).body.toString()
    holds(list.includes('  index.html\n'), list.slice(0, 200))
  })

  await test('Serving.WhatIsNoPageIsAProblemOrNothing', async () => {
    const api = await ask(node, '/api/v1/nothing')
    equal([api.status, api.headers['content-type'].split(';')[0]], [404, 'application/problem+json'], 'API')
    equal((await ask(node, '/../../etc/passwd.txt')).status, 404, 'climbing')
    equal((await ask(node, '/register', { method: 'POST' })).status, 405, 'POST')
    equal((await ask(node, '/', { headers: { host: 'evil.example' } })).status, 403, 'another host')
    equal((await ask(node, '/health')).status, 200, 'health')
  })
}
