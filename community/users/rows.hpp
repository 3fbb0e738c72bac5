// SPDX-License-Identifier: Apache-2.0
// Columns as this module writes them: bytes as lower-case hex, and what a damaged row is answered with.
#pragma once
#include <soci/soci.h>

#include "community/core/bytes.hpp"

namespace community::users::store {

inline std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  auto bytes = core::parse_hex_array<N>(text, core::HexPrefix::optional);
  if (!bytes) throw soci::soci_error("a row of the tables of people is damaged: " + bytes.error().message);
  return *bytes;
}

inline core::Bytes bytes(const std::string& text) {
  auto read = core::parse_hex(text, core::HexPrefix::optional);
  if (!read) throw soci::soci_error("a row of the tables of people is damaged: " + read.error().message);
  return std::move(*read);
}

}  // namespace community::users::store
