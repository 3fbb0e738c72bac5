// SPDX-License-Identifier: Apache-2.0
// Text of 16-byte identifiers (RFC 9562, section 4): five groups of lower-case hexadecimal digits.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::core {

using Uuid = std::array<std::uint8_t, 16>;

// "0f8fad5b-d9cb-469f-a165-70867728950e". Version and variant are whatever the bytes say.
std::string format_uuid(const Uuid& id);
// Exactly what format_uuid writes; nothing otherwise, also for upper case.
std::optional<Uuid> parse_uuid(std::string_view text);
// Version 4 (section 5.4) from 16 random bytes, of which six bits are overwritten.
Uuid random_uuid(Uuid random);

}  // namespace community::core
