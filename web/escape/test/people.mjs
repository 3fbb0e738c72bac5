// SPDX-License-Identifier: Apache-2.0
// People of the tests: an account with its three keys, whose recovery file is all that is left later on.
import { call } from '../src/core/abi.mjs'
import { digestOf, runCall, ESCAPE_SIGNER, SERVER_SIGNER } from '../src/core/actions.mjs'
import { ZERO_ADDRESS, ZERO_WORD, random } from '../src/core/bytes.mjs'
import { accountAddress, encodeInit } from '../src/core/init-data.mjs'
import { writeRecoveryFile } from '../src/core/recovery-file.mjs'
import { addressOf, keySignature, newKey, newPasskeySecret, passkeyOf, passkeySignature } from '../src/core/signing.mjs'

export const ETHER = 10n ** 18n
const RP_ID = 'node.example'

export function initOf(person, changes = {}) {
  return {
    passkeys: person.passkeySecrets.map((secret) => passkeyOf(secret, RP_ID)),
    serverKey: addressOf(person.serverSecret),
    escapeKey: addressOf(person.escapeSecret),
    guardiansHash: ZERO_WORD,
    guardianThreshold: 0,
    recoveryDelay: 604_800,
    strict: false,
    gasCaps: [[31337, ETHER / 100n]],
    limits: [[31337, ZERO_ADDRESS, ETHER]],
    salt: BigInt(random(32)),
    ...changes,
  }
}

/** A person with `passkeys` passkeys, not yet on any chain. `places`: entryPoint, factory, proxyInitCodeHash. */
export function makePerson(places, { passkeys = 2, init = {}, chains } = {}) {
  const person = {
    passkeySecrets: Array.from({ length: passkeys }, newPasskeySecret),
    serverSecret: newKey(),
    escapeSecret: newKey(),
  }
  const initData = encodeInit(initOf(person, init))
  const account = accountAddress(places.factory, initData, places.proxyInitCodeHash)
  const recoveryFile = writeRecoveryFile({
    account,
    ...places,
    initData,
    escapeKey: person.escapeSecret,
    chains: chains ?? [{ chainId: 31337, name: 'Development chain' }],
    createdAt: '2026-01-31T12:00:00Z',
  })
  return { ...person, account, initData, recoveryFile }
}

export const deployAccount = (chain, places, person) =>
  chain.send({ to: places.factory, data: call('createAccount(bytes)', person.initData) })

/** One of the person's keys, as a thief of it would use it: signer 0 to 7, 8 or 9. */
export function signAs(person, signer, digest) {
  if (signer === ESCAPE_SIGNER) return keySignature(person.escapeSecret, digest)
  if (signer === SERVER_SIGNER) return keySignature(person.serverSecret, digest)
  return passkeySignature(person.passkeySecrets[signer], RP_ID, digest)
}

/** Submits an action of the account signed by `signers`; answers its digest. */
export async function act(chain, person, name, values, signers, keyEpoch = 0n) {
  const { timestamp } = await chain.rpc.block()
  const stamp = [keyEpoch, BigInt(random(32)), timestamp + 3600n]
  const digest = digestOf(chain.chainId, person.account, name, values, stamp)
  const signatures = signers.map((signer) => [signer, signAs(person, signer, digest)])
  await chain.send({ to: person.account, data: runCall(name, values, stamp, signatures) })
  return digest
}
