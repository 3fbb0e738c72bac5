// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/optee.hpp"

namespace community::trusted::testing {

BodyUnderTest make_body_under_test() {
  return {
      std::make_unique<OpteeDevice>(), protocol::Body::optee_qemu, protocol::Protection::emulated, 10, 100, 200'000};
}

std::string body_missing() {
  return optee_image().complete() ? "" : "no OP-TEE image in " + optee_image().folder.string() + ": make optee";
}

}  // namespace community::trusted::testing
