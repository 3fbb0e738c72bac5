// SPDX-License-Identifier: Apache-2.0
// Common parts of the fuzzers: the entry's name, a check that is not compiled out, and pieces of the input.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "trusted/tests/support/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace community::trusted::testing {

// Ends the run when a property does not hold.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

// Cuts the input into pieces; yields zeros when there is no more.
class Input {
 public:
  explicit Input(ByteView bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  std::size_t size16() { return static_cast<std::size_t>(byte()) << 8 | byte(); }
  ByteView take(std::size_t n) {
    const ByteView taken = rest_.first(n < rest_.size() ? n : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

}  // namespace community::trusted::testing
