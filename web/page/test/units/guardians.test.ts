// SPDX-License-Identifier: Apache-2.0
// Lists of guardians, requests and signatures: what is taken, and what is refused.
import { describe, expect, it, test } from 'vitest'
import { encode } from '../../../escape/src/core/abi.mjs'
import { readCall } from '../../../escape/src/core/actions.mjs'
import { checksummed, keccak, uint } from '../../../escape/src/core/bytes.mjs'
import { addressOf, keySignature, passkeyOf } from '../../../escape/src/core/signing.mjs'
import {
  digestOfRequest,
  GuardiansRefused,
  hashOfList,
  makeList,
  makeRequest,
  readList,
  readRequest,
  readSignatures,
  recoverCall,
  typedDataOf,
  writeList,
  writeRequest,
} from '../../src/account/guardians'
import type { KeyRow } from '../../src/transaction/keys'

const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'
const secrets = [1, 2, 3].map((n) => uint(n) as string)
const guardians = secrets.map((secret) => addressOf(secret) as string)
const list = makeList(checksummed(ACCOUNT), guardians, 2)
const passkey = passkeyOf(uint(9), 'node.example') as unknown as KeyRow
const keys = { chainId: 31337, passkeys: [passkey], serverKey: uint(5, 20) as string, escapeKey: uint(6, 20) as string }
const request = makeRequest(list, keys, 3, 1_800_000_000)
const fault = (act: () => unknown) => {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof GuardiansRefused) return error.fault
    throw error
  }
}

test('a list is in the order of the contract, and its hash is abi.encode of salt and guardians', () => {
  const hashes = list.guardians.map((one) => keccak(one) as string)
  expect([...hashes].sort()).toEqual(hashes)
  expect(makeList(ACCOUNT, [...guardians, checksummed(guardians[0] as string)], 2).guardians.length).toBe(3)
  expect(hashOfList(list)).toBe(keccak(encode('(bytes32,bytes[])', [list.salt, list.guardians])))
  expect(hashOfList({ ...list, salt: uint(1) as string })).not.toBe(hashOfList(list))
  expect(() => makeList(ACCOUNT, ['nobody'], 1)).toThrow()
})

test('files are read as they were written', () => {
  expect(readList(writeList(list))).toEqual(list)
  expect(readRequest(writeRequest(request))).toEqual(request)
  expect(digestOfRequest(readRequest(writeRequest(request)))).toBe(digestOfRequest(request))
})

describe('a file', () => {
  const changed = (text: string, change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(text), ...change })
  it('of guardians is whole, in order and of its kind', () => {
    const text = writeList(list)
    for (const change of [
      { threshold: 0 },
      { threshold: 4 },
      { threshold: '2' },
      { salt: '0x00' },
      { guardians: [] },
      { guardians: [...list.guardians].reverse() },
      { guardians: [list.guardians[0], list.guardians[0]] },
      { guardians: ['0x12'] },
      { account: `${ACCOUNT}00` },
      { more: 1 },
    ])
      expect(
        fault(() => readList(changed(text, change))),
        JSON.stringify(change),
      ).toBe('file-malformed')
    expect(fault(() => readList(writeRequest(request)))).toBe('file-other')
    for (const bad of ['', '{', '[]', 'null', `${text}x`, ' '.repeat(40_000)])
      expect(['file-malformed', 'file-other']).toContain(fault(() => readList(bad)))
  })

  it('of a request names keys that an account can have', () => {
    const text = writeRequest(request)
    const row = JSON.parse(text).passkeys[0]
    for (const change of [
      { passkeys: [] },
      { passkeys: [{ ...row, y: uint(1) }] },
      { passkeys: [row, row] },
      { escapeKey: keys.serverKey },
      { serverKey: uint(0, 20) },
      { nonce: '-1' },
      { nonce: `${2n ** 256n}` },
      { deadline: 2 ** 48 },
      { keyEpoch: -1 },
      { chainId: 0 },
    ])
      expect(
        fault(() => readRequest(changed(text, change))),
        JSON.stringify(change),
      ).toBe('file-malformed')
    expect(fault(() => readRequest(writeList(list)))).toBe('file-other')
  })
})

describe('signatures', () => {
  const digest = digestOfRequest(request)
  const [first, second] = secrets as [string, string]
  const [one, two] = guardians as [string, string]

  it('of guardians over this request are taken, however they are written', () => {
    const signature = keySignature(first, digest) as string
    const parity = Number.parseInt(signature.slice(130), 16) - 27
    for (const text of [
      signature,
      `${one}=${signature}`,
      signature.slice(0, 130) + (uint(parity, 1) as string).slice(2),
    ])
      expect([...readSignatures(text, request)], text).toEqual([[one, signature]])
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = BigInt(`0x${signature.slice(66, 130)}`)
    const high = `${signature.slice(0, 66)}${(uint(order - s) as string).slice(2)}${(uint(28 - parity, 1) as string).slice(2)}`
    expect([...readSignatures(high, request)]).toEqual([[one, signature]])
    expect(readSignatures(`${signature}\n${keySignature(second, digest)}`, request).size).toBe(2)
  })

  it('of anybody or anything else are refused', () => {
    expect(fault(() => readSignatures(keySignature(uint(7), digest) as string, request))).toBe('signature-foreign')
    expect(fault(() => readSignatures(keySignature(first, uint(1)) as string, request))).toBe('signature-foreign')
    expect(fault(() => readSignatures(`0x${'00'.repeat(65)}`, request))).toBe('signature-foreign')
    expect(fault(() => readSignatures(`0x${'ff'.repeat(65)}`, request))).toBe('signature-foreign')
    for (const text of ['', 'yes', '0x1234', `0x${'11'.repeat(66)}`])
      expect(
        fault(() => readSignatures(text, request)),
        text,
      ).toBe('signature-malformed')
  })

  it('become the call that the contract reads', () => {
    const signatures = new Map([[two, keySignature(second, digest) as string]])
    const read = readCall(recoverCall(request, signatures)) as { name: string; values: unknown[]; stamp: unknown }
    expect(read.name).toBe('Recover')
    expect(read.values).toEqual([[passkey], keys.serverKey, keys.escapeKey])
    expect(read.stamp).toEqual(request.stamp)
  })
})

test('the typed data that wallets sign names every field', () => {
  const { types, message, domain } = JSON.parse(typedDataOf(request))
  for (const { name } of types.Recover) expect(message).toHaveProperty(name)
  expect(domain.verifyingContract).toBe(ACCOUNT)
})
