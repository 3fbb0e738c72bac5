// SPDX-License-Identifier: Apache-2.0
// Parsing and formatting of numbers: strict quantities for what we hash, a lenient form for what clients send.
#include "community/core/uint256.hpp"

namespace community::core {

namespace {

Result<Uint256> hex_digits(std::string_view digits) {
  if (digits.empty()) return fail(ErrorCode::number_empty);
  Uint256 value;
  for (char c : digits) {
    std::uint64_t digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint64_t>(c - 'A' + 10);
    } else {
      return fail(ErrorCode::number_bad_digit);
    }
    if (value.limb[3] >> 60 != 0) return fail(ErrorCode::number_out_of_range);
    for (std::size_t i = 3; i > 0; i--) value.limb[i] = value.limb[i] << 4 | value.limb[i - 1] >> 60;
    value.limb[0] = value.limb[0] << 4 | digit;
  }
  return value;
}

}  // namespace

Result<Uint256> parse_quantity(std::string_view text) {
  if (!text.starts_with("0x")) return fail(ErrorCode::hex_prefix_missing);
  text.remove_prefix(2);
  if (text.size() > 1 && text[0] == '0') return fail(ErrorCode::number_leading_zero);
  return hex_digits(text);
}

Result<Uint256> parse_hex_number(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return fail(ErrorCode::hex_prefix_missing);
  text.remove_prefix(2);
  if (text.size() > kMaxLenientDigits) return fail(ErrorCode::number_out_of_range);
  return hex_digits(text);
}

Result<Uint256> parse_decimal(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::number_empty);
  if (text.size() > 1 && text[0] == '0') return fail(ErrorCode::number_leading_zero);
  // 2^256 has 78 decimal digits.
  if (text.size() > 78) return fail(ErrorCode::number_out_of_range);
  Uint256 value;
  for (char c : text) {
    if (c < '0' || c > '9') return fail(ErrorCode::number_bad_digit);
    const auto tenfold = multiply(value, Uint256(10));
    const auto next = tenfold ? add(*tenfold, Uint256(static_cast<std::uint64_t>(c - '0'))) : std::nullopt;
    if (!next) return fail(ErrorCode::number_out_of_range);
    value = *next;
  }
  return value;
}

Result<Uint256> parse_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return parse_hex_number(text);
  return parse_decimal(text);
}

std::string format_quantity(const Uint256& value) {
  const Bytes32 bytes = value.to_be();
  std::string text = to_hex(bytes);
  std::size_t first = 2;
  while (first + 1 < text.size() && text[first] == '0') first++;
  return text.erase(2, first - 2);
}

std::string format_decimal(const Uint256& value) {
  constexpr std::uint64_t kChunk = 10'000'000'000'000'000'000u;
  std::string text;
  Uint256 rest = value;
  do {
    const auto division = base::divide(rest, kChunk);
    std::string chunk = std::to_string(division.remainder);
    rest = division.quotient;
    if (!rest.is_zero()) chunk.insert(0, 19 - chunk.size(), '0');
    text.insert(0, chunk);
  } while (!rest.is_zero());
  return text;
}

Uint256 negate(const Uint256& value) {
  Uint256 result;
  std::uint64_t carry = 1;
  for (std::size_t i = 0; i < 4; i++) {
    result.limb[i] = ~value.limb[i] + carry;
    carry = carry != 0 && result.limb[i] == 0 ? 1 : 0;
  }
  return result;
}

Uint256 max_of_bits(unsigned bits) {
  Uint256 value;
  for (unsigned i = 0; i < 4; i++) {
    const unsigned low = i * 64;
    if (bits >= low + 64) {
      value.limb[i] = ~std::uint64_t{0};
    } else if (bits > low) {
      value.limb[i] = (std::uint64_t{1} << (bits - low)) - 1;
    }
  }
  return value;
}

}  // namespace community::core
