// SPDX-License-Identifier: Apache-2.0
// Every view in three languages, light and dark, on a phone and a desktop: as pictures for people, and looked through by
// axe. Nothing may be wider than the screen.
import { equal } from '../harness.mjs'
import { accessible, leave, picture, visit } from './browser.mjs'
import { chainOf, ETHER } from './chain.mjs'
import {
  askForCode,
  enterCode,
  freshEmail,
  getFunds,
  makePasskey,
  prepareSend,
  saveRecoveryFile,
  signAndWait,
} from './people.mjs'

const EVERY_LOOK = ['en', 'zh-Hans', 'th'].flatMap((locale) =>
  [false, true].flatMap((dark) => [false, true].map((phone) => ({ locale, dark, phone }))),
)
// A few minutes of pictures for the long run; otherwise each language, both colours and both widths once or twice.
const LOOKS = process.env.COMMUNITY_TEST_LONG
  ? EVERY_LOOK
  : EVERY_LOOK.filter(({ locale, dark, phone }) =>
      locale === 'en' ? dark === !phone : locale === 'th' ? phone && !dark : phone && dark,
    )
const nameOf = ({ locale, dark, phone }) => `${locale}-${dark ? 'dark' : 'light'}-${phone ? 'phone' : 'desktop'}`
const PUBLIC = ['/', '/register', '/login', '/why', '/trust', '/settings', '/left', '/nothing']
const OWN = [
  '/home',
  '/send',
  '/receive',
  '/transactions',
  '/limits',
  '/waiting',
  '/wallets',
  '/wallets/new',
  '/sign',
  '/phrase-keys',
  '/multisigs',
  '/multisigs/new',
  '/passkeys',
  '/guardians',
  '/escape',
  '/bring',
  '/move-away',
  // Forms like others: for the long run.
  ...(process.env.COMMUNITY_TEST_LONG ? ['/passkeys/new', '/guardian', '/move', '/recover'] : []),
  '/sessions',
  '/apps',
  '/activity',
  '/privacy',
  '/privacy/leave',
  '/settings',
  '/more',
  '/trust',
]

async function settled(page) {
  await page.locator('main h1').waitFor()
  await page.waitForFunction(() => !document.querySelector('main .busy'))
}

async function look({ page }, name, { dark, phone }) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  equal(Math.max(wider, 0), 0, `${name}: pixels wider than the screen`)
  // Colours and layouts are each looked through once in every language.
  if (dark !== phone) await accessible(page, name)
  await picture(page, name)
}

async function views(visitor, paths, prefix, one) {
  const { page, node } = visitor
  for (const path of paths) {
    await page.goto(node.origin + path)
    await settled(page)
    await look(visitor, `${prefix}${path.replaceAll('/', '-').replace(/-$/, '')}-${nameOf(one)}`, one)
  }
}

/** Another look of the same visit: the language as the settings keep it, colours as the system has them. */
async function dress({ page }, { locale, dark, phone }) {
  await page.evaluate((chosen) => localStorage.setItem('locale', chosen), locale)
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' })
  await page.setViewportSize(phone ? { width: 360, height: 740 } : { width: 1200, height: 860 })
}

const PAYEE = '0x00000000219ab540356cBB839Cbe05303d7705Fa'

/** Ether, a token, something that waits, and a payment whose receipt is open at the end. */
async function withMoney(visitor) {
  const { page } = visitor
  const account = await getFunds(visitor)
  const token = await chainOf(visitor.node).token(account, 1_250n * ETHER)
  await page.getByRole('button', { name: 'Add a token' }).click()
  await page.getByLabel('Address of the token’s contract').fill(token)
  await page.keyboard.press('Enter')
  await page.getByText(/^1250 /).waitFor()
  await prepareSend(visitor, PAYEE, '3')
  await page.getByRole('button', { name: 'Queue it for a day' }).click()
  await signAndWait(visitor)
  await prepareSend(visitor, PAYEE, '0.25')
  await signAndWait(visitor)
  await page.getByRole('status').getByText('Done', { exact: true }).waitFor()
}

/** The form filled in, whatever its language. */
async function order({ page, node }, amount) {
  await page.goto(`${node.origin}/send`)
  await page.locator('main form input:not([type=file])').first().fill('0x4838B106FCe9647Bdf1E7877BF73cE8B0BAD5f97')
  await page.locator('main form input[inputmode=decimal]').fill(amount)
  await page.keyboard.press('Enter')
}

export async function run({ test }, browser, node) {
  await test('Pictures.OfAStranger', async () => {
    const visitor = await visit(browser, node)
    for (const one of LOOKS) {
      await dress(visitor, one)
      await views(visitor, PUBLIC, 'stranger', one)
    }
    await leave(visitor)
    return `${LOOKS.length * PUBLIC.length} pictures`
  })

  await test('Pictures.OfAPerson', async () => {
    const visitor = await visit(browser, node, { path: '/register' })
    const { page } = visitor
    const email = freshEmail()
    // The steps of a registration stay as they are while their clothes change.
    const everyLook = async (name) => {
      for (const one of LOOKS) {
        await dress(visitor, one)
        await page.reload()
        await settled(page)
        await look(visitor, `step-${name}-${nameOf(one)}`, one)
      }
      await dress(visitor, { locale: 'en', dark: false, phone: false })
      await page.reload()
      await settled(page)
    }
    const code = await askForCode(visitor, email, 'Mali')
    await everyLook('code')
    await enterCode(visitor, code)
    await page.getByRole('heading', { name: 'Make your passkey' }).waitFor()
    await everyLook('passkey')
    await makePasskey(visitor)
    await everyLook('recovery-file')
    for (const one of LOOKS) {
      await dress(visitor, one)
      await views(visitor, ['/home'], 'unsaved', one)
    }
    await dress(visitor, { locale: 'en', dark: false, phone: false })
    await page.reload()
    await page.getByRole('link', { name: 'Save it now' }).first().click()
    await saveRecoveryFile(visitor)
    await withMoney(visitor)
    const receipt = new URL(page.url()).pathname
    for (const one of LOOKS) {
      await dress(visitor, one)
      await views(visitor, OWN, 'person', one)
      await page.goto(node.origin + receipt)
      await settled(page)
      await look(visitor, `person-receipt-${nameOf(one)}`, one)
      await order(visitor, '0.4')
      await page.locator('#confirm-title').waitFor()
      await look(visitor, `person-confirm-${nameOf(one)}`, one)
      await order(visitor, '5')
      await page.locator('main .notice').waitFor()
      await look(visitor, `person-over-limit-${nameOf(one)}`, one)
    }
    await leave(visitor)
    return `${LOOKS.length * (OWN.length + 7)} pictures`
  })
}
