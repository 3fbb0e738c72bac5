// SPDX-License-Identifier: Apache-2.0
// Ways out and back: move house, escape with the recovery file, recovery by guardians.
import { mkdtempSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { digestOf } from '../../../escape/src/core/actions.mjs'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { addressOf, keySignature, newKey } from '../../../escape/src/core/signing.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, picture } from './browser.mjs'
import { ETHER } from './chain.mjs'
import { carryOut, inBlock, person, someone } from './keys_test.mjs'
import { until } from './node.mjs'
import { logIn, logOut, prepareSend, signAndWait } from './people.mjs'

const DAY_S = 86_400

/** A new passkey on the device of this name, from the form to the offered change. */
async function make({ page, drawer }, name) {
  await page.getByLabel('Name of the passkey').fill(name)
  await drawer.take(name)
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByRole('button', { name: 'See what it does' }).waitFor()
}

export async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()])
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'page-file-')), download.suggestedFilename())
  await download.saveAs(file)
  return file
}

/** Downloads what must be kept, and chooses it again; `part` of the page has the only place for it. */
export async function keep(page, part = page) {
  const file = await saved(page, part.getByRole('button', { name: 'Download the file' }))
  await part.locator('input[type=file]').setInputFiles(file)
  await page.getByText('You have it.').waitFor()
  return file
}

async function start(page) {
  await page.getByRole('button', { name: 'Start it' }).click()
  await inBlock(page)
}

/** New keys that the node knows, signed for by the device `signer`, up to the next step. */
async function tellNode(world, name, signer) {
  const { visitor, page, drawer } = world
  await make(world, name)
  await drawer.take(signer)
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('A new server key', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByText(`The node knows your new keys: “${name}”`).waitFor()
  await drawer.take(name)
  await page.getByRole('button', { name: 'Go on' }).click()
  holds(visitor.problems.length === 0, 'complaints of the browser')
}

/** With the passkey at hand: what an older one began is over once the block is final that takes it from the account. */
async function logInAnew(visitor) {
  await logOut(visitor)
  await logIn(visitor)
}

async function movesAndEscapes(browser, node) {
  const world = await person(browser, node)
  const { visitor, chain, drawer, page } = world
  const bob = someone()

  // Move house: both keys in one change.
  await page.goto(`${node.origin}/move`)
  await page.getByText('a passkey belongs to the address of the page').waitFor()
  await make(world, 'tablet')
  await drawer.take('device')
  await page.getByRole('radio', { name: /^At once, with a passkey and your recovery file/ }).check()
  await accessible(page, 'a move')
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('Add the passkey “tablet”', { exact: true }).waitFor()
  const rows = page.getByRole('list', { name: 'The account’s keys, before and after' }).getByRole('listitem')
  const serverKeys = rows.filter({ hasText: 'Server key' })
  const before = await serverKeys.filter({ hasText: 'goes' }).locator('code').textContent()
  const after = await serverKeys.filter({ hasText: 'new' }).locator('code').textContent()
  holds(before !== after, 'the server key stays')
  await voteWithFile(world)
  await drawer.take('tablet')
  await prepareSend(visitor, bob, '0.2')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 5n}`, 'paid with the new keys, at once')
  await escapes(world, bob)
}

/** The passkey's vote, then the file's, whose key stays in the page: what was shown acts at once. */
async function voteWithFile({ page, file }) {
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  // Nothing else of the account can vote, so nothing else is offered.
  await page.getByText('Your recovery file gives the second: no other passkey can.').waitFor()
  await page.getByText(/^Signed by: /).waitFor()
  equal(await page.getByRole('button', { name: /^Sign with .*passkey$/ }).count(), 0, 'passkeys that are offered')
  await accessible(page, 'a change that waits for its second vote')
  await picture(page, 'second-vote')
  const { escapeKey } = JSON.parse(readFileSync(file, 'utf8'))
  const sent = []
  page.on('request', (request) => sent.push(request.postData() ?? ''))
  const input = page.locator('input[type=file]')
  const letter = { name: 'letter.json', mimeType: 'application/json', buffer: Buffer.from('{"format":"letter"}') }
  await input.setInputFiles(letter)
  await page.getByText('This is not the recovery file, or it is damaged.').waitFor()
  await input.setInputFiles(file)
  await inBlock(page)
  holds(
    sent.some((body) => body.includes('"escapeSignature"')),
    'the file gave no vote',
  )
  equal(sent.filter((body) => body.includes(escapeKey.slice(2))).length, 0, 'requests with the escape key')
}

async function escapes(world, bob) {
  const { visitor, chain, page, file, account } = world
  const { node } = visitor
  await page.goto(`${node.origin}/escape`)
  await page.getByRole('button', { name: 'Freeze the account' }).click()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByLabel('Name of the passkey').waitFor()
  await accessible(page, 'an escape')
  await tellNode(world, 'phone', 'tablet')

  // A file of somebody else has no vote here; the right one is read and goes nowhere.
  const other = JSON.parse(readFileSync(file, 'utf8'))
  const input = page.locator('input[type=file]')
  const broken = { name: 'other.json', mimeType: 'application/json' }
  const changed = JSON.stringify({ ...other, escapeKey: newKey() })
  await input.setInputFiles({ ...broken, buffer: Buffer.from(changed) })
  await page.getByText('This is not the recovery file, or it is damaged.').waitFor()
  const sent = []
  page.on('request', (request) => sent.push(request.postData() ?? ''))
  await input.setInputFiles(file)
  await page.getByText('This was signed before, and this page read it again.').waitFor()
  await accessible(page, 'an escape that begins')
  await start(page)
  const secret = other.escapeKey.slice(2)
  equal(sent.filter((body) => body.includes(secret)).length, 0, 'requests with the escape key')
  holds(
    sent.some((body) => body.includes('"escape"')),
    'no escape was asked for',
  )

  await page.goto(`${node.origin}/escape`)
  await page.getByText('About 3 days to go').waitFor()
  await page.getByText('Started by: Escape key.').waitFor()
  await prepareSend(visitor, bob, '0.1')
  await page.getByText('The account is frozen.', { exact: true }).waitFor()
  await chain.passTime(3 * DAY_S + 60)
  await logInAnew(visitor)
  await carryOut(visitor, '/escape')
  // The freeze is over, and the only passkey of the account is the new one.
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${(3n * ETHER) / 10n}`, 'paid after the escape')
  holds((await chain.balance(account)) > 0n, 'the account is another one')
  await until(async () => {
    await page.goto(`${node.origin}/passkeys`)
    await page.getByRole('heading', { name: 'phone', level: 2 }).waitFor()
    return (await page.getByRole('heading', { name: 'tablet', level: 2 }).count()) === 0
  }, 'the old passkeys are gone')
  await leave(visitor)
}

/** Two of these three addresses, after seven days; answers the file with their list. */
export async function choosesGuardians({ visitor, chain, page }, addresses) {
  const { node } = visitor
  await page.goto(`${node.origin}/guardians`)
  await page.getByText('You have none.').waitFor()
  await accessible(page, 'guardians')
  await page.getByRole('button', { name: 'Choose guardians' }).click()
  await page.getByLabel('Guardian 1', { exact: true }).fill('nobody')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('This is no address.').waitFor()
  await page.getByRole('button', { name: 'Another one' }).click()
  await page.getByLabel('Guardian 1', { exact: true }).fill(checksummed(addresses[0]))
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('You named 1 guardians').waitFor()
  for (const [i, address] of addresses.entries())
    await page.getByLabel(`Guardian ${i + 1}`, { exact: true }).fill(checksummed(address))
  await page.getByLabel('How many of them together').selectOption('2')
  await page.getByLabel('Days until a recovery acts').fill('7')
  await accessible(page, 'a choice of guardians')
  await page.getByRole('button', { name: 'Go on' }).click()
  holds(await page.getByRole('button', { name: 'See what it does' }).isDisabled(), 'goes on without the file')
  const list = await keep(page)
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('Guardians: 2 of them together give the account new keys after 7 days').waitFor()
  await signAndWait(visitor)
  await chain.passTime(3 * DAY_S + 60)
  await carryOut(visitor, '/guardians')
  await page.goto(`${node.origin}/guardians`)
  await page.locator('input[type=file]').setInputFiles(list)
  await page.getByText('This is the list that counts.').waitFor()
  return list
}

async function recovers(browser, node) {
  const world = await person(browser, node)
  const { visitor, page } = world
  const guardians = [newKey(), newKey()]
  // The third is a member with an account of the same node.
  const member = await person(browser, node)
  const list = await choosesGuardians(world, [...guardians.map(addressOf), member.account])
  await page.getByRole('link', { name: 'Recover with your guardians' }).click()
  await page.getByText('Your list of guardians').waitFor()
  await page.locator('input[type=file]').setInputFiles(list)
  await page.getByLabel('Name of the passkey').waitFor()
  await tellNode(world, 'laptop', 'device')
  const recoveryFile = await keep(page)
  await page.getByRole('button', { name: 'Go on' }).click()
  await signed(world, guardians, member)
  // What was agreed to is what the account becomes.
  equal(JSON.parse(readFileSync(recoveryFile, 'utf8')).escapeKeyIsLater, true, 'kind of the new file')
  await leave(visitor)
}

/** A guardian's account says on the chain that it agrees. */
export async function approves({ visitor, page }, request) {
  await page.goto(`${visitor.node.origin}/guardian`)
  await page.locator('input[type=file]').setInputFiles({
    name: 'letter.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"format":"letter"}'),
  })
  await page.getByText('This is no recovery request, or it is damaged.').waitFor()
  await page.locator('input[type=file]').setInputFiles(request)
  await page.getByRole('heading', { name: 'What you would agree to' }).waitFor()
  await page.getByText(`at this node (${new URL(visitor.node.origin).host})`).waitFor()
  await accessible(page, 'a request for a guardian')
  await page.getByRole('button', { name: 'Agree with this account' }).click()
  await page.getByText('Call a contract: function').waitFor()
  await signAndWait(visitor)
  await leave(visitor)
}

/** What a guardian with a key of its own has to sign, in the file that it was sent. */
export function digestIn(file) {
  const request = JSON.parse(readFileSync(file, 'utf8'))
  const values = [
    request.passkeys.map(({ x, y, rpIdHash }) => [BigInt(x), BigInt(y), rpIdHash]),
    request.serverKey,
    request.escapeKey,
  ]
  const stamp = [BigInt(request.keyEpoch), BigInt(request.nonce), BigInt(request.deadline)]
  return digestOf(request.chainId, request.account, 'Recover', values, stamp)
}
export const signatureLine = (key, digest) => `${addressOf(key)}=${keySignature(key, digest)}`

/** Two of three guardians agree: one signs with a key of its own, one with an account. */
async function signed({ visitor, chain, page }, guardians, member) {
  const { node } = visitor
  const file = await saved(page, page.getByRole('button', { name: 'Download the request' }))
  const digest = digestIn(file)
  await page.getByText(digest).waitFor()
  const take = async (text) => {
    await page.getByLabel('Signatures, as your guardians sent them').fill(text)
    await page.getByRole('button', { name: 'Take them' }).click()
  }
  await take('yes')
  await page.getByText('There is no signature in this text').waitFor()
  await take(signatureLine(newKey(), digest))
  await page.getByText('A signature is of none of these guardians').waitFor()
  await take(signatureLine(guardians[0], digest))
  await page.getByText('What came back: 1 of 2').waitFor()
  holds(await page.getByRole('button', { name: 'See what it does' }).isDisabled(), 'started below the threshold')
  await accessible(page, 'signatures of guardians')
  await approves(member, file)
  await page
    .getByRole('listitem')
    .filter({ has: page.getByRole('img', { name: new RegExp(`Address: ${member.account}`, 'i') }) })
    .getByLabel('approved with their account')
    .check()
  await page.getByText('What came back: 2 of 2').waitFor()
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('A new escape key', { exact: true }).waitFor()
  await start(page)
  await page.goto(`${node.origin}/waiting`)
  const item = page.getByRole('listitem').filter({ hasText: 'Recovery to new keys by the guardians' })
  await item.getByText('About 7 days to go').waitFor()
  await item.getByText('Two votes together can cancel it').waitFor()
  await chain.passTime(7 * DAY_S + 60)
  await logInAnew(visitor)
  await carryOut(visitor, '/recover')
  const bob = someone()
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${ETHER / 10n}`, 'paid with the recovered keys')
}

export async function run({ test }, browser, node) {
  await test('Ways.MoveHouseThenEscapeWithTheRecoveryFile', () => movesAndEscapes(browser, node))
  await test('Ways.TwoOfThreeGuardiansBringTheAccountBack', () => recovers(browser, node))
}
