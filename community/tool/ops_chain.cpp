// SPDX-License-Identifier: Apache-2.0
// Addresses, transactions and user operations.
#include "community/core/transaction.hpp"
#include "community/core/userop.hpp"
#include "community/tool/input.hpp"

namespace community::tool {

namespace {

using core::Transaction;
using core::TransactionType;

void eth_address(Input& in, json::object& out) {
  const Bytes32 key = in.bytes32("privateKey");
  if (!in.good()) return;
  const auto public_key = in.take(core::public_key_of(key));
  if (in.good()) out["address"] = core::format_address(core::address_of(public_key));
}

std::uint64_t read_u64(Input& in, std::string_view key) {
  const Uint256 value = in.number_or_zero(key);
  if (!value.fits_u64()) in.refuse(Error{ErrorCode::number_out_of_range, std::string(key)});
  return value.limb[0];
}

void eth_create(Input& in, json::object& out) {
  const Address sender = in.address("sender");
  in.value("nonce");
  const std::uint64_t nonce = read_u64(in, "nonce");
  if (in.good()) out["address"] = core::format_address(core::create_address(sender, nonce));
}

void eth_create2(Input& in, json::object& out) {
  const Address sender = in.address("sender");
  const Bytes32 salt = in.bytes32("salt");
  const Bytes32 hash = in.bytes32("initCodeHash");
  if (in.good()) out["address"] = core::format_address(core::create2_address(sender, salt, hash));
}

Address read_address(Input& in, const json::value& value) {
  if (!value.is_string()) in.refuse(Error{ErrorCode::json_wrong_type, "address"});
  if (!value.is_string()) return {};
  return in.take(core::parse_address(std::string_view(value.get_string()), HexPrefix::optional));
}

std::vector<Bytes32> read_words(Input& in, const json::value& value) {
  std::vector<Bytes32> words;
  if (!value.is_array()) in.refuse(Error{ErrorCode::json_wrong_type, "list of 32-byte words"});
  if (!value.is_array()) return words;
  for (const json::value& word : value.get_array()) {
    if (!word.is_string()) in.refuse(Error{ErrorCode::json_wrong_type, "32-byte word"});
    if (!in.good()) break;
    words.push_back(in.take(core::parse_bytes32(std::string_view(word.get_string()), HexPrefix::optional)));
  }
  return words;
}

// [{address, storageKeys}], [[address, [key]]] or {address: [key]}.
std::vector<core::AccessTuple> read_access_list(Input& in) {
  std::vector<core::AccessTuple> list;
  const json::value* value = in.find("accessList");
  if (value == nullptr) return list;
  if (value->is_object()) {
    for (const auto& entry : value->get_object())
      list.push_back({in.take(core::parse_address(entry.key(), HexPrefix::optional)), read_words(in, entry.value())});
    return list;
  }
  for (const json::value& entry : in.array("accessList")) {
    if (entry.is_object()) {
      Input tuple(entry.get_object());
      const json::value& keys = tuple.value("storageKeys");
      list.push_back({tuple.address("address"), read_words(tuple, keys)});
      if (!tuple.good()) in.refuse("accessList: " + tuple.why());
    } else if (entry.is_array() && entry.get_array().size() == 2) {
      list.push_back({read_address(in, entry.get_array()[0]), read_words(in, entry.get_array()[1])});
    } else {
      in.refuse(Error{ErrorCode::json_wrong_type, "accessList"});
    }
  }
  return list;
}

std::vector<core::Authorization> read_authorizations(Input& in) {
  std::vector<core::Authorization> list;
  if (!in.has("authorizationList")) return list;
  for (const json::value& entry : in.array("authorizationList")) {
    if (!entry.is_object()) {
      in.refuse(Error{ErrorCode::json_wrong_type, "authorizationList"});
      break;
    }
    // The signature stands in the tuple itself or in its member "signature".
    json::object merged = entry.get_object();
    if (const json::value* signature = core::find_member(entry.get_object(), "signature");
        signature != nullptr && signature->is_object())
      for (const auto& part : signature->get_object()) merged.insert(part);
    list.push_back(in.take(core::authorization_from_json(merged)));
  }
  return list;
}

std::optional<Address> read_to(Input& in) {
  const json::value* to = in.find("to");
  if (to == nullptr) return std::nullopt;
  if (to->is_string() && (to->get_string().empty() || to->get_string() == "0x")) return std::nullopt;
  return read_address(in, *to);
}

std::string_view first_of(const Input& in, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    if (in.has(name)) return name;
  return *names.begin();
}

struct Kind {
  std::string_view name;
  TransactionType type;
  bool has_chain_id;
};

constexpr Kind kKinds[] = {
    {"legacy", TransactionType::legacy, false},     {"eip155", TransactionType::legacy, true},
    {"berlin", TransactionType::access_list, true}, {"eip2930", TransactionType::access_list, true},
    {"london", TransactionType::dynamic_fee, true}, {"eip1559", TransactionType::dynamic_fee, true},
    {"cancun", TransactionType::blob, true},        {"eip4844", TransactionType::blob, true},
    {"prague", TransactionType::set_code, true},    {"eip7702", TransactionType::set_code, true},
};

Transaction read_transaction(Input& in, const Kind& kind) {
  Transaction tx;
  tx.type = kind.type;
  if (kind.has_chain_id) tx.chain_id = in.number_or_zero("chainId");
  // A legacy transaction for no chain has no EIP-155 form.
  if (kind.name == "eip155" && tx.chain_id->is_zero()) tx.chain_id.reset();
  tx.nonce = read_u64(in, "nonce");
  tx.gas_price = in.number_or_zero("gasPrice");
  tx.max_priority_fee_per_gas = in.number_or_zero("maxPriorityFeePerGas");
  tx.max_fee_per_gas = in.number_or_zero("maxFeePerGas");
  tx.gas_limit = in.number_or_zero(first_of(in, {"gasLimit", "gas"}));
  tx.to = read_to(in);
  tx.value = in.number_or_zero("value");
  tx.data = in.bytes_or_empty(first_of(in, {"data", "input"}));
  if (tx.type != TransactionType::legacy) tx.access_list = read_access_list(in);
  if (tx.type == TransactionType::set_code) tx.authorization_list = read_authorizations(in);
  if (tx.type == TransactionType::blob) {
    tx.max_fee_per_blob_gas = in.number_or_zero("maxFeePerBlobGas");
    if (in.has("blobVersionedHashes")) tx.blob_versioned_hashes = read_words(in, in.value("blobVersionedHashes"));
    // A blob transaction cannot create; vector suites leave the zero address out.
    if (!tx.to) tx.to = Address{};
  }
  return tx;
}

void eth_tx_sign(Input& in, json::object& out) {
  const std::string_view name = in.text("kind");
  const json::object& object = in.member("tx");
  const Bytes32 key = in.bytes32("privateKey");
  if (!in.good()) return;
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == name; });
  if (kind == std::end(kKinds)) return in.refuse("unknown kind");
  Input fields(object);
  Transaction tx = read_transaction(fields, *kind);
  if (!fields.good()) return in.refuse("tx: " + fields.why());
  // Encoded as given: whether a chain would take it (fees, blob versions) is not asked of a codec.
  const Bytes unsigned_encoding = tx.unsigned_encoding();
  tx.signature = in.take(core::sign_digest(key, tx.signing_hash()));
  if (!in.good()) return;
  const Bytes signed_encoding = in.take(tx.signed_encoding());
  if (!in.good()) return;
  out["unsigned"] = core::to_hex(unsigned_encoding);
  out["signed"] = core::to_hex(signed_encoding);
}

core::EntryPointVersion read_version(Input& in) {
  const json::value& version = in.value("version");
  std::string text;
  if (version.is_string()) text = std::string(std::string_view(version.get_string()));
  if (version.is_double()) text = version.get_double() == 0.7 ? "0.7" : version.get_double() == 0.8 ? "0.8" : "";
  if (text.starts_with('v')) text.erase(0, 1);
  if (text == "0.7" || text == "0.7.0") return core::EntryPointVersion::v0_7;
  if (text == "0.8" || text == "0.8.0") return core::EntryPointVersion::v0_8;
  if (in.good()) in.refuse("version is neither 0.7 nor 0.8");
  return core::EntryPointVersion::v0_7;
}

void userop_hash(Input& in, json::object& out) {
  const auto version = read_version(in);
  json::object object = in.member("userOperation");
  const Address entry_point = in.address("entryPoint");
  const Uint256 chain_id = in.number("chainId");
  if (!in.good()) return;
  // The hash does not cover the signature, so an operation may come before it has one.
  if (core::find_member(object, "signature") == nullptr) object["signature"] = "0x";
  const auto op = in.take(core::userop_from_json(object));
  if (!in.good()) return;
  const auto hash = in.take(core::userop_hash(op, version, entry_point, chain_id));
  const auto packed = in.take(core::pack(op));
  if (!in.good()) return;
  out["hash"] = core::to_hex(hash);
  out["packed"] = core::to_json(packed);
}

constexpr NamedOperation kOperations[] = {
    {"eth.address", eth_address}, {"eth.create", eth_create},   {"eth.create2", eth_create2},
    {"eth.tx.sign", eth_tx_sign}, {"userop.hash", userop_hash},
};

}  // namespace

std::span<const NamedOperation> chain_operations() { return kOperations; }

}  // namespace community::tool
