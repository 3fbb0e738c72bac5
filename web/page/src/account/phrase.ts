// SPDX-License-Identifier: Apache-2.0
// A wallet's phrase on its way out: sealed by the trusted core to a key that this page makes for one export, opened
// here, and given out as words or as a file under a password. Neither the node nor anything that is stored sees it.
import { entropyToMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { armor, Encrypter } from 'age-encryption'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256, type KeyPair } from 'hpke'
import { concat, sha256, toBytes, toHex, uint, utf8 } from '../../../escape/src/core/bytes.mjs'
import { call } from '../api/client'
import type { Chain, Wallet } from '../api/models'
import { type Checked, TransactionRefused } from '../transaction/check'
import { discard } from '../transaction/flow'
import type { Transaction } from '../transaction/models'

/** What the core seals, and what each challenge begins with (spec/trusted-core-protocol.md, section 11). */
const EXPORT = 'community phrase export'
const CHANGE = 'community wallet change'
/** The core's number for the change that makes a phrase. */
const MAKE_PHRASE = 4
export const WORDS = 24
/** NIST SP 800-63B wants 15 characters of what is the only thing that protects. */
export const LEAST_PASSWORD = 15

const suite = () => new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const idOf = (walletId: string) => `0x${walletId.replaceAll('-', '')}`

export interface PhraseExport {
  readonly checked: Checked
  readonly keys: KeyPair<CryptoKey>
}

/** Challenge of a passkey under which a phrase of `words` is made. */
export const makeChallenge = (walletId: string, revision: number, words: number): string =>
  sha256(concat(utf8(CHANGE), idOf(walletId), uint(revision, 8), sha256(concat(uint(MAKE_PHRASE, 1), uint(words, 1)))))

/** Challenge of a passkey under which the phrase leaves for `recipient`, and for nobody else. */
export const exportChallenge = (walletId: string, recipient: string): string =>
  sha256(concat(utf8(EXPORT), idOf(walletId), recipient))

/** Holds the answer against what was asked for; what differs is taken back. */
async function checked(transaction: Transaction, wallet: Wallet, chain: Chain, kind: string, digest: string) {
  const isSame =
    transaction.kind === kind &&
    transaction.walletId === wallet.walletId &&
    transaction.chainId === chain.chainId &&
    transaction.digest?.toLowerCase() === digest
  if (isSame) return { transaction, digest, readings: [], action: null, maxCost: 0n }
  await discard(transaction)
  throw new TransactionRefused('digest-other', kind)
}

/** Throws Problem and TransactionRefused. */
export async function preparePhrase(wallet: Wallet, chain: Chain): Promise<Checked> {
  const body = { walletId: wallet.walletId, chainId: chain.chainId, kind: 'phrase', words: WORDS } as const
  const transaction = await call('post', '/api/v1/transactions', { body })
  const digest = makeChallenge(wallet.walletId, transaction.phrase?.revision ?? 0, WORDS)
  return checked(transaction, wallet, chain, 'phrase', digest)
}

/** Throws Problem and TransactionRefused. The keys are of this export alone, and cannot leave this browser. */
export async function prepareExport(wallet: Wallet, chain: Chain): Promise<PhraseExport> {
  const keys = await suite().GenerateKeyPair(false)
  const recipient = toHex(await suite().SerializePublicKey(keys.publicKey))
  const body = { walletId: wallet.walletId, chainId: chain.chainId, kind: 'exportPhrase', recipient } as const
  const transaction = await call('post', '/api/v1/transactions', { body })
  const digest = exportChallenge(wallet.walletId, recipient)
  return { checked: await checked(transaction, wallet, chain, 'exportPhrase', digest), keys }
}

/** The words, out of the signed answer. Throws when it was sealed for another wallet or key. */
export async function openExport({ keys }: PhraseExport, answer: Transaction): Promise<string[]> {
  const sealed = answer.phraseExport
  if (!sealed?.enc || !sealed.cipher) throw new TransactionRefused('content-missing', 'exportPhrase')
  const info = toBytes(concat(utf8(EXPORT), idOf(answer.walletId)))
  const entropy = await suite().Open(keys, toBytes(sealed.enc), toBytes(sealed.cipher), { info })
  const words = entropyToMnemonic(entropy, wordlist).split(' ')
  entropy.fill(0)
  return words
}

/** The words under a password: a file of age (age-encryption.org/v1, scrypt), in its text form. */
export async function sealWithPassword(words: readonly string[], password: string): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(password)
  return armor.encode(await encrypter.encrypt(`${words.join(' ')}\n`))
}
