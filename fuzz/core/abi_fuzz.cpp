// SPDX-License-Identifier: Apache-2.0
// ABI: a type, a zero byte, an encoding. What is accepted encodes to the same bytes, and its JSON form reads back.
#include "community/core/abi_json.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [text, encoded] = split({data, size});
  const auto type = parse_abi_type(text);
  if (!type) return 0;
  const auto again = parse_abi_type(type->text());
  require(again && again->text() == type->text(), "the text of a type is a type");
  const auto values = abi_decode({*type}, encoded);
  if (!values) return 0;
  const auto bytes = abi_encode({*type}, *values);
  require(bytes && community::base::equal(*bytes, encoded), "ABI is canonical");
  const auto printed = abi_value_to_json(*type, (*values)[0]);
  if (!printed) return 0;
  const auto read = abi_value_from_json(*type, *printed);
  require(read && *read == (*values)[0], "JSON form reads back");
  return 0;
}
