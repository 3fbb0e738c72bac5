// SPDX-License-Identifier: Apache-2.0
// The phrase of a wallet: words, seed and derived keys against published vectors, and who may make one.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "trusted/base/bip39_english.hpp"
#include "trusted/core/phrase.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/eoa.hpp"

namespace community::trusted::testing {
namespace {

namespace json = boost::json;
using protocol::WalletChange;
using protocol::WalletChangeKind;

std::string_view text(const json::value& value) {
  const json::string& string = value.as_string();
  return {string.data(), string.size()};
}

TEST(Words, AreThoseOfTheHostedList) {
  std::istringstream list(read_source("community/core/bip39_words/english.txt"));
  std::string word;
  std::size_t count = 0;
  for (; list >> word; count++) {
    word.resize(base::kBip39WordSize, ' ');
    ASSERT_EQ(base::kBip39English.substr(count * base::kBip39WordSize, base::kBip39WordSize), word);
  }
  EXPECT_EQ(count, 2'048u);
}

TEST(Seed, EqualsThatOfBip39) {
  std::istringstream lines(read_source("tests/vectors/bip39.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    const json::value vector = json::parse(line);
    const auto& in = vector.at("in").as_object();
    const auto* out = vector.as_object().if_contains("out");
    if (text(vector.at("op")) != "bip39.toSeed" || text(in.at("lang")) != "english" || out == nullptr) continue;
    if (!text(in.at("passphrase")).empty() || !out->as_object().contains("entropy")) continue;
    const Bytes entropy = unhex(text(out->at("entropy")));
    if (entropy.size() != 16 && entropy.size() != 32) continue;
    Seed seed;
    phrase_seed(entropy, seed);
    EXPECT_EQ("0x" + to_hex(seed), text(out->at("seed"))) << line;
    count++;
  }
  // The first of the standard's vectors, with its passphrase left out, and others.
  Seed seed;
  phrase_seed(Bytes(16), seed);
  EXPECT_EQ(to_hex(seed),
            "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea669"
            "0f20ad3d8d48b2d2ce9e38e4");
  EXPECT_GE(count, 1);
}

// Private key in an extended key's text: base58, 4 bytes of checksum at the end.
Bytes private_key(std::string_view xprv) {
  constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  Bytes number(82);
  for (const char c : xprv) {
    std::size_t carry = kAlphabet.find(c);
    for (std::size_t i = number.size(); i-- > 0; carry >>= 8) {
      carry += std::size_t{58} * number[i];
      number[i] = static_cast<std::uint8_t>(carry);
    }
  }
  return {number.begin() + 46, number.begin() + 78};
}

TEST(Derivation, EqualsThatOfBip32) {
  Port port;
  use_software_crypto(port);
  std::istringstream lines(read_source("tests/vectors/bip32.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    const json::value vector = json::parse(line);
    const auto& in = vector.at("in").as_object();
    const auto* out = vector.as_object().if_contains("out");
    if (text(vector.at("op")) != "bip32.derive" || out == nullptr || !in.contains("seed")) continue;
    const auto* xprv = out->as_object().if_contains("xprv");
    if (xprv == nullptr || !xprv->is_string() || !in.contains("path")) continue;
    std::vector<std::uint32_t> path;
    std::istringstream steps{std::string(text(in.at("path")))};
    for (std::string step; std::getline(steps, step, '/');) {
      if (step == "m") continue;
      const bool hardened = step.back() == '\'' || step.back() == 'h' || step.back() == 'H';
      path.push_back(static_cast<std::uint32_t>(std::stoul(step)) | (hardened ? kHardened : 0));
    }
    Bytes32 secret;
    ASSERT_EQ(derive_path(port, unhex(text(in.at("seed"))), path, secret), Error::ok) << line;
    EXPECT_EQ(to_hex(secret), to_hex(private_key(text(*xprv)))) << line;
    count++;
  }
  EXPECT_GE(count, 15);
}

TEST(Derivation, GivesTheAddressesOfAnotherWallet) {
  Port port;
  use_software_crypto(port);
  int count = 0;
  for_each_message_vector("address", [&](const json::object& vector) {
    WalletRecord wallet;
    const Bytes entropy = unhex(text(vector.at("entropy")));
    base::copy(wallet.entropy, entropy);
    wallet.entropy_size = static_cast<std::uint8_t>(entropy.size());
    phrase_seed(entropy, wallet.seed);
    Bytes32 secret;
    ASSERT_EQ(derive_eoa_key(port, wallet, vector.at("chainId").to_number<std::uint64_t>(),
                             vector.at("account").to_number<std::uint32_t>(),
                             vector.at("index").to_number<std::uint32_t>(), secret),
              Error::ok);
    std::array<std::uint8_t, 64> key{};
    ASSERT_TRUE(port.secp256k1_public_key(nullptr, secret, key.data()));
    EXPECT_EQ(address_of(key.data()), address(text(vector.at("address"))));
    count++;
  });
  EXPECT_EQ(count, 48);
}

// Sums around the order of the group and around 2^256, which a path reaches once in 2^128 times.
TEST(Derivation, ReducesByTheOrder) {
  const Uint256 order = Uint256::from_be(unhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
  auto minus = [&](std::uint64_t n) { return *subtract(order, Uint256(n)); };
  auto sum = [](const Uint256& a, const Uint256& b) {
    Bytes32 out;
    add_modulo_order(a.to_be(), b.to_be(), out);
    return Uint256::from_be(out);
  };
  EXPECT_EQ(sum(Uint256(1), Uint256(1)), Uint256(2));
  EXPECT_EQ(sum(minus(2), Uint256(1)), minus(1));
  EXPECT_EQ(sum(minus(1), Uint256(1)), Uint256(0));
  EXPECT_EQ(sum(minus(1), Uint256(7)), Uint256(6));
  EXPECT_EQ(sum(minus(1), minus(1)), minus(2));
  // The largest sum below 2^256, and the smallest that does not fit.
  const Uint256 gap = *subtract(Uint256::max(), order);
  EXPECT_EQ(sum(minus(1), *add(gap, Uint256(1))), gap);
  EXPECT_EQ(sum(minus(1), *add(gap, Uint256(2))), *add(gap, Uint256(1)));
  Random random(11);
  for (int i = 0; i < 1'000; i++) {
    Uint256 a = Uint256::from_be(random.bytes(32)), b = Uint256::from_be(random.bytes(32));
    if (a >= order || b >= order) continue;
    // a - (order - b) where that is not negative, which the 256 bits of a and b + a need not hold.
    const Uint256 rest = *subtract(order, b);
    EXPECT_EQ(sum(a, b), a >= rest ? *subtract(a, rest) : *add(a, b));
  }
}

class Phrase : public ::testing::Test {
 protected:
  EoaWorld world;
};

TEST_F(Phrase, IsMadeOnceByAPasskey) {
  EXPECT_EQ(world.describe().has_phrase, 0);
  EXPECT_EQ(world.describe().address, Address{});
  EXPECT_EQ(world.make_phrase(12), Error::ok);
  const auto made = world.describe();
  EXPECT_EQ(made.has_phrase, 1);
  EXPECT_NE(made.address, Address{});
  for (const std::uint8_t words : {std::uint8_t{12}, std::uint8_t{24}})
    EXPECT_EQ(world.make_phrase(words), Error::phrase_exists);
  EXPECT_EQ(world.describe().address, made.address);
}

TEST_F(Phrase, HasTwelveOrTwentyFourWords) {
  for (const int words : {0, 11, 13, 15, 18, 21, 25})
    EXPECT_EQ(world.make_phrase(static_cast<std::uint8_t>(words)), Error::malformed_request) << words;
  EXPECT_EQ(world.make_phrase(24), Error::ok);
}

TEST_F(Phrase, OfEveryWalletIsAnother) {
  ASSERT_EQ(world.make_phrase(24), Error::ok);
  const Address first = world.describe().address;
  const SoftPasskey other(31);
  world.wallet = world.make_wallet(other, world.policy);
  world.passkey = other;
  ASSERT_EQ(world.make_phrase(24), Error::ok);
  EXPECT_NE(world.describe().address, first);
}

TEST_F(Phrase, KeysDifferByAccountIndexAndCoin) {
  ASSERT_EQ(world.make_phrase(12), Error::ok);
  const Address first = world.describe().address;
  EXPECT_NE(world.describe({kChain, 1, 0}).address, first);
  EXPECT_NE(world.describe({kChain, 0, 1}).address, first);
  EXPECT_NE(world.describe({137, 0, 0}).address, first);
  EXPECT_NE(world.describe({56, 0, 0}).address, first);
  EXPECT_NE(world.describe({56, 0, 0}).address, world.describe({137, 0, 0}).address);
  // One coin, one key: chain 10 is like Ethereum.
  EXPECT_EQ(world.describe({kOtherChain, 0, 0}).address, first);
}

TEST_F(Phrase, PathsOutOfRangeAreMalformed) {
  for (const protocol::EoaKey& eoa :
       {protocol::EoaKey{0, 0, 0}, protocol::EoaKey{kChain, kHardened, 0}, protocol::EoaKey{kChain, 0, kHardened}}) {
    const OwnedProof proof = world.host.proof(world.wallet);
    // The limits also keep the message from being encoded, so it is bent by hand.
    Bytes body = encoded(protocol::EoaDescribeRequest{proof.view(), {kChain, 0, 0}});
    base::store_be(body.data() + body.size() - 16, eoa.chain_id);
    base::store_be(body.data() + body.size() - 8, eoa.account);
    base::store_be(body.data() + body.size() - 4, eoa.index);
    EXPECT_EQ(world.host.call(Command::eoa_describe, body).error, Error::malformed_request);
  }
}

TEST_F(Phrase, SurvivesOtherChanges) {
  ASSERT_EQ(world.make_phrase(24), Error::ok);
  const Address before = world.describe().address;
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  EXPECT_EQ(world.describe().address, before);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(world.describe().address, before);
}

}  // namespace
}  // namespace community::trusted::testing
