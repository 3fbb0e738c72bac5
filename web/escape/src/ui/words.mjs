// SPDX-License-Identifier: Apache-2.0
// Words, numbers and times in the person's language.
import strings from '../strings.json'
import { checksummed, formatAmount } from '../core/bytes.mjs'

export const LANGUAGES = { en: 'English', zh: '中文', th: 'ไทย' }
const LOCALES = { en: 'en-GB', zh: 'zh-CN', th: 'th-TH-u-ca-gregory' }

let language = 'en'

export const currentLanguage = () => language

/** The first language of the browser that the table has. */
export function guessLanguage() {
  language = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? 'en'
}

export function setLanguage(value) {
  language = value
}

export const has = (key) => key in strings

/** The words of `key` with `{name}` replaced by `values.name`. */
export function t(key, values = {}) {
  return strings[key][language].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''))
}

/** Days, hours, minutes and seconds, from the first that is not zero. */
export function duration(seconds) {
  const total = Number(seconds)
  const parts = [
    ['days', 86_400, Infinity],
    ['hours', 3600, 24],
    ['minutes', 60, 60],
    ['seconds', 1, 60],
  ].map(([name, size, wrap]) => [name, Math.floor(total / size) % wrap])
  const first = parts.findIndex(([, count]) => count > 0)
  return parts
    .slice(first === -1 ? 3 : first)
    .map(([name, count]) => t(`time.${name}`, { count }))
    .join(' ')
}

export const dateTime = (seconds) =>
  new Intl.DateTimeFormat(LOCALES[language], {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(Number(seconds) * 1000))

export const date = (text) =>
  new Intl.DateTimeFormat(LOCALES[language], { year: 'numeric', month: 'long', day: 'numeric' }).format(new Date(text))

/** At most six decimals, rounded down; the whole number is what counts elsewhere. */
export function amount(value, decimals = 18) {
  const text = formatAmount(value, decimals)
  const [whole, rest = ''] = text.split('.')
  if (rest.length <= 6) return text
  const short = rest.slice(0, 6).replace(/0+$/, '')
  if (whole === '0' && short === '') return '< 0.000001'
  return short ? `${whole}.${short}` : whole
}

export const shortAddress = (address) => {
  const text = checksummed(address)
  return `${text.slice(0, 8)}…${text.slice(-6)}`
}

/** What a problem says to a person: what is wrong and what to do next. */
export function explainProblem(error) {
  if (!error.problem) return t('problem.unexpected', { message: String(error?.message ?? error).slice(0, 200) })
  const values = { ...error.values }
  for (const name of ['address', 'account', 'stated', 'computed', 'current', 'token'])
    if (/^0x[0-9a-f]{40}$/.test(values[name] ?? '')) values[name] = checksummed(values[name])
  if (error.problem === 'funds_insufficient') {
    values.missing = error.values.missing ? amount(error.values.missing) : t('problem.some')
  }
  const rule = values.rule && has(`rule.${values.rule}`) ? ` ${t(`rule.${values.rule}`)}` : ''
  return t(`problem.${error.problem}`, values) + rule
}
