// SPDX-License-Identifier: Apache-2.0
// Names of rows. Inside of the module.
#pragma once
#include "community/core/bytes.hpp"
#include "community/infra/api/random.hpp"

namespace community::notifications {

// RFC 9562, version 4.
inline std::string make_uuid(infra::Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text = core::to_plain_hex(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

}  // namespace community::notifications
