// SPDX-License-Identifier: Apache-2.0
// Step 8: move the money with the new keys.
import { ZERO_ADDRESS, formatAmount } from '../core/bytes.mjs'
import { timesOf } from '../core/items.mjs'
import { queuedCalls, readTransfer } from '../core/money.mjs'
import { h } from './elements.mjs'
import { address, box, button, countdown, facts, field, fileButton, list, paragraph, when } from './pieces.mjs'
import {
  addToken,
  chainName,
  checkMove,
  confirmQueued,
  forgetPlan,
  leftOf,
  move,
  openKeysFile,
  ownKeysRule,
  session,
  showAssets,
} from './session.mjs'
import { amount, t } from './words.mjs'

const symbolOf = (asset) => (asset.token === ZERO_ADDRESS ? t('native.name') : asset.symbol || t('move.token'))
const assetOf = (token) => session.assets?.find((asset) => asset.token === token)

export function moveStep() {
  const { assets } = session
  if (!ownKeysRule()) {
    return [paragraph('move.other_node'), fileButton('keys-file-move', t('keys.open'), openKeysFile)]
  }
  const waiting = session.items.filter(queuedCalls)
  return [
    paragraph('move.what'),
    waiting.map(queuedPanel),
    assets === null
      ? h('div', { class: 'buttons' }, button('assets', t('move.look'), showAssets, 'main'))
      : session.plan
        ? planPanel()
        : moveForm(assets),
    session.movedOut ? box('info', paragraph('move.next')) : null,
  ]
}

function moveForm(assets) {
  return [
    h('div', { class: 'assets' }, assets.map(assetRow)),
    h(
      'div',
      { class: 'inline' },
      field('token', 'move.add.label', { hint: 'move.add.hint', placeholder: '0x' }),
      button('add-token', t('move.add'), addToken),
    ),
    field('to', 'move.to', { hint: 'move.to.hint', placeholder: '0x' }),
    h('div', { class: 'buttons' }, button('check', t('move.check'), checkMove, 'main')),
  ]
}

function assetRow(asset) {
  const { amounts } = session.form
  const id = `amount-${asset.token}`
  const most = () => {
    amounts[asset.token] = formatAmount(asset.balance, asset.decimals)
    document.getElementById(id).value = amounts[asset.token]
  }
  const limit = asset.perDay === 0n ? t('move.no_limit') : t('move.limit', { left: amount(asset.left, asset.decimals) })
  return h(
    'div',
    { class: 'asset' },
    h(
      'div',
      {},
      h('label', { for: id }, symbolOf(asset)),
      h(
        'p',
        { class: 'hint', id: `${id}-hint` },
        t('move.balance', { amount: amount(asset.balance, asset.decimals) }),
        ' · ',
        limit,
      ),
      asset.token === ZERO_ADDRESS ? null : h('p', { class: 'hint' }, address(asset.token)),
    ),
    h('input', {
      id,
      type: 'text',
      inputmode: 'decimal',
      autocomplete: 'off',
      placeholder: '0',
      value: amounts[asset.token] ?? '',
      'aria-describedby': `${id}-hint`,
      on: {
        input: ({ target }) => {
          amounts[asset.token] = target.value
        },
      },
    }),
    button(`all-${asset.token}`, t('move.all'), most, 'quiet'),
  )
}

function sumOf({ token, amount: sum }) {
  if (token === ZERO_ADDRESS) return t('native.amount', { amount: formatAmount(sum, 18) })
  const asset = assetOf(token)
  return asset ? `${formatAmount(sum, asset.decimals)} ${symbolOf(asset)}` : String(sum)
}

/** What the calls move, one line each. */
function lines(calls) {
  return h(
    'ul',
    {},
    calls.map((one) => {
      const transfer = readTransfer(one)
      if (!transfer) return h('li', {}, t('move.other_call'), ' ', address(one[0]))
      const sum = sumOf(transfer)
      return h('li', {}, h('strong', {}, sum), ' → ', address(transfer.to))
    }),
  )
}

function planPanel() {
  const { plan } = session
  const waits = plan.refusal !== null
  return h(
    'section',
    { class: 'panel' },
    h('strong', {}, t(waits ? 'move.plan.wait' : 'move.plan.now')),
    lines(plan.calls),
    facts([t('chain.label'), chainName()]),
    waits ? [paragraph('move.plan.why'), list('move.plan.day', 'move.plan.less')] : null,
    h(
      'div',
      { class: 'buttons' },
      button('move', t(waits ? 'move.queue' : 'move.do'), move, 'main'),
      button('change-plan', t('move.change'), forgetPlan),
    ),
  )
}

function queuedPanel(item) {
  const { left, life } = timesOf(item)
  const ready = leftOf(item) === 0n
  return h(
    'section',
    { class: 'panel' },
    h('strong', {}, t('move.waiting')),
    lines(queuedCalls(item)),
    facts([t('wait.from'), when(left)], [t('wait.left'), countdown(left, 'wait.ready')], [t('wait.until'), when(life)]),
    ready
      ? h(
          'div',
          { class: 'buttons' },
          button(`confirm-${item.id.slice(2, 10)}`, t('move.confirm'), () => confirmQueued(item), 'main'),
        )
      : null,
  )
}
