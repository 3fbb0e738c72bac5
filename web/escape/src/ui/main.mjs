// SPDX-License-Identifier: Apache-2.0
// The page: a vertical path of eight steps, one of them open.
import { FOREVER } from '../core/account.mjs'
import { h, replace } from './elements.mjs'
import { box, button, details, facts, list, native, outcome, paragraph, success, tick } from './pieces.mjs'
import { changed, goBack, listenForWallets, onChange, refresh, refreshQuietly, session, whereNow } from './session.mjs'
import { chainStep, chainSummary, emptyPayer, fileStep, fileSummary, payerStep, payerSummary } from './steps_first.mjs'
import { finishStep, freezeStep, freezeSummary, startStep, strangeItems, waitStep } from './steps_escape.mjs'
import { moveStep } from './steps_money.mjs'
import { LANGUAGES, currentLanguage, guessLanguage, setLanguage, t } from './words.mjs'

// Name, what it shows when open, what it says when done, and whether one can come back to it.
const STEPS = [
  { name: 'file', body: fileStep, summary: fileSummary, back: true },
  { name: 'chain', body: chainStep, summary: chainSummary, back: true },
  { name: 'payer', body: payerStep, summary: payerSummary, back: true },
  { name: 'freeze', body: freezeStep, summary: freezeSummary },
  { name: 'start', body: startStep },
  { name: 'wait', body: waitStep },
  { name: 'finish', body: finishStep },
  { name: 'move', body: moveStep },
]
/** The chain's clock may lag behind by some blocks; more means that the server stands still. */
const STALE_S = 1800

function languageButtons() {
  const choose = (code) => () => {
    setLanguage(code)
    Object.assign(session, { notice: '' })
    changed()
  }
  return h(
    'div',
    { class: 'languages', role: 'group', 'aria-label': t('page.language') },
    Object.entries(LANGUAGES).map(([code, name]) =>
      h(
        'button',
        {
          id: `language-${code}`,
          type: 'button',
          lang: code,
          class: 'quiet',
          'aria-pressed': String(code === currentLanguage()),
          on: { click: choose(code) },
        },
        name,
      ),
    ),
  )
}

const header = () =>
  h(
    'header',
    {},
    h('div', { class: 'top' }, h('p', { class: 'brand' }, 'Community Node'), languageButtons()),
    h('h1', {}, t('page.title')),
    h('p', { class: 'lead' }, t('page.lead')),
  )

function introduction() {
  if (session.file) return null
  return h(
    'section',
    { class: 'intro', 'aria-label': t('page.need') },
    h('h2', {}, t('page.need')),
    list('page.need.file', 'page.need.money', 'page.need.rpc'),
    details(
      'promise',
      'page.promise',
      list('page.promise.days', 'page.promise.cancel', 'page.promise.stays', 'page.promise.alone'),
    ),
    h('p', { class: 'hint' }, t('page.private')),
  )
}

function accountCard() {
  const { state } = session
  if (!state) return null
  const frozen = state.frozenUntil > state.block.timestamp
  const stale = Math.floor(Date.now() / 1000) - Number(state.block.timestamp) > STALE_S
  const status = !state.deployed
    ? 'account.unborn'
    : frozen
      ? state.frozenUntil === FOREVER
        ? 'account.frozen'
        : 'account.frozen_server'
      : 'account.open'
  return h(
    'section',
    { class: 'card', 'aria-label': t('account.title') },
    facts([t('account.title'), t(status)], [t('account.balance'), native(state.balance)]),
    stale ? box('warn', paragraph('account.stale')) : null,
    state.upgraded ? box('warn', paragraph('account.upgraded')) : null,
  )
}

function summaryOf(step, place) {
  if (step.summary && (step.name !== 'freeze' || place > 3)) return h('div', { class: 'summary' }, step.summary())
  return null
}

function pathStep(step, index, place) {
  const status = index < place ? 'done' : index === place ? 'now' : 'later'
  const open = status === 'now'
  const here = session.busy === step.name || session.error?.step === step.name
  return h(
    'li',
    { id: `step-${step.name}`, class: `step ${status}`, 'aria-current': open ? 'step' : null },
    h('div', { class: 'mark', 'aria-hidden': 'true' }, status === 'done' ? '✓' : String(index + 1)),
    h(
      'div',
      { class: 'content' },
      h(
        'div',
        { class: 'title' },
        h('h2', {}, t(`step.${step.name}`), h('span', { class: 'unseen' }, ` (${t(`step.${status}`)})`)),
        status === 'done' && step.back
          ? button(
              `back-${step.name}`,
              t('step.change'),
              () => goBack(step.name),
              'quiet small',
              t(`step.${step.name}`),
            )
          : null,
      ),
      status === 'done' ? summaryOf(step, place) : null,
      open ? [success(), index > 2 ? emptyPayer() : null, step.body()] : null,
      open || here ? outcome(step.name) : null,
    ),
  )
}

function draw() {
  const name = whereNow()
  const place = STEPS.findIndex((step) => step.name === name)
  document.documentElement.lang = currentLanguage() === 'zh' ? 'zh-CN' : currentLanguage()
  document.title = `${t('page.title')} – Community Node`
  const opened = [...document.querySelectorAll('details[open]')].map(({ id }) => id)
  replace(document.getElementById('page'), [
    header(),
    h(
      'main',
      {},
      introduction(),
      accountCard(),
      strangeItems(name),
      h(
        'ol',
        { class: 'path' },
        STEPS.map((step, index) => pathStep(step, index, place)),
      ),
      session.state
        ? h('div', { class: 'buttons' }, button('read-again', t('page.read_again'), refresh, 'quiet small'))
        : null,
    ),
    h('footer', {}, paragraph('page.footer')),
  ])
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '')
  announce(name)
}

let announced = ''
let lastPlace = 'file'

/** Says to a screen reader what changed, and brings the next step into view. */
function announce(name) {
  const words = session.progress || session.notice || t(`step.${name}`)
  if (words !== announced) document.getElementById('live').textContent = words
  announced = words
  if (name === lastPlace || session.busy) return
  lastPlace = name
  const heading = document.querySelector(`#step-${name} h2`)
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches
  document.getElementById(`step-${name}`).scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' })
}

guessLanguage()
onChange(draw)
listenForWallets()
draw()
setInterval(() => {
  if (tick() && !session.busy) draw()
  refreshQuietly()
}, 1000)
