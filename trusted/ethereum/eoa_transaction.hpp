// SPDX-License-Identifier: Apache-2.0
// Unsigned transactions that a person sends from a key of their own: legacy with a chain id (EIP-155), EIP-2930,
// EIP-1559, EIP-7702. Strict: one encoding each, every list read to its last item.
#pragma once
#include "trusted/ethereum/transaction.hpp"

namespace community::ethereum {

struct EoaTransaction {
  // 0 = legacy
  std::uint8_t type = 0;
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  // The gas price, of types that have one.
  Uint256 max_fee_per_gas;
  Uint256 max_priority_fee_per_gas;
  std::uint64_t gas_limit = 0;
  // Empty when the transaction creates a contract.
  ByteView to;
  Uint256 value;
  ByteView data;
  std::size_t access_count = 0;
  std::size_t authorization_count = 0;
  // An authorisation for all chains (0) or for another chain than the transaction's.
  bool authorization_elsewhere = false;
};

namespace detail {

// EIP-2930: [[address, [storage key, ...]], ...]
inline bool read_access_list(RlpReader list, EoaTransaction& tx) {
  while (!list.empty()) {
    auto item = list.list();
    if (!item || !item->address()) return false;
    auto keys = item->list();
    if (!keys || !item->empty()) return false;
    while (!keys->empty()) {
      const auto key = keys->string();
      if (!key || key->size() != 32) return false;
    }
    tx.access_count++;
  }
  return true;
}

inline bool read_authorizations(RlpReader list, EoaTransaction& tx) {
  while (!list.empty()) {
    const auto item = list.list();
    if (!item || !read_authorization(*item)) return false;
    const auto chain_id = RlpReader(*item).integer();
    if (*chain_id != Uint256(tx.chain_id)) tx.authorization_elsewhere = true;
    tx.authorization_count++;
  }
  // EIP-7702: the list must not be empty.
  return tx.authorization_count != 0;
}

// nonce, fees, gas limit, to, value, data: what all types have in this order.
inline bool read_common(RlpReader& items, bool has_priority_fee, EoaTransaction& tx) {
  const auto nonce = items.integer64();
  const auto priority_fee = has_priority_fee ? items.integer() : std::optional<Uint256>(Uint256{});
  const auto fee = items.integer();
  const auto gas_limit = items.integer64();
  const auto to = items.string();
  const auto value = items.integer();
  const auto data = items.string();
  if (!nonce || !priority_fee || !fee || !gas_limit || !to || !value || !data) return false;
  if (to->size() != 20 && !to->empty()) return false;
  tx.nonce = *nonce;
  tx.max_fee_per_gas = *fee;
  tx.max_priority_fee_per_gas = has_priority_fee ? *priority_fee : *fee;
  tx.gas_limit = *gas_limit;
  tx.to = *to;
  tx.value = *value;
  tx.data = *data;
  return true;
}

// EIP-155: the unsigned form of a legacy transaction ends with chain id, 0, 0.
inline bool read_legacy(RlpReader items, EoaTransaction& tx) {
  if (!read_common(items, false, tx)) return false;
  const auto chain_id = items.integer64();
  const auto zero = items.string();
  const auto other_zero = items.string();
  if (!chain_id || *chain_id == 0 || !zero || !zero->empty() || !other_zero || !other_zero->empty()) return false;
  tx.chain_id = *chain_id;
  return items.empty();
}

}  // namespace detail

// Reads what keccak256 of `bytes` is signed for.
inline TransactionError read_eoa_transaction(ByteView bytes, EoaTransaction& tx) {
  if (bytes.empty()) return TransactionError::encoding;
  if (bytes[0] >= 0xc0) {
    const auto items = rlp_list(bytes);
    return items && detail::read_legacy(*items, tx) ? TransactionError::none : TransactionError::encoding;
  }
  tx.type = bytes[0];
  if (tx.type != 1 && tx.type != 2 && tx.type != 4) return TransactionError::type;
  auto items = rlp_list(bytes.subspan(1));
  if (!items) return TransactionError::encoding;
  const auto chain_id = items->integer64();
  if (!chain_id || *chain_id == 0) return TransactionError::encoding;
  tx.chain_id = *chain_id;
  if (!detail::read_common(*items, tx.type != 1, tx)) return TransactionError::encoding;
  const auto access_list = items->list();
  if (!access_list || !detail::read_access_list(*access_list, tx)) return TransactionError::encoding;
  if (tx.type == 4) {
    // EIP-7702: such a transaction cannot create a contract.
    if (tx.to.empty()) return TransactionError::encoding;
    const auto authorizations = items->list();
    if (!authorizations) return TransactionError::encoding;
    if (!detail::read_authorizations(*authorizations, tx)) return TransactionError::authorization;
  }
  return items->empty() ? TransactionError::none : TransactionError::encoding;
}

}  // namespace community::ethereum
