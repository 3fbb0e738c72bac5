// SPDX-License-Identifier: Apache-2.0
// Base58Check, the text form of extended keys (BIP-32).
#pragma once
#include "community/core/bytes.hpp"

namespace community::core {

// Decoding is quadratic; extended keys have 111 characters.
inline constexpr std::size_t kMaxBase58Text = 256;

// Appends the first four bytes of the double SHA-256 and writes base 58.
std::string base58check_encode(ByteView payload);
// base58_too_long, base58_bad_digit, base58_bad_checksum. The payload without its checksum.
Result<Bytes> base58check_decode(std::string_view text);

}  // namespace community::core
