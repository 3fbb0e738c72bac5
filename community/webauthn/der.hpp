// SPDX-License-Identifier: Apache-2.0
// Reader for the DER (X.690) inside certificate extensions: one element after the other, definite and shortest lengths.
#pragma once
#include <optional>

#include "community/core/bytes.hpp"

namespace community::webauthn {

// Identifier octets of X.690, section 8.1.2, as one number: class and constructed bit of the first octet above the tag
// number, so that 0x30 is not the same as [16].
struct DerTag {
  // First octet without its low five bits.
  std::uint8_t form = 0;
  std::uint32_t number = 0;

  bool operator==(const DerTag&) const = default;
};

inline constexpr DerTag kDerInteger{0x00, 2}, kDerOctets{0x00, 4}, kDerNull{0x00, 5}, kDerEnumerated{0x00, 10},
    kDerSequence{0x20, 16}, kDerSet{0x20, 17};
// EXPLICIT [number].
constexpr DerTag der_explicit(std::uint32_t number) { return {0xa0, number}; }

struct DerElement {
  DerTag tag;
  core::ByteView content;
};

// Takes the next element; nothing when there is none or when it is not DER.
std::optional<DerElement> der_take(core::ByteView& in);
// Takes the next element if it has this tag.
std::optional<core::ByteView> der_take(core::ByteView& in, DerTag tag);
// The one element that `in` is, with this tag and nothing behind it.
std::optional<core::ByteView> der_only(core::ByteView in, DerTag tag);
// INTEGER or ENUMERATED content that is not negative and below 2^32.
std::optional<std::uint32_t> der_number(core::ByteView content);

}  // namespace community::webauthn
