// SPDX-License-Identifier: Apache-2.0
// One account on two chains of a node: the same address, and money that is on one of them alone.
import { randomBytes } from 'node:crypto'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { equal } from '../harness.mjs'
import { accessible, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import { startNode } from './node.mjs'
import { prepareSend, register, signAndWait } from './people.mjs'

const POLYGON = 137

export async function run({ test, wants }, browser) {
  const name = 'Chains.MoneyIsOnOneOfThem'
  if (!wants(name)) return
  const node = await startNode({ further: [POLYGON] })
  try {
    await test(name, () => two(browser, node))
  } finally {
    await node.stop()
  }
}

async function choose(page, chain) {
  const select = page.getByRole('combobox', { name: 'Account' })
  const option = select.locator('option', { hasText: chain })
  await select.selectOption(await option.getAttribute('value'))
}

/** An account whose address commits to rules of other chains alone, as a node that got a chain later has them. */
async function olderThanItsChain(page, node, main) {
  const pattern = '**/api/v1/wallets/*/state*'
  await page.route(pattern, async (route) => {
    const response = await route.fetch()
    const state = await response.json()
    const limits = state.limits.map((limit) => ({ ...limit, isListed: false, perDay: '0' }))
    await route.fulfill({ response, json: { ...state, gasCap: '0', limits } })
  })
  await page.goto(`${node.origin}/send`)
  await main.getByText('On this chain your daily limit is zero: every payment waits a day.').waitFor()
  await page.goto(`${node.origin}/limits`)
  await main.getByText('Nothing leaves at once on Polygon').waitFor()
  await main.getByText('It pays no fees itself here').waitFor()
  await accessible(page, 'an account that is older than its chain')
  // Raising the limit may be its first transaction there.
  await page.getByRole('button', { name: /^Change ?: POL/ }).click()
  await page.getByLabel('New limit a day, in POL').fill('2')
  await page.keyboard.press('Enter')
  await page.getByText('In a day: Change the daily limit to 2 POL').waitFor()
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await page.unroute(pattern)
}

async function two(browser, node) {
  const first = chainOf(node)
  const second = chainOf({ chain: node.chains[POLYGON] })
  const visitor = await visit(browser, node)
  const { page } = visitor
  const main = page.getByRole('main')
  await register(visitor)
  await page.goto(`${node.origin}/home`)
  await main.getByText('0 ETH', { exact: true }).waitFor()
  await choose(page, 'Polygon')
  await main.getByText('0 POL', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Get development ether' }).click()
  await main.getByText('10 POL', { exact: true }).waitFor()

  // The choice stays where the page is loaded anew.
  await page.goto(`${node.origin}/home`)
  await main.getByText('10 POL', { exact: true }).waitFor()
  const label = await main
    .getByRole('img', { name: /^Address: / })
    .first()
    .getAttribute('aria-label')
  const account = label.slice('Address: '.length)
  await accessible(page, 'an account on two chains')

  await olderThanItsChain(page, node, main)
  const bob = checksummed(`0x${randomBytes(20).toString('hex')}`)
  await prepareSend(visitor, bob, '0.25')
  await page.getByRole('heading', { name: 'Look at it, then sign' }).waitFor()
  await main.getByText('Send 0.25 POL', { exact: true }).waitFor()
  await main.getByText('Polygon', { exact: true }).first().waitFor()
  await signAndWait(visitor)
  equal(`${await second.balance(bob)}`, `${ETHER / 4n}`, 'received on the second chain')
  equal(`${await first.balance(bob)}`, '0', 'received on the first chain')
  equal(`${await first.balance(account)}`, '0', 'on the first chain')

  await page.goto(`${node.origin}/home`)
  await main.getByText('9.75 POL', { exact: true }).waitFor()
  await main
    .getByRole('listitem')
    .filter({ hasText: 'Send 0.25 POL' })
    .getByText(/· Polygon$/)
    .waitFor()
  await picture(page, 'home-two-chains')
  await choose(page, 'Development chain')
  await main.getByText('0 ETH', { exact: true }).waitFor()
  equal(
    await main
      .getByRole('img', { name: /^Address: / })
      .first()
      .getAttribute('aria-label'),
    label,
    'the address on the first chain',
  )
  // Limits are each chain's own: nothing was spent here.
  await page.goto(`${node.origin}/limits`)
  await main.getByText('0 ETH of 1 ETH spent today').waitFor()
  await choose(page, 'Polygon')
  await main.getByText('0.25 POL of 1 POL spent today').waitFor()
  await page.goto(`${node.origin}/receive`)
  for (const chain of ['Development chain', 'Polygon']) await main.getByRole('region', { name: chain }).waitFor()
  await accessible(page, 'receiving on two chains')
  await leave(visitor)
}
