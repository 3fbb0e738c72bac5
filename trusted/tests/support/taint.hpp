// SPDX-License-Identifier: Apache-2.0
// Runs a program under valgrind's memcheck, in which secrets are marked as undefined: memcheck then reports every
// branch and every address that depends on one, down to the last instruction of assembly.
#pragma once
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace community::trusted::testing {

class TaintTest : public ::testing::Test {
 protected:
  struct Report {
    std::string output;
    // The innermost function of each report.
    std::vector<std::string> reported;
  };

  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "valgrind does not run what a sanitizer has instrumented";
#endif
  }

  static Report run_under_memcheck(const std::string& program, const std::string& what) {
    const std::string command = std::string(COMMUNITY_VALGRIND) +
                                " --quiet --tool=memcheck --error-exitcode=9 --num-callers=4 " + program + " " + what +
                                " 2>&1";
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
};

}  // namespace community::trusted::testing
