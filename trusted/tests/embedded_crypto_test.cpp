// SPDX-License-Identifier: Apache-2.0
// The trusted application's cryptography on the host: for any input it answers what the process body's libraries do.
#include <gtest/gtest.h>

#include "ta/port/crypto.hpp"
#include "trusted/port/self_test.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/bytes.hpp"
#include "trusted/tests/support/ed25519_vectors.hpp"

namespace community::trusted::testing {
namespace {

class EmbeddedCrypto : public ::testing::Test {
 protected:
  EmbeddedCrypto() {
    use_software_crypto(software);
    embedded.random = software.random;
    // OP-TEE's own RSA (ta/port/gp_rsa.cpp) is tested where there is an OP-TEE.
    embedded.rsa_pss_verify = software.rsa_pss_verify;
    EXPECT_TRUE(use_embedded_crypto(embedded));
  }
  Bytes32 word() {
    Bytes32 out;
    base::copy(out, random.bytes(32));
    return out;
  }
  Port software, embedded;
  Random random{2'026};
};

TEST_F(EmbeddedCrypto, PassesTheSelfTest) { EXPECT_TRUE(self_test_passes(embedded)); }

TEST_F(EmbeddedCrypto, SealsAsOpenSslForEveryLength) {
  for (std::size_t size = 0; size < 600; size += size < 70 ? 1 : 37) {
    const Bytes32 key = word();
    const Bytes nonce = random.bytes(12), plain = random.bytes(size), associated = random.bytes(random.below(90));
    Bytes one(size), other(size);
    std::array<std::uint8_t, 16> one_tag{}, other_tag{};
    ASSERT_TRUE(software.aes_gcm_seal(nullptr, key, nonce.data(), associated, plain, one, one_tag.data()));
    ASSERT_TRUE(embedded.aes_gcm_seal(nullptr, key, nonce.data(), associated, plain, other, other_tag.data()));
    EXPECT_EQ(one, other) << size;
    EXPECT_EQ(one_tag, other_tag) << size;
    Bytes opened(size);
    ASSERT_TRUE(embedded.aes_gcm_open(nullptr, key, nonce.data(), associated, one, one_tag.data(), opened));
    EXPECT_EQ(opened, plain) << size;
    // In place, as records are opened.
    ASSERT_TRUE(embedded.aes_gcm_open(nullptr, key, nonce.data(), associated, other, other_tag.data(), other));
    EXPECT_EQ(other, plain) << size;
  }
}

TEST_F(EmbeddedCrypto, OpensNothingThatWasChangedAndLeavesNothing) {
  const Bytes32 key = word();
  const Bytes nonce = random.bytes(12), plain = random.bytes(100), associated = random.bytes(20);
  Bytes cipher(100);
  std::array<std::uint8_t, 16> tag{};
  ASSERT_TRUE(embedded.aes_gcm_seal(nullptr, key, nonce.data(), associated, plain, cipher, tag.data()));
  for (std::size_t bit = 0; bit < 8 * (cipher.size() + tag.size() + associated.size()); bit++) {
    Bytes changed = cipher, about = associated;
    auto changed_tag = tag;
    std::size_t byte = bit / 8;
    const auto flip = static_cast<std::uint8_t>(1u << bit % 8);
    if (byte < changed.size()) {
      changed[byte] ^= flip;
    } else if ((byte -= changed.size()) < changed_tag.size()) {
      changed_tag[byte] ^= flip;
    } else {
      about[byte - changed_tag.size()] ^= flip;
    }
    Bytes out(100, 0xaa);
    EXPECT_FALSE(embedded.aes_gcm_open(nullptr, key, nonce.data(), about, changed, changed_tag.data(), out)) << bit;
    EXPECT_TRUE(base::is_zero(out)) << bit;
  }
}

TEST_F(EmbeddedCrypto, SignsAndVerifiesAsTheProcessBody) {
  for (int i = 0; i < 200; i++) {
    const Bytes32 secret = word(), digest = word();
    std::array<std::uint8_t, 64> one{}, other{};
    std::array<std::uint8_t, 65> one_signature{}, other_signature{};
    ASSERT_TRUE(software.secp256k1_public_key(nullptr, secret, one.data()));
    ASSERT_TRUE(embedded.secp256k1_public_key(nullptr, secret, other.data()));
    EXPECT_EQ(one, other);
    ASSERT_TRUE(software.secp256k1_sign(nullptr, secret, digest, one_signature.data()));
    ASSERT_TRUE(embedded.secp256k1_sign(nullptr, secret, digest, other_signature.data()));
    EXPECT_EQ(one_signature, other_signature);
    EXPECT_TRUE(embedded.secp256k1_verify(nullptr, one.data(), digest, one_signature.data()));
    one_signature[random.below(64)] ^= 1;
    EXPECT_EQ(embedded.secp256k1_verify(nullptr, one.data(), digest, one_signature.data()),
              software.secp256k1_verify(nullptr, one.data(), digest, one_signature.data()));
  }
  std::array<std::uint8_t, 64> none{};
  EXPECT_FALSE(embedded.secp256k1_public_key(nullptr, Bytes32{}, none.data()));
}

TEST_F(EmbeddedCrypto, SignsEd25519ByRfc8032) {
  for (const Ed25519Vector& vector : kRfc8032Vectors) {
    Bytes32 secret, key{};
    base::copy(secret, unhex(vector.secret));
    std::array<std::uint8_t, 64> signature{};
    ASSERT_TRUE(embedded.ed25519_public_key(nullptr, secret, key));
    ASSERT_TRUE(embedded.ed25519_sign(nullptr, secret, unhex(vector.message), signature.data()));
    EXPECT_EQ(to_hex(key), vector.public_key);
    EXPECT_EQ(to_hex(signature), vector.signature);
  }
}

// Around the block of SHA-512, where padding and the second hash change.
TEST_F(EmbeddedCrypto, SignsEd25519AsOpenSslForEveryLength) {
  for (std::size_t size = 0; size < 400; size++) {
    const Bytes32 secret = word();
    const Bytes message = random.bytes(size);
    Bytes32 one_key{}, other_key{};
    std::array<std::uint8_t, 64> one{}, other{};
    ASSERT_TRUE(software.ed25519_public_key(nullptr, secret, one_key));
    ASSERT_TRUE(embedded.ed25519_public_key(nullptr, secret, other_key));
    ASSERT_TRUE(software.ed25519_sign(nullptr, secret, message, one.data()));
    ASSERT_TRUE(embedded.ed25519_sign(nullptr, secret, message, other.data()));
    EXPECT_EQ(to_hex(one_key), to_hex(other_key)) << size;
    EXPECT_EQ(to_hex(one), to_hex(other)) << size;
  }
}

// Every value is a secret, the largest and the smallest too.
TEST_F(EmbeddedCrypto, AgreesAboutEd25519SecretsAtTheEnds) {
  for (const int byte : {0x00, 0xff, 0x80, 0x01}) {
    Bytes32 secret;
    secret.fill(static_cast<std::uint8_t>(byte));
    Bytes32 one{}, other{};
    ASSERT_TRUE(software.ed25519_public_key(nullptr, secret, one));
    ASSERT_TRUE(embedded.ed25519_public_key(nullptr, secret, other));
    EXPECT_EQ(to_hex(one), to_hex(other)) << byte;
  }
}

TEST_F(EmbeddedCrypto, AgreesAboutP256) {
  for (int i = 0; i < 100; i++) {
    const Bytes32 secret = word(), peer_secret = word();
    std::array<std::uint8_t, 64> one{}, other{}, peer{};
    ASSERT_TRUE(software.p256_public_key(nullptr, secret, one.data()));
    ASSERT_TRUE(embedded.p256_public_key(nullptr, secret, other.data()));
    ASSERT_TRUE(software.p256_public_key(nullptr, peer_secret, peer.data()));
    EXPECT_EQ(one, other);
    Bytes32 one_shared{}, other_shared{};
    ASSERT_TRUE(software.p256_ecdh(nullptr, secret, peer.data(), one_shared));
    ASSERT_TRUE(embedded.p256_ecdh(nullptr, secret, peer.data(), other_shared));
    EXPECT_EQ(one_shared, other_shared);
    EXPECT_TRUE(embedded.p256_public_key_valid(nullptr, peer.data()));
    peer[random.below(64)] ^= 1;
    EXPECT_FALSE(embedded.p256_public_key_valid(nullptr, peer.data()));
    EXPECT_FALSE(embedded.p256_ecdh(nullptr, secret, peer.data(), other_shared));
  }
}

}  // namespace
}  // namespace community::trusted::testing
