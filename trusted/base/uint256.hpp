// SPDX-License-Identifier: Apache-2.0
// Unsigned 256-bit integer: the word of the EVM. Arithmetic that can overflow says so; nothing wraps silently.
#pragma once
#include <compare>
#include <optional>

#include "trusted/base/bytes.hpp"

namespace community::base {

struct Uint256 {
  // Least significant limb first.
  std::array<std::uint64_t, 4> limb{};

  constexpr Uint256() = default;
  constexpr Uint256(std::uint64_t value) : limb{value, 0, 0, 0} {}

  static constexpr Uint256 max() {
    Uint256 value;
    value.limb.fill(~std::uint64_t{0});
    return value;
  }

  // Big-endian bytes, at most 32.
  static constexpr Uint256 from_be(ByteView bytes) {
    Uint256 value;
    for (std::size_t i = 0; i < bytes.size() && i < 32; i++) {
      const std::size_t place = bytes.size() - 1 - i;
      value.limb[i / 8] |= std::uint64_t{bytes[place]} << 8 * (i % 8);
    }
    return value;
  }
  constexpr Bytes32 to_be() const {
    Bytes32 bytes{};
    for (std::size_t i = 0; i < 4; i++) store_be(bytes.data() + 8 * i, limb[3 - i]);
    return bytes;
  }

  constexpr bool is_zero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }
  constexpr bool fits_u64() const { return (limb[1] | limb[2] | limb[3]) == 0; }
  constexpr bool fits_u128() const { return (limb[2] | limb[3]) == 0; }
  // The value when it fits 64 bits.
  constexpr std::optional<std::uint64_t> to_u64() const {
    if (!fits_u64()) return std::nullopt;
    return limb[0];
  }
  constexpr unsigned bit_length() const {
    for (unsigned i = 4; i-- > 0;) {
      if (limb[i] != 0) {
        unsigned bits = 0;
        for (std::uint64_t rest = limb[i]; rest != 0; rest >>= 1) bits++;
        return i * 64 + bits;
      }
    }
    return 0;
  }

  constexpr bool operator==(const Uint256&) const = default;
  constexpr std::strong_ordering operator<=>(const Uint256& other) const {
    for (std::size_t i = 4; i-- > 0;)
      if (limb[i] != other.limb[i]) return limb[i] <=> other.limb[i];
    return std::strong_ordering::equal;
  }
};

// a + b, nothing when it does not fit.
constexpr std::optional<Uint256> add(const Uint256& a, const Uint256& b) {
  Uint256 sum;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; i++) {
    const Uint128 t = static_cast<Uint128>(a.limb[i]) + b.limb[i] + carry;
    sum.limb[i] = static_cast<std::uint64_t>(t);
    carry = static_cast<std::uint64_t>(t >> 64);
  }
  if (carry != 0) return std::nullopt;
  return sum;
}

// a - b, nothing when b is larger.
constexpr std::optional<Uint256> subtract(const Uint256& a, const Uint256& b) {
  if (b > a) return std::nullopt;
  Uint256 difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; i++) {
    const Uint128 t = static_cast<Uint128>(a.limb[i]) - b.limb[i] - borrow;
    difference.limb[i] = static_cast<std::uint64_t>(t);
    borrow = static_cast<std::uint64_t>(t >> 64) & 1;
  }
  return difference;
}

// a * b, nothing when it does not fit.
constexpr std::optional<Uint256> multiply(const Uint256& a, const Uint256& b) {
  std::array<std::uint64_t, 8> product{};
  for (std::size_t i = 0; i < 4; i++) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < 4; j++) {
      const Uint128 t = static_cast<Uint128>(a.limb[i]) * b.limb[j] + product[i + j] + carry;
      product[i + j] = static_cast<std::uint64_t>(t);
      carry = static_cast<std::uint64_t>(t >> 64);
    }
    product[i + 4] = carry;
  }
  if ((product[4] | product[5] | product[6] | product[7]) != 0) return std::nullopt;
  Uint256 result;
  for (std::size_t i = 0; i < 4; i++) result.limb[i] = product[i];
  return result;
}

struct Uint256Division {
  Uint256 quotient;
  std::uint64_t remainder = 0;
};

// value / divisor for a small divisor that is not zero, in 64-bit steps: the 128-bit division of divide() is a library
// function on some machines, which the trusted core does not have.
constexpr Uint256 quotient(const Uint256& value, std::uint32_t divisor) {
  Uint256 result;
  std::uint64_t rest = 0;
  for (std::size_t i = 4; i-- > 0;) {
    const std::uint64_t high = rest << 32 | value.limb[i] >> 32;
    const std::uint64_t low = (high % divisor) << 32 | (value.limb[i] & 0xffff'ffff);
    result.limb[i] = (high / divisor) << 32 | low / divisor;
    rest = low % divisor;
  }
  return result;
}

// value / divisor; the divisor is not zero.
constexpr Uint256Division divide(const Uint256& value, std::uint64_t divisor) {
  Uint256Division result;
  Uint128 rest = 0;
  for (std::size_t i = 4; i-- > 0;) {
    rest = rest << 64 | value.limb[i];
    result.quotient.limb[i] = static_cast<std::uint64_t>(rest / divisor);
    rest %= divisor;
  }
  result.remainder = static_cast<std::uint64_t>(rest);
  return result;
}

}  // namespace community::base
