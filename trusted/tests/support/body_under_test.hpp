// SPDX-License-Identifier: Apache-2.0
// The body that bodies_test.cpp is linked for: each program that runs those tests supplies one.
#pragma once
#include <memory>

#include "trusted/tests/support/test_host.hpp"

namespace community::trusted::testing {

struct BodyUnderTest {
  std::unique_ptr<RemoteBody> body;
  protocol::Body kind{};
  protocol::Protection protection{};
  // Rounds of the crash test in a short and in a long run.
  int rounds = 0, long_rounds = 0;
  // Longer than a COMMIT usually takes: crashes come at random points of this span.
  std::uint64_t commit_micros = 0;
};

BodyUnderTest make_body_under_test();
// Why there is none on this machine; empty when there is.
std::string body_missing();

}  // namespace community::trusted::testing
