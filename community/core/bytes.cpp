// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text by table: this runs for every field of every operation.
#include "community/core/bytes.hpp"

namespace community::core {

namespace {

constexpr std::uint8_t kBad = 0xff;

constexpr auto kDigitValue = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kBad);
  for (std::uint8_t i = 0; i < 10; i++) table[static_cast<std::size_t>('0') + i] = i;
  for (std::uint8_t i = 0; i < 6; i++) {
    table[static_cast<std::size_t>('a') + i] = static_cast<std::uint8_t>(10 + i);
    table[static_cast<std::size_t>('A') + i] = static_cast<std::uint8_t>(10 + i);
  }
  return table;
}();

// The digits after the prefix; an even number of them.
Result<std::string_view> digits_of(std::string_view text, HexPrefix prefix) {
  if (text.starts_with("0x") || (prefix == HexPrefix::optional && text.starts_with("0X"))) {
    text.remove_prefix(2);
  } else if (prefix == HexPrefix::required) {
    return fail(ErrorCode::hex_prefix_missing);
  }
  if (text.size() % 2 != 0) return fail(ErrorCode::hex_odd_length);
  return text;
}

bool decode(base::MutableByteView out, std::string_view digits) {
  std::uint8_t bad = 0;
  for (std::size_t i = 0; i < out.size(); i++) {
    const std::uint8_t high = kDigitValue[static_cast<std::uint8_t>(digits[2 * i])];
    const std::uint8_t low = kDigitValue[static_cast<std::uint8_t>(digits[2 * i + 1])];
    bad = static_cast<std::uint8_t>(bad | high | low);
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return (bad & 0xf0) == 0;
}

}  // namespace

void append_hex(std::string& out, ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::size_t start = out.size();
  out.resize(start + 2 + 2 * bytes.size());
  char* p = out.data() + start;
  *p++ = '0';
  *p++ = 'x';
  for (std::uint8_t byte : bytes) {
    *p++ = kDigits[byte >> 4];
    *p++ = kDigits[byte & 15];
  }
}

std::string to_hex(ByteView bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string to_plain_hex(ByteView bytes) { return to_hex(bytes).substr(2); }

Result<Bytes> parse_hex(std::string_view text, HexPrefix prefix, std::size_t max_bytes) {
  const auto digits = digits_of(text, prefix);
  if (!digits) return tl::unexpected(digits.error());
  if (digits->size() / 2 > max_bytes) return fail(ErrorCode::hex_too_long);
  Bytes out(digits->size() / 2);
  if (!decode(out, *digits)) return fail(ErrorCode::hex_bad_digit);
  return out;
}

Result<void> parse_hex_into(base::MutableByteView out, std::string_view text, HexPrefix prefix) {
  const auto digits = digits_of(text, prefix);
  if (!digits) return tl::unexpected(digits.error());
  if (digits->size() != 2 * out.size()) return fail(ErrorCode::hex_wrong_length);
  if (!decode(out, *digits)) return fail(ErrorCode::hex_bad_digit);
  return {};
}

bool is_utf8(ByteView bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const std::uint8_t lead = bytes[i++];
    if (lead < 0x80) continue;
    std::size_t more = 0;
    std::uint8_t low = 0x80, high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    for (; more > 0; more--) {
      if (i == bytes.size() || bytes[i] < low || bytes[i] > high) return false;
      low = 0x80;
      high = 0xbf;
      i++;
    }
  }
  return true;
}

}  // namespace community::core
