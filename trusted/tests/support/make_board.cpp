// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/guest.hpp"

namespace community::trusted::testing {

// The path of a board, in an emulated device: what it says of itself is what its application was built for.
BodyUnderTest make_body_under_test() {
  return {
      std::make_unique<BoardDevice>(), protocol::Body::optee_device, protocol::Protection::hardware, 3, 30, 200'000};
}

std::string body_missing() { return HostileGuest::exists() ? "" : "no hostile guest: tools/optee tests"; }

}  // namespace community::trusted::testing

// A board differs from the emulator's port in its bridge and its socket. What only the application decides is tested
// through the port, and here in the long run: each start takes seconds.
int main(int argc, char** argv) {
  if (std::getenv("COMMUNITY_TEST_LONG") == nullptr)
    GTEST_FLAG_SET(filter,
                   "Board.*:Body.SaysWhatItIs:Body.CreatesCommitsAndSigns:Body.Answers*:Body.AFrame*:"
                   "Body.UncommittedChanges*:Body.Drops*:Body.ARepeated*:Body.AChanged*:Body.AHello*");
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
