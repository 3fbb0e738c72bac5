// SPDX-License-Identifier: Apache-2.0
// That no branch and no address of trusted/p256 depends on a secret (support/taint.hpp, support/p256_taint.cpp).
#include "trusted/tests/support/taint.hpp"

namespace community::trusted::testing {
namespace {

class P256Taint : public TaintTest {
 protected:
  // The verdict of the range check is all that may be branched on, in the door itself or in the check. That it is
  // reported shows that the mark reached that far.
  static void expect_only_the_verdict(const std::string& function) {
    const Report run = run_under_memcheck(COMMUNITY_P256_TAINT, function);
    EXPECT_NE(run.output.find("ran under valgrind"), std::string::npos) << run.output;
    EXPECT_GE(run.reported.size(), 1u) << run.output;
    for (const std::string& place : run.reported)
      EXPECT_TRUE(place.find("p256::" + function + "(") != std::string::npos ||
                  place.find("p256::secret_in_range(") != std::string::npos)
          << run.output;
  }
};

TEST_F(P256Taint, ABranchAndAnAddressWouldBeReported) {
  for (const char* what : {"branch", "address"}) {
    const Report run = run_under_memcheck(COMMUNITY_P256_TAINT, what);
    EXPECT_NE(run.output.find("ran under valgrind"), std::string::npos) << run.output;
    EXPECT_EQ(run.reported.size(), 1u) << run.output;
  }
}

TEST_F(P256Taint, APublicKeyTakesTheSameStepsForEverySecret) { expect_only_the_verdict("public_key"); }

TEST_F(P256Taint, AnAgreementTakesTheSameStepsForEverySecret) { expect_only_the_verdict("ecdh_x"); }

}  // namespace
}  // namespace community::trusted::testing
