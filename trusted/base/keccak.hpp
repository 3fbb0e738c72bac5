// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it (the padding of the original submission) and SHA3-256 (FIPS 202), which differ in one
// byte of padding. Ours because no Debian package offers the first and the trusted core must carry it anyway.
#pragma once
#include <bit>
#include <initializer_list>

#include "trusted/base/bytes.hpp"

namespace community::base {

// Sponge of 256 bits of output; `Padding` is the byte behind the message.
template <std::uint8_t Padding>
class Sponge256 {
 public:
  Sponge256& add(ByteView data) {
    while (!data.empty()) {
      if (position_ % 8 == 0 && data.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, data.data(), 8);
        state_[position_ / 8] ^= word;
        position_ += 8;
        data = data.subspan(8);
      } else {
        absorb(data[0]);
        data = data.subspan(1);
      }
      if (position_ == kRate) {
        permute();
        position_ = 0;
      }
    }
    return *this;
  }

  Bytes32 finish() {
    absorb(Padding);
    state_[16] ^= std::uint64_t{0x80} << 56;
    permute();
    Bytes32 digest;
    std::memcpy(digest.data(), state_, digest.size());
    return digest;
  }

  // For a message that is a secret.
  void wipe_state() { wipe(this, sizeof *this); }

 private:
  static_assert(std::endian::native == std::endian::little, "the state is kept in the order of its bytes");
  static constexpr std::size_t kRate = 136;

  // Round constants from the LFSR of FIPS 202, algorithm 5.
  static constexpr auto kRoundConstants = [] {
    std::array<std::uint64_t, 24> constants{};
    unsigned lfsr = 1;
    for (auto& constant : constants)
      for (unsigned j = 0; j < 7; j++) {
        if (lfsr & 1) constant |= std::uint64_t{1} << ((1u << j) - 1);
        lfsr = (lfsr & 0x80) != 0 ? (lfsr << 1) ^ 0x171 : lfsr << 1;
      }
    return constants;
  }();

  void absorb(std::uint8_t byte) {
    state_[position_ / 8] ^= std::uint64_t{byte} << 8 * (position_ % 8);
    position_++;
  }

  void permute() {
    static constexpr std::uint8_t kRotation[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                                   27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
    static constexpr std::uint8_t kLane[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                               15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
    for (std::uint64_t constant : kRoundConstants) {
      std::uint64_t column[5];
      for (std::size_t i = 0; i < 5; i++)
        column[i] = state_[i] ^ state_[i + 5] ^ state_[i + 10] ^ state_[i + 15] ^ state_[i + 20];
      for (std::size_t i = 0; i < 5; i++) {
        const std::uint64_t mix = column[(i + 4) % 5] ^ std::rotl(column[(i + 1) % 5], 1);
        for (std::size_t j = 0; j < 25; j += 5) state_[j + i] ^= mix;
      }
      std::uint64_t moved = state_[1];
#pragma GCC unroll 24
      for (std::size_t i = 0; i < 24; i++) {
        const std::uint64_t next = state_[kLane[i]];
        state_[kLane[i]] = std::rotl(moved, kRotation[i]);
        moved = next;
      }
      for (std::size_t j = 0; j < 25; j += 5) {
        const std::uint64_t a = state_[j], b = state_[j + 1], c = state_[j + 2], d = state_[j + 3], e = state_[j + 4];
        state_[j] = a ^ (~b & c);
        state_[j + 1] = b ^ (~c & d);
        state_[j + 2] = c ^ (~d & e);
        state_[j + 3] = d ^ (~e & a);
        state_[j + 4] = e ^ (~a & b);
      }
      state_[0] ^= constant;
    }
  }

  std::uint64_t state_[25] = {};
  std::size_t position_ = 0;
};

using Keccak256 = Sponge256<0x01>;
using Sha3_256 = Sponge256<0x06>;

inline Bytes32 keccak256(ByteView data) { return Keccak256().add(data).finish(); }

// Digest of the parts one after the other.
inline Bytes32 keccak256(std::initializer_list<ByteView> parts) {
  Keccak256 hash;
  for (ByteView part : parts) hash.add(part);
  return hash.finish();
}

}  // namespace community::base
