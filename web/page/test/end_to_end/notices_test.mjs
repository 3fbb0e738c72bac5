// SPDX-License-Identifier: Apache-2.0
// Notices of the browser. A push service is nobody of this test's: the browser's part that would ask one is replaced,
// everything else is the page's, the worker's and the node's.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { equal, holds } from '../harness.mjs'
import { accessible, leave, visit } from './browser.mjs'
import { until } from './node.mjs'
import { register } from './people.mjs'

export async function run({ test }, browser, node) {
  await test('Notices.AreTakenShownAndEnded', async () => {
    const visitor = await visit(browser, node)
    const { page, context } = visitor
    await register(visitor)
    await page.goto(`${node.origin}/notices`)
    // A browser without a screen says no by itself.
    await page.getByRole('button', { name: 'Take notices in this browser' }).click()
    await page.getByText('This browser was told to show no notices of this page.').first().waitFor()
    equal(await page.getByRole('heading', { name: 'This browser', exact: true }).count(), 0, 'taken without a leave')
    await accessible(page, 'refused notices')

    await context.grantPermissions(['notifications'], { origin: node.origin })
    await context.addInitScript(pushService, subscription())
    await page.evaluate(() => localStorage.setItem('push service', 'away'))
    await page.reload()
    await page.getByRole('button', { name: 'Take notices in this browser' }).click()
    await page.getByText('The browser’s push service does not answer.').waitFor()
    await page.evaluate(() => localStorage.removeItem('push service'))
    await page.getByRole('button', { name: 'Take notices in this browser' }).click()
    await page.getByRole('heading', { name: 'This browser', exact: true }).waitFor()
    await page.getByText(/^By push\.invalid, since/).waitFor()
    await accessible(page, 'taken notices')

    await delivered(visitor)
    await page.getByRole('button', { name: 'No more notices here' }).click()
    await page.getByRole('heading', { name: 'This browser', exact: true }).waitFor({ state: 'detached' })
    equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0, 'workers left')
    equal(await page.evaluate(() => caches.keys()), [], 'caches left')
    await page.getByRole('button', { name: 'Take notices in this browser' }).waitFor()
    await leave(visitor)
  })
}

/** What a push service of a browser hands out: RFC 8291, section 3.1. */
function subscription() {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return {
    endpoint: `https://push.invalid/${randomBytes(16).toString('hex')}`,
    keys: { p256dh: point.toString('base64url'), auth: randomBytes(16).toString('base64url') },
  }
}

/** Runs in the page. */
function pushService(json) {
  let made = null
  PushManager.prototype.getSubscription = async () => made
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (localStorage.getItem('push service') === 'away') throw new DOMException('no push service', 'AbortError')
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new TypeError('options of a subscription')
    made = {
      toJSON: () => ({ ...json, expirationTime: null }),
      async unsubscribe() {
        made = null
        return true
      },
    }
    return made
  }
}

/** The browser hands messages to the worker as it would after decrypting them. */
async function delivered({ page, session, node }) {
  const registrations = []
  session.on('ServiceWorker.workerRegistrationUpdated', (event) => registrations.push(...event.registrations))
  await session.send('ServiceWorker.enable')
  const known = () => registrations.findLast(({ isDeleted }) => !isDeleted)
  await until(known, 'the worker is known')
  const { registrationId } = known()
  const state = () => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state)
  await until(async () => (await state()) === 'activated', 'the worker is active')
  const deliver = (data) =>
    session.send('ServiceWorker.deliverPushMessage', { origin: node.origin, registrationId, data })
  const shown = () =>
    page.evaluate(async () =>
      (await (await navigator.serviceWorker.ready).getNotifications()).map(({ body, lang, data }) => [
        body,
        lang,
        data,
      ]),
    )
  const time = '2026-11-22T08:00:00.000Z'
  const frozen = JSON.stringify({ event: 'AccountFrozen', sequence: 7, time })
  // A push service keeps what a browser does not take; whoever hands messages to the browser itself tries again.
  const arrives = async () => {
    await deliver(frozen)
    for (let looks = 0; looks < 20 && (await shown()).length === 0; looks++) await page.waitForTimeout(50)
    return (await shown()).length === 1
  }
  await until(arrives, 'a notice is shown')
  equal(await shown(), [['The account was frozen', 'en', '/limits']], 'the notice')
  // The same again is one; what this worker does not know is told without its name.
  await deliver(frozen)
  await page.goto(`${node.origin}/settings`)
  await page.getByLabel('ไทย').check()
  await until(
    () => page.evaluate(async () => (await (await caches.match('/notices.js?locale'))?.text()) === 'th'),
    'the language is kept',
  )
  for (const data of [JSON.stringify({ event: '<b>x</b>', sequence: 8, time }), 'no JSON', '']) {
    const before = await shown()
    await deliver(data)
    await until(async () => (await shown()).length > before.length, `a notice of ${data}`)
  }
  const words = (await shown()).map(([body, lang]) => `${lang} ${body}`)
  equal(words.filter((one) => one === 'th มีบางอย่างเกิดขึ้นในบัญชีของคุณ').length, 3, `notices without a name: ${words}`)
  equal(words.length, 4, 'notices')
  holds(!words.join().includes('<b>'), 'a stranger’s words in a notice')
  await page.getByLabel('English').check()
  await page.goto(`${node.origin}/notices`)
}
