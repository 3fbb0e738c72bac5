// SPDX-License-Identifier: Apache-2.0
// Reader for the CBOR that authenticators write (CTAP2 canonical form): definite lengths in their shortest form,
// integers, strings, arrays, maps, booleans and null. Everything else is refused.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::core {

// CTAP2 allows 4 levels; attestation statements of some vendors have a little more.
inline constexpr unsigned kMaxCborDepth = 8;
inline constexpr std::size_t kMaxCborItems = 1024;

struct CborItem {
  enum class Kind : std::uint8_t { integer, bytes, text, array, map, boolean, null };

  Kind kind = Kind::null;
  // Value of an integer, 0 or 1 of a boolean.
  std::int64_t number = 0;
  // What a string holds; points into the input.
  ByteView bytes;
  // Elements of an array; keys and values of a map, alternating.
  std::vector<CborItem> items;
  // The encoding of the whole item.
  ByteView encoded;

  // Value of a map's key; nothing when absent or no map.
  const CborItem* find(std::int64_t key) const;
  const CborItem* find(std::string_view key) const;
};

// Takes one item from the front of `in`: cbor_syntax, cbor_too_deep, cbor_duplicate_key.
Result<CborItem> cbor_take(ByteView& in);

}  // namespace community::core
