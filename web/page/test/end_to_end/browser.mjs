// SPDX-License-Identifier: Apache-2.0
// A visit of the page in Chromium with a virtual authenticator. Console errors, refused policies and requests to other
// places are gathered; a test that leaves one behind has failed.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import { equal } from '../harness.mjs'
import { chromiumPath, PATIENCE_MS, ROOT } from './node.mjs'

export const PICTURES = path.join(ROOT, 'build/screenshots/page')

export const startBrowser = () =>
  chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

const AUTHENTICATOR = {
  protocol: 'ctap2',
  ctap2Version: 'ctap2_1',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
  hasPrf: true,
}

// Chromium would like RSA, too; the account's contract knows P-256 alone.
const WANTS_RSA = 'publicKey.pubKeyCredParams is missing at least one of the default algorithm identifiers'

export async function visit(browser, node, options = {}) {
  const { phone = false, dark = false, locale = 'en', path: start = '/' } = options
  const context = await browser.newContext({
    viewport: phone ? { width: 360, height: 740 } : { width: 1200, height: 860 },
    deviceScaleFactor: options.scale ?? 1,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: { en: 'en-GB', 'zh-Hans': 'zh-CN', th: 'th-TH' }[locale],
    timezoneId: 'Asia/Bangkok',
    acceptDownloads: true,
    ...(options.storage ? { storageState: options.storage } : {}),
  })
  const problems = []
  await context.exposeFunction('__violated', (words) => problems.push(words))
  await context.addInitScript(() =>
    addEventListener('securitypolicyviolation', (event) =>
      globalThis.__violated(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    ),
  )
  // A virtual authenticator chooses at once what a person would choose in the field's list; most tests want the button.
  if (!options.inField)
    await context.addInitScript(() => {
      PublicKeyCredential.isConditionalMediationAvailable = async () => false
    })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('console', (message) => {
    const words = `${message.text()} ${message.location().url}`
    // The browser tells every answer of 400 and above as an error; those are told by the page, which is what is tested.
    const isAnswer = words.startsWith('Failed to load resource') && words.includes(`${node.origin}/api/v1/`)
    if (['error', 'warning'].includes(message.type()) && !isAnswer && !words.startsWith(WANTS_RSA))
      problems.push(`console: ${words}`)
  })
  page.on('pageerror', (error) => problems.push(`error: ${error}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${node.origin}/`) && !url.startsWith(`blob:${node.origin}/`)) problems.push(`asked ${url}`)
  })
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  const device = await authenticator(session, options.authenticator)
  await page.goto(node.origin + start)
  return { page, context, session, device, problems, node }
}

export async function authenticator(session, changes = {}) {
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { ...AUTHENTICATOR, ...changes },
  })
  return authenticatorId
}

/** What the pages that a failed test left open show, for whoever looks for the reason. */
export async function shownNow(browser) {
  const told = []
  for (const context of browser.contexts())
    for (const page of context.pages()) {
      const words = await page.evaluate(() => document.querySelector('main')?.textContent.slice(0, 1500))
      told.push(`${page.url()}\n${words}`)
    }
  await Promise.all(browser.contexts().map((context) => context.close()))
  return told.join('\n')
}

/** Closes the visit; fails when anything was complained about. */
export async function leave({ context, problems }) {
  await context.close()
  equal(problems, [], 'complaints of the browser')
}

/** Serious findings of axe at this moment fail. */
export async function accessible(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  equal(serious, [], `accessibility of ${where}`)
}

export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true })
  // A screen as high as the view, so that what is fixed to its foot stands there in the picture.
  const screen = page.viewportSize()
  // The view is as high as the screen at the least, and would grow with it.
  const height = await page.evaluate(() => {
    const view = document.querySelector('main')
    if (view) view.style.minBlockSize = '0'
    return document.documentElement.scrollHeight
  })
  await page.setViewportSize({ width: screen.width, height: Math.max(height, screen.height) })
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true })
  await page.setViewportSize(screen)
  await page.evaluate(() => document.querySelector('main')?.style.removeProperty('min-block-size'))
}
