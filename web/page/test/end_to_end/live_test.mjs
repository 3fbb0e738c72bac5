// SPDX-License-Identifier: Apache-2.0
// What happens elsewhere shows on an open page by itself: by the stream of live events, and without it by asking.
import { randomBytes } from 'node:crypto'
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { equal, holds } from '../harness.mjs'
import { leave, visit } from './browser.mjs'
import { getFunds, logIn, prepareSend, register, signAndWait } from './people.mjs'

const someone = () => checksummed(`0x${randomBytes(20).toString('hex')}`)

export async function run({ test }, browser, node) {
  await test('Live.ASecondPageShowsWhatTheFirstDoes', async () => {
    const visitor = await visit(browser, node)
    await register(visitor)
    await getFunds(visitor)
    const { session, device } = visitor
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId: device })
    const other = await visit(browser, node, { path: '/login' })
    // What is looked for now and then is not: everything below comes by news.
    await other.page.addInitScript(() => {
      const often = globalThis.setInterval
      globalThis.setInterval = (act, ms, ...values) => (ms >= 20_000 ? 0 : often(act, ms, ...values))
    })
    await other.page.reload()
    await other.session.send('WebAuthn.addCredential', { authenticatorId: other.device, credential: credentials[0] })
    await streamed(other, () => logIn(other))
    await other.page.getByText('10 ETH', { exact: true }).waitFor()

    await prepareSend(visitor, someone(), '0.25')
    await signAndWait(visitor)
    const main = other.page.getByRole('main')
    await main.getByText('9.75 ETH', { exact: true }).waitFor()
    await main.getByRole('link', { name: 'Send 0.25 ETH' }).waitFor()
    await other.page.getByRole('link', { name: 'Activity' }).click()
    await main.getByText('A transaction is in a block').first().waitFor()

    // The stream is refused from here on: the receipt comes to it by asking.
    await visitor.page.route('**/api/v1/events', (route) => route.fulfill({ status: 429, body: '' }))
    await prepareSend(visitor, someone(), '0.5')
    await signAndWait(visitor)

    await visitor.page.goto(`${node.origin}/sessions`)
    await visitor.page.getByRole('button', { name: 'End all others' }).click()
    await other.page.getByText('This session was ended on another device').waitFor()
    equal(new URL(other.page.url()).pathname, '/login', 'where the ended session stands')
    await leave(other)
    await leave(visitor)
  })
}

/** Does `act` and makes sure that the page then holds one stream. */
async function streamed({ page }, act) {
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/events'))
  await act()
  const response = await answered
  equal(response.status(), 200, 'answer of the stream')
  holds(response.headers()['content-type'].startsWith('text/event-stream'), 'the stream is none')
}
