// SPDX-License-Identifier: Apache-2.0
// Strict JSON over Boost.JSON, which by itself keeps the last of duplicate members and turns long integers into
// floating-point numbers. Both would let two readers see two different documents. Fractions are read exactly, too: as
// the nearest double, where the library may take a neighbour.
#pragma once
#include <boost/json.hpp>
#include <optional>

#include "community/core/address.hpp"

namespace community::core {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = 1u << 20;
  std::size_t max_depth = 64;
  // An integer that fits neither int64 nor uint64 becomes the string of its digits instead of an error.
  bool long_integers_as_text = false;
};

// RFC 8259 text with nothing after the value. json_syntax (also invalid UTF-8), json_too_large, json_too_deep,
// json_duplicate_member, json_number_out_of_range. The message names place or member.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {}, json::storage_ptr storage = {});

// The member, or nothing where it is absent or null.
const json::value* find_member(const json::object& object, std::string_view key);

// Typed access that names the member in its error: json_member_missing, json_wrong_type and those of the parsers.
Result<std::string_view> string_member(const json::object& object, std::string_view key);
Result<const json::object*> object_member(const json::object& object, std::string_view key);
Result<Bytes> bytes_member(const json::object& object, std::string_view key, HexPrefix prefix = HexPrefix::required);
Result<Bytes32> bytes32_member(const json::object& object, std::string_view key,
                               HexPrefix prefix = HexPrefix::required);
Result<Address> address_member(const json::object& object, std::string_view key,
                               HexPrefix prefix = HexPrefix::required);
// A JSON integer that is not negative, decimal digits or 0x digits (leading zeros allowed).
Result<Uint256> number_value(const json::value& value);
Result<Uint256> number_member(const json::object& object, std::string_view key);

}  // namespace community::core
