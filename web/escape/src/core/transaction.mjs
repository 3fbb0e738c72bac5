// SPDX-License-Identifier: Apache-2.0
// Transactions of type 2 (EIP-1559), signed here.
import { compact, concat, keccak, size, uint } from './bytes.mjs'
import { signHash } from './signing.mjs'

/** RLP of nested lists of hex strings. */
export function rlp(item) {
  if (Array.isArray(item)) {
    const content = concat('0x', ...item.map(rlp))
    return concat(header(size(content), 0xc0), content)
  }
  if (size(item) === 1 && BigInt(item) < 0x80n) return item
  return concat(header(size(item), 0x80), item)
}

function header(length, base) {
  if (length < 56) return uint(base + length, 1)
  const digits = compact(length)
  return concat(uint(base + 55 + size(digits), 1), digits)
}

/** Raw bytes and hash of a transaction {chainId, nonce, tip, maxFee, gas, to, value, data}. */
export function signTransaction(secret, tx) {
  const fields = [
    compact(tx.chainId),
    compact(tx.nonce),
    compact(tx.tip),
    compact(tx.maxFee),
    compact(tx.gas),
    tx.to,
    compact(tx.value),
    tx.data,
    [],
  ]
  const { parity, r, s } = signHash(secret, keccak(concat('0x02', rlp(fields))))
  const raw = concat('0x02', rlp([...fields, compact(parity), compact(BigInt(r)), compact(BigInt(s))]))
  return { raw, hash: keccak(raw) }
}
