// SPDX-License-Identifier: Apache-2.0
// Ethereum transactions: legacy (with and without EIP-155), EIP-2930, EIP-1559, EIP-4844 and EIP-7702. Encoding is
// canonical and decoding accepts nothing else.
#pragma once
#include <optional>

#include "community/core/secp256k1.hpp"

namespace community::core {

// Geth's pool takes 128 KiB; a blob transaction with its sidecar is not handled here.
inline constexpr std::size_t kMaxTransactionBytes = 1u << 20;
// EIP-2681.
inline constexpr std::uint64_t kMaxNonce = ~std::uint64_t{0} - 1;

enum class TransactionType : std::uint8_t { legacy = 0, access_list = 1, dynamic_fee = 2, blob = 3, set_code = 4 };

struct AccessTuple {
  Address address{};
  std::vector<Bytes32> storage_keys;
  bool operator==(const AccessTuple&) const = default;
};

// EIP-7702 authorization. Its parity may be any byte and its s any number: an invalid one is skipped by the chain, the
// transaction around it stays valid.
struct Authorization {
  Uint256 chain_id;
  Address address{};
  std::uint64_t nonce = 0;
  std::uint8_t y_parity = 0;
  Uint256 r;
  Uint256 s;
  bool operator==(const Authorization&) const = default;

  // keccak256(0x05 || rlp([chain_id, address, nonce])).
  Bytes32 digest() const;
  // Who signed: the errors of recover_address.
  Result<Address> authority() const;
};
Result<Authorization> sign_authorization(Authorization unsigned_authorization, const Bytes32& private_key);

struct Transaction {
  TransactionType type = TransactionType::dynamic_fee;
  // Absent only in legacy transactions from before EIP-155.
  std::optional<Uint256> chain_id;
  std::uint64_t nonce = 0;
  // legacy and access_list.
  Uint256 gas_price;
  // dynamic_fee and later.
  Uint256 max_priority_fee_per_gas;
  Uint256 max_fee_per_gas;
  Uint256 gas_limit;
  // Absent: creates a contract. Required by blob and set_code.
  std::optional<Address> to;
  Uint256 value;
  Bytes data;
  std::vector<AccessTuple> access_list;
  Uint256 max_fee_per_blob_gas;
  std::vector<Bytes32> blob_versioned_hashes;
  std::vector<Authorization> authorization_list;
  std::optional<Signature> signature;
  bool operator==(const Transaction&) const = default;

  // What the signature covers: type byte and fields without signature; for legacy with chain id the EIP-155 form.
  Bytes unsigned_encoding() const;
  // keccak256 of unsigned_encoding.
  Bytes32 signing_hash() const;
  // transaction_unsigned, transaction_chain_id_missing, transaction_v_invalid (chain id too large for v). Encodes also
  // what no chain takes: check_transaction tells.
  Result<Bytes> signed_encoding() const;
  // Transaction hash: keccak256 of signed_encoding.
  Result<Bytes32> hash() const;
  Result<Address> sender() const;
};

// Rules that hold on every chain: transaction_chain_id_missing, transaction_v_invalid, transaction_to_missing,
// transaction_nonce_too_high, transaction_priority_fee_above_max_fee, transaction_no_blobs,
// transaction_blob_hash_version, transaction_no_authorizations.
Result<void> check_transaction(const Transaction& transaction);

// Checks and signs.
Result<Transaction> sign_transaction(Transaction transaction, const Bytes32& private_key);

// A signed transaction as eth_sendRawTransaction takes it. The signature is low-s and its parity 0 or 1; it is not
// verified otherwise: sender() does that.
Result<Transaction> decode_transaction(ByteView encoded);

// EIP-191: version 0x45, "\x19Ethereum Signed Message:\n" with the length in decimal.
Bytes32 personal_message_digest(ByteView message);
// EIP-191: version 0x00, data for an intended validator.
Bytes32 validator_data_digest(const Address& validator, ByteView data);

}  // namespace community::core
