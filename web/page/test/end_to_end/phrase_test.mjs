// SPDX-License-Identifier: Apache-2.0
// The secret phrase: made, shown to whoever touches the passkey, blanked behind one's back, saved under a password.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { armor, Decrypter } from 'age-encryption'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { register, signAndWait } from './people.mjs'

const { mnemonicToAccount } = createRequire(new URL('../../../../tests/clients/x.js', import.meta.url))('viem/accounts')
const PASSWORD = 'four words and a half'

export async function run({ test }, browser, node) {
  await test('Phrase.IsShownToItsPersonAloneAndItsKeyPays', () => shown(browser, node))
}

async function shown(browser, node) {
  const visitor = await visit(browser, node)
  const { page } = visitor
  await register(visitor)
  await page.goto(`${node.origin}/wallets`)
  const main = page.getByRole('main')
  await main.getByRole('link', { name: /^Secret phrase/ }).click()
  await main.getByRole('button', { name: 'Make the phrase' }).click()
  await main.getByRole('heading', { name: 'Its first key' }).waitFor()
  const label = await main
    .getByRole('img', { name: /^Address: / })
    .first()
    .getAttribute('aria-label')
  await accessible(page, 'the phrase before it is shown')
  await main.getByRole('button', { name: 'Show the words' }).click()
  await main.getByRole('heading', { name: 'Write them down' }).waitFor()
  const words = await main.locator('ol.words li').allTextContents()
  equal(words.length, 24, 'words')
  const derived = mnemonicToAccount(words.join(' ')).address
  equal(label.replace('Address: ', ''), derived, 'the first key of the words, as the node told it')
  await accessible(page, 'the words')

  // Somebody looks away.
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  await main.getByText('Hidden, because you looked away.').waitFor()
  equal(await main.locator('ol.words li').count(), 0, 'words on a screen that nobody looks at')
  await main.getByRole('button', { name: 'Show them again' }).click()
  equal(await main.locator('ol.words li').count(), 24, 'words')

  await main.getByLabel('Password', { exact: true }).fill('short')
  await main.getByRole('button', { name: 'Save the file' }).click()
  await main.getByText('Too short: 15 characters at least.').waitFor()
  await main.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await main.getByLabel('Password once more').fill(`${PASSWORD}s`)
  await main.getByRole('button', { name: 'Save the file' }).click()
  await main.getByText('This is another password than the first.').waitFor()
  await main.getByLabel('Password once more').fill(PASSWORD)
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: 120_000 }),
    main.getByRole('button', { name: 'Save the file' }).click(),
  ])
  const text = readFileSync(await download.path(), 'utf8')
  holds(!words.slice(0, 3).every((word) => text.includes(word)), 'words stand in the file')
  const decrypter = new Decrypter()
  decrypter.addPassphrase(PASSWORD)
  equal(await decrypter.decrypt(armor.decode(text), 'text'), `${words.join(' ')}\n`, 'the file, opened')

  await main.getByRole('button', { name: 'Done: forget them here' }).click()
  await main.getByRole('button', { name: 'Show the words' }).waitFor()
  equal(await main.locator('ol.words li').count(), 0, 'words after they were forgotten')
  await paysWithItsKey(visitor, derived)
  await leave(visitor)
}

/** The key is an address like any other: it receives, and pays for what it sends. */
async function paysWithItsKey(visitor, key) {
  const { page, node } = visitor
  const chain = chainOf(node)
  const main = page.getByRole('main')
  const shop = `0x${randomBytes(20).toString('hex')}`
  await chain.rpc('anvil_setBalance', key, `0x${ETHER.toString(16)}`)
  await main.getByRole('link', { name: 'Receive and pay with its keys' }).click()
  await main.getByText('1 ETH', { exact: true }).waitFor()
  equal(
    await main
      .getByRole('listitem')
      .filter({ hasText: /^Key \d/ })
      .count(),
    3,
    'keys at first',
  )
  await main.getByRole('button', { name: /^Receive.*Key 1$/ }).click()
  await main
    .getByRole('img', { name: new RegExp(key, 'i') })
    .last()
    .waitFor()
  await main.getByRole('button', { name: /^Send.*Key 1$/ }).click()
  const form = main.locator('form')
  await form.getByLabel('To', { exact: true }).fill(shop)
  await form.getByLabel(/^Amount/).fill('2')
  await form.getByRole('button', { name: 'See what it does' }).click()
  equal(await form.getByLabel(/^Amount/).getAttribute('aria-invalid'), 'true', 'more than the key has')
  await form.getByLabel(/^Amount/).fill('0.25')
  await accessible(page, 'keys of the phrase')
  await picture(page, 'phrase-keys')
  await form.getByRole('button', { name: 'See what it does' }).click()
  await main.getByText('Send 0.25 ETH', { exact: true }).waitFor()
  await main.getByText(/^This key pays; at most/).waitFor()
  await accessible(page, 'what a key of the phrase signs')
  await picture(page, 'phrase-key-confirm')
  await signAndWait(visitor)
  equal(`${await chain.balance(shop)}`, `${ETHER / 4n}`, 'paid by the key')
  equal((await chain.transactionTo(shop)).from, key.toLowerCase(), 'who sent it')
  await main.getByText(/paid by this key$/).waitFor()
}
