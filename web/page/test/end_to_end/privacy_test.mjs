// SPDX-License-Identifier: Apache-2.0
// What a person sees of their data, takes with them, and has deleted.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, visit } from './browser.mjs'
import { ROOT } from './node.mjs'
import { getFunds, register } from './people.mjs'

const SCHEMA = path.join(ROOT, 'spec/person-export.schema.json')
const VALIDATE = `
import json, sys, jsonschema
schema, document = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
`

export async function run({ test }, browser, node) {
  await test('Privacy.IsShownTakenAlongAndEnded', async () => {
    const visitor = await visit(browser, node)
    const { email } = await register(visitor)
    const account = await getFunds(visitor)
    await overview(visitor)
    await exported(visitor, email, account)
    await cutOff(visitor)
    await deleted(visitor)
    await leave(visitor)
  })
}

async function overview({ page, node }) {
  await page.goto(`${node.origin}/privacy`)
  const topic = (name) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 2, name, exact: true }) })
  await topic('Your profile').getByText('It is removed at once.').waitFor()
  await topic('The node’s log').getByText('under a random number that leads to nobody').waitFor()
  await topic('Keys of the trusted core').getByText('opens in the trusted core alone').waitFor()
  equal(await topic('Something else').count(), 0, 'tables without words')
  await page.getByText('in your recovery file; the node has its address alone').waitFor()
  await topic('Where you are logged in').getByText('What exactly').click()
  await topic('Where you are logged in').getByText('token_hash').first().waitFor()
  await accessible(page, 'what the node knows')
}

async function exported({ page }, email, account) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export everything' }).click(),
  ])
  await page.getByText(/^Saved as airaccount-localhost-\d+-\d{4}-\d\d-\d\d\.json/).waitFor()
  const file = await download.path()
  const { status, stderr } = spawnSync('python3', ['-c', VALIDATE, SCHEMA, file], { encoding: 'utf8' })
  equal(status, 0, `the export against its schema: ${stderr}`)
  const { tables, keys } = JSON.parse(readFileSync(file, 'utf8'))
  equal(tables.users[0].email, email, 'e-mail address in the export')
  equal(`0x${tables.wallet_bindings[0].wallet_address}`, account, 'account in the export')
  equal(keys.map(({ kind }) => kind).sort(), ['escape-key', 'passkey', 'server-key'], 'keys in the export')
}

/** A connection that breaks in the middle leaves no file that looks like one. */
async function cutOff({ page }) {
  const pattern = '**/api/v1/me/export'
  await page.route(pattern, (route) =>
    route.fulfill({ contentType: 'application/json', body: '{"format":"community-node person export","tables":{' }),
  )
  let downloads = 0
  page.on('download', () => downloads++)
  await page.getByRole('button', { name: 'Export everything' }).click()
  await page.getByText('The export was cut off, and nothing was saved.').waitFor()
  equal(downloads, 0, 'files of a broken export')
  await page.unroute(pattern)
}

async function deleted({ page, node }) {
  await page.getByRole('link', { name: 'What that means, and how' }).click()
  await page.getByText('10 ETH', { exact: true }).waitFor()
  await accessible(page, 'the end')
  const main = page.getByRole('main')
  const press = async (text) => {
    await main.getByLabel('To go on, write: delete my data').fill(text)
    await page.keyboard.press('Enter')
  }
  await press('delete my data')
  await page.getByText('First say that you know what becomes of your money.').waitFor()
  // The focus is on what is missing, and the keyboard sets it.
  await page.keyboard.press('Space')
  holds(await main.getByRole('checkbox').isChecked(), 'the box is not ticked by the keyboard')
  await press('delete')
  await page.getByText('Write exactly: delete my data').waitFor()
  await page.reload()
  await main.getByRole('checkbox').check()
  await press(' Delete My data ')
  await page.getByRole('heading', { name: 'You have left this node' }).waitFor()
  await accessible(page, 'the farewell')
  await page.goto(`${node.origin}/home`)
  await page.getByRole('button', { name: 'Log in with your passkey' }).click()
  await page.getByText('The node did not take this passkey.').waitFor()
}
