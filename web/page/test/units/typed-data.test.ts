// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  DocumentMalformed,
  nestedPersonalHash,
  nestedTypedHash,
  personalHash,
  type TypedDocument,
  typedHash,
} from '../../src/transaction/typed-data'

/** The example of EIP-712, whose digest the standard tells. */
const MAIL: TypedDocument = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}

describe('typed data', () => {
  it('hashes as the standard says, with its domain named or not', () => {
    const digest = '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'
    expect(typedHash(MAIL)).toBe(digest)
    const { EIP712Domain: _, ...types } = MAIL.types
    expect(typedHash({ ...MAIL, types })).toBe(digest)
  })

  it('hashes personal messages as wallets do', () => {
    // personal_sign of "hello", as every library has it.
    expect(personalHash('0x68656c6c6f')).toBe('0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750')
  })

  const rows = (path: string) =>
    readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))

  it('hashes documents as another library does', () => {
    let count = 0
    for (const { op, in: asked, out } of rows('tests/vectors/typed_data.jsonl')) {
      if (op !== 'eip712.hash' || !out?.digest) continue
      const { data: message, ...rest } = asked
      expect(typedHash({ ...rest, message }), JSON.stringify(asked)).toBe(out.digest)
      count++
    }
    expect(count).toBeGreaterThan(50)
  })

  it('is nested as another library nests it', () => {
    const vectors = rows('trusted/tests/vectors/messages.jsonl')
    const personal = vectors.filter(({ kind }) => kind === 'personal')
    expect(personal.length).toBeGreaterThan(0)
    for (const { message, account, nested } of personal)
      expect(nestedPersonalHash(message, 31_337, account)).toBe(nested)
    const mail = vectors.find(({ note }) => note === 'EIP-712')
    expect(nestedTypedHash(MAIL, 31_337, mail.account)).toBe(mail.nested)
  })

  it('with arrays, numbers below zero and bytes differs by each of its members', () => {
    const document = (message: Record<string, unknown>): TypedDocument => ({
      domain: { name: 'Shop' },
      types: {
        Order: [
          { name: 'prices', type: 'uint256[]' },
          { name: 'gain', type: 'int8' },
          { name: 'tag', type: 'bytes4' },
          { name: 'paid', type: 'bool' },
        ],
      },
      primaryType: 'Order',
      message,
    })
    const message = { prices: [1, '2', '0x3'], gain: '-3', tag: '0x01020304', paid: true }
    const digest = typedHash(document(message))
    expect(typedHash(document({ ...message, prices: ['1', 2, 3], gain: -3 }))).toBe(digest)
    for (const change of [{ prices: [1, 2] }, { gain: 3 }, { tag: '0x01020305' }, { paid: false }])
      expect(typedHash(document({ ...message, ...change }))).not.toBe(digest)
    for (const change of [{ gain: 128 }, { gain: '-129' }, { tag: '0x01' }, { paid: 1 }, { prices: 5 }, { more: 1 }])
      expect(() => typedHash(document({ ...message, ...change }))).toThrow(DocumentMalformed)
    expect(nestedTypedHash(document(message), 1, `0x${'11'.repeat(20)}`)).not.toBe(digest)
  })
})
