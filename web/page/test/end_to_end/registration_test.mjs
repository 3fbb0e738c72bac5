// SPDX-License-Identifier: Apache-2.0
// From the first visit to an account, and everything that comes between.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { equal, holds } from '../harness.mjs'
import { accessible, authenticator, leave, visit } from './browser.mjs'
import { PROGRAM } from './node.mjs'
import {
  askForCode,
  enterCode,
  freshEmail,
  keptSecrets,
  logOut,
  makePasskey,
  register,
  saveRecoveryFile,
} from './people.mjs'

export async function run({ test, wants }, browser, node) {
  const begin = (options) => visit(browser, node, { path: '/register', ...options })

  await test('Registration.ThenLogOutAndLogIn', async () => {
    const visitor = await visit(browser, node)
    const { page } = visitor
    await page.getByRole('link', { name: 'Create an account' }).click()
    const code = await askForCode(visitor, freshEmail(), 'Mali')
    await enterCode(visitor, code)
    await makePasskey(visitor)
    const { text } = await saveRecoveryFile(visitor)
    await page.getByRole('heading', { name: 'Hello, Mali' }).waitFor()
    const file = parseRecoveryFile(text)
    const shown = await page.locator('#account-title').locator('xpath=../..').locator('code').getAttribute('aria-label')
    holds(shown.toLowerCase().endsWith(file.account), `${shown} is not of ${file.account}`)
    equal(await keptSecrets(visitor), '[]', 'what the browser keeps')
    holds(!(await page.getByText('not saved').count()), 'the file counts as not saved')
    await logOut(visitor)
    await page.goto(`${node.origin}/wallets`)
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await page.getByRole('button', { name: 'Log in with your passkey' }).click()
    await page.getByRole('heading', { name: 'Wallets', level: 1 }).waitFor()
    await leave(visitor)
  })

  await test('Registration.TheFileIsOneForTheTerminalToo', async () => {
    const visitor = await begin()
    const { file, text } = await register(visitor)
    // Another reader, in C++, holds the file against the rules; the account is not on the chain yet, so that is all.
    const folder = mkdtempSync(path.join(os.tmpdir(), 'page-cli-'))
    try {
      chmodSync(file, 0o600)
      const show = (name) =>
        execFileSync(PROGRAM, ['account', 'show', name, '--chain', node.chain], { encoding: 'utf8', stdio: 'pipe' })
      const account = parseRecoveryFile(text).account
      holds(show(file).toLowerCase().includes(account), 'the account is not shown')
      const bent = path.join(folder, 'bent.json')
      writeFileSync(
        bent,
        text.replace(/"escapeKey": "0x./, (start) => start.slice(0, -1) + (start.endsWith('1') ? '2' : '1')),
      )
      let refused = ''
      try {
        show(bent)
      } catch (error) {
        refused = error.stderr
      }
      holds(refused.includes('escape'), `a file with another key: ${refused}`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    await leave(visitor)
  })

  await test('Registration.WrongCodesAreCountedAndThenOver', async () => {
    const visitor = await begin()
    const { page } = visitor
    const code = (await askForCode(visitor, freshEmail())).replace(/\D/g, '')
    const wrong = code.startsWith('9') ? `1${code.slice(1)}` : `9${code.slice(1)}`
    await enterCode(visitor, '1234')
    await page.getByText('The code has eight digits.').waitFor()
    for (const left of [4, 3, 2]) {
      await enterCode(visitor, wrong)
      await page.getByText(`You have ${left} more attempts.`).waitFor()
    }
    holds(
      (await page.getByLabel('Code from the mail').getAttribute('aria-invalid')) === 'true',
      'the field is not marked',
    )
    await accessible(page, 'a wrong code')
    await enterCode(visitor, wrong)
    await page.getByText('You have 1 more attempt.').waitFor()
    await enterCode(visitor, wrong)
    // The fifth wrong one: the right one is of no use any more.
    await page.getByText(/This code is over|You have 0 more attempts/).waitFor()
    if (await page.getByLabel('Code from the mail').count()) await enterCode(visitor, code)
    await page.getByText('This code is over').waitFor()
    await leave(visitor)
  })

  await test('Registration.ANewCodeReplacesTheOld', async () => {
    const visitor = await begin()
    const { page } = visitor
    const email = freshEmail()
    const old = await askForCode(visitor, email)
    const again = page.getByRole('button', { name: 'Send another code' })
    holds(await again.isDisabled(), 'another code at once')
    // The wait is the page's politeness; a person who reloads has waited as long as the draft is old.
    await page.clock.install()
    await page.clock.fastForward(31_000)
    await again.click()
    const code = await node.codeFor(email, 1)
    holds(code !== old, 'the same code twice')
    await enterCode(visitor, code)
    await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
    await leave(visitor)
  })

  await test('Registration.AKnownAddressIsOfferedTheLogIn', async () => {
    const visitor = await begin()
    const { email } = await register(visitor)
    await logOut(visitor)
    await visitor.page.goto(`${node.origin}/register`)
    await enterCode(visitor, await askForCode(visitor, email))
    await visitor.page.getByText('You have an account here already.').waitFor()
    await visitor.page.getByRole('main').getByRole('link', { name: 'Log in' }).click()
    await visitor.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await leave(visitor)
  })

  await test('Registration.ARefusedFingerprintIsToldAndTriedAgain', async () => {
    const visitor = await begin({ authenticator: { isUserVerified: false } })
    const { page, session, device } = visitor
    await enterCode(visitor, await askForCode(visitor, freshEmail()))
    await page.getByRole('button', { name: 'Make the passkey' }).click()
    await page.getByText('No passkey was used.').waitFor()
    await accessible(page, 'a refused fingerprint')
    // One refusal blocks a virtual authenticator, so the next finger is on another one.
    await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device })
    await authenticator(session)
    await makePasskey(visitor)
    await saveRecoveryFile(visitor)
    await leave(visitor)
  })

  await test('Registration.ReloadsLoseNothing', () => reloads(browser, node))
  await test('Registration.AnAnswerThatWasLostIsAskedForAgain', () => lostAnswer(browser, node))
  await test('Registration.ATamperedAccountIsRefusedLoudly', () => tampered(browser, node))
  if (wants('Registration.ByKeyboardAlone')) await test('Registration.ByKeyboardAlone', () => keyboard(browser, node))
}

async function reloads(browser, node) {
  const visitor = await visit(browser, node, { path: '/register' })
  const { page } = visitor
  const code = await askForCode(visitor, freshEmail())
  await page.reload()
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  await enterCode(visitor, code)
  await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
  await page.reload()
  await makePasskey(visitor)
  const secret = /"escapeSecret":"(0x[0-9a-f]{64})"/.exec(await keptSecrets(visitor))?.[1]
  holds(secret, 'the escape key is not kept before it is saved')
  await page.reload()
  await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
  // And from anywhere else, the way back is shown.
  await page.goto(`${node.origin}/home`)
  await page.getByText('Your recovery file is not saved yet').waitFor()
  await page.getByRole('link', { name: 'Save it now' }).first().click()
  const { text } = await saveRecoveryFile(visitor)
  equal(JSON.parse(text).escapeKey, secret, 'escape key')
  equal(await keptSecrets(visitor), '[]', 'what the browser keeps afterwards')
  await leave(visitor)
}

// The node made the account, but its answer did not arrive.
async function lostAnswer(browser, node) {
  for (const cookieArrives of [false, true]) {
    const visitor = await visit(browser, node, { path: '/register' })
    const { page } = visitor
    await enterCode(visitor, await askForCode(visitor, freshEmail()))
    await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
    await page.route('**/passkey', async (route) => {
      if (cookieArrives) await page.evaluate(postOnce, [route.request().url(), route.request().postData()])
      else await route.fetch()
      await route.abort('connectionreset')
    })
    await page.getByRole('button', { name: 'Make the passkey' }).click()
    await page.getByText('The node does not answer.').waitFor()
    await page.unroute('**/passkey')
    if (!cookieArrives) await page.context().clearCookies()
    const secret = /"escapeSecret":"(0x[0-9a-f]{64})"/.exec(await keptSecrets(visitor))?.[1]
    await page.reload()
    if (cookieArrives) {
      await page.getByText('Your recovery file is not saved yet').waitFor()
      await page.getByRole('link', { name: 'Save it now' }).first().click()
    }
    await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
    const { text } = await saveRecoveryFile(visitor)
    equal(JSON.parse(text).escapeKey, secret, 'escape key')
    visitor.problems.splice(
      0,
      visitor.problems.length,
      ...visitor.problems.filter((one) => !/ERR_CONNECTION_RESET/.test(one)),
    )
    await leave(visitor)
  }
}

// Runs in the page: the same request by another road, so that its cookie arrives while the page's answer does not.
function postOnce([url, body]) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open('POST', `${url}?again`)
    request.setRequestHeader('content-type', 'application/json')
    request.onloadend = () => resolve(request.status)
    request.send(body)
  })
}

async function tampered(browser, node) {
  const visitor = await visit(browser, node, { path: '/register' })
  const { page } = visitor
  await enterCode(visitor, await askForCode(visitor, freshEmail()))
  await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
  // The real answer, in which somebody put another escape key on the way.
  await page.route('**/passkey', async (route) => {
    const response = await route.fetch()
    const body = await response.json()
    const init = body.wallet.origin.initData
    const own = body.wallet.origin.escapeKey.slice(2).toLowerCase()
    body.wallet.origin.initData = init.replace(own, '11'.repeat(20))
    body.wallet.origin.escapeKey = `0x${'11'.repeat(20)}`
    await route.fulfill({ response, json: body })
  })
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByRole('alert').getByText('This is not your account. Do not use it.').waitFor()
  await accessible(page, 'a refused account')
  equal(await page.getByRole('button', { name: 'Download the file' }).count(), 0, 'recovery files offered')
  await leave(visitor)
}

/** Presses Tab until the focused element has this name. */
async function tabTo(page, name) {
  const seen = []
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const words = await page.evaluate(() => {
      const element = document.activeElement
      if (element === document.body) return ''
      const labels = element.labels ? [...element.labels].map((label) => label.textContent) : []
      return [...labels, element.getAttribute('aria-label'), element.textContent].filter(Boolean).join(' ').trim()
    })
    seen.push(words.slice(0, 40))
    if (words.includes(name)) return
  }
  throw new Error(`the keyboard does not reach ${name}: ${seen.join(' | ')}`)
}

async function keyboard(browser, node) {
  const visitor = await visit(browser, node)
  const { page } = visitor
  const email = freshEmail()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await tabTo(page, 'Skip to the content')
  await tabTo(page, 'Create an account')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Create your account' }).waitFor()
  await tabTo(page, 'E-mail address')
  await page.keyboard.type(email)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor()
  // The field of the code has the focus already.
  await page.keyboard.type(await node.codeFor(email))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
  await tabTo(page, 'Make the passkey')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
  await tabTo(page, 'Download the file')
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  await tabTo(page, 'Choose the file that you saved')
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')])
  await chooser.setFiles(await download.path())
  await page.getByText('You have it.').waitFor()
  await tabTo(page, 'Done: forget it here')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Your keys, and where they are' }).waitFor()
  equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'where the focus is on a new view')
  await leave(visitor)
}
