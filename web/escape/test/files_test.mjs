// SPDX-License-Identifier: Apache-2.0
// Recovery file and keys file: exactly one form each, and a name for everything that is wrong.
import { ZERO_ADDRESS, ZERO_WORD, random, uint } from '../src/core/bytes.mjs'
import { accountAddress, encodeInit, readInit } from '../src/core/init-data.mjs'
import { makeKeys, parseKeysFile, parsePublicKeys, writeKeysFile } from '../src/core/keys-file.mjs'
import { Problem } from '../src/core/problem.mjs'
import { parseRecoveryFile, writeBroughtFile, writeRecoveryFile } from '../src/core/recovery-file.mjs'
import { addressOf, newKey, passkeyOf, rpIdHash } from '../src/core/signing.mjs'
import { parseStrictJson } from '../src/core/strict-json.mjs'
import { equal, holds, refused } from './harness.mjs'
import { initOf, makePerson } from './people.mjs'

const PLACES = {
  entryPoint: '0x4337084d9e255ff0702461cf8895ce9e3b5ff108',
  factory: '0x' + 'fa'.repeat(20),
  proxyInitCodeHash: '0x' + '77'.repeat(32),
}

const changed = (text, change) => {
  const file = JSON.parse(text)
  change(file)
  return JSON.stringify(file)
}

/** The person's file around other init data, consistent otherwise. */
function withInit(person, changes) {
  const initData = encodeInit(initOf(person, changes))
  const account = accountAddress(PLACES.factory, initData, PLACES.proxyInitCodeHash)
  return changed(person.recoveryFile, (file) => Object.assign(file, { initData, account }))
}

export async function run({ test }) {
  const person = makePerson(PLACES)
  const good = person.recoveryFile
  await recovery({ test, person, good })
  await hostile({ test, good })
  await keysFile({ test, person })
}

async function recovery({ test, person, good }) {
  await test('RecoveryFile.IsReadBackAsWritten', () => {
    const file = parseRecoveryFile(good)
    equal(
      [file.account, file.chains[0].name, file.init.passkeys.length],
      [person.account, 'Development chain', 2],
      'members',
    )
    parseRecoveryFile('\ufeff' + good)
  })

  await test('RecoveryFile.TheAddressFollowsFromWhatItSays', async () => {
    for (const member of ['account', 'factory', 'proxyInitCodeHash']) {
      const text = changed(good, (file) => {
        file[member] = file[member].replace(/..$/, (end) => (end === '00' ? '01' : '00'))
      })
      await refused('file_address_mismatch', () => parseRecoveryFile(text), member)
    }
    const other = makePerson(PLACES)
    await refused('file_address_mismatch', () =>
      parseRecoveryFile(
        changed(good, (file) => {
          file.initData = other.initData
        }),
      ),
    )
  })

  await test('RecoveryFile.TheEscapeKeyIsTheOneInTheInitData', () =>
    refused('file_escape_key_mismatch', () =>
      parseRecoveryFile(
        changed(good, (file) => {
          file.escapeKey = newKey()
        }),
      ),
    ).then(() => {}))

  await test('RecoveryFile.ALaterEscapeKeySaysThatItIsOne', async () => {
    const escapeKey = newKey()
    const later = changed(good, (file) => {
      file.escapeKey = escapeKey
      file.escapeKeyIsLater = true
    })
    const read = parseRecoveryFile(later)
    equal(read.escapeAddress, addressOf(escapeKey), 'the address is of the key in the file')
    equal(parseRecoveryFile(writeRecoveryFile(read)).escapeKeyIsLater, true, 'written and read again')
    await refused('file_escape_key_mismatch', () =>
      parseRecoveryFile(
        changed(good, (file) => {
          file.escapeKeyIsLater = true
        }),
      ),
    )
    await refused('file_member_wrong', () =>
      parseRecoveryFile(
        changed(later, (file) => {
          file.escapeKeyIsLater = false
        }),
      ),
    )
  })

  await test('RecoveryFile.OfAnAccountThatCameFromElsewhere', async () => {
    const escapeKey = newKey()
    const { account, chains, createdAt } = parseRecoveryFile(good)
    const text = writeBroughtFile({ account, entryPoint: PLACES.entryPoint, escapeKey, chains, createdAt })
    const file = parseRecoveryFile(text)
    equal([file.account, file.escapeAddress, file.init], [account, addressOf(escapeKey), null], 'members')
    for (const member of ['account', 'entryPoint', 'escapeKey', 'check']) {
      const damaged = changed(text, (one) => {
        one[member] = one[member].replace(/..$/, (end) => (end === '01' ? '02' : '01'))
      })
      const problem = await refused('file_member_wrong', () => parseRecoveryFile(damaged), member)
      equal(problem.values.member, 'check', member)
      const without = changed(text, (one) => {
        delete one[member]
      })
      await refused('file_member_missing', () => parseRecoveryFile(without), member)
    }
    // Members of the other format have no meaning here.
    const mixed = changed(text, (one) => {
      one.initData = person.initData
    })
    await refused('file_member_unknown', () => parseRecoveryFile(mixed))
    for (let i = 0; i < text.length - 2; i += 7)
      await refused('file_not_json', () => parseRecoveryFile(text.slice(0, i)), `cut at ${i}`)
  })

  await test('RecoveryFile.InitDataObeysTheFactorysRules', async () => {
    const [first] = initOf(person).passkeys
    const point = (x, y) => [x, y, rpIdHash('a.example')]
    const cases = [
      ['PasskeyCountOutOfRange', { passkeys: [] }],
      ['PasskeyCountOutOfRange', { passkeys: Array(9).fill(first) }],
      ['PasskeyNotOnCurve', { passkeys: [point(1n, 1n)] }],
      ['PasskeyNotOnCurve', { passkeys: [point(2n ** 256n - 1n, 0n)] }],
      ['PasskeyWithoutRpId', { passkeys: [[first[0], first[1], ZERO_WORD]] }],
      ['DuplicatePasskey', { passkeys: [first, first] }],
      ['ZeroServerKey', { serverKey: ZERO_ADDRESS }],
      ['EscapeKeyIsServerKey', { serverKey: initOf(person).escapeKey }],
      ['GuardianThresholdInconsistent', { guardianThreshold: 1 }],
      ['GuardianThresholdInconsistent', { guardiansHash: uint(1) }],
      ['RecoveryDelayTooShort', { recoveryDelay: 86_399 }],
      [
        'DuplicateGasCap',
        {
          gasCaps: [
            [1, 1n],
            [1, 2n],
          ],
        },
      ],
      [
        'DuplicateSpendingLimit',
        {
          limits: [
            [1, ZERO_ADDRESS, 1n],
            [1, ZERO_ADDRESS, 2n],
          ],
        },
      ],
      ['TooManyGasCaps', { gasCaps: Array.from({ length: 33 }, (_, i) => [i + 1, 1n]) }],
    ]
    for (const [rule, changes] of cases) {
      const problem = await refused('init_data_broken', () => parseRecoveryFile(withInit(person, changes)), rule)
      equal(problem.values.rule, rule, 'rule')
    }
  })

  await test('RecoveryFile.OnlyTheCanonicalEncodingOfInitData', async () => {
    const data = person.initData
    for (const text of [
      '0x',
      data + '00',
      data.slice(0, -2),
      data.replace(/^0x0{62}20/, '0x' + '0'.repeat(62) + '40'),
      '0x' + 'ff'.repeat(640),
    ])
      await refused('init_data_broken', () => readInit(text))
  })
}

async function hostile({ test, good }) {
  await test('RecoveryFile.EveryMemberIsWantedAndNoOther', async () => {
    for (const member of Object.keys(JSON.parse(good)).filter((name) => name !== 'format'))
      await refused(
        'file_member_missing',
        () =>
          parseRecoveryFile(
            changed(good, (file) => {
              delete file[member]
            }),
          ),
        member,
      )
    await refused('file_member_unknown', () =>
      parseRecoveryFile(
        changed(good, (file) => {
          file.note = 'x'
        }),
      ),
    )
    await refused('file_member_unknown', () => parseRecoveryFile(good.replace('{', '{"__proto__":{},')))
    await refused('file_member_unknown', () =>
      parseRecoveryFile(
        changed(good, (file) => {
          file.chains[0].extra = 1
        }),
      ),
    )
  })

  await test('RecoveryFile.MembersOfAnotherKindAreNamed', async () => {
    const cases = {
      account: [1, null, '0x12', '0x' + 'zz'.repeat(20), '0x' + 'AB'.repeat(20)],
      escapeKey: ['0x' + '00'.repeat(32), '0x' + 'ff'.repeat(32), ''],
      initData: ['0x1', [], '0x' + '00'.repeat(9000)],
      chains: [
        {},
        'x',
        Array(65).fill({ chainId: 1, name: 'a' }),
        [
          { chainId: 1, name: 'a' },
          { chainId: 1, name: 'b' },
        ],
      ],
      createdAt: ['yesterday', '2026-13-45T12:00:00Z', 5],
    }
    for (const [member, values] of Object.entries(cases))
      for (const value of values) {
        const problem = await refused(
          'file_member_wrong',
          () =>
            parseRecoveryFile(
              changed(good, (file) => {
                file[member] = value
              }),
            ),
          `${member} ${value}`,
        )
        equal(problem.values.member, member, 'member')
      }
    for (const chain of [
      { chainId: 0, name: 'a' },
      { chainId: -1, name: 'a' },
      { chainId: 1, name: '' },
      { chainId: 1, name: 'a\u202eb' },
      { chainId: 1, name: 'a', rpcUrls: ['javascript:alert(1)'] },
      { chainId: 1, name: 'a', rpcUrls: ['https://me:secret@a.example'] },
      { chainId: 1, name: 'a', rpcUrls: 'https://a.example' },
    ])
      await refused(
        'file_member_wrong',
        () =>
          parseRecoveryFile(
            changed(good, (file) => {
              file.chains = [chain]
            }),
          ),
        JSON.stringify(chain),
      )
  })

  await test('RecoveryFile.OtherFilesAreNamed', async () => {
    await refused('file_not_recovery', () => parseRecoveryFile('{}'))
    await refused('file_not_recovery', () => parseRecoveryFile('[]'))
    await refused('file_newer', () => parseRecoveryFile(good.replace('recovery-1', 'recovery-3')))
    await refused('file_is_keys_file', () => parseRecoveryFile('{"format":"community-keys-1"}'))
    await refused('file_not_recovery', () => parseRecoveryFile('{"format":{"a":1}}'))
  })

  await test('StrictJson.OneReadingOnly', async () => {
    for (const text of [
      '',
      ' ',
      '{',
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"a":1,}',
      '[1,]',
      '{a:1}',
      "{'a':1}",
      '1.0',
      '1e3',
      '01',
      '-',
      '+1',
      '12345678901234567890',
      '"a',
      '"\n"',
      '"\\x"',
      'nul',
      'NaN',
      '{} {}',
      '[[[[[[[[1]]]]]]]]',
      '/**/{}',
      'undefined',
      '\u0000',
      '{"a" 1}',
    ])
      await refused('file_not_json', () => parseStrictJson(text), JSON.stringify(text))
    await refused('file_too_large', () => parseStrictJson(' '.repeat(200_000)))
    equal([...parseStrictJson('{"a":[1,-2,true,null,"\\u00e9\\""],"b":{}}').keys()], ['a', 'b'], 'members')
  })

  await test('RecoveryFile.AnyChangedByteIsRefusedOrHarmless', () => {
    // Each position once, with a character that differs; whatever is accepted must mean the same account and key.
    const before = parseRecoveryFile(good)
    let accepted = 0
    for (let i = 0; i < good.length; i++) {
      const text = good.slice(0, i) + (good[i] === '5' ? '6' : '5') + good.slice(i + 1)
      try {
        const after = parseRecoveryFile(text)
        accepted++
        for (const member of ['account', 'factory', 'proxyInitCodeHash', 'initData', 'escapeKey'])
          equal(after[member], before[member], `position ${i}`)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
      }
    }
    return `${good.length} changes, ${accepted} harmless`
  })

  await test('RecoveryFile.CutAnywhereItIsRefused', async () => {
    for (let i = 0; i < good.length - 2; i += 7)
      await refused('file_not_json', () => parseRecoveryFile(good.slice(0, i)), `cut at ${i}`)
  })
}

async function keysFile({ test, person }) {
  const keys = makeKeys(person.account, 'escape.invalid', '2026-02-01T00:00:00Z')
  const text = writeKeysFile(keys)

  await test('KeysFile.IsReadBackAsWritten', () =>
    equal(writeKeysFile(parseKeysFile(text, person.account)), text, 'text'))

  await test('KeysFile.BelongsToOneAccount', () =>
    refused('keys_file_of_other_account', () => parseKeysFile(text, '0x' + '11'.repeat(20))).then(() => {}))

  await test('KeysFile.PublicPartsFollowFromPrivateOnes', async () => {
    for (const change of [
      (f) => {
        f.passkey.x = random(32)
      },
      (f) => {
        f.passkey.privateKey = writeKeysFile(makeKeys(person.account, 'a', keys.createdAt)).match(
          /privateKey": "(0x\w+)/,
        )[1]
      },
      (f) => {
        f.serverKey.address = '0x' + '12'.repeat(20)
      },
      (f) => {
        f.serverKey.privateKey = newKey()
      },
      (f) => {
        f.rpId = 'other.invalid'
      },
    ])
      await refused('keys_file_inconsistent', () => parseKeysFile(changed(text, change), person.account))
    await refused('file_member_wrong', () =>
      parseKeysFile(
        changed(text, (f) => {
          f.passkey.privateKey = ZERO_WORD
        }),
        person.account,
      ),
    )
    await refused('file_is_recovery_file', () => parseKeysFile(person.recoveryFile, person.account))
    await refused('file_not_keys', () => parseKeysFile('{}', person.account))
  })

  await test('PublicKeys.AreReadAsAPersonPastesThem', async () => {
    const [x, y] = passkeyOf(keys.passkeySecret, 'a.example')
    const pasted = {
      x: ` ${uint(x).slice(2).toUpperCase()} `,
      y: uint(y),
      rpId: 'a.example',
      serverKey: keys.serverKey,
    }
    equal(parsePublicKeys(pasted).passkey, [x, y, rpIdHash('a.example')], 'by name')
    equal(parsePublicKeys({ ...pasted, rpId: rpIdHash('a.example') }).passkey[2], rpIdHash('a.example'), 'by hash')
    await refused('public_key_malformed', () => parsePublicKeys({ ...pasted, x: '12' }))
    await refused('rp_id_malformed', () => parsePublicKeys({ ...pasted, rpId: 'https://a.example' }))
    await refused('rp_id_malformed', () => makeKeys(person.account, 'no host', keys.createdAt))
    holds(parsePublicKeys(pasted).serverKey === keys.serverKey, 'server key')
  })
}
