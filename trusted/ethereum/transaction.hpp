// SPDX-License-Identifier: Apache-2.0
// Unsigned EIP-1559 and EIP-7702 transactions as the trusted core reads them before an executor key signs.
#pragma once
#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/rlp.hpp"

namespace community::ethereum {

struct UnsignedTransaction {
  // 2 = EIP-1559, 4 = EIP-7702
  std::uint8_t type = 0;
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  Uint256 max_priority_fee_per_gas;
  Uint256 max_fee_per_gas;
  std::uint64_t gas_limit = 0;
  Address to{};
  Uint256 value;
  ByteView data;
  bool access_list_empty = true;
  std::size_t authorization_count = 0;
};

enum class TransactionError : std::uint8_t { none, type, encoding, authorization };

// An authorisation of EIP-7702: [chain_id, address, nonce, y_parity, r, s].
inline bool read_authorization(RlpReader item) {
  const auto chain_id = item.integer();
  const auto address = item.address();
  const auto nonce = item.integer64();
  const auto y_parity = item.integer();
  const auto r = item.integer();
  const auto s = item.integer();
  return chain_id && address && nonce && y_parity && r && s && item.empty() && *y_parity <= Uint256(1);
}

// Reads type || rlp(fields) without a signature.
inline TransactionError read_unsigned_transaction(ByteView bytes, UnsignedTransaction& tx) {
  if (bytes.empty() || (bytes[0] != 2 && bytes[0] != 4)) return TransactionError::type;
  tx.type = bytes[0];
  auto items = rlp_list(bytes.subspan(1));
  if (!items) return TransactionError::encoding;
  const auto chain_id = items->integer64();
  const auto nonce = items->integer64();
  const auto priority_fee = items->integer();
  const auto fee = items->integer();
  const auto gas_limit = items->integer64();
  const auto to = items->address();
  const auto value = items->integer();
  const auto data = items->string();
  const auto access_list = items->list();
  if (!chain_id || !nonce || !priority_fee || !fee || !gas_limit || !to || !value || !data || !access_list)
    return TransactionError::encoding;
  tx.chain_id = *chain_id;
  tx.nonce = *nonce;
  tx.max_priority_fee_per_gas = *priority_fee;
  tx.max_fee_per_gas = *fee;
  tx.gas_limit = *gas_limit;
  tx.to = *to;
  tx.value = *value;
  tx.data = *data;
  tx.access_list_empty = access_list->empty();
  tx.authorization_count = 0;
  if (tx.type == 4) {
    auto authorizations = items->list();
    if (!authorizations) return TransactionError::encoding;
    while (!authorizations->empty()) {
      auto item = authorizations->list();
      if (!item || !read_authorization(*item)) return TransactionError::authorization;
      tx.authorization_count++;
    }
    // EIP-7702: the list must not be empty.
    if (tx.authorization_count == 0) return TransactionError::authorization;
  }
  return items->empty() ? TransactionError::none : TransactionError::encoding;
}

}  // namespace community::ethereum
