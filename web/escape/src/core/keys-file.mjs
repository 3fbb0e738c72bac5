// SPDX-License-Identifier: Apache-2.0
// The keys file, format community-keys-1 (spec/recovery-file.md): the keys that an escape brings, when no other node's
// keys are taken.
import { checksummed, isHex, uint } from './bytes.mjs'
import { Problem, require } from './problem.mjs'
import { dateOf, formatOf } from './recovery-file.mjs'
import { addressOf, isSecret, newKey, newPasskeySecret, passkeyOf, rpIdHash } from './signing.mjs'
import { members, parseStrictJson } from './strict-json.mjs'

export const KEYS_FORMAT = 'community-keys-1'
/** Of a top-level name that never resolves (RFC 2606): no web page can ask for this passkey. */
export const DEFAULT_RP_ID = 'escape.invalid'
/** A host name, as WebAuthn wants a relying party id. */
const RP_ID = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/** The public side, as an escape wants it. */
const withPublic = (keys) => ({
  ...keys,
  passkey: passkeyOf(keys.passkeySecret, keys.rpId),
  serverKey: addressOf(keys.serverSecret),
})

export function makeKeys(account, rpId, createdAt) {
  require(RP_ID.test(rpId), 'rp_id_malformed')
  return withPublic({ account, rpId, passkeySecret: newPasskeySecret(), serverSecret: newKey(), createdAt })
}

export function writeKeysFile(keys) {
  const [x, y, hash] = keys.passkey
  return (
    JSON.stringify(
      {
        format: KEYS_FORMAT,
        account: keys.account,
        rpId: keys.rpId,
        passkey: { x: uint(x), y: uint(y), rpIdHash: hash, privateKey: keys.passkeySecret },
        serverKey: { address: keys.serverKey, privateKey: keys.serverSecret },
        createdAt: keys.createdAt,
      },
      null,
      1,
    ) + '\n'
  )
}

function secretOf(curve, value, member) {
  require(isHex(value, 32) && isSecret(curve, value), 'file_member_wrong', { member })
  return value.toLowerCase()
}

/** Reads a keys file for `account`; the public parts must follow from the private ones. */
export function parseKeysFile(content, account) {
  const map = parseStrictJson(content)
  const format = formatOf(map)
  require(format !== 'community-recovery-1', 'file_is_recovery_file')
  require(format === KEYS_FORMAT, /^community-keys-\d+$/.test(format) ? 'file_newer' : 'file_not_keys', { format })
  const file = members(map, 'file', ['format', 'account', 'rpId', 'passkey', 'serverKey', 'createdAt'])
  require(isHex(file.account, 20), 'file_member_wrong', { member: 'account' })
  require(file.account === account, 'keys_file_of_other_account', { account: checksummed(file.account.toLowerCase()) })
  require(typeof file.rpId === 'string' && RP_ID.test(file.rpId), 'file_member_wrong', { member: 'rpId' })
  const passkey = members(file.passkey, 'passkey', ['x', 'y', 'rpIdHash', 'privateKey'])
  const server = members(file.serverKey, 'serverKey', ['address', 'privateKey'])
  dateOf(file.createdAt)
  const keys = withPublic({
    account,
    rpId: file.rpId,
    createdAt: file.createdAt,
    passkeySecret: secretOf('p256', passkey.privateKey, 'passkey.privateKey'),
    serverSecret: secretOf('secp256k1', server.privateKey, 'serverKey.privateKey'),
  })
  const [x, y, hash] = keys.passkey
  const same =
    passkey.x === uint(x) && passkey.y === uint(y) && passkey.rpIdHash === hash && server.address === keys.serverKey
  require(same, 'keys_file_inconsistent')
  return keys
}

/** Public keys of another node, as a person pasted them; they are checked with `checkNewKeys`. */
export function parsePublicKeys({ x, y, rpId, serverKey }) {
  const coordinate = (value, member) => {
    const digits = value.trim().replace(/^0x/i, '')
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new Problem('public_key_malformed', { member })
    return BigInt('0x' + digits)
  }
  const hash = isHex(rpId.trim(), 32) ? rpId.trim().toLowerCase() : rpIdHash(rpId.trim())
  require(isHex(rpId.trim(), 32) || RP_ID.test(rpId.trim()), 'rp_id_malformed')
  return { passkey: [coordinate(x, 'x'), coordinate(y, 'y'), hash], serverKey }
}
