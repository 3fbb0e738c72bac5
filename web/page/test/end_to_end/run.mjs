// SPDX-License-Identifier: Apache-2.0
// The built page in Chromium, served by a real node; nothing between them is replaced.
import { shownNow, startBrowser } from './browser.mjs'
import { startNode } from './node.mjs'

export async function run(suite) {
  const node = await startNode()
  const browser = await startBrowser()
  suite.explain = () => shownNow(browser)
  try {
    await (await import('./serving_test.mjs')).run(suite, node)
    await (await import('./registration_test.mjs')).run(suite, browser, node)
    await (await import('./account_test.mjs')).run(suite, browser, node)
    await (await import('./money_test.mjs')).run(suite, browser, node)
    await (await import('./live_test.mjs')).run(suite, browser, node)
    await (await import('./notices_test.mjs')).run(suite, browser, node)
    await (await import('./multisig_test.mjs')).run(suite, browser, node)
    await (await import('./privacy_test.mjs')).run(suite, browser, node)
    await (await import('./keys_test.mjs')).run(suite, browser, node)
    await (await import('./ways_test.mjs')).run(suite, browser, node)
    await (await import('./apps_test.mjs')).run(suite, browser, node)
    await (await import('./phrase_test.mjs')).run(suite, browser, node)
    await (await import('./pictures_test.mjs')).run(suite, browser, node)
  } finally {
    suite.explain = undefined
    await browser.close()
    await node.stop()
  }
}
