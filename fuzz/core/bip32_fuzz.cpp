// SPDX-License-Identifier: Apache-2.0
// Extended keys: the input as text, and as a payload with a good checksum so that the fields are reached.
#include "community/core/base58.hpp"
#include "community/core/hd.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto key = parse_extended_key(community::base::text(input)); key)
    require(key->text() == community::base::text(input), "an extended key has one text");
  if (size > 128) return 0;
  const std::string text = base58check_encode(input);
  require(community::base::equal(base58check_decode(text).value(), input), "base 58 reads back");
  if (const auto key = parse_extended_key(text); key) require(key->text() == text, "an extended key has one text");
  return 0;
}
