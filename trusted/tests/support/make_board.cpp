// SPDX-License-Identifier: Apache-2.0
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
