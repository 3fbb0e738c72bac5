// SPDX-License-Identifier: Apache-2.0
// The built page in Chromium, opened as a file, without any network but the RPC: a person clicks the whole way.
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { call } from '../src/core/abi.mjs'
import { ZERO_ADDRESS, checksummed, uint } from '../src/core/bytes.mjs'
import { addressOf, newKey } from '../src/core/signing.mjs'
import { makeKeys, parseKeysFile } from '../src/core/keys-file.mjs'
import { contracts, deployContracts, deployToken, root, startChain } from './development_chain.mjs'
import { equal, holds } from './harness.mjs'
import { ETHER, act, deployAccount, makePerson } from './people.mjs'

const PAGE = path.join(root, 'build/escape.html')
const PICTURES = path.join(root, 'build/screenshots/escape')
const AXE = path.join(import.meta.dirname, '../node_modules/axe-core/axe.min.js')
const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser']
const FRIEND = '0x00000000000000000000000000000000f41e4d02'
const DAY = 86_400

/** What is missing for a browser, in words; empty when nothing is. */
export function missingBrowser() {
  if (!PROGRAMS.some((program) => fs.existsSync(program))) return 'Debian package chromium'
  return fs.existsSync(PAGE) ? '' : 'build/escape.html (npm run build in web/escape)'
}

/** A fresh visit. `problems` gathers console errors, refused policies and requests to anywhere but the RPC. */
async function visit(browser, chain, folder, { phone = false, dark = false, locale = 'en-GB', wallet = false } = {}) {
  const context = await browser.newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1180, height: 900 },
    deviceScaleFactor: phone ? 2 : 1,
    locale,
    colorScheme: dark ? 'dark' : 'light',
    acceptDownloads: true,
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Berlin',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const problems = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(String(error)))
  const sent = []
  page.on('request', (request) => {
    const url = request.url()
    sent.push(request.postData() ?? '')
    if (!url.startsWith(chain.url) && !url.startsWith('file:') && !url.startsWith('blob:'))
      problems.push(`a request to ${url}`)
  })
  await page.addInitScript({ path: AXE })
  if (wallet) await page.addInitScript(unlockedWallet, { url: chain.url, account: chain.rich })
  await page.goto(pathToFileURL(PAGE).href)
  return { page, context, problems, sent, folder }
}

/** Runs in the page: a wallet (EIP-1193, EIP-6963) whose accounts are those of the development chain. */
function unlockedWallet({ url, account }) {
  const request = async ({ method, params = [] }) => {
    if (method === 'eth_requestAccounts') return [account]
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = await answer.json()
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  }
  const detail = Object.freeze({
    info: { uuid: 'c0ffee00-0000-4000-8000-000000000001', name: 'Test wallet', icon: '', rdns: 'example.test' },
    provider: { request },
  })
  window.addEventListener('eip6963:requestProvider', () =>
    window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail })),
  )
}

/** Serious findings of axe at this moment, in words. */
async function axeFindings(page) {
  const results = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

async function picture(page, name) {
  const findings = await axeFindings(page)
  equal(findings, [], `accessibility at ${name}`)
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true })
}

const onStep = (page, name) => page.waitForSelector(`#step-${name}.now`)
const idle = (page) => page.waitForFunction(() => !document.querySelector('.progress'))

async function openAccount({ page, folder }, chain, person, pay) {
  const file = path.join(folder, 'recovery.json')
  fs.writeFileSync(file, person.recoveryFile)
  await page.setInputFiles('#recovery-file', file)
  await onStep(page, 'chain')
  await page.fill('#field-rpc', chain.url)
  await page.click('#connect')
  await onStep(page, 'payer')
  await pay(page)
}

const payWithKey = (secret) => async (page) => {
  await page.check('#choice-payerKind-key')
  await page.fill('#payer-secret', secret)
  await page.click('#pay-key')
}

async function saveKeys({ page, folder }) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#make-keys')])
  const file = path.join(folder, download.suggestedFilename())
  await download.saveAs(file)
  await page.waitForSelector('#start', { state: 'detached' })
  await page.setInputFiles('#keys-file', file)
  await page.waitForSelector('#start')
  return file
}

export async function run({ test }) {
  fs.mkdirSync(PICTURES, { recursive: true })
  const bundle = contracts()
  const chain = await startChain()
  const folder = fs.mkdtempSync(path.join(root, 'build/escape-test-'))
  const browser = await chromium.launch({
    executablePath: PROGRAMS.find((program) => fs.existsSync(program)),
    headless: true,
    args: [
      '--no-sandbox',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--disable-background-networking',
    ],
  })
  try {
    const places = await deployContracts(chain, bundle)
    const token = await deployToken(chain, bundle)
    const world = { test, chain, places, token, folder, browser }
    await firstStep(world)
    await wholeWay(world)
    await otherWays(world)
  } finally {
    await browser.close()
    await chain.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function firstStep({ test, chain, folder, browser }) {
  for (const [language, locale, lang] of [
    ['en', 'en-GB', 'en'],
    ['zh', 'zh-CN', 'zh-CN'],
    ['th', 'th-TH', 'th'],
  ])
    await test(`Page.BeginsInTheLanguageOfTheBrowser (${language})`, async () => {
      const { page, context, problems } = await visit(browser, chain, folder, { locale })
      equal(await page.getAttribute('html', 'lang'), lang, 'lang')
      await page.click('summary')
      await picture(page, `first-${language}`)
      equal(problems, [], 'console')
      await context.close()
    })

  await test('Page.ADamagedFileIsExplained', async () => {
    const { page, context, problems } = await visit(browser, chain, folder, { phone: true, dark: true })
    const file = path.join(folder, 'damaged.json')
    fs.writeFileSync(file, '{"format":"community-recovery-1"')
    await page.setInputFiles('#recovery-file', file)
    const words = await page.textContent('[role=alert]')
    holds(words.includes('Take another copy'), words)
    await picture(page, 'phone-dark-damaged')
    equal(problems, [], 'console')
    await context.close()
  })
}

async function wholeWay({ test, chain, places, token, folder, browser }) {
  await test('Browser.APersonClicksTheWholeWay', async () => {
    const limits = [
      [31337, ZERO_ADDRESS, 10n * ETHER],
      [31337, token, 10n ** 21n],
    ]
    const person = makePerson(places, { init: { limits } })
    await deployAccount(chain, places, person)
    await chain.give(person.account, 2n * ETHER)
    await chain.send({ to: token, data: call('mint(address,uint256)', person.account, 5n * ETHER) })
    const secret = newKey()
    await chain.give(addressOf(secret), ETHER)

    const me = await visit(browser, chain, folder)
    const { page } = me
    await openAccount(me, chain, person, async () => {
      await picture(page, 'desktop-payer')
      await payWithKey(secret)(page)
    })
    await onStep(page, 'freeze')
    await picture(page, 'desktop-freeze')
    await page.click('#freeze')
    await onStep(page, 'start')
    await picture(page, 'desktop-start')
    const keysFile = await saveKeys(me)
    await picture(page, 'desktop-start-ready')
    await page.click('#start')
    await onStep(page, 'wait')
    await picture(page, 'desktop-wait')

    // Another day, another visit: nothing but the two files.
    await page.reload()
    await openAccount(me, chain, person, payWithKey(secret))
    await onStep(page, 'wait')
    await page.setInputFiles('#keys-file-wait', keysFile)
    await page.waitForFunction(() => document.body.textContent.includes('the keys in your keys file'))
    await chain.pass(3 * DAY)
    await page.click('#read-again')
    await onStep(page, 'finish')
    await picture(page, 'desktop-finish')
    await page.click('#finish-0')
    await onStep(page, 'move')
    await idle(page)
    await page.click(`#all-${ZERO_ADDRESS}`)
    await page.click(`#all-${token}`)
    await page.fill('#field-to', checksummed(FRIEND))
    await picture(page, 'desktop-move')
    await page.click('#check')
    await page.waitForSelector('#move')
    await picture(page, 'desktop-move-plan')
    await page.click('#move')
    await page.waitForSelector('text=It arrived.')
    await picture(page, 'desktop-moved')
    equal([await chain.rpc.balance(person.account), await chain.rpc.balance(FRIEND)], [0n, 2n * ETHER], 'ether')
    equal(BigInt(await chain.rpc.call({ to: token, data: call('balanceOf(address)', FRIEND) })), 5n * ETHER, 'tokens')
    const html = await page.content()
    const kept = parseKeysFile(fs.readFileSync(keysFile, 'utf8'), person.account)
    for (const hidden of [secret, person.escapeSecret, kept.passkeySecret, kept.serverSecret]) {
      holds(!html.includes(hidden.slice(2)), 'a secret in the document')
      holds(!me.sent.some((body) => body.includes(hidden.slice(2))), 'a secret on the wire')
    }
    equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0, 'stored')
    equal(me.problems, [], 'console')
    await me.context.close()
  })
}

async function otherWays({ test, chain, places, folder, browser }) {
  await test('Browser.OnAPhoneAnAccountThatWasNeverMadeAndAWallet', async () => {
    const person = makePerson(places)
    await chain.give(person.account, 3n * ETHER)
    const me = await visit(browser, chain, folder, { phone: true, dark: true, wallet: true })
    const { page } = me
    await openAccount(me, chain, person, async () => {
      await picture(page, 'phone-dark-payer')
      await page.check('#choice-payerKind-wallet')
      await page.click('#pay-wallet-0')
    })
    await page.waitForSelector('#create')
    await picture(page, 'phone-dark-create')
    await page.click('#create')
    await page.waitForSelector('#skip-freeze')
    await page.click('#skip-freeze')
    await onStep(page, 'start')
    await saveKeys(me)
    await picture(page, 'phone-dark-start')
    await page.click('#start')
    await onStep(page, 'wait')
    await picture(page, 'phone-dark-wait')
    await chain.pass(3 * DAY)
    await page.click('#read-again')
    await onStep(page, 'finish')
    await page.click('#finish-0')
    await onStep(page, 'move')
    await idle(page)
    // Three ether are more than the day's limit of one: the queue, and a day later the rest of the way.
    await page.click(`#all-${ZERO_ADDRESS}`)
    await page.fill('#field-to', FRIEND)
    await page.click('#check')
    await page.waitForSelector('text=This has to wait for 24 hours')
    await picture(page, 'phone-dark-queue')
    await page.click('#move')
    await page.waitForSelector('text=It is in the queue.')
    await picture(page, 'phone-dark-queued')
    await chain.pass(DAY)
    await page.click('#read-again')
    await page.click('[id^=confirm-]')
    await page.waitForSelector('text=It arrived.')
    equal(await chain.rpc.balance(person.account), 0n, 'left')
    equal(me.problems, [], 'console')
    await me.context.close()
  })

  await test('Browser.AThiefsEscapeIsShownAndCancelledWithTheFilesOwnAddress', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    await chain.give(addressOf(person.escapeSecret), ETHER)
    const thief = makeKeys(person.account, 'thief.example', '2026-02-01T00:00:00Z')
    await act(chain, person, 'Escape', [[thief.passkey], thief.serverKey, 1n], [1])
    const me = await visit(browser, chain, folder, { locale: 'zh-CN' })
    const { page } = me
    await openAccount(me, chain, person, () => page.click('#pay-file'))
    await page.waitForSelector('[id^=cancel-]')
    await picture(page, 'desktop-thief-zh')
    await page.click('[id^=cancel-]')
    await page.waitForSelector('.strange', { state: 'detached' })
    equal(me.problems, [], 'console')
    await me.context.close()
  })

  await test('Browser.WhoCannotPayIsToldHowMuchAndWhere', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await visit(browser, chain, folder, { locale: 'th-TH', phone: true })
    const { page } = me
    await openAccount(me, chain, person, () => page.click('#pay-file'))
    await page.waitForSelector('#freeze')
    await page.click('#freeze')
    const words = await page.textContent('[role=alert]')
    holds(words.includes(checksummed(addressOf(person.escapeSecret))), words)
    await picture(page, 'phone-th-poor')
    equal(me.problems, [], 'console')
    await me.context.close()
  })

  await servers({ test, chain, places, folder, browser })
  await keyboard({ test, chain, places, folder, browser })
}

async function servers({ test, chain, places, folder, browser }) {
  await test('Browser.AnotherNodesKeysAndATransactionThatWaits', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    await chain.give(addressOf(person.escapeSecret), ETHER)
    const me = await visit(browser, chain, folder)
    const { page } = me
    await openAccount(me, chain, person, () => page.click('#pay-file'))
    await page.click('#skip-freeze')
    await page.check('#choice-keysKind-other')
    const other = makeKeys(person.account, 'other.example', '2026-02-01T00:00:00Z')
    for (const [name, value] of [
      ['x', uint(other.passkey[0])],
      ['y', uint(other.passkey[1])],
      ['otherRpId', 'other.example'],
      ['serverKey', '0x12'],
    ])
      await page.fill(`#field-${name}`, value)
    await page.click('#take-keys')
    holds((await page.textContent('[role=alert]')).includes('no address'), 'a wrong address is named')
    await page.fill('#field-serverKey', checksummed(other.serverKey))
    await page.click('#take-keys')
    await page.waitForSelector('#start')
    await chain.rpc.request('evm_setAutomine', [false])
    try {
      await page.click('#start')
      await page.waitForSelector('#raise')
      await picture(page, 'desktop-sent')
      await page.click('#raise')
      await page.waitForSelector('text=Sent again')
    } finally {
      await chain.rpc.request('evm_mine', [])
      await chain.rpc.request('evm_setAutomine', [true])
    }
    await onStep(page, 'wait')
    await page.waitForSelector('text=that you pasted')
    await chain.pass(3 * DAY)
    await page.click('#read-again')
    await page.click('#finish-0')
    await onStep(page, 'move')
    await page.waitForSelector('#keys-file-move')
    equal(me.problems, [], 'console')
    await me.context.close()
  })

  await test('Browser.AFreezeByTheNodeIsShownAndReplaced', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    await chain.give(addressOf(person.escapeSecret), ETHER)
    await act(chain, person, 'Freeze', [], [9])
    const me = await visit(browser, chain, folder, { dark: true })
    const { page } = me
    await openAccount(me, chain, person, async () => {
      holds((await page.textContent('#step-payer')).includes('should be enough'), 'what it costs')
      await page.click('#pay-file')
    })
    await onStep(page, 'freeze')
    holds((await page.textContent('#step-freeze')).includes('The node froze the account'), 'who froze it')
    await picture(page, 'desktop-dark-frozen')
    await page.click('#freeze')
    await onStep(page, 'start')
    holds((await page.textContent('#step-freeze')).includes('until the escape is finished'), 'frozen by a vote')
    equal(me.problems, [], 'console')
    await me.context.close()
  })

  await test('Browser.AWrongChainAndADeadServerAreExplained', async () => {
    const person = makePerson(places, { chains: [{ chainId: 1, name: 'Ethereum', rpcUrls: ['https://rpc.example'] }] })
    const me = await visit(browser, chain, folder)
    const { page } = me
    const file = path.join(folder, 'other.json')
    fs.writeFileSync(file, person.recoveryFile)
    await page.setInputFiles('#recovery-file', file)
    await onStep(page, 'chain')
    equal(await page.inputValue('#field-rpc'), 'https://rpc.example', 'the hint of the file')
    const tried = async (url, words) => {
      await page.fill('#field-rpc', url)
      await page.click('#connect')
      await idle(page)
      const said = await page.textContent('[role=alert]')
      holds(said.includes(words), said)
    }
    await tried('nonsense', 'no RPC URL')
    await tried(chain.url, 'serves chain 31337')
    equal(me.problems, [], 'console')
    await tried('http://127.0.0.1:9', 'does not answer')
    await picture(page, 'desktop-dead-server')
    await me.context.close()
  })

  await test('Page.AForeignScriptDoesNotRun', async () => {
    const { page, context } = await visit(browser, chain, folder)
    const ran = await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'globalThis.strange = true'
      document.head.append(script)
      const style = document.createElement('style')
      style.textContent = 'body { display: none }'
      document.head.append(style)
      return globalThis.strange === true || getComputedStyle(document.body).display === 'none'
    })
    equal(ran, false, 'policy')
    await context.close()
  })
}

async function keyboard({ test, chain, places, folder, browser }) {
  await test('Browser.TheKeyboardIsEnough', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await visit(browser, chain, folder)
    const { page } = me
    const press = async (id) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate((wanted) => document.activeElement.id === wanted, id)) return
      }
      throw new Error(`${id} is not reached by the keyboard`)
    }
    // Waited for before the first key: the browser learns that choosers are to be caught beside the keys, not in their
    // order, and one that opens before that is caught by nobody.
    const chosen = page.waitForEvent('filechooser')
    await press('recovery-file')
    const file = path.join(folder, 'keyboard.json')
    fs.writeFileSync(file, person.recoveryFile)
    await page.keyboard.press('Space')
    await (await chosen).setFiles(file)
    await onStep(page, 'chain')
    await press('field-rpc')
    await page.keyboard.type(chain.url)
    await press('connect')
    await page.keyboard.press('Enter')
    await onStep(page, 'payer')
    equal(
      await page.evaluate(() => document.activeElement.closest('li')?.id),
      'step-payer',
      'focus goes to the next step',
    )
    holds((await page.textContent('#live')).includes('Who pays'), 'the live region says the next step')
    await page.check('#choice-payerKind-key')
    await page.fill('#payer-secret', 'half typed')
    await page.click('#language-th')
    equal(await page.inputValue('#payer-secret'), 'half typed', 'a half-typed secret stays')
    equal(me.problems, [], 'console')
    await me.context.close()
  })
}
