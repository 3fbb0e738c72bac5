// SPDX-License-Identifier: Apache-2.0
// Files of the repository that tests read: vectors and lists.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {

inline std::string read_source(const std::string& path) {
  std::ifstream file(std::string(COMMUNITY_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace community::trusted::testing
