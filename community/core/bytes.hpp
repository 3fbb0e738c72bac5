// SPDX-License-Identifier: Apache-2.0
// Byte strings and their hexadecimal text. Text that Ethereum calls DATA has the prefix 0x and two digits a byte.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "community/core/result.hpp"
#include "trusted/base/bytes.hpp"

namespace community::core {

using base::Address;
using base::Bytes32;
using base::ByteView;
using Bytes = std::vector<std::uint8_t>;

// What no single value of this node exceeds; callers pass a smaller limit where they know one.
inline constexpr std::size_t kMaxHexBytes = 8u << 20;

enum class HexPrefix : std::uint8_t { required, optional };

// Lower-case digits, with and without "0x".
std::string to_hex(ByteView bytes);
std::string to_plain_hex(ByteView bytes);
// Appends "0x" and the digits to `out`.
void append_hex(std::string& out, ByteView bytes);

// hex_prefix_missing, hex_odd_length, hex_bad_digit, hex_too_long. "0x" is the empty string.
Result<Bytes> parse_hex(std::string_view text, HexPrefix prefix = HexPrefix::required,
                        std::size_t max_bytes = kMaxHexBytes);
// Fills `out` completely or answers hex_wrong_length.
Result<void> parse_hex_into(base::MutableByteView out, std::string_view text, HexPrefix prefix = HexPrefix::required);

template <std::size_t N>
Result<std::array<std::uint8_t, N>> parse_hex_array(std::string_view text, HexPrefix prefix = HexPrefix::required) {
  std::array<std::uint8_t, N> out{};
  if (auto done = parse_hex_into(out, text, prefix); !done) return tl::unexpected(std::move(done.error()));
  return out;
}

inline Result<Bytes32> parse_bytes32(std::string_view text, HexPrefix prefix = HexPrefix::required) {
  return parse_hex_array<32>(text, prefix);
}

inline Bytes to_bytes(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }
inline void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
// Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(ByteView bytes);

}  // namespace community::core
