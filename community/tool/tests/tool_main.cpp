// SPDX-License-Identifier: Apache-2.0
// The tool alone on standard input and output, for vector suites and profilers.
#include <iostream>

#include "community/tool/api/tool.hpp"

int main() {
  std::ios::sync_with_stdio(false);
  return community::tool::run_tool(std::cin, std::cout);
}
