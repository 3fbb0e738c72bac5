// SPDX-License-Identifier: Apache-2.0
// Byte views, fixed-size words and the two operations every holder of a secret needs: wiping and comparing in constant
// time. Freestanding: included by the trusted core as well as by all hosted code.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace community::base {

using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;
// Double-width limb for carries; an extension of GCC and clang on every 64-bit target of this project.
__extension__ using Uint128 = unsigned __int128;
// 32 bytes, most significant first where it is a number.
using Bytes32 = std::array<std::uint8_t, 32>;
// 20 bytes of an Ethereum address.
using Address = std::array<std::uint8_t, 20>;

inline ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Big-endian integer of sizeof(T) bytes at `p`.
template <class T>
constexpr T load_be(const std::uint8_t* p) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); i++) value = static_cast<T>(value << 8 | p[i]);
  return value;
}

template <class T>
constexpr void store_be(std::uint8_t* p, T value) {
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8)) p[i] = static_cast<std::uint8_t>(value);
}

// Copies `from` to the start of `to`; `to` must be at least as long.
inline void copy(MutableByteView to, ByteView from) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Compares without a branch or an early exit that depends on the contents; lengths are public.
inline bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); i++) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

inline bool is_zero(ByteView bytes) {
  std::uint8_t any = 0;
  for (std::uint8_t b : bytes) any = static_cast<std::uint8_t>(any | b);
  return any == 0;
}

// Overwrites a secret so that the compiler cannot drop the stores as dead.
inline void wipe(void* p, std::size_t n) {
  if (n == 0) return;
  std::memset(p, 0, n);
  asm volatile("" : : "r"(p) : "memory");
}
inline void wipe(MutableByteView bytes) { wipe(bytes.data(), bytes.size()); }

// A fixed-size secret on the stack: wiped when it goes out of scope, never copied by accident.
template <std::size_t N>
struct Secret {
  std::array<std::uint8_t, N> bytes{};
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes.data(), N); }
  operator ByteView() const { return {bytes.data(), N}; }
  std::uint8_t* data() { return bytes.data(); }
  const std::uint8_t* data() const { return bytes.data(); }
};

}  // namespace community::base
