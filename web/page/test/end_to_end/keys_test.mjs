// SPDX-License-Identifier: Apache-2.0
// Keys that change: further passkeys, votes of two devices, and what a removed one can still do, which is nothing.
import { randomBytes } from 'node:crypto'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, authenticator, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { getFunds, logIn, prepareSend, register, saveRecoveryFile, signAndWait } from './people.mjs'

const DAY_S = 86_400
export const someone = () => checksummed(`0x${randomBytes(20).toString('hex')}`)

const credentialsOf = async ({ session }, authenticatorId) =>
  (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials

/** The person's devices, of which one is at hand at a time: the others are in a drawer, with their passkeys. */
export function drawerOf(visitor) {
  const drawer = new Map([['device', { id: visitor.device, transport: 'internal', credentials: [] }]])
  let atHand = 'device'
  return {
    async take(name) {
      if (name === atHand) return
      const put = drawer.get(atHand)
      put.credentials = await credentialsOf(visitor, put.id)
      await visitor.session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: put.id })
      const taken = drawer.get(name) ?? { transport: 'usb', credentials: [] }
      drawer.set(name, taken)
      atHand = name
      taken.id = await authenticator(visitor.session, { transport: taken.transport })
      for (const credential of taken.credentials)
        await visitor.session.send('WebAuthn.addCredential', { authenticatorId: taken.id, credential })
    },
    credentials: (name) =>
      name === atHand ? credentialsOf(visitor, drawer.get(name).id) : Promise.resolve(drawer.get(name).credentials),
  }
}

/** A person with ten ether whose account is on the chain, and who has a drawer of devices. */
export async function person(browser, node) {
  const visitor = await visit(browser, node)
  const registered = await register(visitor)
  const account = await getFunds(visitor)
  await prepareSend(visitor, someone(), '0.01')
  await signAndWait(visitor)
  return { visitor, chain: chainOf(node), account, drawer: drawerOf(visitor), page: visitor.page, ...registered }
}

/** Until what a receipt tells is in a block; or the session is over, which ends with the keys that began it. */
export const inBlock = (page) =>
  page
    .getByRole('status')
    .getByText(/^(Done|In a block)$/)
    .or(page.getByText(/^(You were logged out|Your keys were changed)$/))
    .first()
    .waitFor()

/** Finishes the only item of a view whose time has come. */
export async function carryOut({ page, node }, path = '/passkeys') {
  await page.goto(node.origin + path)
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await page.getByText('Nobody signs this').waitFor()
  await page.getByRole('button', { name: 'Carry it out' }).click()
  await inBlock(page)
}

const card = (page, name) =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true, level: 2 }) })

/** Makes a passkey on the security key and gives it to the account by one vote of the device. */
async function addByOneVote({ visitor, drawer, page }, name) {
  await page.goto(`${visitor.node.origin}/passkeys`)
  await page.getByText('You have one passkey.').waitFor()
  await page.getByRole('link', { name: 'Add a passkey' }).click()
  await page.getByLabel('Name of the passkey').fill(name)
  await accessible(page, 'where a passkey shall live')
  await drawer.take('key')
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByRole('heading', { name: `Give your account to “${name}”, too` }).waitFor()
  await drawer.take('device')
  holds(await page.getByRole('radio', { name: /^At once, with two passkeys/ }).isDisabled(), 'two votes of one passkey')
  await accessible(page, 'votes for a passkey')
  await page.getByRole('button', { name: 'See what it does' }).click()
  const main = page.getByRole('main')
  await main.getByText(`Add the passkey “${name}”`, { exact: true }).waitFor()
  await main.getByText('With one passkey it takes three days.').waitFor()
  const rows = page.getByRole('list', { name: 'The account’s keys, before and after' }).getByRole('listitem')
  await rows.filter({ hasText: name }).getByText('new', { exact: true }).waitFor()
  equal(await rows.getByText('stays', { exact: true }).count(), 3, 'keys that stay')
  await accessible(page, 'a change of keys')
  await signAndWait(visitor)
}

async function added(browser, node) {
  const world = await person(browser, node)
  const { visitor, chain, account, drawer, page } = world
  await addByOneVote(world, 'Blue key')

  // The node takes it at once, the chain does not: both are said.
  await page.goto(`${node.origin}/passkeys`)
  await card(page, 'Blue key').getByText('The node takes it already; the account does not yet.').waitFor()
  await page.getByText('About 3 days to go').first().waitFor()
  await page.getByText(/Any other vote can cancel it: another passkey, or your recovery file/).waitFor()
  equal(await page.getByRole('button', { name: 'Carry it out' }).count(), 0, 'carried out too early')
  await accessible(page, 'a passkey on its way')
  await chain.passTime(3 * DAY_S + 60)
  await carryOut(visitor)
  await page.goto(`${node.origin}/passkeys`)
  await card(page, 'Blue key').getByText('Counts: node and account agree.').waitFor()
  equal(await page.getByText('You have one passkey.').count(), 0, 'still told to have one')

  // The second device alone, in another browser: it logs in and pays.
  const [credential] = await drawer.credentials('key')
  const other = await visit(browser, node, { authenticator: { transport: 'usb' } })
  await other.session.send('WebAuthn.addCredential', { authenticatorId: other.device, credential })
  await logIn(other)
  const bob = someone()
  await prepareSend(other, bob, '0.2')
  await signAndWait(other)
  equal(`${await chain.balance(bob)}`, `${ETHER / 5n}`, 'paid by the second device')
  holds((await chain.balance(account)) < 10n * ETHER, 'paid from elsewhere')
  await twoVotes({ ...world, other, bob })
}

/** The person's passkeys, as the node lists them. */
const listed = (page) => page.evaluate(async () => (await (await fetch('/api/v1/passkeys')).json()).passkeys)

/** With two votes: frozen and unfrozen within a minute, and the security key removed at once. */
async function twoVotes({ visitor, chain, drawer, page, other, bob }) {
  const { node } = visitor
  await page.goto(`${node.origin}/limits`)
  await page.getByRole('button', { name: 'Freeze the account' }).click()
  await page.getByText('The node brings it and pays.').waitFor()
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByRole('button', { name: 'Unfreeze with two passkeys, at once' }).click()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByText('Now sign with another passkey, or with your recovery file.').waitFor()
  const [{ name }] = (await listed(page)).filter((one) => one.name !== 'Blue key')
  await page.getByText(`Signed by: ${name}.`).waitFor()
  equal(await page.getByRole('button', { name: 'Sign with your passkey' }).count(), 0, 'offered to who has voted')
  // The same passkey again is no second vote, so the browser is not even asked for it.
  await page.evaluate(() => {
    const use = navigator.credentials.get.bind(navigator.credentials)
    navigator.credentials.get = (options) => {
      globalThis.asked = options.publicKey.allowCredentials.length
      return use(options)
    }
  })
  await drawer.take('key')
  await page.getByRole('button', { name: 'Sign with another passkey' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await inBlock(page)
  equal(await page.evaluate(() => globalThis.asked), 1, 'passkeys that may give the second vote')
  await drawer.take('device')
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${(3n * ETHER) / 10n}`, 'paid after two votes unfroze it')
  await removed({ visitor, chain, page, other, bob })
}

async function removed({ visitor, chain, page, other, bob }) {
  const { node } = visitor
  await page.goto(`${node.origin}/passkeys`)
  await page.getByRole('button', { name: /^Remove ?: Blue key/ }).click()
  await page.getByText('Only one passkey is left afterwards.').waitFor()
  holds(
    await page.getByRole('radio', { name: /^At once, with two passkeys/ }).isDisabled(),
    'it votes for its own removal',
  )
  await accessible(page, 'the removal of a passkey')
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('Remove the passkey “Blue key”', { exact: true }).waitFor()
  await signAndWait(visitor)
  // The node and its trusted core refuse it from this moment on.
  await other.page.goto(`${node.origin}/home`)
  // Its session is over with it, and says why.
  await other.page.getByText('Your keys were changed', { exact: true }).waitFor()
  await other.page.getByText('Was it not you? Your recovery file freezes the account').waitFor()
  equal(await other.page.getByText('You were logged out').count(), 0, 'other reasons')
  await accessible(other.page, 'a session whose passkey was removed')
  await picture(other.page, 'login-passkey-removed')
  await other.page.getByRole('button', { name: 'Log in with your passkey' }).click()
  await other.page.getByRole('alert').waitFor()
  equal(await other.page.getByRole('heading', { name: 'Your keys, and where they are' }).count(), 0, 'logged in')
  await leave(other)
  // The chain takes its vote until the change is carried out; that is said, too.
  await page.goto(`${node.origin}/passkeys`)
  await page.getByText('You removed it; its vote counts until the change is carried out.').waitFor()
  await accessible(page, 'a passkey on its way out')
  await chain.passTime(3 * DAY_S + 60)
  await carryOut(visitor)
  await page.goto(`${node.origin}/passkeys`)
  await page.getByText('It is the only one that signs, so it stays.').waitFor()
  equal(await page.getByRole('button', { name: /^Remove/ }).count(), 0, 'a way to remove the last one')
  equal(await page.getByText('does not know').count(), 0, 'strangers')
  await prepareSend(visitor, bob, '0.1')
  await signAndWait(visitor)
  equal(`${await chain.balance(bob)}`, `${(4n * ETHER) / 10n}`, 'paid afterwards')
  await leave(visitor)
}

/** A node that slips another key, or another relying party, into the change that is to be signed. */
async function lied(browser, node) {
  const visitor = await visit(browser, node)
  const { page } = visitor
  await register(visitor)
  await page.goto(`${node.origin}/passkeys/new`)
  // An account that no transaction made yet is brought onto the chain first.
  await page.getByRole('button', { name: 'Bring it onto the chain' }).click()
  await page.getByText('Send 0 ETH', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByLabel('Name of the passkey').waitFor()
  const drawer = drawerOf(visitor)
  await drawer.take('key')
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByRole('heading', { name: /^Give your account to/ }).waitFor()
  await drawer.take('device')
  const [{ signCount }] = await drawer.credentials('device')
  await page.route('**/api/v1/transactions', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    const asked = route.request().postDataJSON()
    // Move to the node's next server key besides, which nobody ordered.
    const postData = JSON.stringify({ ...asked, keys: { ...asked.keys, serverKey: 'next' } })
    await route.fulfill({ response: await route.fetch({ postData }) })
  })
  await page.getByRole('button', { name: 'See what it does' }).click()
  await page.getByText('This is not what you asked for. It was not signed.').waitFor()
  await page
    .getByRole('alert')
    .getByText(/^digest-other/)
    .waitFor()
  const [{ signCount: after }] = await drawer.credentials('device')
  equal(after, signCount, 'touches')
  await page.unroute('**/api/v1/transactions')

  // What was made and given to nobody is thrown away again.
  await page.goto(`${node.origin}/passkeys`)
  await page.getByText('made, and not in use yet').waitFor()
  await page.getByRole('button', { name: /^Throw it away/ }).click()
  await page.getByText('The node has forgotten it.').waitFor()
  await page.getByText('made, and not in use yet').waitFor({ state: 'detached' })
  await leave(visitor)
}

/** As an application's page would have it signed: the node alone may then make some calls, until it is taken back. */
const grantTo = ({ page }, target) =>
  page.evaluate(async (to) => {
    const { csrfToken } = await (await fetch('/api/v1/session')).json()
    const { wallets } = await (await fetch('/api/v1/wallets')).json()
    const post = async (path, body) => {
      const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken }
      const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
      if (!response.ok) throw new Error(await response.text())
      return response.json()
    }
    const grant = { target: to, selectors: ['0x40c10f19'], valuePerCall: '0', valueTotal: '0', validFor: 7200 }
    const [{ walletId, accounts }] = wallets
    const order = { walletId, chainId: accounts[0].chainId, kind: 'grant', grant }
    const { transactionId, digest } = await post('/api/v1/transactions', order)
    const challenge = Uint8Array.from(digest.slice(2).match(/../g), (pair) => Number.parseInt(pair, 16))
    const used = await navigator.credentials.get({ publicKey: { challenge, userVerification: 'required' } })
    await post(`/api/v1/transactions/${transactionId}/signature`, { credential: used.toJSON(), digest })
    return transactionId
  }, target)

async function grantTakenBack(browser, node) {
  const { visitor, chain, account, page } = await person(browser, node)
  const token = await chain.token(account, ETHER)
  const transactionId = await grantTo(visitor, token)
  await page.goto(`${node.origin}/transactions/${transactionId}`)
  await inBlock(page)
  await page.goto(`${node.origin}/limits`)
  await page.getByText(/^0 ETH left, until /).waitFor()
  await accessible(page, 'a grant')
  await page.getByRole('button', { name: 'Take it back' }).click()
  await page.getByText('Take back a session grant', { exact: true }).waitFor()
  await page.getByText('The node brings it and pays.').waitFor()
  await signAndWait(visitor)
  await page.goto(`${node.origin}/limits`)
  await page.getByText('There are none now.').waitFor()
  await leave(visitor)
}

/** Two wallets, one wish: each account's change is prepared, checked and signed by itself. */
async function everywhere(browser, node) {
  const world = await person(browser, node)
  const { visitor, chain, drawer, page } = world
  await page.goto(`${node.origin}/wallets/new`)
  await page.getByLabel('Name of the wallet').fill('Club')
  await page.getByRole('button', { name: 'Make the wallet' }).click()
  await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
  await saveRecoveryFile(visitor)
  await page.goto(`${node.origin}/wallets`)
  const club = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Club' }) })
  const label = await club.getByRole('img', { name: /^Address: / }).getAttribute('aria-label')
  await chain.rpc('anvil_setBalance', label.slice('Address: '.length), `0x${ETHER.toString(16)}`)
  await page.goto(`${node.origin}/send`)
  await page.getByRole('combobox', { name: 'Account' }).selectOption('Club · Development chain')
  await page.getByLabel('To', { exact: true }).fill(someone())
  await page.getByLabel(/^Amount/).fill('0.01')
  await page.getByRole('button', { name: 'See what it does' }).click()
  await signAndWait(visitor)

  await page.goto(`${node.origin}/passkeys/new`)
  await page.getByLabel('Name of the passkey').fill('Blue key')
  await drawer.take('key')
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByText('Club on Development chain: after three days').waitFor()
  await drawer.take('device')
  await page.getByRole('button', { name: 'See what it does' }).click()
  for (const step of ['1 of 2: Main wallet on Development chain', '2 of 2: Club on Development chain']) {
    await page.getByRole('heading', { name: step }).waitFor()
    await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  }
  await page.getByText('All of them are signed.').waitFor()
  await accessible(page, 'changes of two accounts')
  await page.goto(`${node.origin}/passkeys`)
  const known = card(page, 'Blue key').getByText('The node takes it already; the account does not yet.')
  // The second of them may be on its way into a block still.
  await known.nth(1).waitFor()
  await leave(visitor)
}

export async function run({ test }, browser, node) {
  await test('Keys.ASecondDeviceJoinsVotesAndLeaves', () => added(browser, node))
  await test('Keys.AGrantIsTakenBack', () => grantTakenBack(browser, node))
  if (process.env.COMMUNITY_TEST_LONG) await test('Keys.JoinEveryAccountAtOnce', () => everywhere(browser, node))
  await test('Keys.ALyingNodeIsFoundOutBeforeTheTouch', () => lied(browser, node))
}
