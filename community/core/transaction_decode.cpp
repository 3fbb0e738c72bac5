// SPDX-License-Identifier: Apache-2.0
// Reads signed transactions. Fields are taken one after the other; the first broken rule is the answer.
#include "community/core/rlp.hpp"
#include "community/core/transaction.hpp"

namespace community::core {

namespace {

using Type = TransactionType;

// Takes the items of one list in order and remembers the first error; afterwards every field is empty.
class Fields {
 public:
  explicit Fields(const RlpItem& list) : list_(list) {
    if (!list.is_list) refuse({ErrorCode::rlp_list_expected, {}});
  }

  std::size_t size() const { return list_.items.size(); }
  Result<void> finish() {
    if (!error_ && next_ != list_.items.size()) refuse({ErrorCode::rlp_wrong_item_count, {}});
    if (error_) return tl::unexpected(*error_);
    return {};
  }
  bool good() const { return !error_; }
  void refuse(Error error) {
    if (!error_) error_ = std::move(error);
  }

  const RlpItem& item() {
    static const RlpItem kEmpty;
    if (next_ >= list_.items.size()) refuse({ErrorCode::rlp_wrong_item_count, {}});
    return error_ ? kEmpty : list_.items[next_++];
  }
  const RlpItem& list() {
    static const RlpItem kEmpty{true, {}, {}};
    const RlpItem& found = item();
    if (!found.is_list) refuse({ErrorCode::rlp_list_expected, {}});
    return error_ ? kEmpty : found;
  }
  ByteView string() {
    const RlpItem& found = item();
    if (found.is_list) refuse({ErrorCode::rlp_string_expected, {}});
    return error_ ? ByteView{} : found.payload;
  }
  Uint256 number() {
    const auto value = item().to_uint();
    if (!value) refuse(value.error());
    return value.value_or(Uint256());
  }
  std::uint64_t u64() {
    const auto value = item().to_u64();
    if (!value) refuse(value.error());
    return value.value_or(0);
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(ErrorCode wrong_length) {
    std::array<std::uint8_t, N> out{};
    const ByteView bytes = string();
    if (bytes.size() == N) {
      std::copy(bytes.begin(), bytes.end(), out.begin());
    } else {
      refuse({wrong_length, {}});
    }
    return out;
  }
  std::optional<Address> to() {
    const ByteView bytes = string();
    if (bytes.empty()) return std::nullopt;
    if (bytes.size() != 20) refuse({ErrorCode::transaction_to_length, {}});
    Address address{};
    if (good()) std::copy(bytes.begin(), bytes.end(), address.begin());
    return address;
  }

 private:
  const RlpItem& list_;
  std::size_t next_ = 0;
  std::optional<Error> error_;
};

void read_access_list(Fields& fields, Transaction& tx) {
  for (const RlpItem& entry : fields.list().items) {
    Fields tuple(entry);
    AccessTuple access;
    access.address = tuple.fixed<20>(ErrorCode::transaction_to_length);
    for (const RlpItem& key : tuple.list().items) {
      Bytes32 slot{};
      if (key.is_list || key.payload.size() != slot.size()) {
        tuple.refuse({ErrorCode::transaction_storage_key_length, {}});
        break;
      }
      std::copy(key.payload.begin(), key.payload.end(), slot.begin());
      access.storage_keys.push_back(slot);
    }
    if (auto done = tuple.finish(); !done) return fields.refuse(done.error());
    tx.access_list.push_back(std::move(access));
  }
}

void read_blob_fields(Fields& fields, Transaction& tx) {
  tx.max_fee_per_blob_gas = fields.number();
  for (const RlpItem& item : fields.list().items) {
    Bytes32 hash{};
    if (item.is_list || item.payload.size() != hash.size())
      return fields.refuse({ErrorCode::transaction_blob_hash_version, {}});
    std::copy(item.payload.begin(), item.payload.end(), hash.begin());
    tx.blob_versioned_hashes.push_back(hash);
  }
}

void read_authorizations(Fields& fields, Transaction& tx) {
  for (const RlpItem& entry : fields.list().items) {
    Fields tuple(entry);
    Authorization authorization;
    authorization.chain_id = tuple.number();
    authorization.address = tuple.fixed<20>(ErrorCode::transaction_to_length);
    authorization.nonce = tuple.u64();
    const std::uint64_t parity = tuple.u64();
    if (parity > 0xff) tuple.refuse({ErrorCode::signature_y_parity, {}});
    authorization.y_parity = static_cast<std::uint8_t>(parity);
    authorization.r = tuple.number();
    authorization.s = tuple.number();
    if (auto done = tuple.finish(); !done) return fields.refuse(done.error());
    tx.authorization_list.push_back(authorization);
  }
}

void read_signature(Fields& fields, std::uint8_t y_parity, Transaction& tx) {
  Signature signature;
  signature.y_parity = y_parity;
  signature.r = fields.number().to_be();
  signature.s = fields.number().to_be();
  if (!fields.good()) return;
  if (base::is_zero(signature.r) || base::is_zero(signature.s))
    return fields.refuse({ErrorCode::signature_out_of_range, {}});
  if (!is_low_s(signature.s)) return fields.refuse({ErrorCode::signature_high_s, {}});
  tx.signature = signature;
}

Result<Transaction> finish(Fields& fields, Transaction tx) {
  if (auto done = fields.finish(); !done) return tl::unexpected(done.error());
  if (auto good = check_transaction(tx); !good) return tl::unexpected(good.error());
  return tx;
}

Result<Transaction> decode_legacy(const RlpItem& item) {
  Fields fields(item);
  Transaction tx;
  tx.type = Type::legacy;
  tx.nonce = fields.u64();
  tx.gas_price = fields.number();
  tx.gas_limit = fields.number();
  tx.to = fields.to();
  tx.value = fields.number();
  tx.data = to_bytes(fields.string());
  const Uint256 v = fields.number();
  std::uint8_t y_parity = 0;
  if (v == Uint256(27) || v == Uint256(28)) {
    y_parity = static_cast<std::uint8_t>(v.limb[0] - 27);
  } else if (v >= Uint256(35)) {
    const auto division = base::divide(*subtract(v, Uint256(35)), 2);
    tx.chain_id = division.quotient;
    y_parity = static_cast<std::uint8_t>(division.remainder);
  } else {
    fields.refuse({ErrorCode::transaction_v_invalid, {}});
  }
  read_signature(fields, y_parity, tx);
  return finish(fields, std::move(tx));
}

Result<Transaction> decode_typed(Type type, const RlpItem& item) {
  Fields fields(item);
  Transaction tx;
  tx.type = type;
  tx.chain_id = fields.number();
  tx.nonce = fields.u64();
  if (type == Type::access_list) {
    tx.gas_price = fields.number();
  } else {
    tx.max_priority_fee_per_gas = fields.number();
    tx.max_fee_per_gas = fields.number();
  }
  tx.gas_limit = fields.number();
  tx.to = fields.to();
  tx.value = fields.number();
  tx.data = to_bytes(fields.string());
  read_access_list(fields, tx);
  if (type == Type::blob) read_blob_fields(fields, tx);
  if (type == Type::set_code) read_authorizations(fields, tx);
  const std::uint64_t parity = fields.u64();
  if (parity > 1) fields.refuse({ErrorCode::signature_y_parity, {}});
  read_signature(fields, static_cast<std::uint8_t>(parity), tx);
  return finish(fields, std::move(tx));
}

}  // namespace

Result<Transaction> decode_transaction(ByteView encoded) {
  if (encoded.size() > kMaxTransactionBytes) return fail(ErrorCode::transaction_too_large);
  if (encoded.empty()) return fail(ErrorCode::rlp_truncated);
  // EIP-2718: a list begins with 0xc0 or more, everything below is a type.
  const bool legacy = encoded[0] >= 0xc0;
  if (!legacy && (encoded[0] < 1 || encoded[0] > 4)) return fail(ErrorCode::transaction_type_unknown);
  const auto item = rlp_decode(legacy ? encoded : encoded.subspan(1));
  if (!item) return tl::unexpected(item.error());
  return legacy ? decode_legacy(*item) : decode_typed(static_cast<Type>(encoded[0]), *item);
}

}  // namespace community::core
