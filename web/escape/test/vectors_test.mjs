// SPDX-License-Identifier: Apache-2.0
// Codecs held against what other implementations make: vectors of the repository, and transactions of npm `ethers`.
import fs from 'node:fs'
import path from 'node:path'
import { Malformed, decode, encode, selector } from '../src/core/abi.mjs'
import { ACTIONS, digestOf, finishCall, readCall, runCall } from '../src/core/actions.mjs'
import {
  base64url,
  checksummed,
  concat,
  formatAmount,
  keccak,
  parseAddress,
  parseAmount,
  random,
  toBytes,
  toHex,
  uint,
} from '../src/core/bytes.mjs'
import { queueId } from '../src/core/items.mjs'
import { executeData, operationHash } from '../src/core/operation.mjs'
import { readRevert } from '../src/core/reverts.mjs'
import { addressOf, dualSignature, keySignature, newKey, newPasskeySecret } from '../src/core/signing.mjs'
import { signTransaction } from '../src/core/transaction.mjs'
import { root } from './development_chain.mjs'
import { equal, holds, refused } from './harness.mjs'

const CHAIN_ID = 31337
const ACCOUNT = '0x00000000000000000000000000000000c0ffee01'

const vectors = (name) => {
  const file = path.join(root, 'tests/vectors', name)
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null
}
const lines = (name) =>
  vectors(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

export async function run({ test, skip }) {
  const actions = vectors('account/actions.json')
  if (actions === null) skip('Vectors.Actions', 'tests/vectors/account/actions.json is not here yet')
  else
    await test('Vectors.ActionsHaveTheDigestsAndCallsOfViem', () => {
      const rows = JSON.parse(actions).filter(({ name }) => name in ACTIONS)
      equal(rows.map(({ name }) => name).sort(), Object.keys(ACTIONS).sort(), 'actions with a vector')
      for (const row of rows) {
        const { name, values, stamp } = readCall(row.call)
        equal([name, digestOf(CHAIN_ID, ACCOUNT, name, values, stamp)], [row.name, row.digest], 'digest')
        if (row.finish) equal(finishCall(name, values, stamp), row.finish, `${name}: finish`)
        if (name === 'Escape')
          equal(
            runCall(name, values, stamp, [
              [0, '0x0102'],
              [8, '0x03'],
              [9, '0x'],
            ]),
            row.call,
            'call',
          )
      }
      return `${rows.length} actions`
    })

  const selfCalls = vectors('account/self_calls.json')
  if (selfCalls === null) skip('Vectors.Queue', 'tests/vectors/account/self_calls.json is not here yet')
  else
    await test('Vectors.QueuedItemsHaveTheIdsAndCallsOfViem', () => {
      for (const { kind, content, id, queue } of JSON.parse(selfCalls).queued) {
        equal(queueId(CHAIN_ID, ACCOUNT, kind, content, 5n, 3n), id, 'id')
        const inner = concat(
          selector('queue(uint8,bytes,uint256)'),
          encode('(uint8,bytes,uint256)', [kind, content, 5n]),
        )
        equal(executeData([[ACCOUNT, 0n, inner]]), queue, 'call')
      }
    })

  await operations({ test })
  await codecs({ test })
}

async function operations({ test }) {
  await test('Vectors.OperationsHaveTheHashesOfViem', () => {
    const joined = (high, low) => concat(uint(high, 16), uint(low, 16))
    const rows = lines('user_operations.jsonl')
    for (const {
      in: { userOperation: o, entryPoint, chainId },
      out,
    } of rows) {
      const initCode = o.factory ? concat(o.factory, o.factoryData ?? '0x') : '0x'
      const sponsor = o.paymaster
        ? concat(
            o.paymaster,
            joined(o.paymasterVerificationGasLimit ?? 0, o.paymasterPostOpGasLimit ?? 0),
            o.paymasterData ?? '0x',
          )
        : '0x'
      const operation = [
        o.sender,
        o.nonce,
        initCode,
        o.callData,
        joined(o.verificationGasLimit, o.callGasLimit),
        o.preVerificationGas,
        joined(o.maxPriorityFeePerGas, o.maxFeePerGas),
        sponsor,
      ]
      equal(operationHash(operation, entryPoint.toLowerCase(), chainId), out.hash, 'hash')
    }
    return `${rows.length} operations`
  })

  await test('Dual.HasTheLayoutOfTheSpecification', () => {
    const hash = random(32)
    const serverSecret = newKey()
    const signature = toBytes(
      dualSignature({
        passkeySecret: newPasskeySecret(),
        rpId: 'escape.invalid',
        slot: 3,
        serverSecret,
        hash,
        day: 20_000n,
      }),
    )
    equal([signature[0], signature[1], toHex(signature.slice(2, 6))], [1, 3, uint(20_000, 4)], 'kind, slot, day')
    equal(toHex(signature.slice(6, 71)), keySignature(serverSecret, hash), 'server signature')
    equal(
      [toHex(signature.slice(135, 137)), signature[137 + 32], String.fromCharCode(signature[174])],
      ['0x0025', 5, '"'],
      'authenticator data, tail',
    )
  })
}

async function codecs({ test }) {
  await test('Vectors.TransactionsAreThoseOfEthers', () => {
    const rows = lines('transactions.jsonl').filter(
      ({ in: { kind, tx } }) => kind === 'london' && !tx.accessList?.length,
    )
    for (const {
      in: { tx, privateKey },
      out,
    } of rows) {
      const { raw } = signTransaction(privateKey, {
        chainId: tx.chainId ?? 0,
        nonce: tx.nonce ?? 0,
        tip: tx.maxPriorityFeePerGas ?? 0,
        maxFee: tx.maxFeePerGas ?? 0,
        gas: tx.gasLimit ?? 0,
        to: tx.to?.toLowerCase() ?? '0x',
        value: tx.value ?? 0,
        data: tx.data ?? '0x',
      })
      equal(raw, out.signed, 'signed')
    }
    holds(rows.length > 10, 'too few')
    equal(addressOf('0x' + '46'.repeat(32)), '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f', 'address of EIP-155')
    return `${rows.length} transactions`
  })

  await test('Abi.RefusesWhatIsNotThere', async () => {
    for (const [types, data] of [
      ['(uint256)', '0x'],
      ['(address)', uint(2n ** 160n)],
      ['(bool)', uint(2)],
      ['(bytes4)', uint(1)],
      ['(bytes)', uint(32)],
      ['(bytes)', concat(uint(32), uint(2n ** 255n))],
      ['(uint256[])', concat(uint(32), uint(5000))],
      ['((bytes)[])', concat(uint(32), uint(3), uint(2n ** 200n))],
      ['(uint32)', uint(2n ** 32n)],
    ]) {
      let failed = false
      try {
        decode(types, data)
      } catch (error) {
        failed = error instanceof Malformed
      }
      holds(failed, `${types} of ${data}`)
    }
    equal(
      decode(
        '(string,uint256[],(bytes,bool))',
        encode('(string,uint256[],(bytes,bool))', ['é', [1n, 2n], ['0x01', true]]),
      ),
      ['é', [1n, 2n], ['0x01', true]],
      'there and back',
    )
  })

  await test('Address.ChecksumsAreThoseOfEip55', async () => {
    for (const address of ['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'])
      equal(
        [checksummed(address.toLowerCase()), parseAddress(` ${address} `)],
        [address, address.toLowerCase()],
        'checksum',
      )
    await refused('address_checksum', () => parseAddress('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD'))
    await refused('address_malformed', () => parseAddress('0x12'))
    await refused('address_malformed', () => parseAddress('vitalik.eth'))
  })

  await test('Amount.IsWhatWasTyped', async () => {
    equal(
      [parseAmount('1.5', 18), parseAmount('0,000001', 6), parseAmount('7', 0)],
      [15n * 10n ** 17n, 1n, 7n],
      'amounts',
    )
    for (const [text, decimals] of [
      ['', 18],
      ['.5', 18],
      ['1.', 18],
      ['1e3', 18],
      ['-1', 18],
      ['0.1', 0],
      ['1.0000001', 6],
      ['1 000', 18],
    ])
      await refused('amount_malformed', () => parseAmount(text, decimals), text)
    equal(
      [formatAmount(15n * 10n ** 17n, 18), formatAmount(0n, 18), formatAmount(1n, 6), formatAmount(7n, 0)],
      ['1.5', '0', '0.000001', '7'],
      'shown',
    )
  })

  await test('Reverts.HaveTheNamesOfTheContracts', () => {
    const data = concat(selector('ItemNotReady(bytes32,uint256)'), encode('(bytes32,uint256)', [uint(1), 5n]))
    equal(readRevert(data), { name: 'ItemNotReady', values: [uint(1), 5n] }, 'known')
    equal(
      [readRevert('0x12345678').name, readRevert('0x').name, readRevert(data.slice(0, 20)).values],
      ['0x12345678', 'nothing', []],
      'others',
    )
    equal(base64url('0xfbff'), '-_8', 'small things')
  })
}
