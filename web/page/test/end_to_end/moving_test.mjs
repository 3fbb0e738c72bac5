// SPDX-License-Identifier: Apache-2.0
// An account that moves to another node: two nodes with cores and domains of their own on one chain. Once with the old
// node's help, once with the recovery file alone, once with the guardians alone.
import { readFileSync } from 'node:fs'
import { parseRecoveryFile, writeBroughtFile } from '../../../escape/src/core/recovery-file.mjs'
import { addressOf, newKey } from '../../../escape/src/core/signing.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { inBlock, person, someone } from './keys_test.mjs'
import { startNode } from './node.mjs'
import { prepareSend, register } from './people.mjs'
import { approves, choosesGuardians, digestIn, keep, saved, signatureLine } from './ways_test.mjs'

const DAY_S = 86_400

async function newcomer(browser, node) {
  // A phone's screen, of which somebody takes a picture.
  const visitor = await visit(browser, node, { scale: 2 })
  await register(visitor)
  return { visitor, page: visitor.page, chain: chainOf(node) }
}

const asFile = (text, name = 'slip.json') => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) })
const fileInput = (page) => page.locator('input[type=file][accept*=json]')

async function download(page, name) {
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
  return saved.path()
}

/** The six groups that a page shows. */
async function checkCode(page) {
  const label = await page.getByRole('img', { name: /^Check code: / }).getAttribute('aria-label')
  return label.slice('Check code: '.length).replaceAll(' ', '')
}

const touchesOf = async ({ session, device }) =>
  (await session.send('WebAuthn.getCredentials', { authenticatorId: device })).credentials[0].signCount

/** The account that came, where a form is about one of several. */
async function choose(page, account) {
  const choice = page.getByRole('combobox', { name: 'Account' })
  const label = await choice
    .locator('option')
    .filter({ hasText: new RegExp(account.slice(0, 8), 'i') })
    .textContent()
  await choice.selectOption(label)
}

/** With the keys of the node that it is at now. */
async function paysThere({ visitor, page, chain }, account) {
  const bob = someone()
  await page.goto(`${visitor.node.origin}/send`)
  await choose(page, account)
  await page.getByLabel('To', { exact: true }).fill(bob)
  await page.getByLabel(/^Amount/).fill('0.1')
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await inBlock(page)
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'paid at the new node')
}

/** What waits is carried out at the new node, which then says by itself that the account is here. */
async function arrives({ page, chain }) {
  await page.getByText('About 3 days to go').waitFor()
  await accessible(page, 'an account on its way')
  await chain.passTime(3 * DAY_S + 60)
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await page.getByText('It is here', { exact: true }).waitFor()
  await accessible(page, 'an account that arrived')
}

/** From the file of the old node to a slip; answers the slip's file and its code. */
async function names({ visitor, page }, exported, account) {
  const { origin } = visitor.node
  await page.goto(`${origin}/home`)
  await page.getByText('Do you have an account at another node?').waitFor()
  await page.getByRole('link', { name: 'Bring your account here' }).click()
  await fileInput(page).setInputFiles(asFile('{"format":"letter"}'))
  await page.getByText('This is not the file of a node.').waitFor()
  await fileInput(page).setInputFiles(exported)
  const row = page.getByRole('listitem').filter({ has: page.getByRole('img', { name: new RegExp(account, 'i') }) })
  await row.getByRole('button', { name: /^Bring it here/ }).waitFor()
  await page.getByRole('button', { name: 'Keep it here' }).click()
  await page.getByRole('main').getByText('Your history is kept here.').waitFor()
  await accessible(page, 'the file of the old node')
  await row.getByRole('button', { name: /^Bring it here/ }).click()
  await page.getByRole('button', { name: 'Touch your passkey' }).click()
  await page.getByText('nothing leads here yet').waitFor()
  await accessible(page, 'a moving slip')
  // News at the foot of the screen covers the code for some seconds.
  await page.getByText('Your history is kept here.').waitFor({ state: 'hidden' })
  const qr = await page.getByRole('img', { name: 'The moving slip as a QR code' }).screenshot()
  const slip = await download(page, 'Download it')
  const groups = await checkCode(page)
  // Changes the size of the screen for a moment, in which a picture of one element would be blurred.
  await picture(page, 'moving-slip')
  return { slip, qr, groups }
}

/** The old node's page: what it refuses, what it shows, and one vote. */
async function movesAway({ visitor, page }, { slip, qr, groups }, there) {
  const { node } = visitor
  const open = async () => {
    await page.goto(`${node.origin}/move`)
    await page.getByRole('link', { name: 'Move to another node' }).click()
    await page.getByLabel('Text of the slip').waitFor()
  }
  await open()
  await page.getByLabel('Text of the slip').fill('{"format":"community-node moving slip"}')
  await page.getByRole('button', { name: 'Read the slip' }).click()
  await page.getByText('This slip is damaged.').waitFor()
  await accessible(page, 'a slip that is refused')
  // A camera's picture of the other screen.
  const picked = { name: 'slip.png', mimeType: 'image/png', buffer: qr }
  await page.locator('input[type=file][accept="image/*"]').setInputFiles(picked)
  await page.getByRole('heading', { name: 'What moves, and where to' }).waitFor()
  equal(await checkCode(page), groups, 'check code at the old node')
  await open()
  await fileInput(page).setInputFiles(slip)
  await page.getByText(there.origin, { exact: true }).waitFor()
  equal(await checkCode(page), groups, 'check code of the file')
  const look = page.getByRole('button', { name: 'See what it does' })
  await look.click()
  await page.getByText('Compare the check code first.').waitFor()
  await accessible(page, 'a slip to compare')
  await picture(page, 'moving-away')
  await page.getByRole('checkbox').check()

  // A node that would give the account to a passkey of its own is found out before anybody touches anything.
  const before = await touchesOf(visitor)
  await page.route('**/api/v1/transactions', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    const asked = route.request().postDataJSON()
    const [passkey] = asked.keys.addForeign
    const keys = { ...asked.keys, addForeign: [{ ...passkey, rpIdHash: `0x${'11'.repeat(32)}` }] }
    await route.fulfill({ response: await route.fetch({ postData: JSON.stringify({ ...asked, keys }) }) })
  })
  await look.click()
  await page.getByText('This is not what you asked for. It was not signed.').waitFor()
  equal(await touchesOf(visitor), before, 'touches')
  await page.unroute('**/api/v1/transactions')
  await page.getByRole('button', { name: 'Back' }).click()
  await look.click()
  await page.getByText(`Add the passkey “your passkey at ${there.origin}”`, { exact: true }).waitFor()
  await page.getByText('Your account moves to another node.').waitFor()
  await accessible(page, 'a move to another node')
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await inBlock(page)
}

async function moves(browser, node, second) {
  const old = await person(browser, node)
  // What is not final yet is not history.
  await old.page.getByRole('status').getByText('Done', { exact: true }).waitFor()
  await old.page.goto(`${node.origin}/privacy`)
  const exported = await download(old.page, 'Export everything')
  const here = await newcomer(browser, second)
  const made = await names(here, exported, old.account)
  await movesAway(old, made, second)
  // At the old node it waits under a name that says where the passkey is at home.
  await old.page.goto(`${node.origin}/waiting`)
  await old.page.getByText(/^Add the passkey “A passkey of another node \([0-9a-f]{8}…\)”$/).waitFor()
  equal(await old.page.getByText('unknown to this page').count(), 0, 'strangers')
  await accessible(old.page, 'a move that waits')
  await arrives(here)
  await paysThere(here, old.account)

  // The old node signs nothing for it any more, and says where it is.
  await prepareSend(old.visitor, someone(), '0.1')
  await old.page.getByText('The account has moved to another node.').waitFor()
  await old.page.goto(`${node.origin}/home`)
  await old.page.getByText(/^Another node has kept its server key since /).waitFor()
  equal(await old.page.getByRole('main').getByRole('link', { name: 'Send', exact: true }).count(), 0, 'ways to pay')
  await old.page.getByText('In the trusted core of another node.').waitFor()
  await old.page.getByRole('link', { name: 'Add the passkey “A passkey of another node”' }).waitFor()
  await accessible(old.page, 'an account that moved away')
  await picture(old.page, 'moved-away')
  // Its passkeys there are no strangers to be afraid of.
  await old.page.goto(`${node.origin}/passkeys`)
  await old.page.getByRole('heading', { name: 'Passkeys', level: 1 }).waitFor()
  equal(await old.page.getByText('The account takes a passkey that').count(), 0, 'strangers')
  await leave(old.visitor)

  // What it did before is told as what another node says; the chain knows of it all the same.
  const { page, visitor } = here
  await page.goto(`${second.origin}/transactions`)
  const brought = page.getByRole('region', { name: 'What you brought' })
  await brought.getByText('Send 0.01 ETH').waitFor()
  await brought.getByText(`from ${node.origin}`).first().waitFor()
  // The transaction is in the chain that both nodes serve.
  await brought.getByText('the chain confirms it').waitFor()
  await accessible(page, 'history that was brought')
  await picture(page, 'moving-history')

  // The old node's passkey is a vote still, until it is removed by its slot.
  await page.goto(`${second.origin}/passkeys`)
  await page.getByText('The account takes a passkey that lives at another node').waitFor()
  await accessible(page, 'a passkey of the old node')
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await page.getByRole('heading', { name: 'Remove “A passkey of another node”' }).waitFor()
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await inBlock(page)
  await page.goto(`${second.origin}/passkeys`)
  await page.getByText('You removed it; its vote counts until the change is carried out.').waitFor()
  await leave(visitor)
}

/** The old node does nothing any more: its page is not opened again. */
async function escapes(browser, node, second) {
  const old = await person(browser, node)
  await leave(old.visitor)
  const here = await newcomer(browser, second)
  const { page, visitor, chain } = here
  await page.goto(`${second.origin}/bring`)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('Enter an address.').waitFor()
  await page.getByLabel('Address of the account').fill(old.account)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('heading', { name: 'First your passkey' }).waitFor()
  // A reload goes on where it was.
  await page.reload()
  await page.getByRole('button', { name: 'Touch your passkey' }).click()
  await page.getByRole('heading', { name: 'The old node is gone, or refuses you' }).waitFor()
  await fileInput(page).setInputFiles(asFile('{}'))
  await page.getByText('This is not the recovery file, or it is damaged.').waitFor()
  const sent = []
  page.on('request', (request) => sent.push(request.postData() ?? ''))
  await fileInput(page).setInputFiles(old.file)
  await page.getByText('Escape to new keys with the recovery file').waitFor()
  const secret = JSON.parse(old.text).escapeKey.slice(2)
  equal(sent.filter((body) => body.includes(secret)).length, 0, 'requests with the escape key')
  await arrives(here)
  await paysThere(here, old.account)
  holds((await chain.balance(old.account)) > 0n, 'the account is another one')
  await leave(visitor)
}

/** What this browser keeps of the request, taken away by `take` and given back by `give`. */
const inStorage = (page, act, value) =>
  page.evaluate(
    ([name, kept]) =>
      new Promise((resolve, reject) => {
        const opened = indexedDB.open('airaccount', 1)
        opened.onerror = () => reject(opened.error)
        opened.onsuccess = () => {
          const store = opened.result.transaction('kept', 'readwrite').objectStore('kept')
          const key = `arrival recovery ${location.pathname.split('/').pop()}`
          const asked = name === 'take' ? store.get(key) : store.put(kept, key)
          asked.onsuccess = () => {
            if (name === 'take') store.delete(key)
            store.transaction.oncomplete = () => {
              opened.result.close()
              resolve(asked.result)
            }
          }
        }
      }),
    [act, value],
  )

/** From the guardians' list to their request; answers the files of both that the person keeps. */
async function asksGuardians({ page }, list) {
  const region = page.getByRole('region', { name: 'The recovery file is lost, too' })
  await region.getByText('2 of them together agree').waitFor()
  await region.locator('input[type=file]').setInputFiles(asFile('{}'))
  await region.getByText('This is no guardians’ file, or it is damaged.').waitFor()
  const other = JSON.stringify({ ...JSON.parse(readFileSync(list, 'utf8')), salt: `0x${'11'.repeat(32)}` })
  await region.locator('input[type=file]').setInputFiles(asFile(other))
  await region.getByText('This is not the list that the account has now.').waitFor()
  await accessible(page, 'a list of guardians that is refused')
  await region.locator('input[type=file]').setInputFiles(list)
  await region.getByRole('heading', { name: 'A new recovery file' }).waitFor()
  holds(await region.getByRole('button', { name: 'Go on' }).isDisabled(), 'goes on without the file')
  const file = await keep(page, region)
  equal(JSON.parse(readFileSync(file, 'utf8')).format, 'community-recovery-2', 'format of the new file')
  await region.getByRole('button', { name: 'Go on' }).click()
  const request = await saved(page, page.getByRole('button', { name: 'Download the request' }))
  const secret = JSON.parse(readFileSync(file, 'utf8')).escapeKey
  holds(!readFileSync(request, 'utf8').includes(secret), 'the request has the escape key')
  return { file, request }
}

/** Whoever comes back without the request shows the new recovery file: it has to be the one that the account gets. */
async function comparesFile({ page }, own, old) {
  const draft = await inStorage(page, 'take')
  await page.reload()
  await page.getByText('Your new recovery file has to be the one in this recovery.').waitFor()
  await accessible(page, 'a recovery file to compare')
  const input = page.locator('input[type=file]')
  const stranger = { ...parseRecoveryFile(readFileSync(own, 'utf8')), account: addressOf(newKey()) }
  await input.setInputFiles(asFile(writeBroughtFile(stranger)))
  await page.getByText('This recovery file is of another account.').waitFor()
  await input.setInputFiles(old)
  await page.getByText('This file has another key than this recovery brings.').waitFor()
  await input.setInputFiles(own)
  await page.getByText('The new recovery file is yours.').waitFor()
  // Guardians who signed for an escape key of somebody else: what was asked for here is known here.
  const request = JSON.stringify({ ...JSON.parse(draft.request), escapeKey: addressOf(newKey()) })
  await inStorage(page, 'give', { ...draft, request })
  await page.reload()
  await page.getByText('This recovery brings another recovery file than yours').waitFor()
  await accessible(page, 'a recovery to another recovery file')
  await inStorage(page, 'give', draft)
  await page.reload()
}

/** Device, node and recovery file are gone; two of three guardians are there, one of them at the new node. */
async function guided(browser, node, second) {
  const old = await person(browser, node)
  const guardians = [newKey(), newKey()]
  const member = await person(browser, second)
  const list = await choosesGuardians(old, [...guardians.map(addressOf), member.account])
  await leave(old.visitor)
  const here = await newcomer(browser, second)
  const { page, visitor, chain } = here
  await page.goto(`${second.origin}/bring`)
  await page.getByLabel('Address of the account').fill(old.account)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Touch your passkey' }).click()
  const { file, request } = await asksGuardians(here, list)
  await page.getByLabel('Signatures, as your guardians sent them').fill(signatureLine(guardians[0], digestIn(request)))
  await page.getByRole('button', { name: 'Take them' }).click()
  await page.getByText('What came back: 1 of 2').waitFor()
  holds(await page.getByRole('button', { name: 'Start the recovery' }).isDisabled(), 'started below the threshold')
  await accessible(page, 'guardians of an account on its way')
  // Guardians take days: what came in is there on the next visit.
  await page.reload()
  await page.getByText('What came back: 1 of 2').waitFor()
  await picture(page, 'moving-guardians')
  await approves(member, request)
  await page
    .getByRole('listitem')
    .filter({ has: page.getByRole('img', { name: new RegExp(`Address: ${member.account}`, 'i') }) })
    .getByLabel('approved with their account')
    .check()
  await page.getByRole('button', { name: 'Start the recovery' }).click()
  await page.getByText('Recovery to new keys by the guardians').waitFor()
  await page.getByText('About 7 days to go').waitFor()
  await page.getByText('Until then two votes of the account together').waitFor()
  await page.getByText('The new recovery file is yours.').waitFor()
  await accessible(page, 'a recovery on its way')
  await comparesFile(here, file, old.file)
  await page.getByText('The new recovery file is yours.').waitFor()
  await chain.passTime(7 * DAY_S + 60)
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await page.getByText('It is here', { exact: true }).waitFor()
  await page.getByText('The new recovery file is the right one now').waitFor()
  await accessible(page, 'an account that guardians brought')
  await paysThere(here, old.account)
  // Its guardians are there for the next time, too.
  await page.goto(`${second.origin}/recover`)
  await choose(page, old.account)
  await page.getByText('Your list of guardians').waitFor()
  await leave(visitor)
}

export async function run(suite, browser, node) {
  const tests = [
    ['Moving.TheOldNodeHandsTheAccountOver', moves],
    ['Moving.TheOldNodeIsGone', escapes],
    ['Moving.GuardiansBringTheAccountHere', guided],
  ]
  if (!tests.some(([name]) => suite.wants(name))) return
  const second = await startNode({ name: 'second.localhost', chain: node.chain })
  try {
    for (const [name, body] of tests) await suite.test(name, () => body(browser, node, second))
  } finally {
    await second.stop()
  }
}
