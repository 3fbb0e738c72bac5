// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/enclave.hpp"

namespace community::trusted::testing {

BodyUnderTest make_body_under_test() {
  return {std::make_unique<Enclave>(), protocol::Body::process, protocol::Protection::none, 20, 200, 1'000};
}

std::string body_missing() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "a sanitizer needs system calls that the sandbox forbids";
#else
  return "";
#endif
}

}  // namespace community::trusted::testing
