// SPDX-License-Identifier: Apache-2.0
// Pieces that several steps are made of: buttons, fields, boxes, addresses, times.
import { checksummed } from '../core/bytes.mjs'
import { h } from './elements.mjs'
import { changed, elapsed, offerMore, session, stopWaiting } from './session.mjs'
import { amount, dateTime, duration, explainProblem, t } from './words.mjs'

/** A button that does nothing while something runs, and keeps the focus. `of` tells a screen reader what it is for. */
export function button(id, text, press, kind = '', of = '') {
  const idle = session.busy === ''
  return h(
    'button',
    {
      id,
      type: 'button',
      class: kind || null,
      'aria-disabled': idle ? null : 'true',
      'aria-label': of ? `${text}: ${of}` : null,
      on: { click: () => idle && press() },
    },
    text,
  )
}

export const paragraph = (key, values) => h('p', {}, t(key, values))
export const list = (...keys) =>
  h(
    'ul',
    {},
    keys.filter(Boolean).map((key) => h('li', {}, typeof key === 'string' ? t(key) : key)),
  )

/** A labelled text field bound to `session.form[name]`. */
export function field(name, labelKey, { hint, type = 'text', options, inputMode, placeholder } = {}) {
  const id = `field-${name}`
  const { form } = session
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, t(labelKey)),
    h('input', {
      id,
      type,
      inputmode: inputMode,
      placeholder,
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      list: options?.length ? `${id}-list` : null,
      'aria-describedby': hint ? `${id}-hint` : null,
      value: form[name] ?? '',
      on: {
        input: ({ target }) => {
          form[name] = target.value
        },
      },
    }),
    options?.length
      ? h(
          'datalist',
          { id: `${id}-list` },
          options.map((value) => h('option', { value })),
        )
      : null,
    hint ? h('p', { id: `${id}-hint`, class: 'hint' }, t(hint)) : null,
  )
}

/** A choice of a few, bound to `session.form[name]`. */
export function choice(name, legendKey, options) {
  const { form } = session
  return h(
    'fieldset',
    {},
    h('legend', {}, t(legendKey)),
    options.map(([value, text]) => {
      const id = `choice-${name}-${value}`
      return h(
        'div',
        { class: 'choice' },
        h('input', {
          id,
          type: 'radio',
          name,
          value,
          checked: form[name] === value,
          on: {
            change: () => {
              form[name] = value
              changed()
            },
          },
        }),
        h('label', { for: id }, text),
      )
    }),
  )
}

/** A file field that looks like a button; `take` gets the chosen file. */
export function fileButton(id, text, take, kind = 'main') {
  return h(
    'div',
    { class: 'file' },
    h('input', {
      id,
      type: 'file',
      accept: '.json,application/json',
      class: 'unseen',
      on: {
        change: ({ target }) => {
          if (target.files[0] && !session.busy) take(target.files[0])
        },
      },
    }),
    h('label', { for: id, class: `button ${kind}` }, text),
  )
}

/** A secret that is typed: taken out of the field the moment it is used. */
export function secretField(id, labelKey, hintKey) {
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, t(labelKey)),
    h('input', { id, type: 'password', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${id}-hint` }),
    h('p', { id: `${id}-hint`, class: 'hint' }, t(hintKey)),
  )
}

export function takeSecret(id) {
  const input = document.getElementById(id)
  const { value } = input
  input.value = ''
  return value
}

export const address = (value) => h('code', { class: 'address', translate: 'no' }, checksummed(value))

export const box = (kind, ...content) => h('div', { class: `box ${kind}` }, content)

export const details = (id, summaryKey, ...content) =>
  h('details', { id }, h('summary', { id: `${id}-summary` }, t(summaryKey)), content)

/** Rows of a name and a value. */
export const facts = (...rows) =>
  h(
    'dl',
    {},
    rows.filter(Boolean).map(([name, ...value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  )

export const native = (value) => t('native.amount', { amount: amount(value) })

/** Time left until `seconds` from when the chain was read; counted down by `tick`. */
export function countdown(seconds, doneKey) {
  return h('span', { class: 'countdown', 'data-seconds': String(seconds), 'data-done': t(doneKey) }, duration(seconds))
}

/** Sets all countdowns; answers whether one of them ended just now. */
export function tick() {
  let ended = false
  for (const element of document.querySelectorAll('[data-seconds]')) {
    const left = BigInt(element.dataset.seconds) - elapsed()
    const text = left > 0n ? duration(left) : element.dataset.done
    if (element.textContent === text) continue
    ended ||= left <= 0n
    element.textContent = text
  }
  return ended
}

/** When on the clock of the chain, `seconds` after it was read. */
export const when = (seconds) => dateTime(session.state.block.timestamp + BigInt(seconds))

/** What went well just now. */
export const success = () => (session.notice && !session.busy ? box('good', h('p', {}, session.notice)) : null)

/** What runs now in `step`, or what went wrong there. */
export function outcome(step) {
  const { busy, progress, sent, error } = session
  if (busy === step) {
    return h(
      'div',
      { class: 'box progress' },
      h('div', { class: 'bar', 'aria-hidden': 'true' }),
      h('p', {}, progress || t('progress.working')),
      sent ? sentPanel(sent) : null,
    )
  }
  if (error?.step === step) {
    return h(
      'div',
      { class: 'box bad', role: 'alert' },
      h('strong', {}, t('problem.title')),
      h('p', {}, explainProblem(error.error)),
    )
  }
  return null
}

function sentPanel(sent) {
  return h(
    'div',
    {},
    facts([t('sent.transaction'), h('code', { class: 'address', translate: 'no' }, sent.current.hash)]),
    h('p', { class: 'hint' }, t('sent.hint')),
    h(
      'div',
      { class: 'buttons' },
      session.payer.kind === 'key'
        ? h('button', { id: 'raise', type: 'button', on: { click: offerMore } }, t('sent.raise'))
        : null,
      h('button', { id: 'stop', type: 'button', class: 'quiet', on: { click: stopWaiting } }, t('sent.stop')),
    ),
  )
}
