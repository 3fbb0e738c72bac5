// SPDX-License-Identifier: Apache-2.0
// A node that vanished: with nothing but the recovery file and a funded key an account is frozen, escapes, and its
// money moves. Everything runs against the real contracts on a development chain.
import { call, decode, encode } from '../src/core/abi.mjs'
import { FOREVER, chainIdOf, compareStates, readAccount, slotOf } from '../src/core/account.mjs'
import { KIND } from '../src/core/actions.mjs'
import { ZERO_ADDRESS } from '../src/core/bytes.mjs'
import {
  cancelCall,
  canCancel,
  createAccountCall,
  escapeCall,
  finishEscapeCall,
  freezeCall,
  leadsTo,
  startedByEscapeKey,
  whoCancels,
} from '../src/core/escape.mjs'
import { emptyMemory, findItems, timesOf } from '../src/core/items.mjs'
import { makeKeys, parseKeysFile, writeKeysFile } from '../src/core/keys-file.mjs'
import {
  confirmData,
  nativeAsset,
  planData,
  planMove,
  queuedCalls,
  readTransfer,
  tokenAsset,
  transferOf,
} from '../src/core/money.mjs'
import { operationCall, operationOutcome } from '../src/core/operation.mjs'
import { bump, follow, keyPayer, look, send } from '../src/core/payer.mjs'
import { parseRecoveryFile, writeBroughtFile } from '../src/core/recovery-file.mjs'
import { createRpc } from '../src/core/rpc.mjs'
import { newKey } from '../src/core/signing.mjs'
import { contracts, deployContracts, deployToken, startChain } from './development_chain.mjs'
import { equal, holds, refused } from './harness.mjs'
import { ETHER, act, deployAccount, makePerson } from './people.mjs'

const DAY = 86_400n
const FRIEND = '0x00000000000000000000000000000000f41e4d01'

/** What somebody has who kept nothing but the file: the page's steps, without the page. */
async function survivor(chain, recoveryFile) {
  const file = parseRecoveryFile(recoveryFile)
  const payer = keyPayer(newKey())
  await chain.give(payer.address, ETHER)
  const rpc = createRpc(chain.url)
  await chainIdOf(rpc, chain.chainId)
  const me = { file, payer, rpc, chainId: chain.chainId }
  me.state = () => readAccount(rpc, file, chain.chainId)
  me.items = async () => findItems(rpc, await me.state())
  me.send = async (call_) =>
    follow(rpc, payer, await send(rpc, payer, chain.chainId, call_), () => new Promise((done) => setTimeout(done, 20)))
  me.newKeys = () => {
    // Through the saved file, as the page insists on.
    const text = writeKeysFile(makeKeys(file.account, 'escape.invalid', '2026-02-01T00:00:00Z'))
    return parseKeysFile(text, file.account)
  }
  me.operate = async (keys, callData, calls) => {
    const made = await operationCall(rpc, {
      file,
      state: await me.state(),
      keys,
      callData,
      calls,
      beneficiary: payer.address,
    })
    operationOutcome(await me.send(made), file.entryPoint, made.hash)
  }
  me.escapeTo = async (keys) => {
    const made = escapeCall(file, await me.state(), keys)
    await me.send(made)
    const item = (await me.items()).find(({ id }) => id === made.id)
    holds(item, 'the started escape is found from its event')
    return item
  }
  me.move = async (keys, calls) => {
    const plan = await planMove(rpc, file, await me.state(), calls)
    await me.operate(keys, planData(file, plan), calls.length)
    return plan
  }
  return me
}

const balanceOf = async (rpc, token, who) =>
  token === ZERO_ADDRESS
    ? rpc.balance(who)
    : decode('(uint256)', await rpc.call({ to: token, data: call('balanceOf(address)', who) }))[0]

export async function run({ test }) {
  const bundle = contracts()
  const chain = await startChain()
  try {
    const places = await deployContracts(chain, bundle)
    const token = await deployToken(chain, bundle)
    await paths({ test, chain, places, token })
    await hostility({ test, chain, places, token })
    await moving({ test, chain, places, token })
    await broughtTests({ test, chain, places })
  } finally {
    await chain.stop()
  }
}

async function paths({ test, chain, places, token }) {
  await test('NodeVanished.FreezesEscapesWaitsAndMovesEverything', async () => {
    const limits = [
      [31337, ZERO_ADDRESS, 100n * ETHER],
      [31337, token, 1000n],
    ]
    const person = makePerson(places, { init: { limits } })
    await deployAccount(chain, places, person)
    await chain.give(person.account, 5n * ETHER)
    await chain.send({ to: token, data: call('mint(address,uint256)', person.account, 777n) })

    const me = await survivor(chain, person.recoveryFile)
    await me.send(freezeCall(me.file, await me.state()))
    equal((await me.state()).frozenUntil, FOREVER, 'frozen')

    const keys = me.newKeys()
    const item = await me.escapeTo(keys)
    holds(leadsTo(item, keys) && startedByEscapeKey(item), 'it leads to the keys of the file')
    equal(
      whoCancels(item, await me.state()),
      { passkeys: [0, 1], escapeKey: false, guardians: false },
      'who could cancel',
    )
    const early = await refused('would_revert', async () => me.send(finishEscapeCall(await me.state(), item)))
    equal(early.values.rule, 'ItemNotReady', 'too early')

    await chain.pass(3n * DAY)
    const [ripe] = await me.items()
    equal(timesOf(ripe).left, 0n, 'time left')
    await me.send(finishEscapeCall(await me.state(), ripe))
    const state = await me.state()
    equal([slotOf(state, keys), state.frozenUntil, state.keyEpoch], [0, 0n, 1n], 'new keys in force, freeze ended')

    const calls = [transferOf(ZERO_ADDRESS, FRIEND, 5n * ETHER), transferOf(token, FRIEND, 777n)]
    const plan = await me.move(keys, calls)
    equal(plan.refusal, null, 'within the limits')
    equal(
      [await balanceOf(me.rpc, ZERO_ADDRESS, person.account), await balanceOf(me.rpc, token, person.account)],
      [0n, 0n],
      'left',
    )
    equal(
      [await balanceOf(me.rpc, ZERO_ADDRESS, FRIEND), await balanceOf(me.rpc, token, FRIEND)],
      [5n * ETHER, 777n],
      'arrived',
    )
  })

  await test('NodeVanished.AnAccountThatWasNeverMadeEscapesToo', async () => {
    const person = makePerson(places)
    await chain.give(person.account, ETHER / 2n)
    const me = await survivor(chain, person.recoveryFile)
    const before = await me.state()
    equal([before.deployed, before.balance, before.passkeys.length], [false, ETHER / 2n, 2], 'state before')
    equal(await me.items(), [], 'nothing waits')
    await me.send(createAccountCall(me.file, before))
    const keys = me.newKeys()
    await me.escapeTo(keys)
    await chain.pass(3n * DAY)
    await me.send(finishEscapeCall(await me.state(), (await me.items())[0]))
    await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER / 2n)])
    equal(await me.rpc.balance(person.account), 0n, 'left')
  })

  await test('NodeVanished.AClosedPageLosesNothingButTheKeysFile', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const first = await survivor(chain, person.recoveryFile)
    const text = writeKeysFile(makeKeys(person.account, 'escape.invalid', '2026-02-01T00:00:00Z'))
    await first.escapeTo(parseKeysFile(text, person.account))
    await chain.pass(3n * DAY)
    // Another visit: nothing is left of the first one but the two files.
    const second = await survivor(chain, person.recoveryFile)
    const [item] = await second.items()
    holds(leadsTo(item, parseKeysFile(text, person.account)), 'found again')
    await second.send(finishEscapeCall(await second.state(), item))
    equal(slotOf(await second.state(), parseKeysFile(text, person.account)), 0, 'slot')
  })

  await test('NodeVanished.AnybodyFinishes', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const item = await me.escapeTo(me.newKeys())
    await chain.pass(3n * DAY)
    const { data } = finishEscapeCall(await me.state(), item)
    await chain.send({ to: person.account, data })
    equal((await me.state()).keyEpoch, 1n, 'key epoch')
  })

  await test('NodeVanished.AnItemThatNobodyFinishedIsVoidAndAnotherOneIsTheWay', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    await me.escapeTo(me.newKeys())
    await chain.pass(34n * DAY)
    equal(await me.items(), [], 'void')
    const keys = me.newKeys()
    await me.escapeTo(keys)
    await chain.pass(3n * DAY)
    await me.send(finishEscapeCall(await me.state(), (await me.items())[0]))
    equal(slotOf(await me.state(), keys), 0, 'slot')
  })
}

async function hostility({ test, chain, places }) {
  await test('Cancelled.AnotherVoteEndsItAndNobodyElseCan', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const item = await me.escapeTo(me.newKeys())
    holds(!canCancel(item), 'the vote that started it cannot end it')
    await refused('not_cancellable', async () => cancelCall(me.file, await me.state(), item))
    await act(chain, person, 'Cancel', [item.id], [0])
    equal(await me.items(), [], 'nothing waits')
    const late = await refused('would_revert', async () => me.send(finishEscapeCall(await me.state(), item)))
    equal(late.values.rule, 'ItemUnknown', 'refusal')
  })

  await test('Thief.AnEscapeByAStolenPasskeyIsSeenAndCancelled', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const thief = makeKeys(person.account, 'thief.example', '2026-02-01T00:00:00Z')
    await act(chain, person, 'Escape', [[thief.passkey], thief.serverKey, 1n], [1])
    const me = await survivor(chain, person.recoveryFile)
    const [item] = await me.items()
    holds(item.kind === KIND.escape && !startedByEscapeKey(item) && !leadsTo(item, me.newKeys()), 'somebody else')
    holds(canCancel(item), 'the escape key may cancel it')
    await me.send(cancelCall(me.file, await me.state(), item))
    equal(await me.items(), [], 'nothing waits')
  })

  await test('Thief.AFloodOfItemsHidesNothingOfTheEscapeKey', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const own = await me.escapeTo(me.newKeys())
    const thief = makeKeys(person.account, 'thief.example', '2026-02-01T00:00:00Z')
    for (let i = 0; i < 45; i++) await act(chain, person, 'Escape', [[thief.passkey], thief.serverKey, 1n], [1])
    const items = await me.items()
    equal([items.length, items[0].id], [41, own.id], 'the own one and the newest others')
  })

  await test('Thief.WhatElseWaitsIsShownAndCancelled', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const change = [[], [], '0x' + '77'.repeat(20), ZERO_ADDRESS, 1n]
    await act(chain, person, 'ChangeKeys', change, [0, 9])
    const me = await survivor(chain, person.recoveryFile)
    const [item] = await me.items()
    equal([item.kind, item.action.values[2]], [KIND.changeKeys, '0x' + '77'.repeat(20)], 'content from the event')
    await me.send(freezeCall(me.file, await me.state()))
    await act(chain, person, 'Unfreeze', [1n], [0, 9])
    equal(
      (await me.items()).map(({ kind }) => kind),
      [KIND.changeKeys, KIND.unfreeze],
      'both wait',
    )
    for (const one of await me.items()) await me.send(cancelCall(me.file, await me.state(), one))
    equal(await me.items(), [], 'nothing waits')
  })

  await test('Votes.TwoAreStatedAndOneIsAbsent', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const keys = makeKeys(person.account, 'escape.invalid', '2026-02-01T00:00:00Z')
    for (const [votes, signers, rule] of [
      [2n, [8], 'WrongSigners'],
      [1n, [9], 'WrongSigners'],
      [1n, [0, 8], 'WrongSigners'],
      [3n, [8], 'VotesOutOfRange'],
    ]) {
      const me = await survivor(chain, person.recoveryFile)
      const asked = act({ ...chain, send: me.send }, person, 'Escape', [[keys.passkey], keys.serverKey, votes], signers)
      const problem = await refused('would_revert', () => asked)
      equal(problem.values.rule, rule, `${votes} votes signed by ${signers}`)
    }
  })

  await test('Votes.AnEscapeByTwoIsEndedByNoVote', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const keys = makeKeys(person.account, 'escape.invalid', '2026-02-01T00:00:00Z')
    await act(chain, person, 'Escape', [[keys.passkey], keys.serverKey, 2n], [0, 8])
    const me = await survivor(chain, person.recoveryFile)
    const [item] = await me.items()
    equal(whoCancels(item, await me.state()), { passkeys: [], escapeKey: false, guardians: false }, 'nobody')
    holds(!canCancel(item), 'not by the escape key')
  })

  await test('Freeze.ThatOfTheServerIsReplacedAndASecondOneIsRefused', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    await act(chain, person, 'Freeze', [], [9])
    const me = await survivor(chain, person.recoveryFile)
    const { frozenUntil, block } = await me.state()
    holds(frozenUntil > block.timestamp && frozenUntil !== FOREVER, 'frozen by the server')
    await me.send(freezeCall(me.file, await me.state()))
    equal((await me.state()).frozenUntil, FOREVER, 'frozen by a vote')
    const again = await refused('would_revert', async () => me.send(freezeCall(me.file, await me.state())))
    equal(again.values.rule, 'AlreadyFrozen', 'refusal')
  })

  await test('KeyChange.AReplacedEscapeKeyIsNamed', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    await act(chain, person, 'ChangeKeys', [[], [], ZERO_ADDRESS, '0x' + '66'.repeat(20), 2n], [0, 1, 9])
    const me = await survivor(chain, person.recoveryFile)
    await refused('escape_key_replaced', async () => freezeCall(me.file, await me.state()))
  })

  await test('Keys.NewKeysMustObeyTheRules', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const good = me.newKeys()
    const state = await me.state()
    for (const [rule, keys] of [
      ['EscapeKeyIsServerKey', { ...good, serverKey: state.escapeKey }],
      ['ZeroServerKey', { ...good, serverKey: ZERO_ADDRESS }],
      ['PasskeyNotOnCurve', { ...good, passkey: [1n, 2n, good.passkey[2]] }],
    ]) {
      const problem = await refused('new_keys_refused', () => escapeCall(me.file, state, keys))
      equal(problem.values.rule, rule, 'rule')
    }
  })

  await serverTests({ test, chain, places })
}

async function broughtTests({ test, chain, places }) {
  await test('NodeVanished.AFileWithoutTheAccountsBeginningLeadsOutTooButMakesNoAccount', async () => {
    const person = makePerson(places, { init: { limits: [[31337, ZERO_ADDRESS, 100n * ETHER]] } })
    const { account, entryPoint, escapeKey, chains, createdAt } = parseRecoveryFile(person.recoveryFile)
    const me = await survivor(chain, writeBroughtFile({ account, entryPoint, escapeKey, chains, createdAt }))
    await refused('account_elsewhere', () => me.state())
    await deployAccount(chain, places, person)
    await chain.give(account, ETHER)
    const lying = { ...me.rpc, code: async () => '0x6001' }
    await refused('rpc_lies', () => readAccount(lying, me.file, chain.chainId))
    const keys = me.newKeys()
    const item = await me.escapeTo(keys)
    await chain.pass(3n * DAY + 60n)
    await me.send(finishEscapeCall(await me.state(), item))
    equal((await me.items()).length, 0, 'items that wait')
    const before = await me.rpc.balance(FRIEND)
    await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER / 4n)])
    equal((await me.rpc.balance(FRIEND)) - before, ETHER / 4n, 'money that moved')
  })
}

async function serverTests({ test, chain, places }) {
  await test('Rpc.AnotherChainIsNamed', async () => {
    await refused('wrong_chain', () => chainIdOf(createRpc(chain.url), 1))
  })

  await test('Rpc.ALieAboutTheAccountsCodeIsNoticed', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const lying = { ...me.rpc, code: async () => '0x6001' }
    await refused('rpc_lies', () => readAccount(lying, me.file, chain.chainId))
  })

  await test('Rpc.AnInventedContentOfAnItemIsNotBelieved', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const keys = me.newKeys()
    await me.escapeTo(keys)
    // The same id, but another server key inside the call.
    const tampered = (log) => {
      const [votes, data] = decode('(uint256,bytes)', log.data)
      holds(data.includes(keys.serverKey.slice(2)), 'the server key is in the call')
      const other = data.replace(keys.serverKey.slice(2), FRIEND.slice(2))
      return { ...log, data: encode('(uint256,bytes)', [votes, other]) }
    }
    const lying = {
      ...me.rpc,
      request: async (method, params) => {
        const answer = await me.rpc.request(method, params)
        return method === 'eth_getLogs' ? answer.map(tampered) : answer
      },
    }
    equal(await findItems(lying, await me.state()), [], 'items')
  })

  await test('Rpc.ASmallRangeOfLogsIsEnough', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const item = await me.escapeTo(me.newKeys())
    await chain.rpc.request('anvil_mine', ['0x7d0', '0x1'])
    let asked = 0
    const narrow = {
      ...me.rpc,
      request: async (method, [filter]) => {
        if (method !== 'eth_getLogs') return me.rpc.request(method, [filter])
        asked++
        if (BigInt(filter.toBlock) - BigInt(filter.fromBlock) >= 1000n) return me.rpc.request('no_such_method')
        return me.rpc.request(method, [filter])
      },
    }
    const memory = emptyMemory()
    equal(
      (await findItems(narrow, await me.state(), { memory })).map(({ id }) => id),
      [item.id],
      'items',
    )
    const first = asked
    equal(
      (await findItems(narrow, await me.state(), { memory })).map(({ id }) => id),
      [item.id],
      'items, a second time',
    )
    equal(asked - first, 1, 'questions of the second look')
    return `${first} questions, then one`
  })

  await test('Rpc.TwoServersMustAgree', async () => {
    const person = makePerson(places)
    await deployAccount(chain, places, person)
    const me = await survivor(chain, person.recoveryFile)
    const state = await me.state()
    compareStates(state, await me.state())
    await refused('rpcs_disagree', () => compareStates(state, { ...state, serverKey: FRIEND }))
  })
}

async function moving({ test, chain, places, token }) {
  const escaped = async (init, where = places) => {
    const person = makePerson(where, { init })
    await deployAccount(chain, where, person)
    const me = await survivor(chain, person.recoveryFile)
    const keys = me.newKeys()
    await me.escapeTo(keys)
    await chain.pass(3n * DAY)
    await me.send(finishEscapeCall(await me.state(), (await me.items())[0]))
    return { me, keys, person }
  }

  await test('Move.OverTheLimitGoesThroughTheQueueAndIsFoundAgain', async () => {
    const { me, keys, person } = await escaped({ limits: [[31337, ZERO_ADDRESS, ETHER]] })
    await chain.give(person.account, 3n * ETHER)
    await chain.send({ to: token, data: call('mint(address,uint256)', person.account, 50n) })
    const asset = await nativeAsset(me.rpc, await me.state())
    equal([asset.balance, asset.perDay, asset.left], [3n * ETHER, ETHER, ETHER - 1n], 'a wei goes to the operation')
    const shown = await tokenAsset(me.rpc, await me.state(), token)
    equal([shown.symbol, shown.decimals, shown.balance], ['TEST', 18, 50n], 'token')
    const before = await me.rpc.balance(FRIEND)
    const plan = await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, 3n * ETHER), transferOf(token, FRIEND, 50n)])
    equal(plan.refusal.name, 'OverLimit', 'refusal')
    const [item] = await me.items()
    equal(
      queuedCalls(item).map(readTransfer),
      [
        { token: ZERO_ADDRESS, to: FRIEND, amount: 3n * ETHER },
        { token, to: FRIEND, amount: 50n },
      ],
      'what waits',
    )
    equal(timesOf(item).left > 86_000n, true, 'a day to wait')
    const early = await refused('operation_reverted', () => me.operate(keys, confirmData(me.file, item), 2))
    equal(early.values.rule, 'ItemNotReady', 'too early')
    await chain.pass(DAY)
    await me.operate(keys, confirmData(me.file, item), 2)
    equal((await me.rpc.balance(FRIEND)) - before, 3n * ETHER, 'arrived')
    equal(await me.items(), [], 'nothing waits')
  })

  await test('Move.AChainWithoutAnyLimitRowIsNoTrap', async () => {
    const { me, keys, person } = await escaped({ limits: [], gasCaps: [] })
    await chain.give(person.account, ETHER)
    const plan = await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER)])
    equal(plan.refusal.name, 'OverLimit', 'plan')
    await chain.pass(DAY)
    const [item] = await me.items()
    await me.operate(keys, confirmData(me.file, item), 1)
    equal(await me.rpc.balance(person.account), 0n, 'left')
  })

  await test('Move.TheLimitGoesButForTheWeiOfItsOperation', async () => {
    const { me, keys, person } = await escaped({ limits: [[31337, ZERO_ADDRESS, ETHER]] })
    await chain.give(person.account, ETHER)
    const whole = [transferOf(ZERO_ADDRESS, FRIEND, ETHER)]
    equal((await planMove(me.rpc, me.file, await me.state(), whole)).refusal.name, 'OverLimit', 'a wei too much')
    const plan = await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER - 1n)])
    equal([plan.refusal, await me.rpc.balance(person.account)], [null, 1n], 'left')
    // With nothing left of the day, what moves no ether goes all the same.
    await chain.send({ to: token, data: call('mint(address,uint256)', person.account, 5n) })
    await me.move(keys, [transferOf(token, FRIEND, 5n)])
    equal((await me.items()).length, 1, 'a token without a limit waits in the queue')
  })

  await test('Move.StrictModeQueuesANewRecipient', async () => {
    const { me, keys, person } = await escaped({ strict: true })
    await chain.give(person.account, ETHER / 10n)
    const plan = await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER / 10n)])
    equal(plan.refusal.name, 'NewRecipient', 'refusal')
  })

  await test('Move.TheAccountPaysNoGas', async () => {
    const { me, keys, person } = await escaped({})
    await chain.give(person.account, ETHER)
    await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER / 4n)])
    equal(await me.rpc.balance(person.account), (3n * ETHER) / 4n, 'left')
  })

  await test('Move.AnAccountOfEntryPoint07MovesToo', async () => {
    const older = await deployContracts(chain, contracts(), '0.7')
    const { me, keys, person } = await escaped({ limits: [] }, older)
    await chain.give(person.account, ETHER)
    const plan = await me.move(keys, [transferOf(ZERO_ADDRESS, FRIEND, ETHER)])
    equal(plan.refusal.name, 'OverLimit', 'plan')
    await chain.pass(DAY)
    await me.operate(keys, confirmData(me.file, (await me.items())[0]), 1)
    equal(await me.rpc.balance(person.account), 0n, 'left')
  })

  await test('Move.NothingGoesWhereItIsLost', async () => {
    const { me, person } = await escaped({})
    const state = await me.state()
    const { account } = person
    for (const [asset, to] of [
      [ZERO_ADDRESS, account],
      [ZERO_ADDRESS, ZERO_ADDRESS],
      [ZERO_ADDRESS, places.entryPoint],
      [token, token],
      [token, account],
    ])
      await refused(
        'recipient_refused',
        () => planMove(me.rpc, me.file, state, [transferOf(asset, to, 0n)]),
        `${asset} to ${to}`,
      )
    await refused('nothing_to_move', () => planMove(me.rpc, me.file, state, []))
    await refused('balance_too_small', () =>
      planMove(me.rpc, me.file, state, [transferOf(ZERO_ADDRESS, FRIEND, ETHER)]),
    )
  })

  await test('Move.AnotherEntryPointInTheFileIsNamed', async () => {
    const { me, keys } = await escaped({})
    me.file.entryPoint = '0x0000000071727de22e5e9d8baf0edac6f37da032'
    const state = await me.state()
    await refused('entry_point_other', () =>
      operationCall(me.rpc, { file: me.file, state, keys, callData: '0x', calls: 1, beneficiary: FRIEND }),
    )
  })

  await test('Move.TheOldKeysMoveNothingAnyMore', async () => {
    const { me, person } = await escaped({})
    await chain.give(person.account, ETHER)
    const old = { passkeySecret: person.passkeySecrets[0], rpId: 'node.example', serverSecret: person.serverSecret }
    equal(
      slotOf(await me.state(), { ...old, serverKey: me.file.init.serverKey, passkey: me.file.init.passkeys[0] }),
      null,
      'slot',
    )
    await refused('keys_not_in_force', () =>
      me.move({ ...old, serverKey: ZERO_ADDRESS, passkey: [] }, [transferOf(ZERO_ADDRESS, FRIEND, 1n)]),
    )
  })

  await test('Payer.TooLittleMoneyIsSaidWithTheAmount', async () => {
    const { me } = await escaped({})
    const poor = keyPayer(newKey())
    const problem = await refused('funds_insufficient', async () =>
      send(me.rpc, poor, chain.chainId, freezeCall(me.file, await me.state())),
    )
    equal(problem.values.address, poor.address, 'address')
    holds(problem.values.missing > 0n, 'an amount')
  })

  await test('Payer.AReplacedNumberIsNoticedAndHigherFeesReplace', async () => {
    const { me } = await escaped({})
    await chain.rpc.request('evm_setAutomine', [false])
    try {
      const sent = await send(me.rpc, me.payer, chain.chainId, freezeCall(me.file, await me.state()))
      equal(await look(me.rpc, me.payer, sent), null, 'waits')
      const again = await bump(me.rpc, me.payer, sent)
      holds(again.tx.tip * 100n > sent.tx.tip * 110n && again.tx.nonce === sent.tx.nonce, 'more, same number')
      await chain.rpc.request('evm_mine', [])
      await refused('nonce_replaced', () => look(me.rpc, me.payer, sent))
      const receipt = await look(me.rpc, me.payer, again)
      equal(receipt.transactionHash, again.hash, 'the second one is in')
    } finally {
      await chain.rpc.request('evm_setAutomine', [true])
    }
  })
}
