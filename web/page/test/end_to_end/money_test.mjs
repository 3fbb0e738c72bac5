// SPDX-License-Identifier: Apache-2.0
// Money that moves: funds, payments, what waits a day, freezing, and a node that lies about what is signed.
import { randomBytes } from 'node:crypto'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { getFunds, prepareSend, register, signAndWait } from './people.mjs'

const DAY_S = 86_400
const someone = () => checksummed(`0x${randomBytes(20).toString('hex')}`)

/** A person with ten ether. */
async function funded(browser, node, options = {}) {
  const visitor = await visit(browser, node, options)
  await register(visitor)
  return { visitor, chain: chainOf(node), account: await getFunds(visitor), page: visitor.page }
}

export async function run({ test }, browser, node) {
  await test('Money.IsSentAndItsReceiptShown', () => sent(browser, node))
  await test('Money.IsSentWithTheKeyboardAlone', () => keyboard(browser, node))
  await test('Money.WhatIsTypedWrongIsSaidAtItsField', () => faults(browser, node))
  await test('Money.ARefusedTouchSendsNothing', () => refusedTouch(browser, node))
  await test('Money.ALyingNodeIsFoundOutBeforeTheTouch', () => tampered(browser, node))
  await test('Money.OverTheLimitItWaitsADay', () => queued(browser, node))
  // Now and then the chain takes the operation all the same, and nothing is stuck.
  if (process.env.COMMUNITY_TEST_LONG) await test('Money.WhatIsStuckIsReplacedOrGivenUp', () => stuck(browser, node))
  await test('Money.TokensAreAddedAndSent', () => tokens(browser, node))
  await test('Money.ACodeInAPictureFillsTheForm', () => picture(browser, node))
  await test('Money.ALongHistoryHasPages', () => pages(browser, node))
  await test('Limits.AreLoweredAtOnceAndRaisedInADay', () => limits(browser, node))
  await test('Freeze.StopsEverythingUntilItIsUndone', () => frozen(browser, node))
}

async function sent(browser, node) {
  const { visitor, chain, account, page } = await funded(browser, node)
  const bob = someone()
  await prepareSend(visitor, bob, '0.25')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  const main = page.getByRole('main')
  await main.getByText('Send 0.25 ETH', { exact: true }).waitFor()
  await main
    .getByRole('img', { name: `Address: ${bob}`, exact: true })
    .first()
    .waitFor()
  await main.getByText('You have never paid this address before.').waitFor()
  await main.getByText(/pays; at most .* You pay nothing\./).waitFor()
  await accessible(page, 'what will be signed')
  equal(`${await chain.balance(bob)}`, '0', 'sent before it was signed')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 4n}`, 'received')
  equal(`${await chain.balance(account)}`, `${10n * ETHER - ETHER / 4n}`, 'left')
  await page.getByRole('status').getByText('Done', { exact: true }).waitFor()
  await main.getByText('Send 0.25 ETH', { exact: true }).waitFor()
  await accessible(page, 'the receipt')

  await page.goto(`${node.origin}/home`)
  await main.getByText('9.75 ETH', { exact: true }).waitFor()
  await main.getByRole('link', { name: 'Send 0.25 ETH' }).waitFor()
  await page.goto(`${node.origin}/transactions`)
  await main.getByRole('link', { name: 'Send 0.25 ETH' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await page.goto(`${node.origin}/activity`)
  await page.getByText('A transaction was signed').first().waitFor()
  // The second payment to the same recipient is no first one.
  await prepareSend(visitor, bob, '0.75')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  equal(await main.getByText('You have never paid').count(), 0, 'warnings of a known recipient')
  // 0.25 were spent: what is left of the day goes at once, and nothing more.
  await prepareSend(visitor, bob, '0.76')
  await page.getByText('This is over your daily limit').waitFor()
  await leave(visitor)
}

async function keyboard(browser, node) {
  const { visitor, chain, page } = await funded(browser, node)
  const bob = someone()
  // Until the focus is on what is looked for: as many steps as a person would bear.
  const tabTo = async (locator) => {
    await locator.waitFor()
    for (let i = 0; i < 60; i++) {
      if (await locator.evaluate((element) => element === document.activeElement)) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`${locator} is not reached by the keyboard`)
  }
  await tabTo(page.getByRole('main').getByRole('link', { name: 'Send', exact: true }))
  await page.keyboard.press('Enter')
  await tabTo(page.getByLabel('To', { exact: true }))
  await page.keyboard.type(bob)
  await tabTo(page.getByLabel(/^Amount/))
  await page.keyboard.type('0.5')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  // Where reading begins is said, too.
  holds(
    await page.getByRole('heading', { name: 'Look at it, then sign' }).evaluate((h) => h === document.activeElement),
    'the focus is not on what will be signed',
  )
  await tabTo(page.getByRole('button', { name: 'Sign with your passkey' }))
  await page.keyboard.press('Enter')
  await page
    .getByRole('status')
    .getByText(/^(Done|In a block)$/)
    .waitFor()
  equal(`${await chain.balance(bob)}`, `${ETHER / 2n}`, 'received')
  await leave(visitor)
}

async function faults(browser, node) {
  const { visitor, account, page } = await funded(browser, node)
  const bob = someone()
  const wrong = async (to, amount, words) => {
    await prepareSend(visitor, to, amount)
    await page.getByText(words).waitFor()
    equal(await page.getByRole('button', { name: 'Sign with your passkey' }).count(), 0, `goes on after: ${words}`)
  }
  await wrong('', '1', 'Say who gets it.')
  await wrong('alice.eth', '1', 'This is no address.')
  const flipped = bob.replace(/[a-f]/, (c) => c.toUpperCase())
  await wrong(
    flipped === bob ? bob.replace(/[A-F]/, (c) => c.toLowerCase()) : flipped,
    '1',
    'its checksum does not fit',
  )
  await wrong(checksummed(account), '1', 'This is the account itself.')
  await wrong(`ethereum:${bob}@1`, '1', 'This payment request is for another chain')
  await wrong(bob, '', 'Write how much.')
  await wrong(bob, '0', 'Write how much.')
  await wrong(bob, '1e3', 'Write a number')
  await wrong(bob, '10.000000000000000001', 'That is more than you have.')
  await accessible(page, 'a form with errors')
  // A payment request fills the form in.
  await prepareSend(visitor, `ethereum:${bob}@31337?value=3e17`, '')
  await page.getByText('Send 0.3 ETH', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Back' }).click()
  equal(await page.getByLabel(/^Amount/).inputValue(), '0.3', 'amount after going back')
  await leave(visitor)
}

async function refusedTouch(browser, node) {
  const { visitor, chain, page } = await funded(browser, node)
  const bob = someone()
  const { session, device } = visitor
  await session.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: false })
  await prepareSend(visitor, bob, '0.1')
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByText('No passkey was used.').waitFor()
  await page.getByRole('button', { name: 'Sign with your passkey' }).waitFor()
  equal(`${await chain.balance(bob)}`, '0', 'received')
  await leave(visitor)
}

/** Answers of the node to a prepared order, changed on their way. */
async function tampered(browser, node) {
  const { visitor, chain, account, page } = await funded(browser, node)
  const { session, device } = visitor
  const touches = async () => {
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId: device })
    return credentials[0].signCount
  }
  const bob = someone()
  const mallory = someone()
  const bare = (address) => address.slice(2).toLowerCase()
  const lies = [
    ['calls-other', (t) => ({ ...t, userOperation: swapped(t.userOperation, bare(bob), bare(mallory)) })],
    [
      'calls-other',
      (t) => ({ ...t, userOperation: swapped(t.userOperation, (ETHER / 10n).toString(16), (ETHER / 5n).toString(16)) }),
    ],
    ['digest-other', (t) => ({ ...t, userOperation: { ...t.userOperation, nonce: '0x7' } })],
    ['account-other', (t) => ({ ...t, userOperation: { ...t.userOperation, sender: mallory } })],
    ['digest-other', (t) => ({ ...t, digest: `0x${'11'.repeat(32)}` })],
    ['cost-other', (t) => ({ ...t, maxCost: '1' })],
    ['summary-other', (t) => ({ ...t, summary: [{ ...t.summary[0], amount: '1' }] })],
  ]
  const before = await touches()
  let lie = (transaction) => transaction
  await page.route('**/api/v1/transactions', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    const response = await route.fetch()
    await route.fulfill({ response, json: lie(await response.json()) })
  })
  for (const [difference, change] of lies) {
    lie = change
    await prepareSend(visitor, bob, '0.1')
    await page.getByText('This is not what you asked for. It was not signed.').waitFor()
    await page
      .getByRole('alert')
      .getByText(new RegExp(`^${difference}`))
      .waitFor()
    equal(await page.getByRole('button', { name: 'Sign with your passkey' }).count(), 0, `a way to sign: ${difference}`)
  }
  await accessible(page, 'a refused answer')
  equal(await touches(), before, 'touches')
  equal(`${await chain.balance(account)}`, `${10n * ETHER}`, 'left')
  // The same person, and a node that says the truth.
  lie = (transaction) => transaction
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'received')
  holds((await touches()) > before, 'nothing was touched at last')
  await leave(visitor)
}

function swapped(operation, from, to) {
  const callData = operation.callData.replaceAll(from.padStart(64, '0'), to.padStart(64, '0'))
  if (callData === operation.callData) throw new Error('nothing was swapped')
  return { ...operation, callData }
}

async function queue({ page }) {
  await page.getByRole('button', { name: 'Queue it for a day' }).click()
  await page.getByText(/^In a day: /).waitFor()
  await page.getByText('It waits for 24 hours').waitFor()
}

async function queued(browser, node) {
  const { visitor, chain, page } = await funded(browser, node)
  const bob = someone()
  for (const amount of ['2', '3']) {
    await prepareSend(visitor, bob, amount)
    await page.getByText('This is over your daily limit').waitFor()
    await queue(visitor)
    await signAndWait(visitor)
  }
  equal(`${await chain.balance(bob)}`, '0', 'paid at once')
  await page.goto(`${node.origin}/home`)
  await page.getByText('Something waits in your account').waitFor()
  await page.getByRole('link', { name: 'Look at it' }).click()
  const item = (amount) => page.getByRole('listitem').filter({ hasText: `Send ${amount} ETH` })
  await item(2).getByText('About 24 hours to go').waitFor()
  equal(await page.getByRole('button', { name: 'Confirm' }).count(), 0, 'confirmed too early')
  await accessible(page, 'what waits')
  await item(3).getByRole('button', { name: 'Cancel it' }).click()
  await page.getByText('Cancel what waits').waitFor()
  await page.getByText('The node brings it and pays.').waitFor()
  await signAndWait(visitor)
  await chain.passTime(DAY_S + 60)
  await page.goto(`${node.origin}/waiting`)
  await item(2).getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('Send 2 ETH', { exact: true }).waitFor()
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${2n * ETHER}`, 'received')
  await page.goto(`${node.origin}/waiting`)
  await page.getByText('Nothing waits.').waitFor()
  await leave(visitor)
}

/** Fees rise between the order and its signature, so that it waits in the pool. */
async function stuck(browser, node) {
  const { visitor, chain, page } = await funded(browser, node)
  const bob = someone()
  const sign = async () => {
    await page.getByRole('button', { name: 'Sign with your passkey' }).click()
    await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  }
  const baseFee = async () => BigInt((await chain.rpc('eth_getBlockByNumber', 'latest', false)).baseFeePerGas)
  const raiseFees = async () => {
    await chain.rpc('anvil_setNextBlockBaseFeePerGas', `0x${((await baseFee()) * 1_000n).toString(16)}`)
    await chain.passTime(1)
  }
  // The account is on the chain, so that nonces alone decide.
  await prepareSend(visitor, someone(), '0.01')
  await signAndWait(visitor)
  await prepareSend(visitor, bob, '0.1')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await raiseFees()
  await sign()
  await page.getByText('It takes longer than usual').waitFor()
  await accessible(page, 'what is stuck')
  const first = page.url()
  await page.getByRole('button', { name: 'Offer a higher fee' }).click()
  await page.getByText('Send 0.1 ETH', { exact: true }).first().waitFor()
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'received once')
  await page.getByRole('link', { name: 'Look at what it took the place of' }).click()
  await page.waitForURL(first)
  await page
    .getByRole('status')
    .getByText(/^(Replaced|Given up)$/)
    .waitFor()

  await prepareSend(visitor, bob, '0.2')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await raiseFees()
  await sign()
  await page.getByRole('button', { name: 'Give it up' }).click()
  await page.getByRole('status').getByText('Given up', { exact: true }).waitFor()
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'received after it was given up')
  await leave(visitor)
}

async function tokens(browser, node) {
  const { visitor, chain, account, page } = await funded(browser, node)
  const bob = someone()
  const token = await chain.token(account, 50n * ETHER)
  await page.getByRole('button', { name: 'Add a token' }).click()
  const field = page.getByLabel('Address of the token’s contract')
  await field.fill(someone())
  await page.keyboard.press('Enter')
  await page.getByText('There is no token at this address').waitFor()
  await field.fill(token)
  await page.keyboard.press('Enter')
  const row = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Remove/ }) })
  await row.getByText(/^50 /).waitFor()
  const symbol = (await row.getByText(/^50 /).textContent()).slice(3).trim()
  await page.reload()
  await row.getByRole('link', { name: /^Send/ }).click()
  await page.getByText('Without a daily limit for this token').waitFor()
  await page.getByLabel('To', { exact: true }).fill(checksummed(token))
  await page.getByLabel(/^Amount/).fill('5')
  await page.keyboard.press('Enter')
  await page.getByText('What is sent to the token’s own contract is lost.').waitFor()

  // With a limit it goes at once; a new limit waits a day, and the account must be on the chain first.
  await prepareSend(visitor, bob, '0.01')
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByRole('button', { name: new RegExp(`^Change ?: ${symbol}`) }).click()
  await page.getByLabel(`New limit a day, in ${symbol}`).fill('20')
  await page.keyboard.press('Enter')
  await page.getByText(`In a day: Change the daily limit to 20 ${symbol}`).waitFor()
  await signAndWait(visitor)
  await chain.passTime(DAY_S + 60)
  await page.goto(`${node.origin}/waiting`)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText(`Change the daily limit to 20 ${symbol}`).waitFor()
  await signAndWait(visitor)

  await prepareSend(visitor, bob, '5.5', { token })
  await page.getByText(`Send 5.5 ${symbol}`, { exact: true }).waitFor()
  await page
    .getByRole('main')
    .getByRole('img', { name: `Address of the token’s contract: ${checksummed(token)}` })
    .waitFor()
  await signAndWait(visitor)
  equal(`${await chain.tokens(token, bob)}`, `${(11n * ETHER) / 2n}`, 'tokens received')
  await page.goto(`${node.origin}/home`)
  await row.getByText(`44.5 ${symbol}`, { exact: true }).waitFor()
  await row.getByRole('button', { name: /^Remove/ }).click()
  await page.getByText('None yet. Tokens that you add').waitFor()
  await piece(visitor, chain, account, bob)
  await leave(visitor)
}

/** An ERC-721: no amount, but a number; like every token without a limit it waits a day. */
async function piece({ page, node, ...visitor }, chain, account, bob) {
  const cats = await chain.collectible(account, 7)
  await page.getByRole('button', { name: 'Add a token' }).click()
  await page.getByLabel('Address of the token’s contract').fill(cats)
  await page.keyboard.press('Enter')
  await page.getByText('1 TEST', { exact: true }).waitFor()
  await page
    .getByRole('main')
    .getByRole('link', { name: /^Send ?: TEST$/ })
    .click()
  await page.getByLabel('To', { exact: true }).fill(bob)
  const number = page.getByLabel('Number of the piece of TEST')
  await number.fill('seven')
  await page.keyboard.press('Enter')
  await page.getByText('Write the number of the piece, in digits.').waitFor()
  await number.fill('#7')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Queue it for a day' }).click()
  await page.getByText('In a day: Send TEST #7', { exact: true }).waitFor()
  await accessible(page, 'a piece that will be sent')
  await signAndWait({ page, node, ...visitor })
  await chain.passTime(DAY_S + 60)
  await page.goto(`${node.origin}/waiting`)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('Send TEST #7', { exact: true }).waitFor()
  await signAndWait({ page, node, ...visitor })
  equal(checksummed(await chain.ownerOf(cats, 7)), bob, 'owner of the piece')
}

async function picture(browser, node) {
  const other = await visit(browser, node, { scale: 2 })
  await register(other)
  await other.page.goto(`${node.origin}/receive`)
  const code = other.page.getByRole('img', { name: /^QR code/ }).first()
  await code.waitFor()
  const png = await code.screenshot()
  const address = (await code.getAttribute('aria-label')).match(/0x[0-9a-fA-F]{40}/)[0]
  await leave(other)

  const { visitor, page } = await funded(browser, node)
  await page.goto(`${node.origin}/send`)
  const input = page.locator('input[type=file]')
  await input.setInputFiles({ name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.from('no picture') })
  await page.getByText('There is no QR code in this picture.').waitFor()
  await input.setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: png })
  await page.getByText('The QR code was read.').waitFor()
  equal(await page.getByLabel('To', { exact: true }).inputValue(), address, 'recipient')
  // The same from the clipboard.
  await page.getByLabel('To', { exact: true }).fill('')
  await page.getByLabel('To', { exact: true }).evaluate((field, base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File([bytes], 'code.png', { type: 'image/png' }))
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, png.toString('base64'))
  await page.getByText('The QR code was read.').waitFor()
  equal(await page.getByLabel('To', { exact: true }).inputValue(), address, 'pasted recipient')
  await leave(visitor)
}

async function pages(browser, node) {
  const { visitor, page } = await funded(browser, node)
  const bob = someone()
  const count = 21
  for (let i = 1; i <= count; i++) {
    await prepareSend(visitor, bob, `0.0${String(i).padStart(2, '0')}`)
    await page.getByRole('button', { name: 'Sign with your passkey' }).click()
    await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  }
  await page.getByRole('status').getByText('Done', { exact: true }).waitFor()
  await page.goto(`${node.origin}/transactions`)
  const rows = page.getByRole('main').getByRole('listitem')
  await rows.nth(19).waitFor()
  equal(await rows.count(), 20, 'first page')
  await rows.first().getByText('Send 0.021 ETH').waitFor()
  await page.getByRole('button', { name: 'Show older ones' }).click()
  await rows.nth(20).getByText('Send 0.001 ETH').waitFor()
  equal(await rows.count(), count, 'both pages')
  // Of all these the first one alone made the account.
  equal(await page.getByRole('main').getByText('Given up', { exact: true }).count(), 0, 'payments that were given up')
  equal(await page.getByRole('button', { name: 'Show older ones' }).count(), 0, 'pages beyond the last')
  await leave(visitor)
}

async function limits(browser, node) {
  const { visitor, page } = await funded(browser, node)
  const bob = someone()
  await page.goto(`${node.origin}/limits`)
  await page.getByText('Your account comes onto the chain with its first transaction.').waitFor()
  equal(await page.getByRole('button', { name: 'Freeze the account' }).count(), 0, 'a dead button')
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByText('0.1 ETH of 1 ETH spent today').waitFor()
  await page.getByRole('button', { name: /^Change ?: ETH/ }).click()
  const field = page.getByLabel('New limit a day, in ETH')
  equal(await field.inputValue(), '1', 'limit in the field')
  await page.keyboard.press('Enter')
  await page.getByText('This is the limit as it is.').waitFor()
  await field.fill('0.4')
  await page.keyboard.press('Enter')
  await page.getByText('Lower the daily limit to 0.4 ETH').waitFor()
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByText('0.1 ETH of 0.4 ETH spent today').waitFor()
  await accessible(page, 'limits')
  await page.getByRole('button', { name: /^Change ?: Most/ }).click()
  await page.getByLabel('New cap, in ETH').fill('0.001')
  await page.keyboard.press('Enter')
  await page.getByText(/^Lower the most that one transaction may cost in fees to 0.001 ETH$/).waitFor()
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByText('0.001 ETH', { exact: true }).waitFor()
  await prepareSend(visitor, bob, '0.5')
  await page.getByText('This is over your daily limit').waitFor()
  await leave(visitor)
}

async function frozen(browser, node) {
  const { visitor, chain, page } = await funded(browser, node)
  const bob = someone()
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByRole('button', { name: 'Freeze the account' }).click()
  await page.getByText('Freeze the account', { exact: true }).waitFor()
  await signAndWait(visitor)
  // Told with its block, not when that is final.
  await page.getByRole('status').getByText('In a block', { exact: true }).waitFor()
  await page.getByText('Details for experts').click()
  await page.getByText('Block', { exact: true }).waitFor()
  await page.goto(`${node.origin}/home`)
  await page.getByText('This account is frozen').waitFor()
  await prepareSend(visitor, bob, '0.1')
  await page.getByText('The account is frozen.', { exact: true }).waitFor()
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'received while frozen')

  await page.goto(`${node.origin}/limits`)
  await page.getByText('Nothing leaves it until it is unfrozen.').waitFor()
  equal(await page.getByRole('button', { name: 'Unfreeze with two passkeys' }).count(), 0, 'a way that is not there')
  await page.getByRole('button', { name: 'Unfreeze with one passkey' }).click()
  await page.getByText('With one passkey it takes three days.').waitFor()
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByText('An unfreeze is waiting.').waitFor()
  await page.getByRole('link', { name: 'Look at it' }).click()
  await page.getByText('About 3 days to go').waitFor()
  // The passkey that started it cannot cancel it.
  await page.getByRole('button', { name: 'Cancel it' }).click()
  await page.getByText('The passkey that started this cannot cancel it.').waitFor()
  await chain.passTime(3 * DAY_S + 60)
  await page.goto(`${node.origin}/waiting`)
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await page.getByText('Nobody signs this').waitFor()
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await page
    .getByRole('status')
    .getByText(/^(Done|In a block)$/)
    .waitFor()
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 5n}`, 'received')
  await leave(visitor)
}
