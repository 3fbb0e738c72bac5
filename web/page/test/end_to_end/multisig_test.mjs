// SPDX-License-Identifier: Apache-2.0
// A shared account of two people, from nothing to money that both agreed on; and a node that lies about a proposal.
import { randomBytes } from 'node:crypto'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { getFunds, prepareSend, register, signAndWait } from './people.mjs'

const someone = () => checksummed(`0x${randomBytes(20).toString('hex')}`)

export async function run({ test }, browser, node) {
  await test('Multisig.TwoPeopleShareAnAccount', () => shared(browser, node))
}

async function person(browser, node) {
  const visitor = await visit(browser, node)
  await register(visitor)
  return { visitor, account: await getFunds(visitor), page: visitor.page, main: visitor.page.getByRole('main') }
}

/** What an act will do, in the page's words; then the touch. */
async function act(who, button, words) {
  await who.main.getByRole('button', { name: button, exact: true }).click()
  await who.page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await who.main.getByText(words, { exact: true }).waitFor()
  await signAndWait(who.visitor)
}

async function open({ page, main }, node, name) {
  await page.goto(`${node.origin}/multisigs`)
  await main.getByRole('link', { name, exact: true }).click()
  await page.getByRole('heading', { name: 'Owners', exact: true }).first().waitFor()
}

/** Among the tokens of this person's home; answers what it is called. */
async function addToken({ page }, node, token) {
  await page.goto(`${node.origin}/home`)
  await page.getByRole('button', { name: 'Add a token' }).click()
  await page.getByLabel('Address of the token’s contract').fill(token)
  await page.keyboard.press('Enter')
  const row = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Remove/ }) })
  return (await row.getByText(/^50 /).textContent()).slice(3).trim()
}

async function make({ visitor, page, main }, node, owner, symbol) {
  await page.goto(`${node.origin}/multisigs/new`)
  await page.getByLabel('Name of the shared account').fill('Our garden')
  const submit = page.getByRole('button', { name: 'Work out its address' })
  // One wrong character.
  await page.getByLabel('Owner 2', { exact: true }).fill(`${owner.slice(0, -1)}${owner.endsWith('7') ? '8' : '7'}`)
  await submit.click()
  equal(
    await page.getByLabel('Owner 2', { exact: true }).getAttribute('aria-invalid'),
    'true',
    'a wrong address is said at its field',
  )
  await page.getByLabel('Owner 2', { exact: true }).fill(owner)
  await page.getByText('If one owner loses their keys').waitFor()
  await page.getByLabel('What one owner may spend alone in a day, in ETH').fill('0.01')
  await page.getByText('Limits of tokens').click()
  const limit = page.getByLabel(`What one owner may spend alone in a day, in ${symbol}`)
  await limit.fill('a lot')
  await submit.click()
  equal(await limit.getAttribute('aria-invalid'), 'true', 'a wrong limit is said at its field')
  await limit.fill('7')
  await accessible(page, 'making a shared account')
  await picture(page, 'shared-new')
  await submit.click()
  await page.getByText('Not on the chain yet').waitFor()
  const label = await main
    .getByRole('img', { name: /^Address: / })
    .first()
    .getAttribute('aria-label')
  const address = label.slice('Address: '.length)
  await act({ visitor, page, main }, 'Make it on the chain', 'Make this shared account on the chain')
  return address
}

/** A node that shows other calls than the proposal's id commits to. */
async function lies({ page, main }, node, shop) {
  const pattern = '**/api/v1/multisigs/*'
  const mallory = someone()
  await page.route(pattern, async (route) => {
    const response = await route.fetch()
    const text = (await response.text()).replaceAll(mallory, shop).replaceAll(shop, mallory)
    await route.fulfill({ response, body: text })
  })
  await open({ page, main }, node, 'Our garden')
  await page.getByText('The node says something that is not true').waitFor()
  await page.getByText(/^proposal-id-other/).waitFor()
  equal(await main.getByRole('button', { name: 'Approve', exact: true }).count(), 0, 'a way to approve a lie')
  await accessible(page, 'a lie about a proposal')
  await page.unroute(pattern)
}

async function shared(browser, node) {
  const [ann, bob] = [await person(browser, node), await person(browser, node)]
  const chain = chainOf(node)
  const shop = someone()
  const token = await chain.token(ann.account, 50n * ETHER)
  const symbol = await addToken(ann, node, token)
  const address = await make(ann, node, checksummed(bob.account), symbol)
  holds((await chain.rpc('eth_getCode', address, 'latest')).length > 2, 'it is on chain')
  await prepareSend(ann.visitor, address, '0.5')
  await signAndWait(ann.visitor)

  // The other one keeps it by its address, and proposes.
  await bob.page.goto(`${node.origin}/multisigs`)
  await bob.page.getByLabel('Address of the shared account').fill(address)
  await bob.page.getByRole('button', { name: 'Put it into my list' }).click()
  await bob.main.getByText('0.5 ETH', { exact: true }).waitFor()
  // A token that he never asked for, which any owner could spend.
  await bob.main.getByText(`7 ${symbol} of 7 ${symbol} left today`).waitFor()
  await bob.main.getByRole('img', { name: `Address: ${checksummed(token)}` }).waitFor()
  await bob.page.getByLabel('To', { exact: true }).fill(shop)
  await bob.page.getByLabel(/^Amount/).fill('0.2')
  await act(bob, 'Propose it to the owners', 'Propose to pay 0.2 ETH out of the shared account')

  await lies(ann, node, shop)
  await open(ann, node, 'Our garden')
  await ann.main.getByText('Send 0.2 ETH', { exact: true }).waitFor()
  await ann.main.getByText('Approvals missing: 1').waitFor()
  equal(await ann.main.getByRole('button', { name: 'Carry it out' }).count(), 0, 'a way to carry it out too early')
  await accessible(ann.page, 'a shared account with a proposal')
  await picture(ann.page, 'shared-proposal')
  await ann.page.setViewportSize({ width: 360, height: 740 })
  await ann.page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  equal(await ann.page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)), 0, 'too wide')
  await accessible(ann.page, 'a shared account on a phone in the dark')
  await picture(ann.page, 'shared-proposal-dark-phone')
  await act(ann, 'Approve', 'Approve this proposal')
  await open(ann, node, 'Our garden')
  await act(ann, 'Carry it out', 'Carry out this proposal of the shared account')
  equal(`${await chain.balance(shop)}`, `${ETHER / 5n}`, 'paid')

  // Within the day's limit nobody else is asked.
  await open(bob, node, 'Shared account')
  await bob.main.getByText('Carried out', { exact: true }).waitFor()
  await bob.page.getByLabel('To', { exact: true }).fill(shop)
  await bob.page.getByLabel(/^Amount/).fill('0.02')
  await bob.page.getByRole('button', { name: 'Pay it now' }).click()
  await bob.page.getByText('At most 0.01 ETH can be paid without the others.').waitFor()
  await bob.page.getByLabel(/^Amount/).fill('0.01')
  await act(bob, 'Pay it now', 'Pay 0.01 ETH out of the shared account now')
  equal(`${await chain.balance(shop)}`, `${ETHER / 5n + ETHER / 100n}`, 'paid within the limit')
  await changed(ann, bob, node, address)
  await leave(ann.visitor)
  await leave(bob.visitor)
}

/** Another owner joins, and the day's limit ends: proposed in words, read by the other one, and carried out. */
async function changed(ann, bob, node, address) {
  const carol = someone()
  await open(ann, node, 'Our garden')
  await ann.main.getByText('Change owners or the daily limit').click()
  const propose = ann.main.getByRole('button', { name: 'Propose it to the owners' }).last()
  await propose.click()
  await ann.main.getByText('Nothing would change.').waitFor()
  await ann.main.getByRole('button', { name: 'Add another owner' }).click()
  await ann.page.getByLabel('New owner 1', { exact: true }).fill(checksummed(bob.account))
  await propose.click()
  await ann.main.getByText('This owner is there already.').waitFor()
  await ann.page.getByLabel('New owner 1', { exact: true }).fill(carol)
  await ann.page.getByLabel('How many must agree').last().selectOption('3')
  await accessible(ann.page, 'changing a shared account')
  await picture(ann.page, 'shared-change')
  await propose.click()
  await ann.main.getByText('Propose to change the shared account:').waitFor()
  await ann.main.getByText(`Add the owner ${carol}`).waitFor()
  await signAndWait(ann.visitor)
  await open(bob, node, 'Shared account')
  await bob.main.getByText(`Add the owner ${carol}`).waitFor()
  await bob.main.getByText('From then on this many owners must agree: 3').waitFor()
  await act(bob, 'Approve', 'Approve this proposal')
  await open(bob, node, 'Shared account')
  await act(bob, 'Carry it out', 'Carry out this proposal of the shared account')
  await open(bob, node, 'Shared account')
  await bob.main.getByText('3 of 3 owners must agree.').waitFor()
  await bob.main.getByText('Change owners or the daily limit').click()
  await bob.page.getByLabel(/^What one owner may spend/).fill('0')
  await bob.page.getByRole('button', { name: 'Propose this limit' }).click()
  await bob.main.getByText(/^New daily limit/).waitFor()
  await bob.page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  holds((await chainOf(node).rpc('eth_getCode', address, 'latest')).length > 2, 'it is still there')
}
