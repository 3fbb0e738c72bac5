// SPDX-License-Identifier: Apache-2.0
// Web apps of others: the example game on an origin of its own saves without a touch, and a hostile page gets nothing.
import http from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { equal, holds } from '../harness.mjs'
import { accessible, authenticator, leave, picture, visit } from './browser.mjs'
import { chainOf } from './chain.mjs'
import { ROOT, until } from './node.mjs'
import { register } from './people.mjs'

const { createPublicClient, http: transport } = createRequire(
  new URL('../../../../tests/clients/x.js', import.meta.url),
)('viem')

const DAY_S = 86_400
const BOB = `0x${'b0'.repeat(20)}`
const MALLORY = `0x${'66'.repeat(20)}`
const SAVED = 'Saved(address,bytes32,uint32)'

export async function run({ test }, browser, node) {
  await test('Apps.AGameSavesWithoutATouchUntilItIsDisconnected', () => story(browser, node))
  await test('Apps.APageAsksForSignaturesUnderMessages', () => messages(browser, node))
}

/** A page of somebody who means harm: same site as the node, another port, and no policy of its own. */
async function hostilePage(node) {
  const server = http.createServer((_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><title>Hostile</title><script src="${node.origin}/provider.js"></script>`),
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://localhost:${server.address().port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

/** The window that opens by `act`, with the person's passkey in it. */
async function opened({ context, session, device }, act) {
  const [popup] = await Promise.all([context.waitForEvent('page'), act()])
  const own = await context.newCDPSession(popup)
  await own.send('WebAuthn.enable')
  const authenticatorId = await authenticator(own)
  const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId: device })
  for (const credential of credentials) await own.send('WebAuthn.addCredential', { authenticatorId, credential })
  return popup
}

/** By its button; the next request would be shown in a window that is about to close. */
const closed = (popup) =>
  Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name: 'Close' }).click()])

/** What the wallet answers to a page's request; its error's code where it refuses. */
const ask = (page, method, ...params) =>
  page.evaluate(
    async ([name, given]) => {
      let provider = null
      addEventListener('eip6963:announceProvider', ({ detail }) => {
        provider = detail.provider
      })
      dispatchEvent(new Event('eip6963:requestProvider'))
      try {
        return { result: await provider.request({ method: name, params: given }) }
      } catch ({ code, message }) {
        return { code, message }
      }
    },
    [method, params],
  )

async function story(browser, node) {
  const { startGame } = await import(path.join(ROOT, 'examples/game/serve.mjs'))
  const visitor = await visit(browser, node)
  const { context } = visitor
  await register(visitor)
  const game = await startGame({ node: node.origin, chain: node.chain })
  const hostile = await hostilePage(node)
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => visitor.problems.push(`game: ${error}`))
    await page.goto(game.origin)
    const account = await connected(visitor, page, game)
    await granted(visitor, page)
    await savesAlone(visitor, page, game, account)
    await staysWithin(visitor, page)
    await hostileGetsNothing(visitor, page, hostile)
    await disconnected(visitor, page, game)
    await leave(visitor)
  } finally {
    await Promise.all([game.stop(), hostile.stop()])
  }
}

async function connected(visitor, page, game) {
  equal((await ask(page, 'eth_accounts')).result, [], 'accounts before')
  equal((await ask(page, 'eth_sign')).code, 4200, 'what there is not')
  equal((await ask(page, 'wallet_switchEthereumChain', { chainId: '0x1' })).code, 4902, 'another chain')
  const connect = page.getByRole('button', { name: 'Connect AirAccount' })
  const first = await opened(visitor, () => connect.click())
  await first.getByRole('heading', { name: 'A page wants to know your account' }).waitFor()
  await first.getByText(new URL(game.origin).hostname, { exact: true }).waitFor()
  await accessible(first, 'the question of an app')
  await picture(first, 'app-connect')
  await first.getByRole('button', { name: 'No', exact: true }).click()
  await page.getByText('You did not want it; nothing happened.').waitFor()
  const again = await opened(visitor, () => connect.click())
  await again.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText(/^Kept for 0x/).waitFor()
  const [account] = (await ask(page, 'eth_accounts')).result
  const chainId = (await ask(page, 'eth_chainId')).result
  const capabilities = (await ask(page, 'wallet_getCapabilities', account)).result
  equal(capabilities[chainId].atomic, { status: 'supported' }, 'capabilities')
  return account
}

async function granted(visitor, page) {
  const popup = await opened(visitor, () => page.getByRole('button', { name: /^Save without asking/ }).click())
  await popup.getByRole('heading', { name: 'A page wants to act without asking' }).waitFor()
  await popup.getByText('save(bytes32,uint32)', { exact: true }).waitFor()
  await popup.getByText('For 120 minutes it may use these functions').waitFor()
  await popup.getByText('No money leaves your account by it.').waitFor()
  await popup.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await accessible(popup, 'the grant that an app asks for')
  await picture(popup, 'app-grant')
  await popup.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByText(/^Saves by itself every 10 moves until/).waitFor()
}

async function savesAlone({ context, node }, page, game, account) {
  const windows = context.pages().length
  const where = page.locator('#where')
  let before = ''
  const saved = async () => {
    before = await until(async () => {
      const words = await where.textContent()
      return /in block \d/.test(words) && words !== before && words
    }, 'a save')
  }
  const keys = ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown']
  await page.locator('#board').focus()
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press(keys[i])
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await saved()
  }
  // By the keyboard alone, the tenth move saves by itself.
  await page.locator('#board').focus()
  // Its save may be over before it is looked at: what was said last is gone in either case.
  for (let i = 0; i < 200 && (await where.textContent()) === before; i++) await page.keyboard.press(keys[i % 4])
  await saved()
  equal(context.pages().length, windows, 'windows that asked')
  const chain = chainOf(node)
  const { keccak, utf8 } = await import('../../../escape/src/core/bytes.mjs')
  const logs = await chain.rpc('eth_getLogs', {
    address: game.contract,
    fromBlock: '0x0',
    topics: [keccak(utf8(SAVED))],
  })
  equal(logs.length, 3, 'saves on chain')
  holds(
    logs.every(({ topics }) => topics[1].endsWith(account.slice(2).toLowerCase())),
    'saved by somebody else',
  )
  await page.getByRole('button', { name: 'Load', exact: true }).click()
  await page.getByText('This is your latest save.').waitFor()
  await accessible(page, 'the game')
  await picture(page, 'app-game')
}

/** A call that the grant does not cover is asked; what is asked is a copy; one question at a time. */
async function staysWithin(visitor, page) {
  const [account] = (await ask(page, 'eth_accounts')).result
  const chainId = (await ask(page, 'eth_chainId')).result
  const request = (to) => ({
    version: '2.0.0',
    chainId,
    from: account,
    atomicRequired: true,
    calls: [{ to, value: '0x0' }],
  })
  equal((await ask(page, 'wallet_sendCalls', { ...request(BOB), version: '3' })).code, -32602, 'another version')
  equal((await ask(page, 'wallet_sendCalls', { ...request(BOB), chainId: '0x1' })).code, 5710, 'another chain')
  equal((await ask(page, 'wallet_sendCalls', { ...request(BOB), from: BOB })).code, 4100, 'another account')
  const paymaster = { capabilities: { paymasterService: { url: 'https://example.org' } } }
  equal((await ask(page, 'wallet_sendCalls', { ...request(BOB), ...paymaster })).code, 5700, 'a capability')
  equal((await ask(page, 'wallet_getCallsStatus', 'mine')).code, 5730, 'calls that nobody sent')
  // The same token, past the provider: the node refuses another contract.
  const refused = await page.evaluate(
    async ([origin, to]) => {
      const { grant } = JSON.parse(sessionStorage.getItem(`airaccount ${origin}`))
      const response = await fetch(`${origin}/api/v1/apps/calls`, {
        method: 'POST',
        headers: { authorization: `Bearer ${grant.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ requestId: crypto.randomUUID(), calls: [{ to, data: '0xd9b0fda3' }] }),
      })
      return { status: response.status, ...(await response.json()) }
    },
    [visitor.node.origin, BOB],
  )
  equal([refused.status, refused.field], [400, '/calls/0/to'], 'a contract that the grant does not reach')

  // Changed after it was asked, and asked again meanwhile.
  const answers = []
  const popup = await opened(visitor, () =>
    page.evaluate(
      ([wanted, mallory]) => {
        let provider = null
        addEventListener('eip6963:announceProvider', ({ detail }) => {
          provider = detail.provider
        })
        dispatchEvent(new Event('eip6963:requestProvider'))
        const send = () => provider.request({ method: 'wallet_sendCalls', params: [wanted] }).catch(({ code }) => code)
        globalThis.first = send()
        wanted.calls[0].to = mallory
        globalThis.others = Promise.all([send(), send(), send()])
      },
      [request(BOB), MALLORY],
    ),
  )
  answers.push(...(await page.evaluate(() => globalThis.others)))
  equal(answers, [-32002, -32002, -32002], 'further questions')
  await popup.getByRole('heading', { name: 'A page wants you to sign' }).waitFor()
  await popup.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  const party = popup.getByRole('img', { name: new RegExp(`^Address: ${BOB}$`, 'i') })
  await party.first().waitFor()
  equal(await popup.getByRole('img', { name: new RegExp(MALLORY, 'i') }).count(), 0, 'what was put in afterwards')
  await picture(popup, 'app-calls')
  await popup.close()
  equal(await page.evaluate(() => globalThis.first), 4001, 'the closed window')
}

async function hostileGetsNothing(visitor, gamePage, { origin: hostileOrigin }) {
  const { context, node } = visitor
  const page = await context.newPage()
  await page.goto(hostileOrigin)
  // A hidden frame shows nothing, neither of the window nor of the page.
  for (const target of ['/connect', '/home', '/send']) {
    await page.evaluate(
      (source) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe')
          frame.style.opacity = '0'
          frame.onload = resolve
          frame.src = source
          document.body.append(frame)
        }),
      node.origin + target,
    )
    const frame = page.frames().at(-1)
    await until(() => frame.url() !== 'about:blank', 'the frame is decided about')
    holds(frame.url().startsWith('chrome-error:'), `${target} in a frame: ${frame.url()}`)
  }
  // Neither cookies of the same site nor a stolen token open anything.
  const { grant } = JSON.parse(
    await gamePage.evaluate((from) => sessionStorage.getItem(`airaccount ${from}`), node.origin),
  )
  const tried = await page.evaluate(
    async ([at, token]) => {
      const trying = (where, options) =>
        fetch(`${at}${where}`, options).then(
          ({ status }) => `${status}`,
          () => 'unreadable',
        )
      const body = JSON.stringify({ requestId: crypto.randomUUID(), calls: [{ to: `0x${'11'.repeat(20)}` }] })
      const type = { 'content-type': 'application/json' }
      return [
        await trying('/api/v1/app-permissions', { credentials: 'include' }),
        await trying('/api/v1/app-permissions', { credentials: 'include', method: 'POST', headers: type, body: '{}' }),
        await trying('/api/v1/apps/calls', {
          method: 'POST',
          headers: { ...type, authorization: `Bearer ${token}` },
          body,
        }),
        await trying('/api/v1/apps/calls', { credentials: 'include', method: 'POST', headers: type, body }),
      ]
    },
    [node.origin, grant.token],
  )
  equal(tried, ['unreadable', 'unreadable', 'unreadable', 'unreadable'], 'what a hostile page reads')
  equal((await ask(page, 'eth_accounts')).result, [], 'accounts of a page that nobody connected')

  // It shakes hands by hand, asks once, and then again: the window shows the first question alone, under its own name.
  const popup = await opened(visitor, () =>
    page.evaluate((at) => {
      globalThis.answers = []
      addEventListener('message', ({ source, origin, data, ports }) => {
        if (origin !== at) return
        if (data.airAccount === 'ready') source.postMessage({ airAccount: 'hello', origin: 'https://bank.example' }, at)
        if (!ports[0]) return
        ports[0].onmessage = ({ data: answer }) => globalThis.answers.push(answer)
        ports[0].postMessage({ method: 'connect', params: {}, origin: 'https://bank.example' })
        for (let i = 0; i < 100; i++) ports[0].postMessage({ method: 'sendCalls', params: { address: '0x' } })
      })
      open(`${at}/connect`, 'mine', 'popup')
    }, node.origin),
  )
  await popup.getByRole('heading', { name: 'A page wants to know your account' }).waitFor()
  await popup.getByText(`:${new URL(hostileOrigin).port}`, { exact: true }).waitFor()
  equal(await popup.getByText('bank.example').count(), 0, 'a name that the page gave itself')
  // A click that no person made connects nothing.
  await popup.getByRole('button', { name: 'Connect', exact: true }).waitFor()
  await until(
    () => popup.getByRole('button', { name: 'Connect', exact: true }).isEnabled(),
    'the button can be pressed',
  )
  await popup.evaluate(() => document.querySelector('main button.button:not(.quiet)').click())
  await popup.getByRole('button', { name: 'No', exact: true }).click()
  await until(() => page.evaluate(() => globalThis.answers.length === 1), 'the answer')
  equal(await page.evaluate(() => globalThis.answers[0].error.code), 4001, 'the answer')
  // A request that means nothing, and one for an account that was not connected.
  for (const [sent, words, code] of [
    [{ method: 'connect', params: { chainId: -1 } }, 'What the page asks cannot be understood', -32602],
    [{ method: 'sendCalls', params: { address: BOB, calls: [{ to: BOB }] } }, 'is not connected to this account', 4100],
  ]) {
    await page.goto(hostileOrigin)
    const other = await opened(visitor, () =>
      page.evaluate(
        ([at, message]) => {
          globalThis.heard = new Promise((resolve) => {
            addEventListener('message', ({ source, origin, data, ports }) => {
              if (origin !== at) return
              if (data.airAccount === 'ready') source.postMessage({ airAccount: 'hello' }, at)
              if (!ports[0]) return
              ports[0].onmessage = ({ data: answer }) => resolve(answer.error.code)
              ports[0].postMessage(message)
            })
          })
          open(`${at}/connect`, `mine ${Math.random()}`, 'popup')
        },
        [node.origin, sent],
      ),
    )
    await other.getByText(words).first().waitFor()
    equal(await page.evaluate(() => globalThis.heard), code, words)
    await other.close()
  }
  await page.close()
}

async function disconnected(visitor, game, { origin }) {
  const { page, node } = visitor
  await page.goto(`${node.origin}/apps`)
  await page.getByText(new URL(origin).hostname, { exact: true }).waitFor()
  await page.getByText(/It acts by itself, within what you granted/).waitFor()
  await accessible(page, 'connected apps')
  await picture(page, 'apps')
  await page.getByRole('button', { name: /^Disconnect/ }).click()
  await page.getByText('No app is connected.').waitFor()
  await game.getByRole('button', { name: 'Save', exact: true }).click()
  await game.getByText('the grant is over: ask the person again').waitFor()
  // Asked with a window, it is no longer connected at all.
  const popup = await opened(visitor, () => game.getByRole('button', { name: 'Save', exact: true }).click())
  await popup.getByText('This page is not connected to this account').waitFor()
  await closed(popup)
  await game.getByRole('button', { name: 'Connect AirAccount' }).waitFor()
  await page.goto(`${node.origin}/activity`)
  await page.getByText('An app was disconnected').first().waitFor()
  await page.goto(`${node.origin}/connect`)
  await page.getByText('Nobody asks anything here').waitFor()
}

/** A request by a click of the page's own; its answer is there when the window is gone. */
const begin = (page, method, ...params) =>
  page.evaluate(
    ([name, given]) => {
      let provider = null
      addEventListener('eip6963:announceProvider', ({ detail }) => {
        provider = detail.provider
      })
      dispatchEvent(new Event('eip6963:requestProvider'))
      globalThis.answer = provider.request({ method: name, params: given }).then(
        (result) => ({ result }),
        ({ code, message }) => ({ code, message }),
      )
      // Whatever the page does to it afterwards is another request.
      if (given[1]?.message) given[1].message.amount = 1_000_000
    },
    [method, params],
  )
const answered = (page) => page.evaluate(() => globalThis.answer)

const typed = (account, changes = {}) => ({
  domain: { name: 'Shop', version: '1', chainId: 31_337, verifyingContract: BOB },
  primaryType: 'Order',
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Order: [
      { name: 'buyer', type: 'Person' },
      { name: 'items', type: 'string[]' },
      { name: 'amount', type: 'uint256' },
    ],
  },
  message: { buyer: { name: 'Mali\u202e', wallet: account }, items: ['tea', 'rice'], amount: 12 },
  ...changes,
})

async function messages(browser, node) {
  const visitor = await visit(browser, node)
  await register(visitor)
  const shop = await hostilePage(node)
  try {
    const page = await visitor.context.newPage()
    await page.goto(shop.origin)
    const first = await opened(visitor, () => begin(page, 'eth_requestAccounts'))
    await first.getByRole('button', { name: 'Connect', exact: true }).click()
    const [account] = (await answered(page)).result
    equal((await ask(page, 'personal_sign', '0x00', BOB)).code, 4100, 'another account')
    equal((await ask(page, 'personal_sign', '0x00')).code, -32602, 'no account')
    await isListed(visitor, page, account)
    await isSigned(visitor, page, account)
    await isReadWhole(visitor, page, account)
    await byHand(visitor, account)
    await leave(visitor)
  } finally {
    await shop.stop()
  }
}

/** The first message of all: a log-in at another page, and an account that signs no messages yet. */
async function isListed(visitor, page, account) {
  const logIn = `bank.example wants you to sign in with your Ethereum account:\n${account}\n\nNonce: 12345678`
  const popup = await opened(visitor, () => begin(page, 'personal_sign', logIn, account))
  await popup.getByRole('heading', { name: 'A page asks for your signature under a message' }).waitFor()
  await popup.getByText('This signature logs in somewhere else').waitFor()
  await popup.getByText('Your account does not sign for this app').waitFor()
  await accessible(popup, 'a message that the account does not sign yet')
  await picture(popup, 'app-message-unlisted')
  await popup.getByRole('button', { name: 'List it: ready in a day' }).click()
  await popup.getByText('Let an application ask for signatures').waitFor()
  await popup.getByRole('button', { name: 'Sign with your passkey' }).click()
  await popup.getByText('It is in the account’s queue').waitFor()
  equal((await answered(page)).code, -32002, 'a message that has to wait')
  await closed(popup)
  await chainOf(visitor.node).passTime(DAY_S + 60)
}

async function isSigned(visitor, page, account) {
  const { node } = visitor
  const hostile = `Sign in\u202e please${'\n'.repeat(500)}${'x'.repeat(10_000)} the end`
  const popup = await opened(visitor, () => begin(page, 'personal_sign', hostile, account))
  await popup.getByRole('button', { name: 'Confirm', exact: true }).click()
  await popup.getByRole('button', { name: 'Sign with your passkey' }).click()
  // Its domain is on chain: now the message itself.
  const box = popup.getByRole('region', { name: 'The message' })
  await box.waitFor()
  await popup.getByText(`${hostile.length} characters, all of them in this box`).waitFor()
  const shown = await box.textContent()
  for (const part of ['U+202E', '↵ × 500', 'the end']) holds(shown.includes(part), `${part} is not shown`)
  holds(!shown.includes('\u202e'), 'what turns text around stands in the page')
  await popup.getByText('Some characters of it do not show.').waitFor()
  await accessible(popup, 'a message')
  await picture(popup, 'app-message')
  await popup.getByRole('button', { name: 'Sign with your passkey' }).click()
  const { result: signature } = await answered(page)
  const client = createPublicClient({ transport: transport(node.chain) })
  // By the account's isValidSignature, through the verifier of ERC-6492.
  holds(await client.verifyMessage({ address: account, message: hostile, signature }), 'the signature is not good')
  holds(!(await client.verifyMessage({ address: account, message: `${hostile}.`, signature })), 'it is good for more')

  // A node that has another message signed is found out before anybody touches anything.
  const lied = await opened(visitor, async () => {
    await visitor.context.route('**/api/v1/transactions', async (route) => {
      const request = route.request()
      if (request.method() !== 'POST') return route.continue()
      const body = request.postDataJSON()
      const response = await route.fetch({
        postData: { ...body, message: { ...body.message, personal: '0x6f74686572' } },
      })
      await route.fulfill({ response })
    })
    await begin(page, 'personal_sign', '0x6d696e65', account)
  })
  await lied.getByText(/^content-other/).waitFor()
  equal(await lied.getByRole('button', { name: 'Sign with your passkey' }).count(), 0, 'a way to sign something else')
  await lied.close()
  await visitor.context.unroute('**/api/v1/transactions')
  equal((await answered(page)).code, 4001, 'the closed window')

  // Bytes that are no text; the address first, as some libraries have it.
  const bytes = await opened(visitor, () => begin(page, 'personal_sign', account, `0x${'ff'.repeat(32)}`))
  await bytes.getByText('This message is not readable text.').waitFor()
  await bytes.getByText(`0x${'ff'.repeat(32)}`).waitFor()
  await bytes.getByRole('button', { name: 'Back' }).click()
  equal((await answered(page)).code, 4001, 'bytes that nobody wanted to sign')
}

async function isReadWhole(visitor, page, account) {
  const popup = await opened(visitor, () => begin(page, 'eth_signTypedData_v4', account, typed(account)))
  const members = popup.getByRole('region', { name: 'What it says' })
  await popup.getByText('Your account does not sign for this app').waitFor()
  const shown = (await members.locator('dl > div').allTextContents()).map((line) => line.replace(/\s+/g, ' ').trim())
  equal(
    shown,
    [
      'buyer.name string MaliU+202E',
      `buyer.wallet address ${account}`,
      'items[0] string tea',
      'items[1] string rice',
      'amount uint256 12',
    ],
    'every member, as it was asked',
  )
  await accessible(popup, 'typed data')
  await picture(popup, 'app-typed-data')
  await popup.close()
  // The provider sees that at its next look, and opens no second window before.
  equal((await answered(page)).code, 4001, 'a window that was closed')
  const foreign = typed(account, { domain: { name: 'Shop', chainId: 1 } })
  const permit = typed(account, {
    primaryType: 'Permit',
    types: { Permit: [{ name: 'spender', type: 'address' }] },
    message: { spender: BOB },
  })
  for (const [document, words, code] of [
    [foreign, 'This message counts on another chain.', 4901],
    [permit, 'A message that lets somebody take tokens is not signed here.', 4200],
    [typed(account, { primaryType: 'Person' }), 'What the page asks cannot be understood', -32602],
  ]) {
    const refused = await opened(visitor, () => begin(page, 'eth_signTypedData_v4', account, JSON.stringify(document)))
    await refused.getByText(words).first().waitFor()
    equal((await answered(page)).code, code, words)
    await closed(refused)
  }
}

/** A message brought by hand, and its signature read afterwards. */
async function byHand({ page, node }, account) {
  await page.goto(`${node.origin}/sign`)
  const main = page.getByRole('main')
  await main.getByLabel('The message').fill('This address is mine.')
  await accessible(page, 'signing by hand')
  await picture(page, 'sign')
  await main.getByRole('button', { name: 'See what it says' }).click()
  await main.getByRole('button', { name: 'Sign with your passkey' }).click()
  await main.getByRole('status').getByText('Signed', { exact: true }).waitFor()
  await main.getByRole('region', { name: 'The message' }).getByText('This address is mine.').waitFor()
  const signature = await main.getByRole('region', { name: 'Signature' }).textContent()
  const client = createPublicClient({ transport: transport(node.chain) })
  const message = 'This address is mine.'
  holds(
    await client.verifyMessage({ address: account, message, signature: signature.trim() }),
    'the signature that is read is not good',
  )
  await accessible(page, 'a signed message')
  await picture(page, 'signed-message')
}
