// SPDX-License-Identifier: Apache-2.0
// What a person with an account does: receive, wallets, passkeys, sessions, settings, and the look at the node.
import jsQR from 'jsqr'
import { parseRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { equal, holds } from '../harness.mjs'
import { leave, picture, visit } from './browser.mjs'
import { keptSecrets, logIn, logOut, register } from './people.mjs'

export async function run({ test }, browser, node) {
  await test('Receive.TheCodeSaysTheAddressAndTheChain', async () => {
    const visitor = await visit(browser, node)
    const { text } = await register(visitor)
    const file = parseRecoveryFile(text)
    const { page } = visitor
    await page.goto(`${node.origin}/receive`)
    const shown = page.getByRole('main').getByRole('img', { name: /^QR code/ })
    await shown.first().waitFor()
    const codes = await scanned(browser, shown)
    equal(
      codes.map((code) => code.toLowerCase()),
      [`ethereum:${file.account}@${file.chains[0].chainId}`],
      'QR code',
    )
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByText('Copied.').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    equal(copied.toLowerCase(), file.account, 'clipboard')
    await leave(visitor)
  })

  await test('Wallets.ASecondOneHasKeysOfItsOwnAndAPrintedFile', () => secondWallet(browser, node))
  await test('Wallets.ARefusedTouchIsGoneOnWithLater', async () => {
    const visitor = await visit(browser, node)
    await register(visitor)
    const { page, session, device } = visitor
    await session.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: false })
    await page.goto(`${node.origin}/wallets/new`)
    await page.getByLabel('Name of the wallet').fill('Savings')
    await page.getByRole('button', { name: 'Make the wallet' }).click()
    await page.getByText('No passkey was used.').waitFor()
    const before = await keptSecrets(visitor)
    await page.reload()
    await page.getByRole('button', { name: 'Go on' }).waitFor()
    equal(await page.getByLabel('Name of the wallet').inputValue(), 'Savings', 'name after a reload')
    equal(await keptSecrets(visitor), before, 'what is kept')
    // One refusal blocks a virtual authenticator: the same passkey moves to another one.
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId: device })
    await moveCredential(session, device, credentials[0])
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()
    await page.goto(`${node.origin}/wallets`)
    await page.getByRole('heading', { name: 'Savings' }).waitFor()
    equal(
      await page
        .getByRole('main')
        .getByRole('listitem')
        .filter({ has: page.getByRole('heading') })
        .count(),
      2,
      'wallets',
    )
    await leave(visitor)
  })

  await test('Passkeys.HaveNamesThatCanBeChanged', async () => {
    const visitor = await visit(browser, node)
    await register(visitor)
    const { page } = visitor
    await page.goto(`${node.origin}/passkeys`)
    await page.getByRole('heading', { name: /Chrome/ }).waitFor()
    await page.getByRole('button', { name: 'Rename' }).click()
    const name = '<b>ฉัน</b> “红” 🌿 & co'
    await page.getByLabel('Name of the passkey').fill(name)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByLabel('Name of the passkey').fill('  ')
    await page.keyboard.press('Enter')
    await page.getByText('Write a name.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await leave(visitor)
  })

  await test('Sessions.OneThatWasEndedIsOver', () => sessions(browser, node))

  await test('LogIn.ThePasskeyIsOfferedInTheField', async () => {
    const visitor = await visit(browser, node)
    await register(visitor)
    const { credentials } = await visitor.session.send('WebAuthn.getCredentials', { authenticatorId: visitor.device })
    await leave(visitor)
    const other = await visit(browser, node, { path: '/login', inField: true })
    await other.page.getByLabel('Or choose from your passkeys').waitFor()
    await other.session.send('WebAuthn.addCredential', { authenticatorId: other.device, credential: credentials[0] })
    await other.page.reload()
    await other.page.getByRole('heading', { name: 'Your keys, and where they are' }).waitFor()
    await leave(other)
  })

  await test('LogIn.APasskeyOfNobodyIsRefusedInWords', async () => {
    const visitor = await visit(browser, node, { path: '/login' })
    const { page, session, device } = visitor
    await page.getByRole('button', { name: 'Log in with your passkey' }).click()
    await page.getByText('No passkey was used.').waitFor()
    await leave(visitor)

    const other = await visit(browser, node)
    await register(other)
    const { credentials } = await other.session.send('WebAuthn.getCredentials', { authenticatorId: other.device })
    await leave(other)
    // The right credential id under another key: the node says that it does not take it, and no more.
    const thief = await visit(browser, node, { path: '/login' })
    const own = await thief.session.send('WebAuthn.getCredentials', { authenticatorId: thief.device })
    equal(own.credentials, [], 'passkeys of a new device')
    const strange = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', strange.privateKey)).toString('base64')
    await thief.session.send('WebAuthn.addCredential', {
      authenticatorId: thief.device,
      credential: { ...credentials[0], privateKey: pkcs8 },
    })
    await thief.page.reload()
    await thief.page.getByRole('button', { name: 'Log in with your passkey' }).click()
    await thief.page.getByText('The node did not take this passkey.').waitFor()
    await leave(thief)
    holds(session && device, 'the first visit had a device')
  })

  await test('Activity.TellsWhatHappened', async () => {
    const visitor = await visit(browser, node)
    await register(visitor)
    await logOut(visitor)
    await logIn(visitor)
    const { page } = visitor
    await page.goto(`${node.origin}/activity`)
    for (const words of ['You logged in', 'A wallet was made', 'A passkey was set up', 'You registered'])
      await page.getByText(words, { exact: true }).first().waitFor()
    await leave(visitor)
  })

  await test('Settings.LanguageAndColoursAreKept', () => settings(browser, node))
  await test('Trust.TheThreeAnswersAreOfThisNode', () => trust(browser, node))
}

async function moveCredential(session, from, credential) {
  await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: from })
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await session.send('WebAuthn.addCredential', { authenticatorId, credential })
}

/** The texts of QR codes, read off their pictures as a camera would. */
async function scanned(browser, codes) {
  // Pictures are decoded in a page of their own: the node's page may not even load them.
  const blank = await browser.newPage()
  const texts = []
  try {
    for (let i = 0; i < (await codes.count()); i++) {
      const png = (await codes.nth(i).screenshot({ scale: 'device' })).toString('base64')
      const { data, width, height } = await blank.evaluate(pixels, png)
      const found = jsQR(Uint8ClampedArray.from(Buffer.from(data, 'base64')), width, height)
      holds(found, `no QR code in picture ${i}`)
      texts.push(found.data)
    }
  } finally {
    await blank.close()
  }
  return texts
}

async function pixels(png) {
  const image = new Image()
  image.src = `data:image/png;base64,${png}`
  await image.decode()
  const { width, height } = image
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d')
  context.imageSmoothingEnabled = false
  context.drawImage(image, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  let text = ''
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
  return { data: btoa(text), width, height }
}

async function secondWallet(browser, node) {
  // As many dots as a printer has at the least.
  const visitor = await visit(browser, node, { scale: 3 })
  const first = parseRecoveryFile((await register(visitor)).text)
  const { page } = visitor
  await page.goto(`${node.origin}/wallets`)
  await page.getByRole('link', { name: 'Add a wallet' }).click()
  await page.getByLabel('Name of the wallet').fill('Club')
  await page.getByRole('button', { name: 'Make the wallet' }).click()
  await page.getByRole('heading', { name: 'Save your recovery file' }).waitFor()

  // Printed: the sheet's parts, scanned in order, are the file; its four characters prove that it came out.
  await page.evaluate(() => {
    window.print = () => undefined
  })
  await page.getByRole('button', { name: 'Print it' }).click()
  await page.emulateMedia({ media: 'print' })
  await picture(page, 'sheet')
  const parts = await scanned(browser, page.getByRole('img', { name: /^Part/ }))
  const second = parseRecoveryFile(parts.join(''))
  const code = await page.locator('.check strong').textContent()
  await page.emulateMedia({ media: 'screen' })
  holds(second.account !== first.account, 'the same account twice')
  holds(second.escapeKey !== first.escapeKey, 'the same escape key twice')
  equal(second.init.passkeys[0].map(String), first.init.passkeys[0].map(String), 'passkey')
  const field = page.getByLabel('The four characters at the foot of the sheet')
  await field.fill(code.startsWith('A') ? `B${code.slice(1)}` : `A${code.slice(1)}`)
  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByText('These are other characters.').waitFor()
  holds(await page.getByRole('button', { name: 'Done: forget it here' }).isDisabled(), 'finished without proof')
  await field.fill(code.toLowerCase())
  await page.keyboard.press('Enter')
  await page.getByText('You have it.').waitFor()
  await page.getByRole('button', { name: 'Done: forget it here' }).click()
  await page.getByRole('heading', { name: 'Your keys, and where they are' }).waitFor()
  equal(await keptSecrets(visitor), '[]', 'what the browser keeps')

  await page.goto(`${node.origin}/wallets`)
  const club = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Club' }) })
  await club.getByRole('button', { name: 'Make it the primary one' }).click()
  await club.getByText('primary', { exact: true }).waitFor()
  await club.getByRole('button', { name: 'Rename' }).click()
  await page.getByLabel('Name of the wallet').fill('River club')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'River club' }).waitFor()
  await page.goto(`${node.origin}/receive`)
  const shown = page.getByRole('main').locator('code').first()
  await shown.waitFor()
  holds(
    (await shown.getAttribute('aria-label')).toLowerCase().endsWith(second.account),
    'the primary wallet is not first',
  )
  await page.getByLabel('Wallet', { exact: true }).selectOption({ index: 1 })
  holds((await shown.getAttribute('aria-label')).toLowerCase().endsWith(first.account), 'the other wallet is not shown')
  await leave(visitor)
}

async function sessions(browser, node) {
  const home = await visit(browser, node)
  await register(home)
  const { credentials } = await home.session.send('WebAuthn.getCredentials', { authenticatorId: home.device })
  const phone = await visit(browser, node, { path: '/login', phone: true })
  await phone.session.send('WebAuthn.addCredential', { authenticatorId: phone.device, credential: credentials[0] })
  await phone.page.reload()
  // Without its escape key, which the other browser had, this one says where it was.
  await logIn(phone)

  await home.page.goto(`${node.origin}/sessions`)
  const rows = home.page.getByRole('main').getByRole('listitem')
  await rows.nth(1).waitFor()
  await rows.nth(0).getByText('this one').waitFor()
  await rows.nth(1).getByRole('button', { name: /^End/ }).click()
  await home.page.getByText('The session was ended.').waitFor()
  await rows.nth(1).waitFor({ state: 'detached' })

  // The phone is led to the log-in without a step of its own, and told why.
  await phone.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await phone.page.getByText('You were logged out').waitFor()
  await logIn(phone)
  await home.page.reload()
  await home.page.getByRole('button', { name: 'End all others' }).click()
  await home.page.getByText('All other sessions were ended.').waitFor()
  await phone.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  await leave(home)
  await leave(phone)
}

async function settings(browser, node) {
  const visitor = await visit(browser, node, { path: '/settings' })
  const { page } = visitor
  await page.getByLabel('ไทย').check()
  await page.getByRole('heading', { name: 'การตั้งค่า' }).waitFor()
  equal(await page.evaluate(() => document.documentElement.lang), 'th', 'language of the document')
  await page.getByLabel('มืด').check()
  await page.reload()
  await page.getByRole('heading', { name: 'การตั้งค่า' }).waitFor()
  const paper = (colour) =>
    page.waitForFunction((wanted) => getComputedStyle(document.body).backgroundColor === wanted, colour)
  await paper('rgb(18, 22, 20)')
  await page.getByLabel('English').check()
  await page.getByLabel('As the system').check()
  await paper('rgb(250, 248, 244)')
  await register(visitor)
  await page.goto(`${node.origin}/settings`)
  await page.getByLabel('Your name').fill('Mali')
  await page.getByLabel('Telephone number').fill('12')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Write the number with + and the country').waitFor()
  await page.getByLabel('Telephone number').fill('+66 2 123 4567')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  await page.goto(`${node.origin}/home`)
  await page.getByRole('heading', { name: 'Hello, Mali' }).waitFor()
  // Fields that were there before the person was known would be empty, and saving them would take both away.
  await page.goto(`${node.origin}/settings`)
  equal(await page.getByLabel('Your name').inputValue(), 'Mali', 'name after a reload')
  equal(await page.getByLabel('Telephone number').inputValue(), '+6621234567', 'number after a reload')
  await leave(visitor)
}

async function trust(browser, node) {
  const visitor = await visit(browser, node, { path: '/trust' })
  const { page } = visitor
  // The node of these tests runs its core as a process, so nothing good may be said.
  for (const words of ['Nothing measures it', 'There is none', 'No wall'])
    await page.getByRole('heading', { name: words }).waitFor()
  await page.getByText('Software only: whoever controls').waitFor()
  equal(await page.locator('.answers .good').count(), 0, 'good answers')
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'm.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
  await page.getByText('This file is no manifest.').waitFor()
  // Somebody on the way answers for another question.
  await page.route('**/api/v1/attestation*', async (route) => {
    const response = await route.fetch()
    const text = (await response.text()).replace(/"challenge": ?"../, (start) => `${start.slice(0, -2)}00`)
    await route.fulfill({ response, body: text })
  })
  await page.getByRole('button', { name: 'Ask again' }).click()
  await page.getByText('The proof is not genuine').waitFor()
  await page.getByText('What the node says of its machine does not hold.').waitFor()
  await leave(visitor)
}
