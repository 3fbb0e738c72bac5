// SPDX-License-Identifier: Apache-2.0
// The recovery file, formats community-recovery-1 and, of an account that came from another node, community-recovery-2
// (spec/recovery-file.md).
import { concat, isHex, keccak } from './bytes.mjs'
import { accountAddress, readInit } from './init-data.mjs'
import { Problem, require } from './problem.mjs'
import { addressOf, isSecret } from './signing.mjs'
import { members, parseStrictJson } from './strict-json.mjs'

export const RECOVERY_FORMAT = 'community-recovery-1'
/** Of an account whose beginning is not known where the file was made. */
export const BROUGHT_FORMAT = 'community-recovery-2'
/** Init data has rows for 32 chains at most; twice that many may be known. */
const MAX_CHAINS = 64
const MAX_RPC_URLS = 8
const MAX_NAME = 64
const MAX_URL = 512
/** The largest init data has 8 passkeys, 32 gas caps and 32 limits: 7 kB. */
const MAX_INIT_DATA = 8192
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/

function hex(value, member, length) {
  require(isHex(value, length) && value === value.toLowerCase(), 'file_member_wrong', { member })
  return value
}

function text(value, member, most) {
  // No control or direction characters: a name is shown beside amounts of money.
  const plain =
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= most &&
    !/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(value)
  require(plain, 'file_member_wrong', { member })
  return value
}

/** Whether the page may ask `url`: http or https, no user name inside. */
export function isRpcUrl(url) {
  try {
    const { protocol, username, password } = new URL(url)
    return (protocol === 'https:' || protocol === 'http:') && username === '' && password === ''
  } catch {
    return false
  }
}

function chainOf(value) {
  const { chainId, name, rpcUrls = [] } = members(value, 'chains', ['chainId', 'name'], ['rpcUrls'])
  require(Number.isSafeInteger(chainId) && chainId > 0, 'file_member_wrong', { member: 'chainId' })
  require(Array.isArray(rpcUrls) && rpcUrls.length <= MAX_RPC_URLS, 'file_member_wrong', { member: 'rpcUrls' })
  for (const url of rpcUrls)
    require(isRpcUrl(text(url, 'rpcUrls', MAX_URL)), 'file_member_wrong', { member: 'rpcUrls' })
  return { chainId, name: text(name, 'name', MAX_NAME), rpcUrls }
}

export function dateOf(value) {
  require(typeof value === 'string' && DATE.test(value) && !Number.isNaN(Date.parse(value)), 'file_member_wrong', {
    member: 'createdAt',
  })
  return value
}

/** The format of a file of this product, so that the wrong one is named. */
export function formatOf(map) {
  const format = map instanceof Map ? map.get('format') : undefined
  return typeof format === 'string' ? format.slice(0, 40) : ''
}

function chainsOf(value) {
  require(Array.isArray(value) && value.length <= MAX_CHAINS, 'file_member_wrong', { member: 'chains' })
  const chains = value.map(chainOf)
  require(new Set(chains.map((chain) => chain.chainId)).size === chains.length, 'file_member_wrong', {
    member: 'chains',
  })
  return chains
}

/** Nothing else in such a file follows from anything, and a digit may get lost. */
const checkOf = ({ account, entryPoint, escapeKey }) => keccak(concat(account, entryPoint, escapeKey))

function parseBrought(map) {
  const file = members(map, 'file', ['format', 'account', 'entryPoint', 'escapeKey', 'check', 'chains', 'createdAt'])
  for (const member of ['account', 'entryPoint']) hex(file[member], member, 20)
  for (const member of ['escapeKey', 'check']) hex(file[member], member, 32)
  require(isSecret('secp256k1', file.escapeKey), 'file_member_wrong', { member: 'escapeKey' })
  const chains = chainsOf(file.chains)
  dateOf(file.createdAt)
  require(file.check === checkOf(file), 'file_member_wrong', { member: 'check' })
  const unknown = { factory: null, proxyInitCodeHash: null, initData: null, init: null }
  return { ...file, ...unknown, chains, escapeAddress: addressOf(file.escapeKey) }
}

/** Reads and checks a recovery file; every failure is a `Problem`. `init` is null where the file does not know it. */
export function parseRecoveryFile(content) {
  const map = parseStrictJson(content)
  const format = formatOf(map)
  require(format !== 'community-keys-1', 'file_is_keys_file')
  if (format === BROUGHT_FORMAT) return parseBrought(map)
  require(format === RECOVERY_FORMAT, /^community-recovery-\d+$/.test(format) ? 'file_newer' : 'file_not_recovery', {
    format,
  })
  const file = members(
    map,
    'file',
    [
      'format',
      'account',
      'factory',
      'entryPoint',
      'proxyInitCodeHash',
      'initData',
      'escapeKey',
      'chains',
      'createdAt',
    ],
    ['escapeKeyIsLater'],
  )
  const later = file.escapeKeyIsLater === true
  require(later || file.escapeKeyIsLater === undefined, 'file_member_wrong', { member: 'escapeKeyIsLater' })
  for (const member of ['account', 'factory', 'entryPoint']) hex(file[member], member, 20)
  hex(file.proxyInitCodeHash, 'proxyInitCodeHash', 32)
  hex(file.initData, 'initData')
  require(file.initData.length <= 2 + 2 * MAX_INIT_DATA, 'file_member_wrong', { member: 'initData' })
  hex(file.escapeKey, 'escapeKey', 32)
  require(isSecret('secp256k1', file.escapeKey), 'file_member_wrong', { member: 'escapeKey' })
  const chains = chainsOf(file.chains)
  dateOf(file.createdAt)

  const address = accountAddress(file.factory, file.initData, file.proxyInitCodeHash)
  require(address === file.account, 'file_address_mismatch', { stated: file.account, computed: address })
  const init = readInit(file.initData)
  const escapeAddress = addressOf(file.escapeKey)
  // Whether a later key is in force only the chain knows.
  if ((init.escapeKey === escapeAddress) === later) {
    throw new Problem('file_escape_key_mismatch', { stated: init.escapeKey, computed: escapeAddress })
  }
  return { ...file, chains, init, escapeAddress }
}

/** The file's text; members in the order of the specification. */
export function writeRecoveryFile({
  account,
  factory,
  entryPoint,
  proxyInitCodeHash,
  initData,
  escapeKey,
  escapeKeyIsLater,
  chains,
  createdAt,
}) {
  return (
    JSON.stringify(
      {
        format: RECOVERY_FORMAT,
        account,
        factory,
        entryPoint,
        proxyInitCodeHash,
        initData,
        escapeKey,
        ...(escapeKeyIsLater ? { escapeKeyIsLater } : {}),
        chains,
        createdAt,
      },
      null,
      1,
    ) + '\n'
  )
}

/** Of an account that came from another node, with its escape key that began with a recovery. */
export function writeBroughtFile({ account, entryPoint, escapeKey, chains, createdAt }) {
  const check = checkOf({ account, entryPoint, escapeKey })
  return JSON.stringify({ format: BROUGHT_FORMAT, account, entryPoint, escapeKey, check, chains, createdAt }, null, 1) + '\n'
}
