// SPDX-License-Identifier: Apache-2.0
// Shamir's secret sharing (Communications of the ACM 22, 1979) of 32 bytes, byte by byte over GF(2^8) with the
// polynomial of FIPS 197, section 4.2. Neither a branch nor an index depends on a secret; how many shares there are,
// and which, is public.
#pragma once
#include "trusted/base/bytes.hpp"

namespace community::base {

// Product modulo x^8 + x^4 + x^3 + x + 1.
constexpr std::uint8_t gf256_multiply(std::uint8_t a, std::uint8_t b) {
  unsigned product = 0, shifted = a;
  for (unsigned bit = 0; bit < 8; bit++) {
    product ^= shifted & (0u - (unsigned{b} >> bit & 1));
    shifted = shifted << 1 ^ (0x11bu & (0u - (shifted >> 7)));
  }
  return static_cast<std::uint8_t>(product);
}
// The example of FIPS 197, section 4.2.
static_assert(gf256_multiply(0x57, 0x83) == 0xc1);

// a^254, which is 1 / a; 0 for 0.
constexpr std::uint8_t gf256_inverse(std::uint8_t a) {
  std::uint8_t power = a;
  for (int i = 0; i < 6; i++) power = gf256_multiply(gf256_multiply(power, power), a);
  return gf256_multiply(power, power);
}
static_assert(gf256_multiply(0x53, gf256_inverse(0x53)) == 1 && gf256_inverse(0x53) == 0xca);

// The share of `index`, which is not 0, of `secret`: f(index), where f(0) is the secret and `coefficients` are those of
// x, x^2 and so on, 32 bytes each. With k of them any k + 1 shares make the secret and k say nothing, provided that
// they are random.
inline void shamir_share(const Bytes32& secret, ByteView coefficients, std::uint8_t index, Bytes32& share) {
  share = {};
  for (std::size_t rest = coefficients.size(); rest != 0; rest -= 32)
    for (std::size_t i = 0; i < 32; i++)
      share[i] = gf256_multiply(static_cast<std::uint8_t>(share[i] ^ coefficients[rest - 32 + i]), index);
  for (std::size_t i = 0; i < 32; i++) share[i] = static_cast<std::uint8_t>(share[i] ^ secret[i]);
}

// f(0) of the polynomial through `count` points (indices[k], shares[k]). The indices are different and not 0; with
// fewer points than the polynomial needs the result is another number, so the caller counts.
inline void shamir_combine(const std::uint8_t* indices, const Bytes32* shares, std::size_t count, Bytes32& secret) {
  secret = {};
  for (std::size_t k = 0; k < count; k++) {
    // Lagrange's coefficient at 0: the product of x_j / (x_j - x_k); minus is plus here.
    std::uint8_t above = 1, below = 1;
    for (std::size_t j = 0; j < count; j++) {
      if (j == k) continue;
      above = gf256_multiply(above, indices[j]);
      below = gf256_multiply(below, static_cast<std::uint8_t>(indices[j] ^ indices[k]));
    }
    const std::uint8_t weight = gf256_multiply(above, gf256_inverse(below));
    for (std::size_t i = 0; i < 32; i++)
      secret[i] = static_cast<std::uint8_t>(secret[i] ^ gf256_multiply(shares[k][i], weight));
  }
}

}  // namespace community::base
