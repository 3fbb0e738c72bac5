// SPDX-License-Identifier: Apache-2.0
// What people do on the page, by the words they read.
import { mkdtempSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

let count = 0
export const freshEmail = (name = 'mali') => `${name}.${process.pid}.${++count}@example.org`

export async function askForCode({ page, node }, email, name = '') {
  const before = node.codesTo(email)
  await page.getByLabel('E-mail address').fill(email)
  if (name) await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  return node.codeFor(email, before)
}

export async function enterCode({ page }, code) {
  await page.getByLabel('Code from the mail').fill(code)
  await page.getByRole('button', { name: 'Go on' }).click()
}

export async function makePasskey({ page }) {
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
}

/** Downloads the file, chooses it again and finishes; answers its text. */
export async function saveRecoveryFile({ page }) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the file' }).click(),
  ])
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'page-file-')), download.suggestedFilename())
  await download.saveAs(file)
  await page.locator('input[type=file]').setInputFiles(file)
  await page.getByText('You have it.').waitFor()
  await page.getByRole('button', { name: 'Done: forget it here' }).click()
  await page.getByRole('heading', { name: 'Your keys, and where they are' }).waitFor()
  return { file, text: readFileSync(file, 'utf8') }
}

/** A person with an account, on the home view. */
export async function register(visitor, { email = freshEmail(), name = '' } = {}) {
  const { page, node } = visitor
  await page.goto(`${node.origin}/register`)
  await enterCode(visitor, await askForCode(visitor, email, name))
  await makePasskey(visitor)
  return { email, ...(await saveRecoveryFile(visitor)) }
}

/** Ten ether of the development chain, seen on the home view; answers the account's address in lower case. */
export async function getFunds({ page, node }) {
  await page.goto(`${node.origin}/home`)
  await page.getByRole('button', { name: 'Get development ether' }).click()
  await page.getByText('10 ETH', { exact: true }).waitFor()
  const label = await page
    .getByRole('main')
    .getByRole('img', { name: /^Address: / })
    .first()
    .getAttribute('aria-label')
  return label.slice('Address: '.length).toLowerCase()
}

/** From the form to what will be signed. */
export async function prepareSend({ page, node }, to, amount, { token } = {}) {
  await page.goto(`${node.origin}/send${token ? `?token=${token.toLowerCase()}` : ''}`)
  await page.getByLabel('To', { exact: true }).fill(to)
  await page.getByLabel(/^Amount/).fill(amount)
  await page.getByRole('button', { name: 'See what it does' }).click()
}

/** The touch, and the wait until the chain has it. */
export async function signAndWait({ page }) {
  await page.getByRole('button', { name: 'Sign with your passkey' }).click()
  await page.getByRole('heading', { name: 'Transaction' }).waitFor()
  await page
    .getByRole('status')
    .getByText(/^(Done|In a block)$/)
    .waitFor()
}

export async function logOut({ page, node }) {
  await page.goto(`${node.origin}/settings`)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('link', { name: 'Create an account' }).waitFor()
}

export async function logIn({ page, node }) {
  await page.goto(`${node.origin}/login`)
  await page.getByRole('button', { name: 'Log in with your passkey' }).click()
  await page.getByRole('heading', { name: 'Your keys, and where they are' }).waitFor()
}

/** What the browser keeps of escape keys: all texts of the page's database. */
export const keptSecrets = ({ page }) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const open = indexedDB.open('airaccount', 1)
        open.onupgradeneeded = () => open.result.createObjectStore('kept')
        open.onerror = () => reject(open.error)
        open.onsuccess = () => {
          const all = open.result.transaction('kept').objectStore('kept').getAll()
          all.onsuccess = () => {
            open.result.close()
            resolve(JSON.stringify(all.result))
          }
        }
      }),
  )
