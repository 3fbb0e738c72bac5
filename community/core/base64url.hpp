// SPDX-License-Identifier: Apache-2.0
// Base64 with the URL and filename safe alphabet and without padding (RFC 4648, section 5), as WebAuthn writes bytes.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::core {

std::string to_base64url(ByteView bytes);
// Exactly one text stands for bytes: no padding, no white space, no character of another alphabet, and the bits that
// belong to no byte are zero. Nothing otherwise, and when there would be more than `max_bytes`.
std::optional<Bytes> parse_base64url(std::string_view text, std::size_t max_bytes);

}  // namespace community::core
