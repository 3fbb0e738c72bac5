// SPDX-License-Identifier: Apache-2.0
// Shamir's properties: as many shares as the threshold make the secret, whichever they are, and one less says nothing.
#include <gtest/gtest.h>

#include <set>

#include "trusted/base/shamir.hpp"
#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {
namespace {

// Multiplication of polynomials over GF(2), then division by x^8 + x^4 + x^3 + x + 1: written apart from what it tests.
unsigned product_of(unsigned a, unsigned b) {
  unsigned product = 0;
  for (unsigned i = 0; i < 8; i++)
    if (b >> i & 1) product ^= a << i;
  for (unsigned bit = 15; bit >= 8; bit--)
    if (product >> bit & 1) product ^= 0x11bu << (bit - 8);
  return product;
}

TEST(Gf256, MultipliesAsPolynomialsDo) {
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++)
      ASSERT_EQ(base::gf256_multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)), product_of(a, b))
          << a << " " << b;
}

TEST(Gf256, EveryNumberButZeroHasAnInverse) {
  EXPECT_EQ(base::gf256_inverse(0), 0);
  for (unsigned a = 1; a < 256; a++)
    EXPECT_EQ(product_of(a, base::gf256_inverse(static_cast<std::uint8_t>(a))), 1u) << a;
}

struct Sharing {
  Sharing(Random& random, std::size_t threshold, std::size_t count) {
    base::copy(secret, random.bytes(32));
    const Bytes coefficients = random.bytes(32 * (threshold - 1));
    shares.resize(count);
    for (std::size_t i = 0; i < count; i++)
      base::shamir_share(secret, coefficients, static_cast<std::uint8_t>(i + 1), shares[i]);
  }
  // Of the holders whose bit is set, from the first.
  Bytes32 combine(unsigned subset) const {
    std::vector<std::uint8_t> indices;
    std::vector<Bytes32> chosen;
    for (std::size_t i = 0; i < shares.size(); i++) {
      if ((subset >> i & 1) == 0) continue;
      indices.push_back(static_cast<std::uint8_t>(i + 1));
      chosen.push_back(shares[i]);
    }
    Bytes32 out;
    base::shamir_combine(indices.data(), chosen.data(), chosen.size(), out);
    return out;
  }
  Bytes32 secret{};
  std::vector<Bytes32> shares;
};

TEST(Shamir, AnySubsetAsLargeAsTheThresholdMakesTheSecretAndNoSmallerOne) {
  Random random(17);
  for (std::size_t count = 2; count <= 7; count++) {
    for (std::size_t threshold = 2; threshold <= count; threshold++) {
      const Sharing sharing(random, threshold, count);
      for (unsigned subset = 1; subset < 1u << count; subset++) {
        const bool enough = static_cast<std::size_t>(std::popcount(subset)) >= threshold;
        EXPECT_EQ(sharing.combine(subset) == sharing.secret, enough) << threshold << " of " << count << ": " << subset;
      }
    }
  }
  const Sharing sixteen(random, 16, 16);
  EXPECT_EQ(sixteen.combine(0xffff), sixteen.secret);
  EXPECT_NE(sixteen.combine(0xfffe), sixteen.secret);
}

TEST(Shamir, OneShareLessIsConsistentWithEverySecret) {
  Random random(18);
  Sharing sharing(random, 3, 3);
  // Whatever the missing share is, each gives another secret, and every secret has one: so the two others rule none
  // out.
  std::array<std::set<std::uint8_t>, 32> secrets;
  for (unsigned value = 0; value < 256; value++) {
    sharing.shares[2].fill(static_cast<std::uint8_t>(value));
    const Bytes32 secret = sharing.combine(7);
    for (std::size_t i = 0; i < 32; i++) secrets[i].insert(secret[i]);
  }
  for (const auto& possible : secrets) EXPECT_EQ(possible.size(), 256u);
}

TEST(Shamir, AWrongShareMakesAnotherSecret) {
  Random random(19);
  Sharing sharing(random, 3, 5);
  for (std::size_t byte = 0; byte < 32; byte++) {
    Sharing bent = sharing;
    bent.shares[1][byte] ^= 1;
    EXPECT_NE(bent.combine(7), sharing.secret);
    EXPECT_EQ(bent.combine(0b11100), sharing.secret);
  }
}

// By hand: f(x) = s + a x + b x^2 with s = 2a, a = 01, b = 02 in every byte.
TEST(Shamir, SharesAreThePolynomialsValues) {
  Bytes32 secret;
  secret.fill(0x2a);
  const Bytes coefficients = join({Bytes(32, 1), Bytes(32, 2)});
  const std::pair<std::uint8_t, std::uint8_t> values[] = {{1, 0x2a ^ 1 ^ 2}, {2, 0x2a ^ 2 ^ 8}, {3, 0x2a ^ 3 ^ 10}};
  for (const auto& [index, value] : values) {
    Bytes32 share;
    base::shamir_share(secret, coefficients, index, share);
    EXPECT_EQ(to_bytes(share), Bytes(32, value)) << +index;
  }
}

}  // namespace
}  // namespace community::trusted::testing
