// SPDX-License-Identifier: Apache-2.0
// HPKE against the vectors of RFC 9180 and another implementation, and the hash of FIPS 202.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "trusted/base/keccak.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/source_files.hpp"

namespace community::trusted::testing {
namespace {

namespace json = boost::json;
using hpke::PublicKey;

json::value read_json(const std::string& path) { return json::parse(read_source(path)); }
Bytes bytes_of(const json::value& object, const char* name) { return unhex(object.at(name).as_string().c_str()); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed_of(const json::value& object, const char* name) {
  return fixed<N>(object.at(name).as_string().c_str());
}

class Hpke : public ::testing::Test {
 protected:
  Hpke() { use_software_crypto(port); }
  Port port;
};

TEST_F(Hpke, EqualsThePublishedVectors) {
  int count = 0, sealed = 0;
  const json::value file = read_json("tests/vectors/hpke_rfc9180.json");
  for (const json::value& vector : file.at("vectors").as_array()) {
    const Bytes32 ephemeral = fixed_of<32>(vector, "skEm"), secret = fixed_of<32>(vector, "skRm");
    const PublicKey recipient = fixed_of<65>(vector, "pkRm"), enc = fixed_of<65>(vector, "enc");
    Bytes32 sender{}, receiver{};
    ASSERT_TRUE(hpke::shared_secret(port, ephemeral, recipient, enc, recipient, sender));
    ASSERT_TRUE(hpke::shared_secret(port, secret, enc, enc, recipient, receiver));
    EXPECT_EQ(to_bytes(sender), bytes_of(vector, "shared_secret"));
    EXPECT_EQ(sender, receiver);
    const Bytes info = bytes_of(vector, "info"), key = bytes_of(vector, "key");
    const auto aead = vector.at("aead_id").to_number<std::uint16_t>();
    hpke::Schedule schedule;
    hpke::key_schedule(aead, key.size(), sender, info, schedule);
    EXPECT_EQ(to_bytes(ByteView(schedule.key).first(key.size())), key);
    EXPECT_EQ(to_bytes(schedule.base_nonce), bytes_of(vector, "base_nonce"));
    EXPECT_EQ(to_bytes(ByteView(schedule.exporter_secret)), bytes_of(vector, "exporter_secret"));
    count++;
    if (aead != hpke::kAes256Gcm) continue;
    const json::value& first = vector.at("encryption");
    const Bytes plain = bytes_of(first, "pt"), associated = bytes_of(first, "aad"), expected = bytes_of(first, "ct");
    PublicKey made{};
    Bytes cipher(plain.size() + hpke::kTag), opened(plain.size());
    ASSERT_TRUE(hpke::seal_with(port, ephemeral, recipient, info, associated, plain, made, cipher));
    EXPECT_EQ(made, enc);
    EXPECT_EQ(cipher, expected);
    ASSERT_TRUE(hpke::open(port, secret, recipient, enc, info, associated, expected, opened));
    EXPECT_EQ(opened, plain);
    sealed++;
  }
  EXPECT_EQ(count, 3);
  EXPECT_EQ(sealed, 1);
}

TEST_F(Hpke, OpensWhatAnotherImplementationSealed) {
  const json::value file = read_json("tests/vectors/session_secrets.json");
  int count = 0;
  for (const json::value& vector : file.at("hpke").as_array()) {
    const Bytes plain = bytes_of(vector, "plain"), info = bytes_of(vector, "info"), cipher = bytes_of(vector, "cipher");
    const Bytes32 secret = fixed_of<32>(vector, "secret");
    const PublicKey key = fixed_of<65>(vector, "public_key"), enc = fixed_of<65>(vector, "enc");
    Bytes opened(plain.size());
    ASSERT_TRUE(hpke::open(port, secret, key, enc, info, {}, cipher, opened));
    EXPECT_EQ(opened, plain);
    // Nothing else opens: another purpose, associated data, a bit of the cipher text, another sender's key.
    Bytes bad = cipher;
    bad[0] ^= 1;
    EXPECT_FALSE(hpke::open(port, secret, key, enc, info, {}, bad, opened));
    EXPECT_TRUE(base::is_zero(opened));
    EXPECT_FALSE(hpke::open(port, secret, key, enc, base::view("x"), {}, cipher, opened));
    EXPECT_FALSE(hpke::open(port, secret, key, enc, info, base::view("x"), cipher, opened));
    EXPECT_FALSE(hpke::open(port, secret, key, key, info, {}, cipher, opened));
    count++;
  }
  EXPECT_EQ(count, 12);
}

TEST_F(Hpke, RefusesKeysThatAreNoPoints) {
  Bytes32 secret{}, shared{};
  PublicKey key{}, enc{};
  ASSERT_TRUE(hpke::make_key_pair(port, secret, key));
  Bytes cipher(hpke::kTag), plain;
  std::vector<PublicKey> bad(4, key);
  bad[0][64] ^= 1;
  bad[1][0] = 2;
  bad[2] = {};
  bad[3] = {4};
  for (const PublicKey& peer : bad) {
    EXPECT_FALSE(hpke::seal(port, peer, {}, {}, {}, enc, cipher));
    EXPECT_FALSE(hpke::open(port, secret, key, peer, {}, {}, cipher, plain));
  }
  EXPECT_FALSE(hpke::open(port, secret, key, key, {}, {}, Bytes(15), plain));
  for (const std::string_view outside : {"0000000000000000000000000000000000000000000000000000000000000000",
                                         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                                         "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_FALSE(port.p256_public_key(nullptr, word(outside), key.data() + 1));
    EXPECT_FALSE(port.p256_ecdh(nullptr, word(outside), bad[0].data() + 1, shared));
  }
  EXPECT_TRUE(port.p256_public_key(nullptr, word("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"),
                                   key.data() + 1));
}

TEST_F(Hpke, BothEndsAgree) {
  Random random(12);
  for (int i = 0; i < 50; i++) {
    Bytes32 secret{};
    PublicKey key{}, enc{}, again{};
    ASSERT_TRUE(hpke::make_key_pair(port, secret, key));
    const Bytes plain = random.bytes(random.below(200)), info = random.bytes(random.below(80));
    Bytes cipher(plain.size() + hpke::kTag), other(cipher.size()), opened(plain.size());
    ASSERT_TRUE(hpke::seal(port, key, info, {}, plain, enc, cipher));
    ASSERT_TRUE(hpke::open(port, secret, key, enc, info, {}, cipher, opened));
    EXPECT_EQ(opened, plain);
    // An ephemeral key serves once.
    ASSERT_TRUE(hpke::seal(port, key, info, {}, plain, again, other));
    EXPECT_NE(enc, again);
    EXPECT_NE(cipher, other);
  }
}

// FIPS 202: the empty message, "abc", and lengths around a block (NIST's SHA3-256 examples; hashlib).
TEST(Sha3, KnownAnswers) {
  auto sha3 = [](ByteView data) { return to_hex(base::Sha3_256().add(data).finish()); };
  EXPECT_EQ(sha3({}), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  EXPECT_EQ(sha3(base::view("abc")), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  EXPECT_EQ(sha3(Bytes(200, 0xa3)), "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787");
}

}  // namespace
}  // namespace community::trusted::testing
