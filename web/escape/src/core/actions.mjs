// SPDX-License-Identifier: Apache-2.0
// Plain functions of an account and the EIP-712 structs behind them (spec/account.md, sections 1 and 2).
import { call, decodeCall, encode, selector } from './abi.mjs'
import { concat, keccak, utf8 } from './bytes.mjs'

export const STAMP = '(uint32,uint256,uint48)'
export const SIGNATURES = '(uint8,bytes)[]'
export const PASSKEYS = '(uint256,uint256,bytes32)[]'
export const ESCAPE_SIGNER = 8
export const SERVER_SIGNER = 9
export const ESCAPE_VOTE = 1n << BigInt(ESCAPE_SIGNER)

const PASSKEY_TYPE = 'Passkey(uint256 x,uint256 y,bytes32 rpIdHash)'
const STAMP_FIELDS = 'uint32 keyEpoch,uint256 nonce,uint48 deadline'

/** Kinds of items, by the numbers in events (`ItemKind`). */
export const KIND = {
  none: 0,
  done: 1,
  unfreeze: 2,
  changeKeys: 3,
  changeRules: 4,
  escape: 5,
  recover: 6,
  upgrade: 7,
  queued: 8,
}

// Fields before the stamp, the function with its arguments before the stamp, and the function that finishes the item.
// `packed`: the function takes the fields as one struct.
export const ACTIONS = {
  Freeze: { fields: '', run: 'freeze' },
  Unfreeze: { fields: 'uint8 votes', run: 'unfreeze', finish: 'finishUnfreeze', kind: KIND.unfreeze },
  ChangeKeys: {
    fields: 'uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes',
    run: 'changeKeys',
    finish: 'finishChangeKeys',
    kind: KIND.changeKeys,
    packed: true,
  },
  ChangeRules: {
    fields:
      'bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,bool unlistedTokens,uint8 votes',
    run: 'changeRules',
    finish: 'finishChangeRules',
    kind: KIND.changeRules,
    packed: true,
  },
  Escape: {
    fields: 'Passkey[] passkeys,address serverKey,uint8 votes',
    run: 'escape',
    finish: 'finishEscape',
    kind: KIND.escape,
  },
  Recover: {
    fields: 'Passkey[] passkeys,address serverKey,address escapeKey',
    run: 'recover',
    finish: 'finishRecover',
    kind: KIND.recover,
    proof: '(bytes32,bytes[],bytes[])',
  },
  Upgrade: { fields: 'address implementation,bytes32 codeHash', run: 'upgrade', kind: KIND.upgrade },
  Cancel: { fields: 'bytes32 item', run: 'cancel' },
}

const typesOf = (action) => (action.fields ? action.fields.split(',').map((field) => field.split(' ')[0]) : [])
const abiType = (type) => (type === 'Passkey[]' ? PASSKEYS : type)

function signatureOf(action, name, end) {
  const types = typesOf(action).map(abiType)
  const content = action.packed ? [`(${types.join(',')})`] : types
  return `${name}(${[...content, STAMP, ...end].join(',')})`
}

/** Text of the function that starts the action, with its arguments' types. */
export const runSignature = (name) => signatureOf(ACTIONS[name], ACTIONS[name].run, [ACTIONS[name].proof ?? SIGNATURES])

const inCall = (action, values) => (action.packed ? [values] : values)

/** Call data that submits the signed action. */
export const runCall = (name, values, stamp, signatures) =>
  call(runSignature(name), ...inCall(ACTIONS[name], values), stamp, signatures)

/** Call data that finishes the item that the action started. */
export const finishCall = (name, values, stamp) =>
  call(signatureOf(ACTIONS[name], ACTIONS[name].finish, []), ...inCall(ACTIONS[name], values), stamp)

/** What a call to the account asked for: name of the action, values, stamp; or null. Throws for malformed arguments. */
export function readCall(data) {
  for (const [name, action] of Object.entries(ACTIONS)) {
    if (selector(runSignature(name)) !== data.slice(0, 10).toLowerCase()) continue
    const all = decodeCall(runSignature(name), data)
    const stamp = all[all.length - 2]
    const values = action.packed ? all[0] : all.slice(0, -2)
    return { name, values, stamp }
  }
  return null
}

/** EIP-712 domain separator of an account. */
export function domainSeparator(chainId, account) {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
  return keccak(
    encode('(bytes32,bytes32,bytes32,uint256,address)', [
      keccak(utf8(type)),
      keccak(utf8('CommunityAccount')),
      keccak(utf8('1')),
      chainId,
      account,
    ]),
  )
}

function encodeField(type, value) {
  if (type === 'uint256[]') return keccak(concat('0x', ...value.map((one) => encode('(uint256)', [one]))))
  if (type === 'Passkey[]') {
    const hashes = value.map((one) =>
      keccak(concat(keccak(utf8(PASSKEY_TYPE)), encode('(uint256,uint256,bytes32)', one))),
    )
    return keccak(concat('0x', ...hashes))
  }
  return encode(`(${type})`, [value])
}

/** EIP-712: `keccak256(0x1901 || domain || struct)`. */
export const typed = (domain, structHash) => keccak(concat('0x1901', domain, structHash))

/** What is signed for an action; also the id of the item that it starts. */
export function digestOf(chainId, account, name, values, stamp) {
  const action = ACTIONS[name]
  const nested = action.fields.includes('Passkey[]') ? PASSKEY_TYPE : ''
  const type = `${name}(${action.fields ? action.fields + ',' : ''}${STAMP_FIELDS})${nested}`
  const content = typesOf(action).map((one, i) => encodeField(one, values[i]))
  const structHash = keccak(concat(keccak(utf8(type)), ...content, encode(STAMP, stamp)))
  return typed(domainSeparator(chainId, account), structHash)
}
