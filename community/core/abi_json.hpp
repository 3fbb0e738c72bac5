// SPDX-License-Identifier: Apache-2.0
// Values of ABI types as JSON: liberal in spelling when read, one spelling when written.
#pragma once
#include "community/core/abi.hpp"
#include "community/core/json.hpp"

namespace community::core {

// Numbers: JSON integers, decimal or 0x text, both with "-" for signed types. Booleans: true, false, 0, 1. Bytes: hex
// with or without 0x. Strings: text. Arrays: JSON arrays. Tuples: arrays, or objects by the names of their members.
// abi_value_kind, abi_value_range, abi_value_count and the errors of the text parsers.
Result<AbiValue> abi_value_from_json(const AbiType& type, const json::value& value);

// Numbers up to 2^53 - 1 in magnitude are JSON numbers, larger ones 0x text ("-0x" below zero); addresses carry their
// checksum; bytes are 0x text. utf8_invalid when a string is not text.
Result<json::value> abi_value_to_json(const AbiType& type, const AbiValue& value, json::storage_ptr storage = {});

// "uint8", "(address,bytes)[2]", or the JSON form {"type": "tuple[2]", "name": …, "components": […]}.
Result<AbiType> abi_type_from_json(const json::value& value);

// A number with its sign by the rules above.
json::value number_to_json(const Uint256& magnitude, bool negative = false);

}  // namespace community::core
