// SPDX-License-Identifier: Apache-2.0
// Init data and the address that follows from it (spec/wire-formats.md, section 2; the rules of InitData.sol).
import { Malformed, decode, encode } from './abi.mjs'
import { ZERO_ADDRESS, ZERO_WORD, concat, keccak, slice } from './bytes.mjs'
import { Problem } from './problem.mjs'
import { isOnCurve } from './signing.mjs'

const TYPE =
  '(((uint256,uint256,bytes32)[],address,address,bytes32,uint8,uint32,bool,(uint256,uint256)[],' +
  '(uint256,address,uint256)[],uint256))'
const MAX_PASSKEYS = 8
const MAX_ROWS = 32
const MIN_RECOVERY_DELAY_S = 86_400n

// The ERC-1967 proxy that the factory deploys: these bytes around the implementation's address; what runs is the end.
const PROXY_PREFIX = '0x603d3d8160223d3973'
const PROXY_RUNTIME =
  '0x363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc' +
  '545af43d6000803e6038573d6000fd5b3d6000f3'
export const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc'

export const proxyInitCodeHashOf = (implementation) =>
  keccak(concat(PROXY_PREFIX, implementation, '0x60095155f3', PROXY_RUNTIME))
export const proxyRuntime = PROXY_RUNTIME

/** CREATE2 (EIP-1014) with the salt `keccak256(initData)`. */
export const accountAddress = (factory, initData, proxyInitCodeHash) =>
  slice(keccak(concat('0xff', factory, keccak(initData), proxyInitCodeHash)), 12)

export function encodeInit(init) {
  return encode(TYPE, [
    [
      init.passkeys,
      init.serverKey,
      init.escapeKey,
      init.guardiansHash,
      init.guardianThreshold,
      init.recoveryDelay,
      init.strict,
      init.gasCaps,
      init.limits,
      init.salt,
    ],
  ])
}

const broken = (rule) => new Problem('init_data_broken', { rule })

function checkKeys({ passkeys, serverKey, escapeKey }) {
  if (passkeys.length === 0 || passkeys.length > MAX_PASSKEYS) throw broken('PasskeyCountOutOfRange')
  passkeys.forEach(([x, y, rpIdHash], i) => {
    if (!isOnCurve(x, y)) throw broken('PasskeyNotOnCurve')
    if (rpIdHash === ZERO_WORD) throw broken('PasskeyWithoutRpId')
    if (passkeys.slice(0, i).some((other) => other[0] === x)) throw broken('DuplicatePasskey')
  })
  if (serverKey === ZERO_ADDRESS) throw broken('ZeroServerKey')
  if (escapeKey === ZERO_ADDRESS) throw broken('ZeroEscapeKey')
  if (serverKey === escapeKey) throw broken('EscapeKeyIsServerKey')
}

function checkRows(rows, key, rule) {
  if (rows.length > MAX_ROWS) throw broken(`TooMany${rule}s`)
  if (new Set(rows.map(key)).size !== rows.length) throw broken(`Duplicate${rule}`)
}

/** Init data that obeys every rule of the factory, in its canonical encoding. */
export function readInit(data) {
  let values
  try {
    values = decode(TYPE, data)
  } catch (error) {
    if (error instanceof Malformed) throw broken('malformed')
    throw error
  }
  if (encode(TYPE, values) !== data.toLowerCase()) throw broken('malformed')
  const [
    [passkeys, serverKey, escapeKey, guardiansHash, guardianThreshold, recoveryDelay, strict, gasCaps, limits, salt],
  ] = values
  const init = {
    passkeys,
    serverKey,
    escapeKey,
    guardiansHash,
    guardianThreshold,
    recoveryDelay,
    strict,
    gasCaps,
    limits,
    salt,
  }
  checkKeys(init)
  if ((guardiansHash === ZERO_WORD) !== (guardianThreshold === 0n)) throw broken('GuardianThresholdInconsistent')
  if (recoveryDelay < MIN_RECOVERY_DELAY_S) throw broken('RecoveryDelayTooShort')
  checkRows(gasCaps, (row) => `${row[0]}`, 'GasCap')
  checkRows(limits, (row) => `${row[0]} ${row[1]}`, 'SpendingLimit')
  return init
}

/** Keys that an escape may bring: the rules for keys, with the escape key that stays. */
export function checkNewKeys(passkeys, serverKey, escapeKey) {
  try {
    checkKeys({ passkeys, serverKey, escapeKey })
  } catch (error) {
    if (error instanceof Problem) throw new Problem('new_keys_refused', { rule: error.values.rule })
    throw error
  }
}
