// SPDX-License-Identifier: Apache-2.0
// Randomness as a dependency, from any thread: the operating system's in production, a seeded sequence in tests.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace community::infra {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t u64();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // `bytes` random bytes in lower-case hex: identifiers, tokens.
  std::string hex(std::size_t bytes);
};

}  // namespace community::infra
