// SPDX-License-Identifier: Apache-2.0
// The domain parameters of P-256 (SP 800-186, 3.2.1.3) and the ranges that every argument is held against before any
// arithmetic. Inside of trusted/p256: both implementations use it, so that both refuse the same.
#pragma once
#include "trusted/base/uint256.hpp"
#include "trusted/p256/p256.hpp"

namespace community::trusted::p256 {

using base::ByteView;
using base::Uint256;

// Most significant limb first, as the standard prints it.
constexpr Uint256 from_limbs(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
  Uint256 value;
  value.limb = {d, c, b, a};
  return value;
}

// p, the prime of the field; n, the order of the group; b of y^2 = x^3 - 3x + b; the generator.
inline constexpr Uint256 kPrime =
    from_limbs(0xffffffff00000001, 0x0000000000000000, 0x00000000ffffffff, 0xffffffffffffffff);
inline constexpr Uint256 kOrder =
    from_limbs(0xffffffff00000000, 0xffffffffffffffff, 0xbce6faada7179e84, 0xf3b9cac2fc632551);
inline constexpr Uint256 kB =
    from_limbs(0x5ac635d8aa3a93e7, 0xb3ebbd55769886bc, 0x651d06b0cc53b0f6, 0x3bce3c3e27d2604b);
inline constexpr Uint256 kGeneratorX =
    from_limbs(0x6b17d1f2e12c4247, 0xf8bce6e563a440f2, 0x77037d812deb33a0, 0xf4a13945d898c296);
inline constexpr Uint256 kGeneratorY =
    from_limbs(0x4fe342e2fe1a7f9b, 0x8ee7eb4a7c0f9e16, 0x2bce33576b315ece, 0xcbb6406837bf51f5);

// Both coordinates below p: x + p would be another spelling of the same point.
constexpr bool coordinates_reduced(PublicKeyView public_key) {
  return Uint256::from_be(public_key.first(32)) < kPrime && Uint256::from_be(public_key.last(32)) < kPrime;
}

// r and s in [1, n - 1] (FIPS 186-5, 6.4.2, step 1).
constexpr bool signature_in_range(SignatureView signature) {
  const Uint256 r = Uint256::from_be(signature.first(32)), s = Uint256::from_be(signature.last(32));
  return !r.is_zero() && r < kOrder && !s.is_zero() && s < kOrder;
}

// Whether a secret is in [1, n - 1]. Looks at every byte in the same way whatever it holds: only the verdict, which the
// caller learns anyway, is ever branched on.
inline bool secret_in_range(const Bytes32& secret) {
  constexpr Bytes32 order = kOrder.to_be();
  // The borrow of secret - n, from the last byte up: 1 at the end when the secret is smaller.
  std::uint32_t borrow = 0, any = 0;
  for (std::size_t i = secret.size(); i-- > 0;) {
    borrow = (std::uint32_t{secret[i]} - order[i] - borrow) >> 31;
    any |= secret[i];
  }
  const std::uint32_t not_zero = (0 - any) >> 31;
  return (borrow & not_zero) == 1;
}

// Overwrites the stack below the caller's frame, where the functions it called kept a secret, its digits and multiples
// of a point. The deepest of them takes less than half of this.
[[gnu::noinline]] inline void wipe_stack_below() {
  std::array<std::uint8_t, 4096> below;
  base::wipe(below);
}

}  // namespace community::trusted::p256
