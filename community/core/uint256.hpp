// SPDX-License-Identifier: Apache-2.0
// Text forms of 256-bit integers. Arithmetic is in trusted/base/uint256.hpp.
#pragma once
#include "community/core/bytes.hpp"
#include "trusted/base/uint256.hpp"

namespace community::core {

using base::Uint256;

// QUANTITY of the Ethereum JSON-RPC specification: "0x", no leading zeros, zero is "0x0".
// hex_prefix_missing, number_empty, number_leading_zero, number_bad_digit, number_out_of_range.
Result<Uint256> parse_quantity(std::string_view text);
// The same with leading zeros allowed, as some clients send; at most kMaxLenientDigits digits.
Result<Uint256> parse_hex_number(std::string_view text);
// Decimal digits without sign or leading zeros.
Result<Uint256> parse_decimal(std::string_view text);
// "0x…" as parse_hex_number, anything else as parse_decimal.
Result<Uint256> parse_number(std::string_view text);

inline constexpr std::size_t kMaxLenientDigits = 128;

std::string format_quantity(const Uint256& value);
std::string format_decimal(const Uint256& value);

// Two's complement: what int256 holds for -value, and whether the word is negative.
Uint256 negate(const Uint256& value);
inline bool is_negative(const Uint256& word) { return word.limb[3] >> 63 != 0; }
// 2^bits - 1 for 0 <= bits <= 256.
Uint256 max_of_bits(unsigned bits);

}  // namespace community::core
