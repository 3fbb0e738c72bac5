// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace community::transactions {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Unicode 15: categories Cc, Cf, Zl, Zp, Cs, Co and noncharacters, the blank letters that look like nothing, and
// variation selectors. Combining marks stay: scripts need them.
constexpr Range kRefused[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},    {0x034f, 0x034f},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},    {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},    {0x2060, 0x206f},   {0x2800, 0x2800},
    {0x3164, 0x3164},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},    {0x110bd, 0x110bd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

constexpr Range kSpaces[] = {{0x0020, 0x0020}, {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a},
                             {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};

template <std::size_t N>
bool contains(const Range (&ranges)[N], std::uint32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

// The next character and its length; length 0 for bytes that are none (RFC 3629).
std::pair<std::uint32_t, std::size_t> next_character(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first >= 0xf5 || text.size() < length) return {0, 0};
  std::uint32_t c = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    c = c << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  return c >= kLeast[length] && c <= 0x10ffff ? std::pair{c, length} : std::pair<std::uint32_t, std::size_t>{0, 0};
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t characters = 0;
  bool space = false;
  while (!text.empty() && characters < most) {
    const auto [c, length] = next_character(text);
    const std::string_view bytes = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(bytes.size());
    if (length == 0) continue;
    // Before the refused ones: a line end separates words, too.
    if (contains(kSpaces, c) || c == '\n' || c == '\t' || c == '\r') {
      space = !out.empty();
      continue;
    }
    if (contains(kRefused, c)) continue;
    if (space && ++characters < most) out += ' ';
    if (characters >= most) break;
    space = false;
    out += bytes;
    characters++;
  }
  return out;
}

}  // namespace community::transactions
