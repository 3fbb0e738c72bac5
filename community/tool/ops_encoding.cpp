// SPDX-License-Identifier: Apache-2.0
// Hashes, RLP, ABI, typed data and geohashes.
#include "community/core/eip712.hpp"
#include "community/core/geohash.hpp"
#include "community/core/rlp.hpp"
#include "community/core/secp256k1.hpp"
#include "community/tool/input.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::tool {

namespace {

using core::AbiType;
using core::AbiValue;

void hash(Input& in, json::object& out) {
  const Bytes data = in.bytes("data");
  if (!in.good()) return;
  out["keccak256"] = core::to_hex(base::keccak256(data));
  out["sha256"] = core::to_hex(base::sha256(data));
  out["sha512"] = core::to_hex(base::Sha512().add(data).finish());
}

// Strings of hex and lists of them; a JSON integer stands for its shortest bytes.
void write_rlp(Input& in, core::RlpWriter& rlp, const json::value& value) {
  if (value.is_array()) {
    const std::size_t list = rlp.begin_list();
    for (const json::value& item : value.get_array()) write_rlp(in, rlp, item);
    rlp.end_list(list);
  } else if (value.is_string()) {
    rlp.add(in.take(core::parse_hex(std::string_view(value.get_string()), HexPrefix::optional)));
  } else {
    rlp.add(in.take(core::number_value(value)));
  }
}

void rlp_encode(Input& in, json::object& out) {
  core::RlpWriter rlp;
  write_rlp(in, rlp, in.value("value"));
  if (in.good()) out["encoded"] = core::to_hex(rlp.bytes());
}

json::value rlp_to_json(const core::RlpItem& item, const json::storage_ptr& storage) {
  if (!item.is_list) return json::value(core::to_hex(item.payload), storage);
  json::array list(storage);
  for (const core::RlpItem& child : item.items) list.push_back(rlp_to_json(child, storage));
  return json::value(std::move(list));
}

void rlp_decode(Input& in, json::object& out) {
  const Bytes encoded = in.bytes("encoded");
  if (!in.good()) return;
  const auto item = in.take(core::rlp_decode(encoded));
  if (in.good()) out["value"] = rlp_to_json(item, out.storage());
}

// One type, or a list of types for a list of values.
std::vector<AbiType> read_types(Input& in, const json::value& value, bool& is_list) {
  std::vector<AbiType> types;
  is_list = value.is_array();
  if (!is_list) {
    types.push_back(in.take(core::abi_type_from_json(value)));
  } else {
    for (const json::value& one : value.get_array()) types.push_back(in.take(core::abi_type_from_json(one)));
  }
  return types;
}

std::vector<AbiValue> read_values(Input& in, const std::vector<AbiType>& types, const json::value& value,
                                  bool is_list) {
  std::vector<AbiValue> values;
  if (!is_list) {
    values.push_back(in.take(core::abi_value_from_json(types[0], value)));
    return values;
  }
  if (!value.is_array() || value.get_array().size() != types.size()) {
    in.refuse(Error{ErrorCode::abi_value_count, "as many values as types"});
    return values;
  }
  for (std::size_t i = 0; i < types.size(); i++)
    values.push_back(in.take(core::abi_value_from_json(types[i], value.get_array()[i])));
  return values;
}

std::string_view either(const Input& in, std::string_view first, std::string_view second) {
  return !in.has(first) && in.has(second) ? second : first;
}

void abi_encode(Input& in, json::object& out) {
  bool is_list = false;
  const auto types = read_types(in, in.value(either(in, "type", "types")), is_list);
  if (!in.good()) return;
  const auto values = read_values(in, types, in.value(either(in, "value", "values")), is_list);
  if (!in.good()) return;
  const Bytes encoded = in.take(core::abi_encode(types, values));
  if (in.good()) out["encoded"] = core::to_hex(encoded);
}

void abi_decode(Input& in, json::object& out) {
  bool is_list = false;
  const auto types = read_types(in, in.value(either(in, "type", "types")), is_list);
  const Bytes encoded = in.bytes("encoded");
  if (!in.good()) return;
  const auto values = in.take(core::abi_decode(types, encoded));
  json::array list(out.storage());
  for (std::size_t i = 0; in.good() && i < types.size(); i++)
    list.push_back(in.take(core::abi_value_to_json(types[i], values[i], out.storage())));
  if (!in.good()) return;
  if (is_list) {
    out["value"] = std::move(list);
  } else {
    out["value"] = std::move(list[0]);
  }
}

void abi_packed_hash(Input& in, json::object& out) {
  bool is_list = false;
  const auto types = read_types(in, in.value(either(in, "types", "type")), is_list);
  if (!in.good()) return;
  const auto values = read_values(in, types, in.value(either(in, "values", "value")), is_list);
  if (!in.good()) return;
  const Bytes packed = in.take(core::abi_encode_packed(types, values));
  if (!in.good()) return;
  out["keccak256"] = core::to_hex(base::keccak256(packed));
  out["sha256"] = core::to_hex(base::sha256(packed));
}

core::TypedDataHashes typed_data(Input& in) {
  const json::object& domain = in.member("domain");
  const json::object& types = in.member("types");
  const std::string_view primary = in.has("primaryType") ? in.text("primaryType") : std::string_view();
  const json::object& data = in.member(either(in, "data", "message"));
  if (!in.good()) return {};
  return in.take(core::hash_typed_data(domain, types, primary, data));
}

void eip712_hash(Input& in, json::object& out) {
  const auto hashes = typed_data(in);
  if (!in.good()) return;
  out["digest"] = core::to_hex(hashes.digest);
  out["encoded"] = core::to_hex(hashes.encoded);
}

void eip712_sign(Input& in, json::object& out) {
  const auto hashes = typed_data(in);
  const Bytes32 key = in.bytes32("privateKey");
  if (!in.good()) return;
  const auto signature = in.take(core::sign_digest(key, hashes.digest));
  if (in.good()) out["signature"] = core::to_hex(signature.to_rsv());
}

void geohash_encode(Input& in, json::object& out) {
  const core::GeoPoint point{in.real("lat"), in.real("lng")};
  const std::size_t chars = in.count("chars", core::kMaxGeohashChars);
  if (!in.good()) return;
  const std::string name = in.take(core::geohash_encode(point, chars));
  if (in.good()) out["hash"] = name;
}

// Whole degrees are written as integers, as other writers of JSON do.
json::value degrees(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? json::value(whole) : json::value(value);
}

void geohash_decode(Input& in, json::object& out) {
  const std::string_view name = in.text("hash");
  if (!in.good()) return;
  const core::GeoCell cell = in.take(core::geohash_decode(name));
  if (!in.good()) return;
  out["minLat"] = degrees(cell.min_latitude);
  out["maxLat"] = degrees(cell.max_latitude);
  out["minLng"] = degrees(cell.min_longitude);
  out["maxLng"] = degrees(cell.max_longitude);
}

void geohash_neighbors(Input& in, json::object& out) {
  const std::string_view name = in.text("hash");
  if (!in.good()) return;
  const auto names = in.take(core::geohash_neighbors(name));
  if (!in.good()) return;
  json::array sorted(out.storage());
  for (const std::string& neighbor : names) sorted.emplace_back(neighbor);
  out["set"] = std::move(sorted);
}

constexpr NamedOperation kOperations[] = {
    {"hash", hash},
    {"rlp.encode", rlp_encode},
    {"rlp.decode", rlp_decode},
    {"abi.encode", abi_encode},
    {"abi.decode", abi_decode},
    {"abi.packedHash", abi_packed_hash},
    {"eip712.hash", eip712_hash},
    {"eip712.sign", eip712_sign},
    {"geohash.encode", geohash_encode},
    {"geohash.decode", geohash_decode},
    {"geohash.neighbors", geohash_neighbors},
};

}  // namespace

std::span<const NamedOperation> encoding_operations() { return kOperations; }

}  // namespace community::tool
