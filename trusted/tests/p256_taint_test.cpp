// SPDX-License-Identifier: Apache-2.0
// That no branch and no address of trusted/p256 depends on a secret, down to the last instruction of the assembly:
// valgrind's memcheck runs it with the secret marked as undefined (support/p256_taint.cpp) and reports each.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace community::trusted::testing {
namespace {

struct Report {
  std::string output;
  // The innermost function of each report.
  std::vector<std::string> reported;
};

Report run_under_memcheck(const std::string& what) {
  const std::string command = std::string(COMMUNITY_VALGRIND) +
                              " --quiet --tool=memcheck --error-exitcode=9 --num-callers=4 " + COMMUNITY_P256_TAINT +
                              " " + what + " 2>&1";
  Report run;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  char line[1024];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    const std::string text(line);
    run.output += text;
    if (text.find("   at 0x") != std::string::npos) run.reported.push_back(text);
  }
  pclose(pipe);
  return run;
}

class P256Taint : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "valgrind does not run what a sanitizer has instrumented";
#endif
  }

  // The verdict of the range check is all that may be branched on, in the door itself or in the check. That it is
  // reported shows that the mark reached that far.
  static void expect_only_the_verdict(const std::string& function) {
    const Report run = run_under_memcheck(function);
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
    const Report run = run_under_memcheck(what);
    EXPECT_NE(run.output.find("ran under valgrind"), std::string::npos) << run.output;
    EXPECT_EQ(run.reported.size(), 1u) << run.output;
  }
}

TEST_F(P256Taint, APublicKeyTakesTheSameStepsForEverySecret) { expect_only_the_verdict("public_key"); }

TEST_F(P256Taint, AnAgreementTakesTheSameStepsForEverySecret) { expect_only_the_verdict("ecdh_x"); }

}  // namespace
}  // namespace community::trusted::testing
