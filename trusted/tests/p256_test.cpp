// SPDX-License-Identifier: Apache-2.0
// trusted/p256 against published vectors, against OpenSSL, and in the cases that random numbers never meet. Four
// programs are made of this file: s2n-bignum on the host, BearSSL on the host, and under QEMU's user emulation
// s2n-bignum for arm64, built with the flags of a trusted application, and for the oldest x86-64. All agree with
// OpenSSL, and so with each other.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "trusted/base/sha2.hpp"
#include "trusted/p256/p256.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/p256_curve.hpp"

namespace community::trusted::testing {
namespace {

using p256_curve::order;
using p256_curve::prime;

const Uint256 kOne(1);

Uint256 number(std::string_view hex) { return Uint256::from_be(unhex(hex)); }
// a + b and a - b as plain numbers.
Uint256 sum(const Uint256& a, const Uint256& b) { return *base::add(a, b); }
Uint256 difference(const Uint256& a, const Uint256& b) { return *base::subtract(a, b); }

std::istringstream lines_of(const std::string& name) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/trusted/tests/vectors/" + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return std::istringstream(text.str());
}

// OpenSSL, as the process body uses it.
const Port& judge() {
  static const Port port = [] {
    Port made;
    use_software_crypto(made);
    return made;
  }();
  return port;
}

bool judge_verifies(const P256Signature& s) {
  return judge().p256_verify(nullptr, s.key.data(), s.digest, s.signature.data());
}

bool verifies(const P256Signature& s) { return p256::verify(s.key, s.digest, s.signature); }

std::string shown(const P256Signature& s) {
  return "key " + to_hex(s.key) + "\ndigest " + to_hex(s.digest) + "\nsignature " + to_hex(s.signature);
}

// Both answer `expected`: a construction that OpenSSL does not confirm would prove nothing.
void expect_verdict(const P256Signature& s, bool expected) {
  EXPECT_EQ(judge_verifies(s), expected) << "OpenSSL\n" << shown(s);
  EXPECT_EQ(verifies(s), expected) << shown(s);
}

// One answer of a function that writes 32 or 64 bytes, "refused" when it answered false and wrote nothing.
template <std::size_t N, class Function>
std::string answer(Function&& function) {
  std::array<std::uint8_t, N> out;
  out.fill(0xa5);
  if (function(out)) return to_hex(out);
  for (const std::uint8_t byte : out)
    if (byte != 0xa5) return "refused, but wrote " + to_hex(out);
  return "refused";
}

std::string public_key_of(const Bytes32& secret) {
  return answer<64>([&](auto& out) { return p256::public_key(secret, out); });
}
std::string shared_of(const Bytes32& secret, const P256Key& peer) {
  return answer<32>([&](auto& out) { return p256::ecdh_x(secret, peer, out); });
}
std::string judge_public_key_of(const Bytes32& secret) {
  return answer<64>([&](auto& out) { return judge().p256_public_key(nullptr, secret, out.data()); });
}
std::string judge_shared_of(const Bytes32& secret, const P256Key& peer) {
  return answer<32>([&](auto& out) { return judge().p256_ecdh(nullptr, secret, peer.data(), out); });
}

// --- published vectors -----------------------------------------------------------------------------------------------

// RFC 6979, A.2.5: P-256 with SHA-256.
TEST(P256, EqualsRfc6979) {
  const Bytes32 secret = word("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
  const auto key = fixed<64>(
      "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
  EXPECT_EQ(public_key_of(secret), to_hex(key));
  const Bytes32 sample = base::sha256(base::view("sample")), test = base::sha256(base::view("test"));
  const auto of_sample = fixed<64>(
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  const auto of_test = fixed<64>(
      "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
      "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
  EXPECT_TRUE(p256::verify(key, sample, of_sample));
  EXPECT_TRUE(p256::verify(key, test, of_test));
  EXPECT_FALSE(p256::verify(key, sample, of_test));
  EXPECT_FALSE(p256::verify(key, test, of_sample));
}

// RFC 5903, 8.1: the 256-bit group of IKE.
TEST(P256, EqualsRfc5903) {
  const Bytes32 i = word("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
  const auto gi = fixed<64>(
      "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
      "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3");
  const Bytes32 r = word("c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53");
  const auto gr = fixed<64>(
      "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
      "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab");
  const std::string shared = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
  EXPECT_EQ(public_key_of(i), to_hex(gi));
  EXPECT_EQ(public_key_of(r), to_hex(gr));
  EXPECT_EQ(shared_of(i, gr), shared);
  EXPECT_EQ(shared_of(r, gi), shared);
}

TEST(P256, EqualsWycheproofsEcdsa) {
  std::istringstream lines = lines_of("wycheproof_p256.txt");
  P256Key key{};
  int accepted = 0, refused = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    std::string first, digest, signature, result;
    fields >> first >> digest >> signature >> result;
    if (first == "key") {
      key = fixed<64>(digest);
      EXPECT_TRUE(p256::public_key_valid(key)) << line;
      continue;
    }
    const bool valid = p256::verify(key, word(digest), fixed<64>(signature));
    (valid ? accepted : refused)++;
    EXPECT_EQ(valid, result == "valid") << line;
  }
  EXPECT_EQ(accepted, 173);
  EXPECT_EQ(refused, 68);
}

TEST(P256, EqualsWycheproofsEcdh) {
  std::istringstream lines = lines_of("wycheproof_ecdh_p256.txt");
  int agreed = 0, refused = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    std::string id, secret, peer, shared;
    fields >> id >> secret >> peer >> shared;
    const bool valid = shared != "-";
    (valid ? agreed : refused)++;
    EXPECT_EQ(p256::public_key_valid(fixed<64>(peer)), valid) << line;
    EXPECT_EQ(shared_of(word(secret), fixed<64>(peer)), valid ? shared : "refused") << line;
  }
  EXPECT_EQ(agreed, 330);
  EXPECT_EQ(refused, 18);
}

// --- public keys -----------------------------------------------------------------------------------------------------

// Refused by all four functions' common check; a signature and a secret that are good otherwise.
void expect_no_public_key(const P256Key& key) {
  EXPECT_FALSE(judge().p256_public_key_valid(nullptr, key.data())) << "OpenSSL " << to_hex(key);
  EXPECT_FALSE(p256::public_key_valid(key)) << to_hex(key);
  EXPECT_EQ(shared_of(Uint256(2).to_be(), key), "refused") << to_hex(key);
  EXPECT_FALSE(verifies({key, word("01" + std::string(62, '0')), p256_curve::point(kOne, kOne)})) << to_hex(key);
}

TEST(P256PublicKey, MayHaveAnyCoordinateOfTheCurve) {
  int points = 0;
  for (std::uint64_t i = 0; i < 20; i++)
    for (const Uint256& x : {Uint256(i), difference(prime(), Uint256(i + 1)), sum(order(), Uint256(i))})
      for (const bool odd : {false, true})
        if (const auto key = p256_curve::lift(x, odd)) {
          EXPECT_TRUE(p256::public_key_valid(*key)) << to_hex(*key);
          EXPECT_EQ(shared_of(kOne.to_be(), *key), to_hex(x.to_be()));
          EXPECT_EQ(shared_of(number("1234").to_be(), *key), judge_shared_of(number("1234").to_be(), *key));
          points++;
        }
  // About half of all x belong to two points each.
  EXPECT_GE(points, 40);
  // x = 0 is one of them.
  EXPECT_TRUE(p256_curve::lift(Uint256(0), true).has_value());
}

TEST(P256PublicKey, HasCoordinatesBelowThePrime) {
  // x + p and y + p spell the same point; only small coordinates leave room for it in 32 bytes.
  int spellings = 0;
  for (std::uint64_t x = 0; x < 20; x++)
    if (const auto key = p256_curve::lift(Uint256(x), false)) {
      const Uint256 y = Uint256::from_be(ByteView(*key).last(32));
      expect_no_public_key(p256_curve::point(sum(prime(), Uint256(x)), y));
      expect_no_public_key(p256_curve::point(prime(), y));
      expect_no_public_key(p256_curve::point(Uint256::max(), y));
      expect_no_public_key(p256_curve::point(Uint256(x), prime()));
      expect_no_public_key(p256_curve::point(Uint256(x), Uint256::max()));
      spellings++;
    }
  EXPECT_GE(spellings, 5);
  // A point with y = 1: its x is a root of x^3 - 3x + b - 1.
  const Uint256 x = number("09e78d4ef60d05f750f6636209092bc43cbdd6b47e11a9de20a9feb2a50bb96c");
  EXPECT_TRUE(p256::public_key_valid(p256_curve::point(x, kOne)));
  expect_no_public_key(p256_curve::point(x, sum(prime(), kOne)));
}

TEST(P256PublicKey, LiesOnTheCurve) {
  Random random(5);
  expect_no_public_key(P256Key{});
  expect_no_public_key(p256_curve::point(kOne, kOne));
  for (int i = 0; i < 200; i++) {
    // Each of these lies on another curve with the same a, among them some of small order; so does a point of the
    // twist.
    P256Key stranger;
    base::copy(stranger, random.bytes(64));
    stranger[0] &= 0x7f;
    stranger[32] &= 0x7f;
    expect_no_public_key(stranger);
    // Order two on its curve.
    base::copy(base::MutableByteView(stranger).last(32), Bytes(32));
    expect_no_public_key(stranger);
    // One bit beside a real point.
    P256Key near = *p256_curve::multiple_of_generator(Uint256(random.next()));
    near[random.below(64)] ^= static_cast<std::uint8_t>(1 << random.below(8));
    expect_no_public_key(near);
    // x and y in the wrong order.
    const P256Key key = *p256_curve::multiple_of_generator(Uint256(random.next()));
    expect_no_public_key(
        p256_curve::point(Uint256::from_be(ByteView(key).last(32)), Uint256::from_be(ByteView(key).first(32))));
  }
}

// --- verification: cases that no random signature meets --------------------------------------------------------------

// FIPS 186-5 compares x(sum) mod n with r. Where x is n or more, r is x - n: one point in 2^128.
TEST(P256Verify, AcceptsAPointWithAnXAboveTheOrder) {
  Random random(6);
  int seen = 0;
  // Zero is no r, so x = n itself leads nowhere.
  for (std::uint64_t r = 1; r < 40; r++)
    if (const auto point = p256_curve::lift(sum(order(), Uint256(r)), random.one_in(2))) {
      const Uint256 s = Uint256::from_be(random.bytes(31));
      const auto made = p256_curve::arrive_at(*point, base::sha256(random.bytes(8)), Uint256(r), s);
      expect_verdict(*made, true);
      // r + n as it stands would be out of range.
      P256Signature unreduced = *made;
      unreduced.signature = p256_curve::point(sum(order(), Uint256(r)), s);
      expect_verdict(unreduced, false);
      seen++;
    }
  EXPECT_GE(seen, 10);
  // The largest x there is.
  for (std::uint64_t i = 1, found = 0; found < 3; i++)
    if (const auto point = p256_curve::lift(difference(prime(), Uint256(i)), false)) {
      const Uint256 r = difference(difference(prime(), order()), Uint256(i));
      expect_verdict(*p256_curve::arrive_at(*point, base::sha256(random.bytes(8)), r, kOne), true);
      found++;
    }
}

// r + n is an x only where it is below p. Where it is not, r + n modulo p or cut to 256 bits is the x of another point,
// which a careless comparison accepts.
TEST(P256Verify, DoesNotWrapWhenItAddsTheOrder) {
  Random random(7);
  const Uint256 below_prime = difference(prime(), order());
  const Uint256 below_word = sum(difference(Uint256::max(), order()), kOne);
  int seen = 0;
  for (std::uint64_t x = 0; x < 40; x++)
    if (const auto point = p256_curve::lift(Uint256(x), random.one_in(2)))
      for (const Uint256& gap : {below_prime, below_word}) {
        const Uint256 r = sum(gap, Uint256(x)), s = Uint256::from_be(random.bytes(31));
        const Bytes32 digest = base::sha256(random.bytes(8));
        expect_verdict(*p256_curve::arrive_at(*point, digest, r, s), false);
        // The same point with its own r is good.
        if (x != 0) expect_verdict(*p256_curve::arrive_at(*point, digest, Uint256(x), s), true);
        seen++;
      }
  EXPECT_GE(seen, 20);
}

// u1 G = u2 Q: the sum is a doubling, which formulas for addition do not cover.
TEST(P256Verify, TheTwoProductsMayBeTheSamePoint) {
  Random random(8);
  for (int i = 0; i < 20; i++) {
    const Uint256 secret = Uint256::from_be(random.bytes(31)), nonce = Uint256::from_be(random.bytes(31));
    const Uint256 r = p256_curve::reduced(p256_curve::x_of(*p256_curve::multiple_of_generator(nonce)));
    const auto made = p256_curve::sign(secret, nonce, p256_curve::times(r, secret).to_be());
    expect_verdict(*made, true);
  }
  // Both products are G, or -G.
  const P256Key g = *p256_curve::multiple_of_generator(kOne);
  expect_verdict(*p256_curve::with_multipliers(g, kOne, kOne), true);
  const Uint256 minus_one = difference(order(), kOne);
  expect_verdict(*p256_curve::with_multipliers(g, minus_one, minus_one), true);
  expect_verdict(*p256_curve::with_multipliers(*p256_curve::multiple_of_generator(minus_one), minus_one, kOne), true);
}

// u1 G = -u2 Q: the sum is the point at infinity, which has no x that could equal r.
TEST(P256Verify, TheSumMayBeThePointAtInfinity) {
  Random random(9);
  for (int i = 0; i < 20; i++) {
    const Uint256 secret = i == 0 ? kOne : Uint256::from_be(random.bytes(31));
    const Uint256 r = i < 10 ? Uint256(static_cast<std::uint64_t>(i) + 1) : Uint256::from_be(random.bytes(31));
    const Bytes32 digest = p256_curve::minus(Uint256(0), p256_curve::times(r, secret)).to_be();
    const P256Key key = *p256_curve::multiple_of_generator(secret);
    expect_verdict({key, digest, p256_curve::point(r, Uint256::from_be(random.bytes(31)))}, false);
    expect_verdict({key, digest, p256_curve::point(r, kOne)}, false);
  }
}

// A digest of zero, or of n, multiplies the generator by zero.
TEST(P256Verify, TheDigestMayBeAnyNumberOf256Bits) {
  Random random(10);
  for (const Uint256& digest :
       {Uint256(0), kOne, difference(order(), kOne), order(), sum(order(), kOne), prime(), Uint256::max()})
    for (int i = 0; i < 4; i++) {
      const Uint256 secret = Uint256::from_be(random.bytes(31)), nonce = Uint256::from_be(random.bytes(31));
      const auto made = p256_curve::sign(secret, nonce, digest.to_be());
      expect_verdict(*made, true);
      P256Signature other = *made;
      other.digest[31] ^= 1;
      expect_verdict(other, false);
    }
  // A key whose negative, and whose double, meets the generator.
  for (const Uint256& secret : {kOne, Uint256(2), difference(order(), kOne), difference(order(), Uint256(2))})
    for (const Uint256& digest : {Uint256(0), order()})
      expect_verdict(*p256_curve::sign(secret, number("5678"), digest.to_be()), true);
}

std::vector<Uint256> edge_multipliers() {
  std::vector<Uint256> edges;
  for (std::uint64_t i = 0; i < 20; i++) {
    edges.push_back(Uint256(i));
    edges.push_back(difference(order(), Uint256(i + 1)));
  }
  for (const std::size_t bit : {63u, 64u, 127u, 128u, 191u, 192u, 254u, 255u}) {
    Uint256 power;
    power.limb[bit / 64] = std::uint64_t{1} << bit % 64;
    edges.push_back(p256_curve::reduced(power));
    edges.push_back(p256_curve::reduced(difference(power, kOne)));
  }
  const Uint256 half = p256_curve::over(kOne, Uint256(2));
  // Around n / 2, and digits of four bits all alike.
  edges.insert(edges.end(), {half, difference(half, kOne), sum(half, kOne), number(std::string(64, '8')),
                             number(std::string(64, '7')), number(std::string(64, '1'))});
  return edges;
}

TEST(P256Verify, EveryPairOfMultipliersIsRight) {
  const P256Key keys[] = {*p256_curve::multiple_of_generator(kOne),
                          *p256_curve::multiple_of_generator(difference(order(), kOne)),
                          *p256_curve::multiple_of_generator(number("123456789abcdef0"))};
  int pairs = 0;
  const std::vector<Uint256> edges = edge_multipliers();
  for (std::size_t i = 0; i < edges.size(); i++)
    for (std::size_t j = i % 5; j < edges.size(); j += 5) {
      if (edges[j].is_zero()) continue;
      // Nothing where the sum is the point at infinity.
      const auto made = p256_curve::with_multipliers(keys[(i + j) % 3], edges[i], edges[j]);
      if (!made) continue;
      expect_verdict(*made, true);
      pairs++;
    }
  EXPECT_GE(pairs, 600);
}

TEST(P256Verify, BothSOfASignatureAreGood) {
  Random random(11);
  for (int i = 0; i < 20; i++) {
    const Uint256 secret = Uint256::from_be(random.bytes(31)), nonce = Uint256::from_be(random.bytes(31));
    P256Signature made = *p256_curve::sign(secret, nonce, base::sha256(random.bytes(8)));
    expect_verdict(made, true);
    const Uint256 r = Uint256::from_be(ByteView(made.signature).first(32));
    const Uint256 s = Uint256::from_be(ByteView(made.signature).last(32));
    made.signature = p256_curve::point(r, difference(order(), s));
    expect_verdict(made, true);
    made.signature = p256_curve::point(difference(order(), r), s);
    expect_verdict(made, false);
  }
}

// Every number at the ends of the ranges as r, s and digest, under a key for which the signature would be good were it
// in range; then OpenSSL's answer, whatever it is, has to be ours.
TEST(P256Verify, AgreesAtTheEndsOfTheRanges) {
  std::vector<Uint256> ends{Uint256(0), kOne, Uint256(2), Uint256::max(), number("80" + std::string(62, '0'))};
  const Uint256 half = p256_curve::over(kOne, Uint256(2));
  for (const Uint256& middle : {order(), prime(), difference(prime(), order()), half})
    for (const Uint256& end : {difference(middle, kOne), middle, sum(middle, kOne)}) ends.push_back(end);
  Random random(12);
  int accepted = 0, refused = 0;
  for (const Uint256& r : ends)
    for (const Uint256& s : ends) {
      const Bytes32 digest = ends[random.below(ends.size())].to_be();
      // The point with x = r, or r + n where that exists; else any, and the signature is false.
      const Uint256 reduced_r = p256_curve::reduced(r), reduced_s = p256_curve::reduced(s);
      std::optional<P256Key> point = p256_curve::lift(reduced_r, random.one_in(2));
      if (const auto above = base::add(reduced_r, order()); !point && above) point = p256_curve::lift(*above, false);
      if (!point) point = p256_curve::multiple_of_generator(Uint256(random.next()));
      std::optional<P256Signature> made;
      if (!reduced_r.is_zero() && !reduced_s.is_zero())
        made = p256_curve::arrive_at(*point, digest, reduced_r, reduced_s);
      if (!made) made = P256Signature{*p256_curve::multiple_of_generator(Uint256(random.next())), digest, {}};
      made->signature = p256_curve::point(r, s);
      const bool expected = judge_verifies(*made);
      EXPECT_EQ(verifies(*made), expected) << shown(*made);
      (expected ? accepted : refused)++;
    }
  EXPECT_GE(accepted, 40);
  EXPECT_GE(refused, 100);
}

// --- secrets ---------------------------------------------------------------------------------------------------------

TEST(P256Secret, IsAtLeastOneAndBelowTheOrder) {
  const P256Key peer = *p256_curve::multiple_of_generator(number("abcdef"));
  const Uint256 outside[] = {Uint256(0), order(), sum(order(), kOne), prime(), Uint256::max()};
  for (const Uint256& secret : outside) {
    EXPECT_EQ(public_key_of(secret.to_be()), "refused");
    EXPECT_EQ(shared_of(secret.to_be(), peer), "refused");
  }
  // One byte above n at each place that leaves room for it.
  int above = 0;
  for (std::size_t i = 0; i < 32; i++) {
    Bytes32 secret = order().to_be();
    if (secret[i] == 0xff) continue;
    secret[i]++;
    for (std::size_t j = i + 1; j < 32; j++) secret[j] = 0;
    EXPECT_EQ(public_key_of(secret), "refused") << to_hex(secret);
    above++;
  }
  EXPECT_GE(above, 15);
  EXPECT_EQ(public_key_of(kOne.to_be()), to_hex(*p256_curve::multiple_of_generator(kOne)));
}

TEST(P256Secret, AtTheEndsOfTheRangeAgrees) {
  Random random(13);
  const P256Key peer = *p256_curve::multiple_of_generator(Uint256::from_be(random.bytes(31)));
  int compared = 0;
  for (const Uint256& secret : edge_multipliers()) {
    EXPECT_EQ(public_key_of(secret.to_be()), judge_public_key_of(secret.to_be())) << to_hex(secret.to_be());
    EXPECT_EQ(shared_of(secret.to_be(), peer), judge_shared_of(secret.to_be(), peer)) << to_hex(secret.to_be());
    compared++;
  }
  EXPECT_GE(compared, 60);
}

// --- random numbers --------------------------------------------------------------------------------------------------

// One key, a second one to agree with, a signature, and the signature with one bit of it, of the digest or of the key
// changed.
void compare_one(Random& random) {
  const Bytes secret_bytes = random.bytes(32), nonce_bytes = random.bytes(32);
  Bytes32 secret{}, other{}, digest{};
  base::copy(secret, p256_curve::reduced(Uint256::from_be(secret_bytes)).to_be());
  base::copy(other, p256_curve::reduced(Uint256::from_be(nonce_bytes)).to_be());
  base::copy(digest, random.bytes(32));
  const std::string key = judge_public_key_of(secret), peer = judge_public_key_of(other);
  EXPECT_EQ(public_key_of(secret), key);
  EXPECT_EQ(shared_of(secret, fixed<64>(peer)), judge_shared_of(secret, fixed<64>(peer)));
  P256Signature made = *p256_curve::sign(Uint256::from_be(secret), Uint256::from_be(other), digest);
  expect_verdict(made, true);
  const std::size_t bit = random.below(8 * (64 + 32 + 64)), byte = bit / 8;
  const auto flip = static_cast<std::uint8_t>(1 << bit % 8);
  if (byte < 64)
    made.signature[byte] ^= flip;
  else if (byte < 96)
    made.digest[byte - 64] ^= flip;
  else
    made.key[byte - 96] ^= flip;
  expect_verdict(made, false);
}

TEST(P256, AgreesWithOpenSslOnRandomKeysAndSignatures) {
  const bool long_run = std::getenv("COMMUNITY_TEST_LONG") != nullptr;
  const char* given = std::getenv("COMMUNITY_TEST_SEED");
  std::uint64_t seed = 256;
  if (given != nullptr)
    seed = std::strtoull(given, nullptr, 0);
  else if (long_run)
    seed = std::random_device()();
  std::clog << "          COMMUNITY_TEST_SEED=" << seed << '\n';
  Random random(seed);
  const int rounds = long_run ? 20 * COMMUNITY_P256_ROUNDS : COMMUNITY_P256_ROUNDS;
  for (int i = 0; i < rounds && !::testing::Test::HasFailure(); i++) compare_one(random);
}

}  // namespace
}  // namespace community::trusted::testing
