// SPDX-License-Identifier: Apache-2.0
// SHA-256, SHA-512 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869), PBKDF2 (RFC 8018). The trusted core carries its own
// because a GlobalPlatform call costs more than the hash itself; hosted code uses the same source.
#pragma once
#include <bit>
#include <initializer_list>

#include "trusted/base/bytes.hpp"

namespace community::base {

namespace detail {

// Round constants: the first 64 bits of the fractional parts of the cube roots of the first 80 primes. SHA-256 uses
// the upper halves of the first 64 of them.
constexpr std::array<std::uint64_t, 80> cube_root_fractions() {
  std::array<std::uint64_t, 80> fractions{};
  unsigned count = 0;
  for (unsigned p = 2; count < 80; p++) {
    bool prime = true;
    for (unsigned d = 2; d * d <= p; d++) prime = prime && p % d != 0;
    if (!prime) continue;
    // The largest x with x^3 <= p * 2^192, found bit by bit; x < 2^67.
    Uint128 root = 0;
    for (int bit = 66; bit >= 0; bit--) {
      const Uint128 guess = root | static_cast<Uint128>(1) << bit;
      const std::uint64_t limb[2] = {static_cast<std::uint64_t>(guess), static_cast<std::uint64_t>(guess >> 64)};
      std::uint64_t square[4] = {}, cube[5] = {};
      for (int i = 0; i < 2; i++) {
        std::uint64_t carry = 0;
        for (int j = 0; j < 2; j++) {
          const Uint128 m = static_cast<Uint128>(limb[i]) * limb[j] + square[i + j] + carry;
          square[i + j] = static_cast<std::uint64_t>(m);
          carry = static_cast<std::uint64_t>(m >> 64);
        }
        square[i + 2] += carry;
      }
      for (int i = 0; i < 2; i++) {
        std::uint64_t carry = 0;
        for (int j = 0; j < 3; j++) {
          const Uint128 m = static_cast<Uint128>(limb[i]) * square[j] + cube[i + j] + carry;
          cube[i + j] = static_cast<std::uint64_t>(m);
          carry = static_cast<std::uint64_t>(m >> 64);
        }
        cube[i + 3] += carry;
      }
      if (cube[3] < p || (cube[3] == p && (cube[0] | cube[1] | cube[2]) == 0)) root = guess;
    }
    fractions[count++] = static_cast<std::uint64_t>(root);
  }
  return fractions;
}

inline constexpr auto kSha512Constants = cube_root_fractions();
inline constexpr auto kSha256Constants = [] {
  std::array<std::uint32_t, 64> constants{};
  for (std::size_t i = 0; i < 64; i++) constants[i] = static_cast<std::uint32_t>(kSha512Constants[i] >> 32);
  return constants;
}();
static_assert(kSha256Constants[0] == 0x428a2f98 && kSha256Constants[63] == 0xc67178f2);
static_assert(kSha512Constants[79] == 0x6c44198c4a475817);

struct Sha256Rounds {
  using Word = std::uint32_t;
  static constexpr std::size_t kBlock = 64, kDigest = 32;
  static constexpr std::array<Word, 8> kInitial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  static constexpr auto& kConstants = kSha256Constants;
  static constexpr int kRounds = 64;
  static constexpr Word big0(Word x) { return std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22); }
  static constexpr Word big1(Word x) { return std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25); }
  static constexpr Word small0(Word x) { return std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3; }
  static constexpr Word small1(Word x) { return std::rotr(x, 17) ^ std::rotr(x, 19) ^ x >> 10; }
};

struct Sha512Rounds {
  using Word = std::uint64_t;
  static constexpr std::size_t kBlock = 128, kDigest = 64;
  static constexpr std::array<Word, 8> kInitial{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                                0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static constexpr auto& kConstants = kSha512Constants;
  static constexpr int kRounds = 80;
  static constexpr Word big0(Word x) { return std::rotr(x, 28) ^ std::rotr(x, 34) ^ std::rotr(x, 39); }
  static constexpr Word big1(Word x) { return std::rotr(x, 14) ^ std::rotr(x, 18) ^ std::rotr(x, 41); }
  static constexpr Word small0(Word x) { return std::rotr(x, 1) ^ std::rotr(x, 8) ^ x >> 7; }
  static constexpr Word small1(Word x) { return std::rotr(x, 19) ^ std::rotr(x, 61) ^ x >> 6; }
};

}  // namespace detail

template <class R>
class Sha2 {
 public:
  static constexpr std::size_t kBlock = R::kBlock, kDigest = R::kDigest;
  using Digest = std::array<std::uint8_t, kDigest>;

  Sha2& add(ByteView data) {
    const std::size_t fill = total_ % kBlock;
    total_ += data.size();
    if (fill != 0) {
      const std::size_t taken = kBlock - fill < data.size() ? kBlock - fill : data.size();
      copy(MutableByteView(buffer_).subspan(fill), data.first(taken));
      data = data.subspan(taken);
      if (fill + taken < kBlock) return *this;
      compress(buffer_.data());
    }
    for (; data.size() >= kBlock; data = data.subspan(kBlock)) compress(data.data());
    copy(buffer_, data);
    return *this;
  }

  Digest finish() {
    constexpr std::size_t kLengthBytes = sizeof(typename R::Word) * 2;
    std::size_t fill = total_ % kBlock;
    buffer_[fill++] = 0x80;
    if (fill > kBlock - kLengthBytes) {
      std::memset(buffer_.data() + fill, 0, kBlock - fill);
      compress(buffer_.data());
      fill = 0;
    }
    std::memset(buffer_.data() + fill, 0, kBlock - 8 - fill);
    store_be<std::uint64_t>(buffer_.data() + kBlock - 8, total_ * 8);
    compress(buffer_.data());
    Digest digest;
    for (std::size_t i = 0; i < 8; i++) store_be(digest.data() + i * sizeof(typename R::Word), state_[i]);
    return digest;
  }

  void wipe_state() { wipe(this, sizeof *this); }

 private:
  using Word = typename R::Word;

  void compress(const std::uint8_t* block) {
    Word schedule[16];
    Word a = state_[0], b = state_[1], c = state_[2], d = state_[3];
    Word e = state_[4], f = state_[5], g = state_[6], h = state_[7];
    auto round = [&](int i, Word pa, Word pb, Word pc, Word& pd, Word pe, Word pf, Word pg, Word& ph) {
      if (i < 16) {
        schedule[i] = load_be<Word>(block + sizeof(Word) * static_cast<std::size_t>(i));
      } else {
        schedule[i & 15] +=
            schedule[(i + 9) & 15] + R::small0(schedule[(i + 1) & 15]) + R::small1(schedule[(i + 14) & 15]);
      }
      ph += R::big1(pe) + (pg ^ (pe & (pf ^ pg))) + R::kConstants[static_cast<std::size_t>(i)] + schedule[i & 15];
      pd += ph;
      ph += R::big0(pa) + ((pa & pb) | (pc & (pa | pb)));
    };
    for (int i = 0; i < R::kRounds; i += 8) {
      round(i, a, b, c, d, e, f, g, h);
      round(i + 1, h, a, b, c, d, e, f, g);
      round(i + 2, g, h, a, b, c, d, e, f);
      round(i + 3, f, g, h, a, b, c, d, e);
      round(i + 4, e, f, g, h, a, b, c, d);
      round(i + 5, d, e, f, g, h, a, b, c);
      round(i + 6, c, d, e, f, g, h, a, b);
      round(i + 7, b, c, d, e, f, g, h, a);
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
    state_[4] += e;
    state_[5] += f;
    state_[6] += g;
    state_[7] += h;
    // The block follows from its schedule, and it may be a secret.
    wipe(schedule, sizeof schedule);
  }

  std::array<Word, 8> state_ = R::kInitial;
  std::array<std::uint8_t, kBlock> buffer_{};
  std::uint64_t total_ = 0;
};

using Sha256 = Sha2<detail::Sha256Rounds>;
using Sha512 = Sha2<detail::Sha512Rounds>;

inline Bytes32 sha256(ByteView data) { return Sha256().add(data).finish(); }
inline Bytes32 sha256(std::initializer_list<ByteView> parts) {
  Sha256 hash;
  for (ByteView part : parts) hash.add(part);
  return hash.finish();
}

template <class H>
class Hmac {
 public:
  using Digest = typename H::Digest;

  explicit Hmac(ByteView key) {
    std::array<std::uint8_t, H::kBlock> pad{};
    if (key.size() > pad.size()) {
      H hash;
      Digest shortened = hash.add(key).finish();
      copy(pad, shortened);
      hash.wipe_state();
      wipe(shortened);
    } else {
      copy(pad, key);
    }
    for (auto& byte : pad) byte = static_cast<std::uint8_t>(byte ^ 0x36);
    inner_.add(pad);
    for (auto& byte : pad) byte = static_cast<std::uint8_t>(byte ^ 0x36 ^ 0x5c);
    outer_.add(pad);
    wipe(pad);
  }
  ~Hmac() {
    inner_.wipe_state();
    outer_.wipe_state();
  }
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = default;

  Hmac& add(ByteView data) {
    inner_.add(data);
    return *this;
  }
  Digest finish() {
    Digest inner = inner_.finish();
    outer_.add(inner);
    wipe(inner);
    return outer_.finish();
  }

 private:
  H inner_, outer_;
};

inline Bytes32 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  Hmac<Sha256> mac(key);
  for (ByteView part : parts) mac.add(part);
  return mac.finish();
}

// HKDF (RFC 5869); `out` is at most 255 digests long, the caller's sizes are constants.
template <class H>
void hkdf(ByteView secret, ByteView salt, ByteView info, MutableByteView out) {
  auto pseudo_random_key = Hmac<H>(salt).add(secret).finish();
  typename H::Digest block{};
  std::uint8_t counter = 0;
  std::size_t done = 0;
  while (done < out.size()) {
    Hmac<H> mac(pseudo_random_key);
    if (counter != 0) mac.add(block);
    counter++;
    mac.add(info).add(ByteView(&counter, 1));
    block = mac.finish();
    const std::size_t taken = out.size() - done < block.size() ? out.size() - done : block.size();
    copy(out.subspan(done), ByteView(block).first(taken));
    done += taken;
  }
  wipe(pseudo_random_key);
  wipe(block);
}

// PBKDF2 (RFC 8018, section 5.2) with HMAC over H.
template <class H>
void pbkdf2(ByteView password, ByteView salt, std::uint32_t iterations, MutableByteView out) {
  const Hmac<H> keyed(password);
  std::uint32_t index = 1;
  for (std::size_t done = 0; done < out.size(); index++) {
    std::uint8_t counter[4];
    store_be(counter, index);
    auto first = keyed;
    auto round = first.add(salt).add(counter).finish();
    auto block = round;
    for (std::uint32_t i = 1; i < iterations; i++) {
      auto mac = keyed;
      round = mac.add(round).finish();
      for (std::size_t k = 0; k < block.size(); k++) block[k] = static_cast<std::uint8_t>(block[k] ^ round[k]);
    }
    const std::size_t taken = out.size() - done < block.size() ? out.size() - done : block.size();
    copy(out.subspan(done), ByteView(block).first(taken));
    done += taken;
    wipe(block);
    wipe(round);
  }
}

}  // namespace community::base
