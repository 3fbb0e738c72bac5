// SPDX-License-Identifier: Apache-2.0
// What an application wants signed, read strictly and shown whole, however much it would rather not be.
import { describe, expect, it, test } from 'vitest'
import { utf8 } from '../../../escape/src/core/bytes.mjs'
import { RequestUnreadable, readRequest } from '../../src/connect/requests'
import {
  faultOf,
  linesOfDocument,
  linesOfDomain,
  logInOf,
  MOST_DOCUMENT,
  MOST_PERSONAL,
  readDocument,
  separatorOf,
} from '../../src/transaction/message'
import { readableText, textOfBytes } from '../../src/transaction/message-text'
import { DocumentMalformed } from '../../src/transaction/typed-data'

const shown = (text: string) =>
  readableText(text)
    .pieces.map((piece) => ('text' in piece ? piece.text : `<${piece.mark}>`))
    .join('')

describe('a text that is to be signed', () => {
  test.each([
    ['plain', 'Sign in\nplease\tnow', 'Sign in\nplease\tnow'],
    ['another script', 'ลงชื่อที่นี่ 签署 مرحبا', 'ลงชื่อที่นี่ 签署 مرحبا'],
    ['line ends of Windows', 'one\r\ntwo', 'one\ntwo'],
    ['turned around', 'pay \u202e001 ETH', 'pay <U+202E>001 ETH'],
    ['isolates', '\u2066a\u2069', '<U+2066>a<U+2069>'],
    ['of no width', 'ban\u200bk', 'ban<U+200B>k'],
    ['a blank letter', 'a\u3164b\u2800c', 'a<U+3164>b<U+2800>c'],
    ['a control', 'a\u0007b\u001b[2J', 'a<U+0007>b<U+001B>[2J'],
    ['a line end that is none', 'a\rb\u2028c', 'a<U+000D>b<U+2028>c'],
    ['letters of tags', 'a\u{e0041}b', 'a<U+E0041>b'],
    ['empty lines', `a${'\n'.repeat(500)}b`, 'a\n<↵ × 500>\nb'],
    ['spaces', `a${' \u00a0'.repeat(300)}b`, 'a <␣ × 600> b'],
    ['three empty lines', 'a\n\n\nb', 'a\n\n\nb'],
    ['towers of marks', `a${'\u0301'.repeat(6)}`, `a${'\u0301'.repeat(4)}<U+0301><U+0301>`],
    ['pictures', '❤\ufe0f 👩\u200d🔬', '❤\ufe0f 👩\u200d🔬'],
    ['a joiner without pictures', 'a\u200db', 'a<U+200D>b'],
    ['half a character', 'a\ud800b', 'a<U+D800>b'],
  ])('%s', (_, text, expected) => expect(shown(text)).toBe(expected))

  it('says how long it is, and whether it hides', () => {
    expect(readableText('x'.repeat(10_000))).toMatchObject({ count: 10_000, hasHidden: false })
    expect(readableText('a\u202eb').hasHidden).toBe(true)
  })

  test.each([
    ['no UTF-8', `0x${'ff'.repeat(32)}`],
    ['too long a form', '0xc0af'],
    ['zeros', `0x${'00'.repeat(32)}`],
    ['mostly hidden', utf8('a\u202e\u202e\u202e')],
  ])('is none: %s', (_, bytes) => expect(textOfBytes(bytes)).toBeNull())
})

const ACCOUNT = `0x${'a1'.repeat(20)}`
const BOB = '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB'
const ORDER = {
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Order: [
      { name: 'to', type: 'Person[]' },
      { name: 'prices', type: 'int16[2]' },
      { name: 'note', type: 'bytes' },
      { name: 'paid', type: 'bool' },
    ],
  },
  primaryType: 'Order',
  domain: { name: 'Shop', chainId: 31_337 },
  message: {
    to: [
      { name: 'Bob\u202e', wallet: BOB.toLowerCase() },
      { name: '', wallet: BOB },
    ],
    prices: ['-0x1f', 7],
    note: '0xABCD',
    paid: false,
  },
}
const text = (changes: object = {}) => JSON.stringify({ ...ORDER, ...changes })

describe('a document that is to be signed', () => {
  it('is shown by every place', () => {
    const document = readDocument(text())
    const lines = linesOfDocument(document).map(({ path, value: { pieces } }) => [
      path,
      pieces.map((piece) => ('text' in piece ? piece.text : `<${piece.mark}>`)).join(''),
    ])
    expect(lines).toEqual([
      ['to[0].name', 'Bob<U+202E>'],
      ['to[0].wallet', BOB],
      ['to[1].name', ''],
      ['to[1].wallet', BOB],
      ['prices', '[-31, 7]'],
      ['note', '0xabcd'],
      ['paid', 'false'],
    ])
    expect(linesOfDomain(document).map(({ path }) => path)).toEqual(['name', 'chainId'])
  })

  it('keeps nothing that is not hashed', () => {
    expect(Object.keys(readDocument(text({ note: 'pay me' })))).toEqual(['types', 'primaryType', 'domain', 'message'])
  })

  const types = (changes: object) => text({ types: { ...ORDER.types, ...changes } })
  test.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['too long', text({ message: { ...ORDER.message, note: `0x${'00'.repeat(MOST_DOCUMENT)}` } })],
    ['no such type', text({ primaryType: 'Other' })],
    ['a type of JavaScript', text({ primaryType: 'constructor' })],
    ['more than its type has', text({ message: { ...ORDER.message, more: 1 } })],
    ['less', text({ message: { ...ORDER.message, paid: undefined } })],
    ['digits that got lost', text({ message: { ...ORDER.message, prices: [2 ** 60, 1] } })],
    ['names that turn around', types({ Person: [{ name: 'a\u202e', type: 'string' }] })],
    ['names that fake a type', types({ Person: [{ name: 'a,address b', type: 'string' }] })],
    ['types that fake a member', types({ Person: [{ name: 'a', type: 'string b,address' }] })],
    ['a name twice', types({ Order: [...ORDER.types.Order, { name: 'paid', type: 'bool' }] })],
    ['a domain of its own making', types({ EIP712Domain: [{ name: 'chainId', type: 'string' }] })],
    ['a member of the domain that nobody hashes', text({ domain: { ...ORDER.domain, host: 'bank.example' } })],
  ])('is refused: %s', (_, given) => expect(() => readDocument(given)).toThrow(DocumentMalformed))

  it('is refused for another chain, and where it moves tokens past the limits', () => {
    const of = (changes: object) => ({ typedData: readDocument(text(changes)) })
    expect(faultOf(of({}), 'account', 31_337)).toBeNull()
    expect(faultOf(of({}), 'account', 1)).toBe('other-chain')
    expect(faultOf(of({ domain: { name: 'Shop' } }), 'phrase', 1)).toBeNull()
    const permit = of({ types: { ...ORDER.types, PermitSingle: [{ name: 'a', type: 'bool' }] } })
    expect(faultOf(permit, 'account', 31_337)).toBe('permit')
    expect(faultOf(permit, 'phrase', 31_337)).toBeNull()
    const likeOne = of({
      types: {
        Take: [
          { name: 'spender', type: 'address' },
          { name: 'value', type: 'uint256' },
        ],
      },
      primaryType: 'Take',
      message: { spender: BOB, value: 1 },
    })
    expect(faultOf(likeOne, 'account', 31_337)).toBe('permit')
    expect(faultOf({ personal: '0x00' }, 'account', 1)).toBeNull()
  })

  it('is listed by its domain, and a text by zero', () => {
    expect(separatorOf({ personal: '0x00' })).toBe(`0x${'00'.repeat(32)}`)
    const other = { typedData: readDocument(text({ domain: { name: 'Other' } })) }
    expect(separatorOf({ typedData: readDocument(text()) })).not.toBe(separatorOf(other))
  })
})

describe('a log-in', () => {
  const logIn = (host: string) => ({
    personal: utf8(`${host} wants you to sign in with your Ethereum account:\n${ACCOUNT}\n`),
  })
  it('says where to', () => {
    expect(logInOf(logIn('bank.example:8443'))).toBe('bank.example:8443')
    expect(logInOf(logIn('https://bank.example'))).toBe('bank.example')
    expect(logInOf({ personal: utf8('Hello') })).toBeNull()
    // A name that hides something is never the name that asks.
    expect(logInOf(logIn('bank\u200b.example'))).toBe('bankU+200B.example')
  })
})

describe('a request to sign a message', () => {
  const ask = (params: object) => readRequest({ method: 'signMessage', params: { address: ACCOUNT, ...params } })
  it('has one content', () => {
    expect(ask({ personal: '0xABcd' })).toEqual({
      method: 'signMessage',
      address: ACCOUNT,
      content: { personal: '0xabcd' },
    })
    expect(ask({ typedData: text() })).toMatchObject({ content: { typedData: { primaryType: 'Order' } } })
  })
  test.each([
    [{}],
    [{ personal: '0x', typedData: text() }],
    [{ personal: 'hello' }],
    [{ personal: ['0x'] }],
    [{ personal: `0x${'00'.repeat(MOST_PERSONAL + 1)}` }],
    [{ typedData: ORDER }],
    [{ typedData: ' '.repeat(MOST_DOCUMENT + 1) }],
  ])('is refused: %#', (params) => expect(() => ask(params)).toThrow(RequestUnreadable))
})
