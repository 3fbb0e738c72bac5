// SPDX-License-Identifier: Apache-2.0
// Loads views by turns, each once with an empty cache and once with a full one, and an empty document between them.
import { startBrowser, visit } from '../../web/page/test/end_to_end/browser.mjs'
import { missingForNode, startNode } from '../../web/page/test/end_to_end/node.mjs'
import { register } from '../../web/page/test/end_to_end/people.mjs'

const ROUNDS = Number(process.argv[2] ?? 15)
/** A picture of a few hundred bytes: the least that this server sends as a document. */
const EMPTY = '/icon.svg'
const VIEWS = ['/', '/login', '/why', '/home']

/** Runs in every document before its own scripts. */
function observe() {
  const seen = { shown: 0, shift: 0, blocked: 0 }
  globalThis.__seen = seen
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.shift += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.blocked = Math.max(seen.blocked, duration)
  }).observe({ type: 'longtask', buffered: true })
  // A heading is what a view shows once it can be used; what it asks the node for comes below it.
  const look = new MutationObserver(() => {
    if (!document.querySelector('main h1')) return
    seen.shown = performance.now()
    look.disconnect()
  })
  look.observe(document, { childList: true, subtree: true })
}

/** Runs in the document, once its view is there. */
function figures() {
  const [navigation] = performance.getEntriesByType('navigation')
  // What is answered by the API changes with the person.
  const own = performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/api/'))
  const paint = performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint')
  return {
    ...globalThis.__seen,
    paint: paint?.startTime ?? 0,
    loaded: navigation.loadEventEnd,
    requests: own.length + 1,
    bytes: own.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, navigation.encodedBodySize),
  }
}

async function load(page, url, isView) {
  await page.goto(url, { waitUntil: 'load' })
  if (isView) await page.waitForFunction(() => globalThis.__seen.shown > 0 && !document.querySelector('main .busy'))
  return page.evaluate(figures)
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const most = (values) => Math.max(...values)

async function measure(browser, node) {
  const rows = new Map()
  const note = (name, found) => rows.set(name, [...(rows.get(name) ?? []), found])
  const person = await visit(browser, node)
  await register(person)
  const storage = await person.context.storageState()
  await person.context.close()
  for (let round = 0; round < ROUNDS; round++)
    for (const path of VIEWS) {
      // A context of its own has a cache of its own.
      const context = await browser.newContext(path === '/home' ? { storageState: storage } : {})
      await context.addInitScript(observe)
      const page = await context.newPage()
      note('empty', await load(page, node.origin + EMPTY, false))
      note(`${path} first`, await load(page, node.origin + path, true))
      note(`${path} again`, await load(page, node.origin + path, true))
      await context.close()
    }
  return rows
}

const missing = missingForNode()
if (missing) throw new Error(`${missing} is missing`)
const node = await startNode()
const browser = await startBrowser()
try {
  const rows = await measure(browser, node)
  console.log('| view | usable, ms: median, most | painted, ms | longest task, ms | shift | requests | bytes |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  for (const [name, found] of rows) {
    const of = (key) => found.map((one) => one[key])
    const usable = name === 'empty' ? of('loaded') : of('shown')
    const cells = [
      `${Math.round(median(usable))}, ${Math.round(most(usable))}`,
      Math.round(median(of('paint'))) || '',
      Math.round(median(of('blocked'))),
      most(of('shift')).toFixed(3),
      median(of('requests')),
      median(of('bytes')),
    ]
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
} finally {
  await browser.close()
  await node.stop()
}
