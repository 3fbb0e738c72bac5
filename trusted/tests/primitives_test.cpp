// SPDX-License-Identifier: Apache-2.0
// Hashes, integers and signatures of the core against published vectors and against OpenSSL.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <memory>

#include "trusted/base/keccak.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/core/record.hpp"
#include "trusted/port/self_test.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/ed25519_vectors.hpp"
#include "trusted/tests/support/encode.hpp"

namespace community::trusted::testing {
namespace {

Bytes openssl_digest(const EVP_MD* kind, ByteView data) {
  Bytes out(64);
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out.data(), &size, kind, nullptr);
  out.resize(size);
  return out;
}

TEST(Sha2, EqualsOpenSslForEveryLengthAndSplit) {
  Random random(3);
  for (std::size_t size = 0; size <= 300; size++) {
    const Bytes data = random.bytes(size);
    const ByteView view(data);
    EXPECT_EQ(to_bytes(base::sha256(data)), openssl_digest(EVP_sha256(), data)) << size;
    EXPECT_EQ(to_bytes(base::Sha512().add(data).finish()), openssl_digest(EVP_sha512(), data)) << size;
    const std::size_t a = random.below(size + 1), b = a + random.below(size - a + 1);
    base::Sha512 split;
    split.add(view.first(a)).add(view.subspan(a, b - a)).add(view.subspan(b));
    EXPECT_EQ(to_bytes(split.finish()), openssl_digest(EVP_sha512(), data)) << size;
    EXPECT_EQ(base::sha256({view.first(a), view.subspan(a, b - a), view.subspan(b)}), base::sha256(data)) << size;
  }
}

TEST(Keccak, KnownAnswersAndSplits) {
  EXPECT_EQ(to_hex(base::keccak256(ByteView{})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(base::keccak256(base::view("abc"))),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  Random random(4);
  for (const std::size_t size : {1u, 7u, 8u, 9u, 134u, 135u, 136u, 137u, 143u, 271u, 272u, 273u, 1'000u}) {
    const Bytes data = random.bytes(size);
    const ByteView view(data);
    const Bytes32 whole = base::keccak256(data);
    for (int i = 0; i < 20; i++) {
      const std::size_t a = random.below(size + 1), b = a + random.below(size - a + 1);
      EXPECT_EQ(base::keccak256({view.first(a), view.subspan(a, b - a), view.subspan(b)}), whole) << size;
    }
  }
}

// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
TEST(Hmac, PublishedVectors) {
  EXPECT_EQ(to_hex(base::hmac_sha256(Bytes(20, 0x0b), {base::view("Hi There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(base::hmac_sha256(base::view("Jefe"), {base::view("what do ya want "), base::view("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(base::hmac_sha256(Bytes(131, 0xaa),
                                     {base::view("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 5869, test cases 1 and 3.
TEST(Hkdf, PublishedVectors) {
  Bytes out(42);
  base::hkdf<base::Sha256>(Bytes(22, 0x0b), unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"), out);
  EXPECT_EQ(to_hex(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  base::hkdf<base::Sha256>(Bytes(22, 0x0b), {}, {}, out);
  EXPECT_EQ(to_hex(out), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

Uint256 from_bn(const BIGNUM* number) {
  Bytes bytes(32);
  BN_bn2binpad(number, bytes.data(), 32);
  return Uint256::from_be(bytes);
}

TEST(Uint256, ArithmeticEqualsOpenSsl) {
  Random random(5);
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> a(BN_new(), BN_free), b(BN_new(), BN_free), c(BN_new(), BN_free);
  for (int i = 0; i < 3'000; i++) {
    const Bytes x = random.bytes(random.below(33)), y = random.bytes(random.below(33));
    const Uint256 ux = Uint256::from_be(x), uy = Uint256::from_be(y);
    BN_bin2bn(x.data(), static_cast<int>(x.size()), a.get());
    BN_bin2bn(y.data(), static_cast<int>(y.size()), b.get());
    EXPECT_EQ(ux <=> uy, BN_cmp(a.get(), b.get()) <=> 0);
    EXPECT_EQ(ux.bit_length(), static_cast<unsigned>(BN_num_bits(a.get())));
    BN_add(c.get(), a.get(), b.get());
    ASSERT_EQ(add(ux, uy).has_value(), BN_num_bits(c.get()) <= 256);
    if (add(ux, uy)) {
      EXPECT_EQ(*add(ux, uy), from_bn(c.get()));
    }
    BN_mul(c.get(), a.get(), b.get(), context.get());
    ASSERT_EQ(multiply(ux, uy).has_value(), BN_num_bits(c.get()) <= 256);
    if (multiply(ux, uy)) {
      EXPECT_EQ(*multiply(ux, uy), from_bn(c.get()));
    }
    ASSERT_EQ(subtract(ux, uy).has_value(), BN_cmp(a.get(), b.get()) >= 0);
    BN_sub(c.get(), a.get(), b.get());
    if (subtract(ux, uy)) {
      EXPECT_EQ(*subtract(ux, uy), from_bn(c.get()));
    }
    const std::uint64_t divisor = random.next() >> random.below(64) | 1;
    const auto divided = divide(ux, divisor);
    EXPECT_EQ(*add(*multiply(divided.quotient, Uint256(divisor)), Uint256(divided.remainder)), ux);
    EXPECT_LT(divided.remainder, divisor);
    const auto small = static_cast<std::uint32_t>(divisor >> 32 | 1);
    EXPECT_EQ(quotient(ux, small), divide(ux, small).quotient);
  }
}

TEST(Uint256, EdgesDoNotWrap) {
  EXPECT_FALSE(add(Uint256::max(), Uint256(1)));
  EXPECT_FALSE(subtract(Uint256(0), Uint256(1)));
  EXPECT_FALSE(multiply(Uint256::max(), Uint256(2)));
  EXPECT_EQ(multiply(Uint256::max(), Uint256(1)), Uint256::max());
  EXPECT_EQ(multiply(Uint256::max(), Uint256(0)), Uint256(0));
  EXPECT_EQ(Uint256::from_be(Uint256::max().to_be()), Uint256::max());
}

class SoftwareCrypto : public ::testing::Test {
 protected:
  SoftwareCrypto() { use_software_crypto(port); }
  protocol::Signature65 sign(const Bytes32& secret, std::string_view message) {
    protocol::Signature65 signature{};
    EXPECT_TRUE(port.secp256k1_sign(nullptr, secret, base::sha256(base::view(message)), signature.data()));
    return signature;
  }
  Port port;
};

TEST_F(SoftwareCrypto, PassesItsSelfTest) { EXPECT_TRUE(self_test_passes(port)); }

using RsaAnswer = bool(void*, const std::uint8_t*, const Bytes32&, const std::uint8_t*);

TEST_F(SoftwareCrypto, RsaThatAlwaysAnswersTheSameIsNotUsed) {
  Port agreeing = port, refusing = port;
  RsaAnswer *yes = [](void*, const std::uint8_t*, const Bytes32&, const std::uint8_t*) { return true; },
            *no = [](void*, const std::uint8_t*, const Bytes32&, const std::uint8_t*) { return false; };
  agreeing.rsa_pss_verify = yes;
  refusing.rsa_pss_verify = no;
  EXPECT_FALSE(rsa_self_test_passes(agreeing));
  EXPECT_TRUE(rsa_self_test_passes(port));
  EXPECT_TRUE(rsa_self_test_passes(port));
  EXPECT_FALSE(rsa_self_test_passes(refusing)) << "what passed was another one";
}

// RFC 6979 over secp256k1 with SHA-256, as many wallets publish it.
TEST_F(SoftwareCrypto, SignsDeterministicallyByRfc6979) {
  const Bytes32 one = Uint256(1).to_be();
  EXPECT_EQ(to_hex(ByteView(sign(one, "Satoshi Nakamoto")).first(64)),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
  EXPECT_EQ(
      to_hex(
          ByteView(sign(one, "All those moments will be lost in time, like tears in rain. Time to die...")).first(64)),
      "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
      "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21");
}

TEST_F(SoftwareCrypto, SignsEd25519ByRfc8032) {
  for (const Ed25519Vector& vector : kRfc8032Vectors) {
    Bytes32 secret, key{};
    base::copy(secret, unhex(vector.secret));
    std::array<std::uint8_t, 64> signature{};
    ASSERT_TRUE(port.ed25519_public_key(nullptr, secret, key));
    ASSERT_TRUE(port.ed25519_sign(nullptr, secret, unhex(vector.message), signature.data()));
    EXPECT_EQ(to_hex(key), vector.public_key);
    EXPECT_EQ(to_hex(signature), vector.signature);
  }
}

TEST_F(SoftwareCrypto, SignaturesHaveLowSAndRecoverToTheirKey) {
  Random random(6);
  for (int i = 0; i < 200; i++) {
    Bytes32 secret, digest;
    base::copy(secret, random.bytes(32));
    base::copy(digest, random.bytes(32));
    std::array<std::uint8_t, 64> key{};
    protocol::Signature65 signature{};
    ASSERT_TRUE(port.secp256k1_public_key(nullptr, secret, key.data()));
    ASSERT_TRUE(port.secp256k1_sign(nullptr, secret, digest, signature.data()));
    EXPECT_TRUE(has_low_s(signature));
    EXPECT_EQ(recover_address(digest, signature), address_of(key.data()));
    EXPECT_TRUE(port.secp256k1_verify(nullptr, key.data(), digest, signature.data()));
    digest[31] ^= 1;
    EXPECT_FALSE(port.secp256k1_verify(nullptr, key.data(), digest, signature.data()));
  }
}

TEST_F(SoftwareCrypto, RefusesSecretsOutsideTheGroup) {
  std::array<std::uint8_t, 64> key{};
  protocol::Signature65 signature{};
  for (const std::string_view bad : {"0000000000000000000000000000000000000000000000000000000000000000",
                                     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
                                     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_FALSE(port.secp256k1_public_key(nullptr, word(bad), key.data()));
    EXPECT_FALSE(is_secp256k1_secret(word(bad)));
    EXPECT_FALSE(port.secp256k1_sign(nullptr, word(bad), Bytes32{}, signature.data()));
  }
  const Bytes32 largest = word("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140");
  EXPECT_TRUE(port.secp256k1_public_key(nullptr, largest, key.data()));
  EXPECT_TRUE(is_secp256k1_secret(largest));
  // Each limb alone decides: n with one limb smaller or larger by one.
  for (std::size_t limb = 0; limb < 4; limb++) {
    Uint256 order = *add(Uint256::from_be(largest), Uint256(1));
    order.limb[limb]--;
    EXPECT_TRUE(is_secp256k1_secret(order.to_be())) << limb;
    order.limb[limb] += 2;
    const bool wraps = order.limb[limb] < 2;
    EXPECT_EQ(is_secp256k1_secret(order.to_be()), wraps) << limb;
    EXPECT_EQ(port.secp256k1_public_key(nullptr, order.to_be(), key.data()), wraps) << limb;
  }
}

TEST_F(SoftwareCrypto, TheAddressOfKeyOneIsTheWellKnownOne) {
  std::array<std::uint8_t, 64> key{};
  ASSERT_TRUE(port.secp256k1_public_key(nullptr, Uint256(1).to_be(), key.data()));
  EXPECT_EQ(to_hex(address_of(key.data())), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}

TEST_F(SoftwareCrypto, GcmOpensOnlyWhatItSealed) {
  Random random(8);
  for (const std::size_t size : {0u, 1u, 16u, 100u, 8'000u}) {
    Bytes32 key;
    base::copy(key, random.bytes(32));
    const Bytes nonce = random.bytes(12), header = random.bytes(49), plain = random.bytes(size);
    Bytes cipher(size), tag(16), opened(size);
    ASSERT_TRUE(port.aes_gcm_seal(nullptr, key, nonce.data(), header, plain, cipher, tag.data()));
    ASSERT_TRUE(port.aes_gcm_open(nullptr, key, nonce.data(), header, cipher, tag.data(), opened));
    EXPECT_EQ(opened, plain);
    Bytes other_header = header;
    other_header[48] ^= 1;
    EXPECT_FALSE(port.aes_gcm_open(nullptr, key, nonce.data(), other_header, cipher, tag.data(), opened));
    // A failure leaves nothing of the plain text.
    EXPECT_TRUE(base::is_zero(opened));
    tag[0] ^= 1;
    EXPECT_FALSE(port.aes_gcm_open(nullptr, key, nonce.data(), header, cipher, tag.data(), opened));
  }
}

TEST(ServerKeys, FollowFromSecretAndIndex) {
  WalletRecord wallet;
  wallet.server_secret[0] = 1;
  Bytes32 first, again, second;
  ASSERT_EQ(derive_server_key(wallet, 0, first), protocol::Error::ok);
  ASSERT_EQ(derive_server_key(wallet, 0, again), protocol::Error::ok);
  ASSERT_EQ(derive_server_key(wallet, 1, second), protocol::Error::ok);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace community::trusted::testing
