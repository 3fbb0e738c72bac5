// SPDX-License-Identifier: Apache-2.0
import { entropyToMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { armor, Decrypter } from 'age-encryption'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from 'hpke'
import { describe, expect, it } from 'vitest'
import { concat, sha256, toBytes, toHex, utf8 } from '../../../escape/src/core/bytes.mjs'
import { exportChallenge, makeChallenge, openExport, sealWithPassword } from '../../src/account/phrase'
import type { Checked } from '../../src/transaction/check'
import type { Transaction } from '../../src/transaction/models'

const WALLET = '00112233-4455-4677-8899-aabbccddeeff'
const ID = '0x00112233445546778899aabbccddeeff'
const ENTROPY = toBytes(`0x${'7f'.repeat(32)}`)
const suite = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

async function sealed(walletId: string) {
  const keys = await suite.GenerateKeyPair(false)
  const info = toBytes(concat(utf8('community phrase export'), ID))
  const { encapsulatedSecret, ciphertext } = await suite.Seal(keys.publicKey, ENTROPY, { info })
  const phraseExport = { recipient: '0x', enc: toHex(encapsulatedSecret), cipher: toHex(ciphertext) }
  const answer = { walletId, phraseExport } as Transaction
  return { leaving: { keys, checked: {} as Checked }, answer }
}

describe('a phrase', () => {
  it('is asked for under a challenge that names wallet and key', () => {
    expect(exportChallenge(WALLET, '0x0401')).toBe(sha256(concat(utf8('community phrase export'), ID, '0x0401')))
    const change = sha256('0x0418')
    expect(makeChallenge(WALLET, 258, 24)).toBe(
      sha256(concat(utf8('community wallet change'), ID, '0x0000000000000102', change)),
    )
  })

  it('is opened by the key that it was sealed to, for this wallet alone', async () => {
    const { leaving, answer } = await sealed(WALLET)
    expect((await openExport(leaving, answer)).join(' ')).toBe(entropyToMnemonic(ENTROPY, wordlist))
    const other = { ...answer, walletId: WALLET.replace('00', 'ff') }
    await expect(openExport(leaving, other)).rejects.toThrow()
    await expect(openExport({ ...leaving, keys: await suite.GenerateKeyPair(false) }, answer)).rejects.toThrow()
    await expect(openExport(leaving, { ...answer, phraseExport: null })).rejects.toThrow('content-missing')
  })

  it('lies in a file that its password opens, and no other one', async () => {
    const file = await sealWithPassword(['legal', 'winner'], 'a password of some words')
    expect(file).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    const open = (password: string) => {
      const decrypter = new Decrypter()
      decrypter.addPassphrase(password)
      return decrypter.decrypt(armor.decode(file), 'text')
    }
    expect(await open('a password of some words')).toBe('legal winner\n')
    await expect(open('another password of words')).rejects.toThrow()
  }, 300_000)
})
