// SPDX-License-Identifier: Apache-2.0
// Steps 4 to 7: freeze, start, wait, finish. And what else waits in the account.
import { FOREVER } from '../core/account.mjs'
import { KIND } from '../core/actions.mjs'
import { canCancel, leadsTo, whoCancels } from '../core/escape.mjs'
import { timesOf } from '../core/items.mjs'
import { h } from './elements.mjs'
import {
  address,
  box,
  button,
  choice,
  countdown,
  details,
  facts,
  field,
  fileButton,
  list,
  paragraph,
  when,
} from './pieces.mjs'
import {
  cancel,
  createAccount,
  draftKeys,
  finish,
  forgetKeys,
  freeze,
  keysChanged,
  leftOf,
  openKeysFile,
  ownEscapes,
  session,
  skipFreeze,
  startAnother,
  startEscape,
  takeOtherKeys,
} from './session.mjs'
import { dateTime, t } from './words.mjs'

const isFrozen = (state) => state.frozenUntil > state.block.timestamp

// ---- 4

export function freezeStep() {
  const { state } = session
  if (!state.deployed) {
    return [
      paragraph('create.what'),
      list('create.same', 'create.cost'),
      h('div', { class: 'buttons' }, button('create', t('create.do'), createAccount, 'main')),
    ]
  }
  return [
    keysChanged() ? changedKeys() : null,
    isFrozen(state) ? box('info', h('p', {}, t('freeze.by_server', { until: dateTime(state.frozenUntil) }))) : null,
    paragraph('freeze.what'),
    list('freeze.stops', 'freeze.stays', 'freeze.ends', 'freeze.one_against_one'),
    paragraph('freeze.when'),
    h(
      'div',
      { class: 'buttons' },
      button('freeze', t('freeze.do'), freeze, 'main'),
      button('skip-freeze', t('freeze.skip'), skipFreeze),
    ),
  ]
}

const changedKeys = () =>
  box('info', paragraph('keys.changed'), fileButton('keys-file-changed', t('keys.open'), openKeysFile, ''))

export function freezeSummary() {
  const { state } = session
  if (state.frozenUntil === FOREVER) return t('freeze.summary.vote')
  if (isFrozen(state)) return t('freeze.summary.server', { until: dateTime(state.frozenUntil) })
  return t('freeze.summary.none')
}

// ---- 5

export function startStep() {
  const { form } = session
  const keys = form.keysKind === 'own' ? session.keys : session.otherKeys
  return [
    keysChanged() && !session.keys ? changedKeys() : null,
    paragraph('start.what'),
    choice('keysKind', 'start.label', [
      ['own', t('start.own')],
      ['other', t('start.other')],
    ]),
    form.keysKind === 'own' ? ownKeys() : otherKeys(),
    keys
      ? [
          box('info', h('strong', {}, t('who.title')), whoList(whoCancels({ votes: 1n << 8n }, session.state))),
          paragraph('start.then'),
        ]
      : null,
    h(
      'div',
      { class: 'buttons' },
      keys ? button('start', t('start.do'), startEscape, 'main') : null,
      keys ? button('other-keys', t('start.again'), forgetKeys, 'quiet') : null,
    ),
  ]
}

function ownKeys() {
  const { keys, draft } = session
  if (keys) return box('good', paragraph('start.keys_ready'), keyFacts(keys.passkey, keys.serverKey))
  return [
    paragraph('start.own.what'),
    details('rp-id', 'start.advanced', field('rpId', 'start.rp_id', { hint: 'start.rp_id.hint' })),
    h(
      'div',
      { class: 'buttons' },
      button('make-keys', t(draft ? 'start.save_again' : 'start.save'), draftKeys, draft ? '' : 'main'),
      fileButton('keys-file', t(draft ? 'start.check' : 'start.open'), openKeysFile, draft ? 'main' : ''),
    ),
    draft ? h('p', { class: 'hint' }, t('start.check.hint')) : null,
  ]
}

function otherKeys() {
  const { form, otherKeys: keys } = session
  if (keys) return box('good', paragraph('start.keys_ready'), keyFacts(keys.passkey, keys.serverKey))
  const fields = () => ({
    x: form.x ?? '',
    y: form.y ?? '',
    rpId: form.otherRpId ?? '',
    serverKey: form.serverKey ?? '',
  })
  return [
    paragraph('start.other.what'),
    field('x', 'start.x'),
    field('y', 'start.y'),
    field('otherRpId', 'start.other_rp_id', { hint: 'start.other_rp_id.hint' }),
    field('serverKey', 'start.server_key'),
    h(
      'div',
      { class: 'buttons' },
      button('take-keys', t('start.take'), () => takeOtherKeys(fields()), 'main'),
    ),
  ]
}

const keyFacts = ([x], serverKey) =>
  facts(
    [
      t('keys.passkey'),
      h('code', { class: 'address', translate: 'no' }, `0x${x.toString(16).padStart(64, '0').slice(0, 16)}…`),
    ],
    [t('keys.server'), address(serverKey)],
  )

const slotNames = (slots) => slots.map((slot) => slot + 1).join(', ')

/** Who could end an escape, in words. */
function whoList(who) {
  const lines = [
    who.passkeys.length > 0 ? t('who.passkeys', { slots: slotNames(who.passkeys) }) : null,
    who.escapeKey ? t('who.escape_key') : null,
    who.guardians ? t('who.guardians') : t('who.no_guardians'),
    t('who.never_server'),
  ]
  return h(
    'ul',
    {},
    lines.filter(Boolean).map((line) => h('li', {}, line)),
  )
}

// ---- 6 and 7

export function waitStep() {
  return [
    ownEscapes().map(escapePanel),
    paragraph('wait.what'),
    list('wait.close', 'wait.watch', isFrozen(session.state) ? 'wait.frozen' : 'wait.not_frozen'),
    h(
      'div',
      { class: 'buttons' },
      session.state.frozenUntil === FOREVER ? null : button('freeze-now', t('freeze.do'), freeze),
      button('another', t('wait.another'), startAnother, 'quiet'),
    ),
  ]
}

function escapePanel(item) {
  const { left, life } = timesOf(item)
  const [passkeys, serverKey] = item.action.values
  return h(
    'section',
    { class: 'panel' },
    h('p', { class: 'big' }, countdown(left, 'wait.ready')),
    facts(
      [t('wait.from'), when(left)],
      [t('wait.until'), when(life)],
      [t('wait.leads'), leadsWhere(item)],
      [t('keys.server'), address(serverKey)],
      passkeys.length === 1 ? null : [t('keys.passkeys'), String(passkeys.length)],
    ),
    h('strong', {}, t('who.title')),
    whoList(whoCancels(item, session.state)),
  )
}

function leadsWhere(item) {
  if (leadsTo(item, session.keys)) return t('wait.leads.file')
  if (leadsTo(item, session.otherKeys)) return t('wait.leads.pasted')
  return [
    t(session.keys ? 'wait.leads.foreign' : 'wait.leads.unknown'),
    ' ',
    session.keys ? null : fileButton('keys-file-wait', t('keys.open'), openKeysFile, 'small'),
  ]
}

export function finishStep() {
  const ripe = ownEscapes().filter((item) => leftOf(item) === 0n)
  return [
    paragraph('finish.what'),
    ripe.map((item, i) =>
      h(
        'section',
        { class: 'panel' },
        facts(
          [t('wait.leads'), leadsWhere(item)],
          [t('keys.server'), address(item.action.values[1])],
          [t('wait.until'), when(timesOf(item).life)],
        ),
        h(
          'div',
          { class: 'buttons' },
          button(
            `finish-${i}`,
            t('finish.do'),
            () => finish(item),
            session.keys && !leadsTo(item, session.keys) ? '' : 'main',
          ),
        ),
      ),
    ),
    h('div', { class: 'buttons' }, button('another', t('wait.another'), startAnother, 'quiet')),
  ]
}

// ---- what else waits

const NAMES = {
  [KIND.unfreeze]: 'items.unfreeze',
  [KIND.changeKeys]: 'items.change_keys',
  [KIND.changeRules]: 'items.change_rules',
  [KIND.escape]: 'items.escape',
  [KIND.recover]: 'items.recover',
  [KIND.upgrade]: 'items.upgrade',
  [KIND.queued]: 'items.queued',
}

function newServerKey(item) {
  if (item.kind === KIND.escape || item.kind === KIND.recover) return item.action.values[1]
  return item.kind === KIND.changeKeys ? item.action.values[2] : null
}

function strangeItem(item) {
  const server = newServerKey(item)
  const { left } = timesOf(item)
  return h(
    'section',
    { class: 'panel' },
    h('strong', {}, t(NAMES[item.kind])),
    facts(
      item.votes === 0n ? null : [t('items.by'), signersOf(item)],
      [t('items.acts'), countdown(left, 'items.ripe')],
      server ? [t('keys.server'), address(server)] : null,
    ),
    canCancel(item)
      ? h(
          'div',
          { class: 'buttons' },
          button(`cancel-${item.id.slice(2, 10)}`, t('items.cancel'), () => cancel(item)),
        )
      : h('p', { class: 'hint' }, t('items.not_by_you')),
  )
}

const signersOf = (item) =>
  [...Array(9).keys()]
    .filter((signer) => (item.votes >> BigInt(signer)) & 1n)
    .map((signer) => (signer === 8 ? t('items.escape_key') : t('items.passkey', { slot: signer + 1 })))
    .join(', ')

/** Items that are not the person's own escape, nor a spend that the new keys queued. */
export function strangeItems(step) {
  const own = new Set(ownEscapes().map(({ id }) => id))
  const strange = session.items.filter((item) => !own.has(item.id) && !(step === 'move' && item.kind === KIND.queued))
  if (strange.length === 0 || !session.payer) return null
  return h(
    'section',
    { class: 'strange', 'aria-labelledby': 'strange-title' },
    h('h2', { id: 'strange-title' }, t('items.title')),
    paragraph('items.what'),
    strange.map(strangeItem),
  )
}
