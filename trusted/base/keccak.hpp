// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it (the padding of the original submission) and SHA3-256 (FIPS 202), which differ in one
// byte of padding. Ours because no Debian package offers the first and the trusted core must carry it anyway.
#pragma once
#include <bit>
#include <initializer_list>
#include <type_traits>
#include <utility>

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

  // For a message that is a secret: the state, and what permute() left on the stack below the caller.
  void wipe_state() {
    wipe(this, sizeof *this);
    overwrite_stack();
  }

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

  // More than the frames of finish() and permute() together.
  [[gnu::noinline]] static void overwrite_stack() {
    std::uint64_t below[192];
    wipe(below, sizeof below);
  }

  // How far a lane turns, and where it goes (FIPS 202, 3.2.2 and 3.2.3).
  static constexpr std::uint8_t kRotation[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                                 25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};
  static constexpr std::uint8_t kTarget[25] = {0,  10, 20, 5, 15, 16, 1,  11, 21, 6, 7,  17, 2,
                                               12, 22, 23, 8, 18, 3,  13, 14, 24, 9, 19, 4};

  template <std::size_t... N, class F>
  static void each(std::index_sequence<N...>, F f) {
    (f(std::integral_constant<std::size_t, N>()), ...);
  }

  // Every index is a constant, so that the lanes stay in registers where there are enough.
  void permute() {
    constexpr auto kColumns = std::make_index_sequence<5>();
    constexpr auto kLanes = std::make_index_sequence<25>();
    std::uint64_t lane[25], moved[25], column[5];
    each(kLanes, [&](auto i) { lane[i] = state_[i]; });
    for (std::uint64_t constant : kRoundConstants) {
      each(kColumns, [&](auto i) { column[i] = lane[i] ^ lane[i + 5] ^ lane[i + 10] ^ lane[i + 15] ^ lane[i + 20]; });
      each(kLanes, [&](auto i) {
        const std::uint64_t mix = column[(i + 4) % 5] ^ std::rotl(column[(i + 1) % 5], 1);
        moved[kTarget[i]] = std::rotl(lane[i] ^ mix, kRotation[i]);
      });
      each(kLanes, [&](auto i) {
        constexpr std::size_t kRow = i / 5 * 5;
        lane[i] = moved[i] ^ (~moved[kRow + (i + 1) % 5] & moved[kRow + (i + 2) % 5]);
      });
      lane[0] ^= constant;
    }
    each(kLanes, [&](auto i) { state_[i] = lane[i]; });
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
