// SPDX-License-Identifier: Apache-2.0
#include "community/core/uuid.hpp"

namespace community::core {
namespace {

constexpr std::size_t kTextSize = 36;

bool is_dash(std::size_t place) { return place == 8 || place == 13 || place == 18 || place == 23; }

}  // namespace

std::string format_uuid(const Uuid& id) {
  const std::string digits = to_plain_hex(id);
  std::string text;
  text.reserve(kTextSize);
  for (const char digit : digits) {
    if (is_dash(text.size())) text += '-';
    text += digit;
  }
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (is_dash(i)) {
      if (c != '-') return std::nullopt;
      continue;
    }
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    digits += c;
  }
  const auto id = parse_hex_array<16>(digits, HexPrefix::optional);
  if (!id) return std::nullopt;
  return *id;
}

Uuid random_uuid(Uuid random) {
  random[6] = static_cast<std::uint8_t>((random[6] & 0x0f) | 0x40);
  random[8] = static_cast<std::uint8_t>((random[8] & 0x3f) | 0x80);
  return random;
}

}  // namespace community::core
