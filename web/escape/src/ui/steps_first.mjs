// SPDX-License-Identifier: Apache-2.0
// Steps 1 to 3: the recovery file, the chain, and who pays.
import { h } from './elements.mjs'
import {
  address,
  box,
  button,
  choice,
  details,
  facts,
  field,
  fileButton,
  list,
  native,
  paragraph,
  secretField,
  takeSecret,
} from './pieces.mjs'
import {
  chainName,
  changed,
  connect,
  foundWallets,
  openRecoveryFile,
  payWithFile,
  payWithKey,
  payWithWallet,
  session,
} from './session.mjs'
import { date, t } from './words.mjs'

export function fileStep() {
  return [
    paragraph('file.what'),
    list('file.secret', 'file.stays'),
    fileButton('recovery-file', t('file.choose'), openRecoveryFile),
  ]
}

export const fileSummary = () => [
  address(session.file.account),
  ' ',
  h('span', { class: 'hint' }, t('file.made', { date: date(session.file.createdAt) })),
]

export function chainStep() {
  const { form, file } = session
  const known = file.chains.find(({ chainId }) => String(chainId) === form.chain)
  const choose = ({ target }) => {
    form.chain = target.value
    form.rpc = file.chains.find(({ chainId }) => String(chainId) === target.value)?.rpcUrls[0] ?? ''
    changed()
  }
  const plain = /^http:\/\/(?!localhost[:/]|127\.0\.0\.1[:/]|\[::1\])/i.test(form.rpc.trim())
  return [
    paragraph('chain.what'),
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'chain' }, t('chain.label')),
      h(
        'select',
        { id: 'chain', on: { change: choose } },
        file.chains.map(({ chainId, name }) =>
          h('option', { value: chainId, selected: String(chainId) === form.chain }, `${name} (${chainId})`),
        ),
        h('option', { value: 'other', selected: form.chain === 'other' }, t('chain.other')),
      ),
    ),
    field('rpc', 'chain.rpc', {
      hint: 'chain.rpc.hint',
      inputMode: 'url',
      options: known?.rpcUrls,
      placeholder: 'https://',
    }),
    plain ? box('warn', paragraph('chain.plain')) : null,
    details(
      'second-rpc',
      'chain.second',
      field('rpc2', 'chain.rpc2', { hint: 'chain.rpc2.hint', inputMode: 'url', placeholder: 'https://' }),
    ),
    h('div', { class: 'buttons' }, button('connect', t('chain.connect'), connect, 'main')),
  ]
}

export const chainSummary = () => [
  chainName(),
  ' ',
  h('span', { class: 'hint' }, t('chain.summary', { host: session.rpc.host, block: session.state.block.number })),
]

export function payerStep() {
  const { form, file } = session
  return [
    paragraph('payer.what'),
    session.wayCost === null ? null : h('p', {}, t('payer.cost', { amount: native(session.wayCost) })),
    choice('payerKind', 'payer.label', [
      ['file', t('payer.file')],
      ['key', t('payer.key')],
      ['wallet', t('payer.wallet')],
    ]),
    { file: payerFile, key: payerKey, wallet: payerWallet }[form.payerKind](file),
  ]
}

const payerFile = (file) => [
  paragraph('payer.file.what'),
  h('p', {}, address(file.escapeAddress)),
  h('div', { class: 'buttons' }, button('pay-file', t('payer.file.use'), payWithFile, 'main')),
]

const payerKey = () => [
  secretField('payer-secret', 'payer.key.label', 'payer.key.hint'),
  h(
    'div',
    { class: 'buttons' },
    button('pay-key', t('payer.key.use'), () => payWithKey(takeSecret('payer-secret')), 'main'),
  ),
]

function payerWallet() {
  const found = foundWallets()
  if (found.length === 0) return box('info', paragraph('payer.wallet.none'))
  return [
    paragraph('payer.wallet.what'),
    h(
      'div',
      { class: 'buttons' },
      found.map((wallet, i) =>
        button(`pay-wallet-${i}`, t('payer.wallet.use', { name: wallet.name }), () => payWithWallet(wallet), 'main'),
      ),
    ),
  ]
}

export const payerSummary = () => [
  address(session.payer.address),
  ' ',
  h('span', { class: 'hint' }, t('payer.summary', { amount: native(session.payerBalance) })),
]

/** Shown while whoever pays has nothing: every next step would fail. */
export const emptyPayer = () =>
  session.payer && session.payerBalance === 0n
    ? box('warn', paragraph('payer.empty'), facts([t('payer.address'), address(session.payer.address)]))
    : null
