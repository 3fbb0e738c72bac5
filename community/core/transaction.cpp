// SPDX-License-Identifier: Apache-2.0
// Encoding and signing of transactions; reading them is in transaction_decode.cpp.
#include "community/core/transaction.hpp"

#include "community/core/rlp.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {

namespace {

using Type = TransactionType;

void write_to(RlpWriter& rlp, const std::optional<Address>& to) { rlp.add(to ? ByteView(*to) : ByteView{}); }

void write_access_list(RlpWriter& rlp, const std::vector<AccessTuple>& access_list) {
  const std::size_t list = rlp.begin_list();
  for (const AccessTuple& entry : access_list) {
    const std::size_t tuple = rlp.begin_list();
    rlp.add(entry.address);
    const std::size_t keys = rlp.begin_list();
    for (const Bytes32& key : entry.storage_keys) rlp.add(key);
    rlp.end_list(keys);
    rlp.end_list(tuple);
  }
  rlp.end_list(list);
}

void write_authorizations(RlpWriter& rlp, const std::vector<Authorization>& authorizations) {
  const std::size_t list = rlp.begin_list();
  for (const Authorization& entry : authorizations) {
    const std::size_t tuple = rlp.begin_list();
    rlp.add(entry.chain_id);
    rlp.add(entry.address);
    rlp.add(Uint256(entry.nonce));
    rlp.add(Uint256(entry.y_parity));
    rlp.add(entry.r);
    rlp.add(entry.s);
    rlp.end_list(tuple);
  }
  rlp.end_list(list);
}

void write_signature(RlpWriter& rlp, const Uint256& v, const Signature& signature) {
  rlp.add(v);
  rlp.add(Uint256::from_be(signature.r));
  rlp.add(Uint256::from_be(signature.s));
}

// EIP-155: chain id * 2 + 35 + parity; before it 27 + parity.
Uint256 legacy_v(const Transaction& tx, std::uint8_t y_parity) {
  if (!tx.chain_id) return Uint256(27u + y_parity);
  return *add(*multiply(*tx.chain_id, Uint256(2)), Uint256(35u + y_parity));
}

Bytes encode_legacy(const Transaction& tx, const Signature* signature) {
  RlpWriter rlp;
  const std::size_t list = rlp.begin_list();
  rlp.add(Uint256(tx.nonce));
  rlp.add(tx.gas_price);
  rlp.add(tx.gas_limit);
  write_to(rlp, tx.to);
  rlp.add(tx.value);
  rlp.add(tx.data);
  if (signature != nullptr) {
    write_signature(rlp, legacy_v(tx, signature->y_parity), *signature);
  } else if (tx.chain_id) {
    rlp.add(*tx.chain_id);
    rlp.add(Uint256());
    rlp.add(Uint256());
  }
  rlp.end_list(list);
  return std::move(rlp).bytes();
}

Bytes encode(const Transaction& tx, const Signature* signature) {
  if (tx.type == Type::legacy) return encode_legacy(tx, signature);
  RlpWriter rlp;
  const std::uint8_t type = static_cast<std::uint8_t>(tx.type);
  rlp.add_raw(ByteView(&type, 1));
  const std::size_t list = rlp.begin_list();
  rlp.add(tx.chain_id.value_or(Uint256()));
  rlp.add(Uint256(tx.nonce));
  if (tx.type == Type::access_list) {
    rlp.add(tx.gas_price);
  } else {
    rlp.add(tx.max_priority_fee_per_gas);
    rlp.add(tx.max_fee_per_gas);
  }
  rlp.add(tx.gas_limit);
  write_to(rlp, tx.to);
  rlp.add(tx.value);
  rlp.add(tx.data);
  write_access_list(rlp, tx.access_list);
  if (tx.type == Type::blob) {
    rlp.add(tx.max_fee_per_blob_gas);
    const std::size_t hashes = rlp.begin_list();
    for (const Bytes32& hash : tx.blob_versioned_hashes) rlp.add(hash);
    rlp.end_list(hashes);
  }
  if (tx.type == Type::set_code) write_authorizations(rlp, tx.authorization_list);
  if (signature != nullptr) write_signature(rlp, Uint256(signature->y_parity), *signature);
  rlp.end_list(list);
  return std::move(rlp).bytes();
}

// What an encoding cannot do without, whatever a chain thinks of the transaction.
Result<void> check_encodable(const Transaction& tx) {
  if (tx.type != Type::legacy && !tx.chain_id) return fail(ErrorCode::transaction_chain_id_missing);
  // The largest chain id whose v is a 256-bit number: (2^256 - 37) / 2.
  if (tx.type == Type::legacy && tx.chain_id && *tx.chain_id > *subtract(max_of_bits(255), Uint256(18)))
    return fail(ErrorCode::transaction_v_invalid);
  return {};
}

}  // namespace

Bytes32 Authorization::digest() const {
  RlpWriter rlp;
  static constexpr std::uint8_t kMagic[1] = {0x05};
  rlp.add_raw(kMagic);
  const std::size_t list = rlp.begin_list();
  rlp.add(chain_id);
  rlp.add(address);
  rlp.add(Uint256(nonce));
  rlp.end_list(list);
  return base::keccak256(rlp.bytes());
}

Result<Address> Authorization::authority() const {
  return recover_address(digest(), Signature{r.to_be(), s.to_be(), y_parity});
}

Result<Authorization> sign_authorization(Authorization authorization, const Bytes32& private_key) {
  const auto signature = sign_digest(private_key, authorization.digest());
  if (!signature) return tl::unexpected(signature.error());
  authorization.y_parity = signature->y_parity;
  authorization.r = Uint256::from_be(signature->r);
  authorization.s = Uint256::from_be(signature->s);
  return authorization;
}

Bytes Transaction::unsigned_encoding() const { return encode(*this, nullptr); }

Bytes32 Transaction::signing_hash() const { return base::keccak256(unsigned_encoding()); }

Result<Bytes> Transaction::signed_encoding() const {
  if (!signature) return fail(ErrorCode::transaction_unsigned);
  if (auto good = check_encodable(*this); !good) return tl::unexpected(good.error());
  return encode(*this, &*signature);
}

Result<Bytes32> Transaction::hash() const {
  const auto encoded = signed_encoding();
  if (!encoded) return tl::unexpected(encoded.error());
  return base::keccak256(*encoded);
}

Result<Address> Transaction::sender() const {
  if (!signature) return fail(ErrorCode::transaction_unsigned);
  return recover_address(signing_hash(), *signature);
}

Result<void> check_transaction(const Transaction& tx) {
  if (auto good = check_encodable(tx); !good) return good;
  if (tx.nonce > kMaxNonce) return fail(ErrorCode::transaction_nonce_too_high);
  if (tx.type == Type::legacy) return {};
  if (tx.type == Type::access_list) return {};
  if (tx.max_priority_fee_per_gas > tx.max_fee_per_gas) return fail(ErrorCode::transaction_priority_fee_above_max_fee);
  if (tx.type == Type::dynamic_fee) return {};
  if (!tx.to) return fail(ErrorCode::transaction_to_missing);
  if (tx.type == Type::set_code) {
    if (tx.authorization_list.empty()) return fail(ErrorCode::transaction_no_authorizations);
    return {};
  }
  if (tx.blob_versioned_hashes.empty()) return fail(ErrorCode::transaction_no_blobs);
  for (const Bytes32& hash : tx.blob_versioned_hashes)
    if (hash[0] != 0x01) return fail(ErrorCode::transaction_blob_hash_version);
  return {};
}

Result<Transaction> sign_transaction(Transaction tx, const Bytes32& private_key) {
  if (auto good = check_transaction(tx); !good) return tl::unexpected(good.error());
  const auto signature = sign_digest(private_key, tx.signing_hash());
  if (!signature) return tl::unexpected(signature.error());
  tx.signature = *signature;
  return tx;
}

Bytes32 personal_message_digest(ByteView message) {
  const std::string prefix =
      "\x19"
      "Ethereum Signed Message:\n" +
      std::to_string(message.size());
  return base::keccak256({base::view(prefix), message});
}

Bytes32 validator_data_digest(const Address& validator, ByteView data) {
  static constexpr std::uint8_t kPrefix[2] = {0x19, 0x00};
  return base::keccak256({kPrefix, validator, data});
}

}  // namespace community::core
