// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

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

// Each device that quotes makes an RSA key first, a quarter of a minute in an emulator. In the short run two devices
// that judge each other do that, and nobody besides.
int main(int argc, char** argv) {
  if (std::getenv("COMMUNITY_TEST_LONG") == nullptr)
    GTEST_FLAG_SET(filter, "-Body.IsBackedUp*:Body.IsRestored*:Soak.*");
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
