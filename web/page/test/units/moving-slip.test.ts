// SPDX-License-Identifier: Apache-2.0
// The moving slip: its canonical text and check code, and everything that is refused (spec/moving-slip.md).
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checksummed, uint } from '../../../escape/src/core/bytes.mjs'
import { passkeyOf, rpIdHash } from '../../../escape/src/core/signing.mjs'
import {
  checkCodeOf,
  MOST_CHARACTERS,
  type MovingSlip,
  nameOfSlip,
  readSlip,
  type SlipFault,
  SlipRefused,
  writeSlip,
} from '../../src/account/moving-slip'
import type { KeyRow } from '../../src/transaction/keys'

const row = (n: number, rpId: string) => passkeyOf(uint(n), rpId) as unknown as KeyRow
const keyOf = ([x, y, digest]: KeyRow) => ({
  publicKey: `${uint(x)}${(uint(y) as string).slice(2)}`,
  rpIdHash: digest,
})
const HERE = 'node.example'
const OWN = row(9, HERE)
const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'
const SERVER = `0x${'5e'.repeat(20)}`
const SLIP: MovingSlip = {
  chainId: 31337,
  account: ACCOUNT,
  passkey: keyOf(OWN),
  serverKey: SERVER,
  origin: 'https://node.example',
}

describe('the moving slip', () => {
  const fault = (text: string): SlipFault | null => {
    try {
      readSlip(text)
      return null
    } catch (error) {
      if (error instanceof SlipRefused) return error.fault
      throw error
    }
  }
  const changed = (change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(writeSlip(SLIP)), ...change })

  it('has the canonical text and the check code of the specification', () => {
    const text =
      '{"format":"community-node moving slip","version":1,"chainId":31337,' +
      '"account":"0x00000000000000000000000000000000c0ffee01",' +
      `"passkey":{"publicKey":"${keyOf(OWN).publicKey}","rpIdHash":"0x${createHash('sha256').update(HERE).digest('hex')}"},` +
      '"serverKey":"0x5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","origin":"https://node.example"}'
    expect(writeSlip(SLIP)).toBe(text)
    const groups = createHash('sha256').update(text).digest('hex').match(/..../g)
    expect(checkCodeOf(SLIP)).toEqual(groups?.slice(0, 6))
    expect(checkCodeOf(SLIP).join(' ')).toBe('5ef6 1a1c 7d25 2a85 9ee1 ff39')
    expect(nameOfSlip(SLIP)).toBe('moving-slip-00000000-31337.json')
  })

  it('is read in any order and white space, and has the same code then', () => {
    expect(readSlip(writeSlip(SLIP))).toEqual(SLIP)
    const backwards = Object.fromEntries(Object.entries(JSON.parse(writeSlip(SLIP))).reverse())
    const text = `\ufeff \n${JSON.stringify(backwards, null, 2)}\n`
    expect(readSlip(text)).toEqual(SLIP)
    const upper = changed({ account: checksummed(ACCOUNT), serverKey: `0x${'5E'.repeat(20)}` })
    expect(checkCodeOf(readSlip(upper))).toEqual(checkCodeOf(SLIP))
  })

  it('has another code for any other content', () => {
    const others: Partial<MovingSlip>[] = [
      { chainId: 1 },
      { account: `0x${'66'.repeat(20)}` },
      { serverKey: `0x${'66'.repeat(20)}` },
      { passkey: keyOf(row(10, HERE)) },
      { origin: 'https://www.node.example' },
      { origin: 'https://node.example:8443' },
    ]
    const codes = [SLIP, ...others.map((one) => ({ ...SLIP, ...one }))].map((one) => checkCodeOf(one).join())
    expect(new Set(codes).size).toBe(others.length + 1)
  })

  it('that is malformed is refused with its reason', () => {
    const key = keyOf(OWN)
    const text = writeSlip(SLIP)
    const cases: [string, SlipFault][] = [
      ['', 'empty'],
      [' \n ', 'empty'],
      [`${text}${' '.repeat(MOST_CHARACTERS)}`, 'too-large'],
      [text.slice(0, -1), 'not-json'],
      [`${text}x`, 'not-json'],
      ['hello', 'not-json'],
      ['[]', 'other-file'],
      ['null', 'other-file'],
      ['{"format":"community-recovery-1"}', 'other-file'],
      [changed({ format: 'community-node moving slip ' }), 'other-file'],
      [changed({ version: 2 }), 'newer'],
      [changed({ version: 0 }), 'member-wrong'],
      [changed({ version: '1' }), 'member-wrong'],
      [changed({ more: 1 }), 'member-wrong'],
      [changed({ origin: undefined }), 'member-wrong'],
      [changed({ chainId: 0 }), 'member-wrong'],
      [changed({ chainId: '31337' }), 'member-wrong'],
      [changed({ account: `${ACCOUNT}00` }), 'member-wrong'],
      [changed({ account: uint(0, 20) }), 'member-wrong'],
      [changed({ account: 7 }), 'member-wrong'],
      [changed({ serverKey: ACCOUNT }), 'key-broken'],
      [changed({ serverKey: uint(0, 20) }), 'key-broken'],
      [changed({ passkey: null }), 'member-wrong'],
      [changed({ passkey: [key] }), 'member-wrong'],
      [changed({ passkey: { ...key, name: 'mine' } }), 'member-wrong'],
      [changed({ passkey: { ...key, publicKey: key.publicKey.slice(0, -2) } }), 'member-wrong'],
      [changed({ passkey: { ...key, publicKey: `0x${'11'.repeat(64)}` } }), 'key-broken'],
      [changed({ passkey: { ...key, rpIdHash: rpIdHash('evil.example') } }), 'place-other'],
      [changed({ passkey: { ...key, rpIdHash: uint(0) } }), 'place-other'],
      // A whole top-level domain is nobody's relying party.
      [changed({ passkey: { ...key, rpIdHash: rpIdHash('example') } }), 'place-other'],
      ...['http://node.example', 'https://node.example/', 'https://me@node.example', 'HTTPS://node.example']
        .concat(['ftp://node.example', 'node.example', '', 'javascript:alert(1)', `https://${'a'.repeat(400)}.example`])
        .map((origin): [string, SlipFault] => [changed({ origin }), 'member-wrong']),
    ]
    for (const [bad, reason] of cases) expect(fault(bad), bad.slice(0, 300)).toBe(reason)
  })

  it('says no member twice, however it is written', () => {
    const text = writeSlip(SLIP)
    const twice = [
      text.replace('"serverKey"', `"serverKey":"0x${'66'.repeat(20)}","serverKey"`),
      text.replace('"serverKey"', `"server\\u004bey":"0x${'66'.repeat(20)}","serverKey"`),
      text.replace('"rpIdHash"', `"rpIdHash":"${uint(1)}","rpIdHash"`),
      text.replace('}}', '}').replace('{"publicKey"', '{"publicKey":"0x","publicKey"'),
    ]
    for (const bad of twice) expect(fault(bad), bad).toBe('not-json')
  })

  it('may be of a domain above the page, and of this machine', () => {
    const of = (origin: string, rpId: string) => changed({ origin, passkey: keyOf(row(9, rpId)) })
    expect(fault(of('https://wallet.node.example', HERE))).toBeNull()
    expect(fault(of('https://wallet.node.example:8443', 'wallet.node.example'))).toBeNull()
    expect(fault(of('http://localhost:9000', 'localhost'))).toBeNull()
    expect(fault(of('http://two.localhost:9000', 'two.localhost'))).toBeNull()
    expect(fault(of('https://othernode.example', HERE))).toBe('place-other')
  })

  it('never becomes another slip with the same code by a change of its bytes', () => {
    const text = writeSlip(SLIP)
    const code = checkCodeOf(SLIP).join()
    // A small generator with a fixed seed: the same mutations each time.
    let seed = 20_260_131
    const next = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return (seed >>> 8) % below
    }
    const pieces = [
      '"',
      '{',
      '}',
      ',',
      ':',
      '0',
      'f',
      '\\',
      '\u0000',
      '\u202e',
      'é',
      '1e3',
      '-',
      'null',
      '0x',
      '[',
      ']',
    ]
    let read = 0
    for (let i = 0; i < 4_000; i++) {
      let bent = text
      for (let j = next(3); j >= 0; j--) {
        const at = next(bent.length)
        const end = at + 1 + (next(4) % 3)
        bent = bent.slice(0, at) + (pieces[next(pieces.length)] ?? '') + bent.slice(end)
      }
      try {
        const slip = readSlip(bent)
        read++
        const isSame = JSON.stringify(slip) === JSON.stringify(SLIP)
        expect(checkCodeOf(slip).join() === code, bent).toBe(isSame)
      } catch (error) {
        // Every refusal has its name; nothing else is ever thrown.
        if (!(error instanceof SlipRefused)) throw error
      }
    }
    // Digits of addresses may change: that is what the code is for.
    expect(read).toBeGreaterThan(20)
  })
})
