// SPDX-License-Identifier: Apache-2.0
// The freestanding primitives of trusted/base against published answers and, over many lengths and values, against
// OpenSSL and Boost.Multiprecision.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <random>

#include "community/core/uint256.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"

namespace community::core {
namespace {

using base::keccak256;
using base::sha256;
using base::Sha512;
using base::view;
using Wide = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    512, 512, boost::multiprecision::unsigned_magnitude, boost::multiprecision::unchecked, void>>;

std::mt19937_64& random_bits() {
  static std::mt19937_64 generator(4337);
  return generator;
}

Bytes random_bytes(std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_bits()());
  return bytes;
}

Bytes openssl_digest(const EVP_MD* algorithm, ByteView data) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)));
  EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr);
  return out;
}

TEST(Keccak256, AnswersPublishedDigests) {
  EXPECT_EQ(to_plain_hex(keccak256(view(""))), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_plain_hex(keccak256(view("abc"))), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(to_plain_hex(keccak256(view("testing"))),
            "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
}

TEST(Keccak256, DoesNotDependOnHowTheDataIsCut) {
  for (std::size_t size = 0; size < 420; size++) {
    const Bytes data = random_bytes(size);
    const Bytes32 whole = keccak256(data);
    base::Keccak256 pieces;
    for (ByteView rest = data; !rest.empty();) {
      const std::size_t taken = std::min<std::size_t>(rest.size(), 1 + random_bits()() % 19);
      pieces.add(rest.first(taken));
      rest = rest.subspan(taken);
    }
    EXPECT_EQ(pieces.finish(), whole) << size;
  }
}

TEST(Sha2, AgreesWithOpenSslOnEveryLength) {
  for (std::size_t size = 0; size < 400; size++) {
    const Bytes data = random_bytes(size);
    EXPECT_EQ(to_bytes(sha256(data)), openssl_digest(EVP_sha256(), data)) << size;
    EXPECT_EQ(to_bytes(Sha512().add(data).finish()), openssl_digest(EVP_sha512(), data)) << size;
    const std::size_t cut = size == 0 ? 0 : random_bits()() % size;
    EXPECT_EQ(to_bytes(Sha512().add(ByteView(data).first(cut)).add(ByteView(data).subspan(cut)).finish()),
              openssl_digest(EVP_sha512(), data))
        << size;
  }
}

TEST(Hmac, AgreesWithOpenSslOnEveryKeyLength) {
  for (std::size_t size = 0; size < 300; size++) {
    Bytes key = random_bytes(size);
    const Bytes data = random_bytes(size / 2);
    // A null pointer would mean "the key of last time" to OpenSSL.
    key.reserve(1);
    std::uint8_t expected[64];
    unsigned length = 0;
    HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), expected, &length);
    EXPECT_TRUE(base::equal(base::Hmac<Sha512>(key).add(data).finish(), ByteView(expected, length))) << size;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), expected, &length);
    EXPECT_TRUE(base::equal(base::hmac_sha256(key, {data}), ByteView(expected, length))) << size;
  }
}

TEST(Hkdf, AnswersTheFirstCaseOfRfc5869) {
  Bytes out(42);
  base::hkdf<base::Sha256>(Bytes(22, 0x0b), parse_hex("0x000102030405060708090a0b0c").value(),
                           parse_hex("0xf0f1f2f3f4f5f6f7f8f9").value(), out);
  EXPECT_EQ(to_plain_hex(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Pbkdf2, AgreesWithOpenSsl) {
  for (std::size_t size : {1u, 20u, 63u, 64u, 65u, 200u}) {
    const Bytes password = random_bytes(size), salt = random_bytes(16);
    Bytes ours(size), theirs(size);
    base::pbkdf2<Sha512>(password, salt, 7, ours);
    PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()), static_cast<int>(size), salt.data(), 16, 7,
                      EVP_sha512(), static_cast<int>(size), theirs.data());
    EXPECT_EQ(ours, theirs) << size;
  }
}

// Numbers of every bit length: purely random ones would nearly all be 256 bits long.
Uint256 random_number() {
  const Bytes bytes = random_bytes(1 + random_bits()() % 32);
  return Uint256::from_be(bytes);
}

Wide wide(const Uint256& value) {
  Wide result = 0;
  for (std::size_t i = 4; i-- > 0;) result = (result << 64) | Wide(value.limb[i]);
  return result;
}

TEST(Uint256, ArithmeticAgreesWithWideIntegersAndSaysWhenItOverflows) {
  const Wide end = Wide(1) << 256;
  for (int i = 0; i < 20'000; i++) {
    const Uint256 a = random_number(), b = random_number();
    const auto check = [&](const std::optional<Uint256>& ours, bool fits, const Wide& expected) {
      ASSERT_EQ(ours.has_value(), fits);
      if (ours) {
        ASSERT_EQ(wide(*ours), expected);
      }
    };
    check(base::add(a, b), wide(a) + wide(b) < end, wide(a) + wide(b));
    check(base::subtract(a, b), wide(a) >= wide(b), wide(a) >= wide(b) ? Wide(wide(a) - wide(b)) : Wide(0));
    check(base::multiply(a, b), wide(a) * wide(b) < end, wide(a) * wide(b));
    ASSERT_EQ(a < b, wide(a) < wide(b));
    const std::uint64_t divisor = random_bits()() | 1;
    const auto division = base::divide(a, divisor);
    ASSERT_EQ(wide(division.quotient), wide(a) / divisor);
    ASSERT_EQ(Wide(division.remainder), wide(a) % divisor);
    ASSERT_EQ(a.bit_length(), a.is_zero() ? 0 : msb(wide(a)) + 1);
  }
}

TEST(Uint256, HoldsItsLargestValue) {
  EXPECT_EQ(base::add(Uint256::max(), Uint256(1)), std::nullopt);
  EXPECT_EQ(base::add(Uint256::max(), Uint256()), Uint256::max());
  EXPECT_EQ(base::subtract(Uint256(), Uint256(1)), std::nullopt);
  EXPECT_EQ(Uint256::from_be(Uint256::max().to_be()), Uint256::max());
}

TEST(Bytes, ConstantTimeComparisonComparesEveryByte) {
  const Bytes a = random_bytes(40);
  EXPECT_TRUE(base::equal_constant_time(a, a));
  for (std::size_t i = 0; i < a.size(); i++) {
    Bytes b = a;
    b[i] ^= 1;
    EXPECT_FALSE(base::equal_constant_time(a, b)) << i;
  }
  EXPECT_FALSE(base::equal_constant_time(a, ByteView(a).first(39)));
}

}  // namespace
}  // namespace community::core
