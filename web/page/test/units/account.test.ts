// SPDX-License-Identifier: Apache-2.0
// The account that a node answers, right and tampered with, and the recovery file that is made of it.
import { describe, expect, it, test } from 'vitest'
import { digestOf, readCall } from '../../../escape/src/core/actions.mjs'
import { checksummed, uint } from '../../../escape/src/core/bytes.mjs'
import { accountAddress, encodeInit } from '../../../escape/src/core/init-data.mjs'
import { parseRecoveryFile } from '../../../escape/src/core/recovery-file.mjs'
import { addressOf, keySignature, newKey, newPasskeySecret, passkeyOf } from '../../../escape/src/core/signing.mjs'
import { escapeCall, escapeVote, type FileRefused } from '../../src/account/escape'
import { escapeAddress, makeEscapeKey } from '../../src/account/escape-key'
import type { UnsavedKey } from '../../src/account/kept'
import { AccountRefused, checkAccount, type Difference, type Expected } from '../../src/account/origin-check'
import { codeOf, isCode, isSameFile, makeRecoveryFile, partsOf } from '../../src/account/recovery-file'
import type { Chain, Wallet } from '../../src/api/models'
import type { KeyRow } from '../../src/transaction/keys'
import type { WalletState } from '../../src/transaction/models'

const CHAIN: Chain = {
  chainId: 31337,
  name: 'Development chain',
  currency: { symbol: 'ETH', decimals: 18 },
  factory: checksummed(`0x${'fa'.repeat(20)}`),
  entryPoint: checksummed('0x4337084d9e255ff0702461cf8895ce9e3b5ff108'),
  proxyInitCodeHash: `0x${'77'.repeat(32)}`,
  paymaster: null,
  multisigFactory: `0x${'f1'.repeat(20)}`,
  multisigProxyInitCodeHash: `0x${'78'.repeat(32)}`,
  coinType: 60,
}
const DELAY = 604_800
const escapeKey = makeEscapeKey()
const serverSecret = newKey()
const passkeySecret = newPasskeySecret()
const [x, y] = passkeyOf(passkeySecret, 'localhost') as [bigint, bigint, string]

interface Init {
  passkeys: unknown[]
  serverKey: string
  escapeKey: string
  guardiansHash: string
  guardianThreshold: number
  recoveryDelay: number
}

/** What an honest node answers, or one that changed the init data and computed everything else to fit. */
function walletWith(change: Partial<Init> = {}, origin: Partial<NonNullable<Wallet['origin']>> = {}): Wallet {
  const initData: string = encodeInit({
    passkeys: [passkeyOf(passkeySecret, 'localhost')],
    serverKey: addressOf(serverSecret),
    escapeKey: escapeKey.address,
    guardiansHash: uint(0),
    guardianThreshold: 0,
    recoveryDelay: DELAY,
    strict: false,
    gasCaps: [[31337, 10n ** 16n]],
    limits: [[31337, `0x${'00'.repeat(20)}`, 10n ** 18n]],
    salt: 7n,
    ...change,
  })
  const address = checksummed(accountAddress(CHAIN.factory.toLowerCase(), initData, CHAIN.proxyInitCodeHash))
  return {
    walletId: '00000000-0000-4000-8000-000000000001',
    alias: null,
    isPrimary: true,
    address,
    accounts: [{ chainId: 31337, address }],
    origin: {
      factory: CHAIN.factory,
      entryPoint: CHAIN.entryPoint,
      proxyInitCodeHash: CHAIN.proxyInitCodeHash,
      initData,
      serverKey: checksummed(addressOf(serverSecret)),
      escapeKey: checksummed(escapeKey.address),
      ...origin,
    },
    createdAt: '2026-01-31T12:00:00Z',
    lastUsedAt: null,
    recoveryFileSaved: false,
  }
}

const EXPECTED: Expected = {
  rpId: 'localhost',
  escapeKey: escapeKey.address,
  passkey: { x, y },
  chains: [CHAIN],
  recoveryDelaySeconds: DELAY,
}

function differenceOf(wallet: Wallet, expected: Partial<Expected> = {}): Difference | 'none' {
  try {
    checkAccount(wallet, { ...EXPECTED, ...expected })
    return 'none'
  } catch (error) {
    if (error instanceof AccountRefused) return error.difference
    throw error
  }
}

describe('an account of these keys', () => {
  it('is taken, whatever the case of its addresses', () => {
    expect(differenceOf(walletWith())).toBe('none')
    const lower = walletWith()
    expect(differenceOf({ ...lower, address: lower.address.toLowerCase() })).toBe('none')
    expect(differenceOf(walletWith(), { passkey: null })).toBe('none')
    expect(differenceOf(walletWith({ recoveryDelay: DELAY + 1 }))).toBe('none')
  })

  it('is another one when a consistent node put other keys into it', () => {
    const stranger = passkeyOf(newPasskeySecret(), 'localhost')
    const mine = passkeyOf(passkeySecret, 'localhost')
    const rows: [Partial<Init>, Difference][] = [
      [{ passkeys: [stranger] }, 'passkey-other'],
      [{ passkeys: [mine, stranger] }, 'passkey-count'],
      [{ passkeys: [passkeyOf(passkeySecret, 'example.org')] }, 'relying-party-other'],
      [{ serverKey: addressOf(newKey()) }, 'server-key-other'],
      [{ escapeKey: addressOf(newKey()) }, 'escape-key-other'],
      [{ guardiansHash: uint(1), guardianThreshold: 1 }, 'guardians-foreign'],
      [{ recoveryDelay: DELAY - 1 }, 'recovery-delay-short'],
      // What the factory would never deploy.
      [{ passkeys: [] }, 'init-data-broken'],
      [{ recoveryDelay: 60 }, 'init-data-broken'],
    ]
    for (const [change, difference] of rows) expect(differenceOf(walletWith(change)), difference).toBe(difference)
  })

  it('is refused when the answer does not fit itself', () => {
    const wallet = walletWith()
    const other = walletWith({ recoveryDelay: DELAY + 1 })
    const bent = (change: Partial<Wallet>) => differenceOf({ ...wallet, ...change })
    expect(bent({ origin: null })).toBe('origin-missing')
    expect(bent({ address: other.address })).toBe('address-wrong')
    expect(bent({ accounts: [] })).toBe('address-of-chain-wrong')
    expect(bent({ accounts: [{ chainId: 31337, address: other.address }] })).toBe('address-of-chain-wrong')
    expect(bent({ accounts: [{ chainId: 1, address: wallet.address }] })).toBe('factory-other')
    // Keys that the answer names beside the init data are compared, too.
    expect(differenceOf(walletWith({}, { escapeKey: checksummed(addressOf(newKey())) }))).toBe('escape-key-other')
    expect(differenceOf(walletWith({}, { serverKey: checksummed(addressOf(newKey())) }))).toBe('server-key-other')
    // The address is right for another factory, but the chain has this one.
    expect(differenceOf(wallet, { chains: [{ ...CHAIN, factory: `0x${'fb'.repeat(20)}` }] })).toBe('factory-other')
    expect(differenceOf(walletWith({}, { entryPoint: `0x${'fb'.repeat(20)}` }))).toBe('factory-other')
  })

  it('has no changed digit of init data', () => {
    const wallet = walletWith()
    const initData = wallet.origin?.initData ?? ''
    for (let at = 2; at < initData.length; at += 7) {
      const digit = initData[at] === '0' ? '1' : '0'
      const changed = initData.slice(0, at) + digit + initData.slice(at + 1)
      expect(differenceOf(walletWith({}, { initData: changed })), `digit ${at}`).not.toBe('none')
    }
  })
})

const key = (wallet: Wallet = walletWith()): UnsavedKey => ({
  userId: 'u',
  walletId: wallet.walletId,
  escapeSecret: escapeKey.secret,
  rpId: 'localhost',
  wallet,
  passkey: { x: `${x}`, y: `${y}` },
  createdAt: '2026-01-31T12:00:00Z',
})

describe('the recovery file', () => {
  it('is one that the escape page reads, with the members of the specification in its order', () => {
    const { text, name } = makeRecoveryFile(key(), [CHAIN])
    const file = parseRecoveryFile(text)
    expect(file.account).toBe(walletWith().address.toLowerCase())
    expect(file.chains).toEqual([{ chainId: 31337, name: 'Development chain', rpcUrls: [] }])
    expect(file.escapeAddress).toBe(escapeKey.address)
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'format',
      'account',
      'factory',
      'entryPoint',
      'proxyInitCodeHash',
      'initData',
      'escapeKey',
      'chains',
      'createdAt',
    ])
    expect(name).toMatch(/^airaccount-recovery-[0-9a-f]{8}\.json$/)
    expect(makeRecoveryFile(key(), [CHAIN]).text).toBe(text)
  })

  it('is not made of another key, nor of an account without its origin', () => {
    expect(() => makeRecoveryFile({ ...key(), escapeSecret: newKey() }, [CHAIN])).toThrow(/file_escape_key_mismatch/)
    expect(() => makeRecoveryFile(key({ ...walletWith(), origin: null }), [CHAIN])).toThrow(TypeError)
  })

  it('names chains so that any reader takes them', () => {
    for (const name of ['a\u202eb\u0000', '', 'x'.repeat(200), '链'.repeat(64)])
      expect(() => makeRecoveryFile(key(), [{ ...CHAIN, name }]), JSON.stringify(name)).not.toThrow()
  })

  it('is known again, and others are not', () => {
    const file = makeRecoveryFile(key(), [CHAIN])
    expect(isSameFile(file.text, file)).toBe(true)
    expect(isSameFile(`\ufeff${JSON.stringify(JSON.parse(file.text))}\r\n`, file)).toBe(true)
    const other = makeRecoveryFile(key(walletWith({ recoveryDelay: DELAY + 1 })), [CHAIN])
    expect(isSameFile(other.text, file)).toBe(false)
    expect(() => isSameFile(file.text.slice(0, -10), file)).toThrow(/file_not_json/)
  })

  it('comes back out of its parts, put one after another', () => {
    const chains = [{ ...CHAIN, name: '发展链'.repeat(10) }]
    const file = makeRecoveryFile(key(), chains)
    const parts = partsOf(file)
    expect(parts.length).toBeGreaterThan(1)
    for (const part of parts) expect(new TextEncoder().encode(part).length).toBeLessThanOrEqual(500)
    expect(isSameFile(parts.join(''), file)).toBe(true)
  })

  it('has four characters that a person may mix up', () => {
    const code = codeOf(makeRecoveryFile(key(), [CHAIN]).text)
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(isCode(` ${code.toLowerCase()} `, code)).toBe(true)
    expect(isCode('ol1i', '0111')).toBe(true)
    expect(isCode('o1-2 3', '0123')).toBe(true)
    expect(isCode('', code)).toBe(false)
    expect(isCode('0124', '0123')).toBe(false)
  })
})

describe('an escape by the recovery file', () => {
  const { text } = makeRecoveryFile(key(), [CHAIN])
  const address = walletWith().address
  const state = {
    address,
    chainId: 31337,
    keyEpoch: 3,
    escapeKey: checksummed(escapeKey.address),
    blockTime: '2027-01-15T08:00:00Z',
  } as unknown as WalletState
  const to = {
    passkey: passkeyOf(newKey(), 'localhost') as unknown as KeyRow,
    serverKey: addressOf(newKey()) as string,
  }
  const fault = (content: string, change: Partial<WalletState> = {}) => {
    try {
      escapeCall(content, { ...state, ...change }, to)
      return null
    } catch (error) {
      return (error as FileRefused).fault
    }
  }

  it('names the new keys and this epoch, signed by the escape key for this account and chain', () => {
    const call = escapeCall(text, state, to)
    expect(call).not.toContain(escapeKey.secret.slice(2))
    const read = readCall(call) as { name: string; values: unknown[]; stamp: readonly bigint[] }
    expect(read.name).toBe('Escape')
    expect(read.values).toEqual([[to.passkey], to.serverKey, 1n])
    expect([read.stamp[0], read.stamp[2]]).toEqual([3n, BigInt(Date.parse(state.blockTime) / 1_000 + 86_400)])
    const digest = digestOf(31337, address.toLowerCase(), 'Escape', read.values, read.stamp)
    // The signature follows from key and digest (RFC 6979).
    expect(call).toContain((keySignature(escapeKey.secret, digest) as string).slice(2))
  })

  it('votes beside a passkey by a signature over the digest alone', () => {
    const digest = `0x${'d1'.repeat(32)}`
    const vote = escapeVote(text, state, digest)
    expect(vote).toBe(keySignature(escapeKey.secret, digest))
    expect(vote).toMatch(/^0x[0-9a-f]{130}$/)
    expect(() =>
      escapeVote(text, { ...state, escapeKey: checksummed(`0x${'66'.repeat(20)}`) } as WalletState, digest),
    ).toThrow(expect.objectContaining({ fault: 'key-replaced' }))
  })

  it('takes no file of another account, of a replaced key, or of another kind', () => {
    expect(fault(text)).toBeNull()
    expect(fault(text, { address: checksummed(`0x${'66'.repeat(20)}`) })).toBe('other-account')
    expect(fault(text, { escapeKey: checksummed(`0x${'66'.repeat(20)}`) })).toBe('key-replaced')
    for (const bad of ['', '{}', 'null', text.slice(1)]) expect(fault(bad), bad).toBe('unreadable')
  })
})

test('an escape key is never the same twice', () => {
  const keys = Array.from({ length: 8 }, makeEscapeKey)
  expect(new Set(keys.map(({ secret }) => secret)).size).toBe(8)
  for (const { secret, address } of keys) expect(escapeAddress(secret)).toBe(address)
})
