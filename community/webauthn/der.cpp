// SPDX-License-Identifier: Apache-2.0
#include "community/webauthn/der.hpp"

namespace community::webauthn {

namespace {

// Tag numbers of 31 and more, base 128 (section 8.1.2.4): the shortest form, four octets at most.
std::optional<std::uint32_t> take_long_tag(core::ByteView& in) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4 && i < in.size(); i++) {
    if (i == 0 && in[0] == 0x80) return std::nullopt;
    number = number << 7 | (in[i] & 0x7fu);
    if (in[i] >= 0x80) continue;
    in = in.subspan(i + 1);
    return number < 31 ? std::nullopt : std::optional(number);
  }
  return std::nullopt;
}

std::optional<std::size_t> take_length(core::ByteView& in) {
  if (in.empty()) return std::nullopt;
  const std::size_t first = in[0];
  in = in.subspan(1);
  if (first < 0x80) return first;
  const std::size_t octets = first & 0x7f;
  if (octets == 0 || octets > 3 || in.size() < octets || in[0] == 0) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < octets; i++) length = length << 8 | in[i];
  in = in.subspan(octets);
  return length < 0x80 ? std::nullopt : std::optional(length);
}

}  // namespace

std::optional<DerElement> der_take(core::ByteView& in) {
  if (in.empty()) return std::nullopt;
  core::ByteView rest = in.subspan(1);
  DerElement element{{static_cast<std::uint8_t>(in[0] & 0xe0), in[0] & 0x1fu}, {}};
  if (element.tag.number == 0x1f) {
    const auto number = take_long_tag(rest);
    if (!number) return std::nullopt;
    element.tag.number = *number;
  }
  const auto length = take_length(rest);
  if (!length || *length > rest.size()) return std::nullopt;
  element.content = rest.first(*length);
  in = rest.subspan(*length);
  return element;
}

std::optional<core::ByteView> der_take(core::ByteView& in, DerTag tag) {
  core::ByteView rest = in;
  const auto element = der_take(rest);
  if (!element || element->tag != tag) return std::nullopt;
  in = rest;
  return element->content;
}

std::optional<core::ByteView> der_only(core::ByteView in, DerTag tag) {
  const auto content = der_take(in, tag);
  return content && in.empty() ? content : std::nullopt;
}

std::optional<std::uint32_t> der_number(core::ByteView content) {
  if (content.empty() || content[0] >= 0x80) return std::nullopt;
  if (content[0] == 0 && content.size() > 1) {
    if (content[1] < 0x80) return std::nullopt;
    content = content.subspan(1);
  }
  if (content.size() > 4) return std::nullopt;
  std::uint32_t number = 0;
  for (const std::uint8_t octet : content) number = number << 8 | octet;
  return number;
}

}  // namespace community::webauthn
