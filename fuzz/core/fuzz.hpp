// SPDX-License-Identifier: Apache-2.0
// What every fuzzer of core shares: a check that stops the run, in every build.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "community/core/bytes.hpp"

namespace community::core {

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

// Splits the input at its first zero byte: text before, the rest behind.
inline std::pair<std::string_view, ByteView> split(ByteView input) {
  const auto zero = std::find(input.begin(), input.end(), std::uint8_t{0});
  const auto size = static_cast<std::size_t>(zero - input.begin());
  return {base::text(input.first(size)), size < input.size() ? input.subspan(size + 1) : ByteView{}};
}

}  // namespace community::core
