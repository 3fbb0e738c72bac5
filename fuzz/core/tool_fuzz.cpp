// SPDX-License-Identifier: Apache-2.0
// Lines for the tool: each non-empty one is answered by exactly one line of JSON.
#include <sstream>

#include "community/core/json.hpp"
#include "community/tool/api/tool.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(community::base::text({data, size}));
  // Key stretching is slow by design and has no parser of its own.
  for (auto slow : {"pbkdf2", "toSeed", "hd.wallet"})
    if (text.find(slow) != std::string::npos) return 0;
  std::stringstream in(text), out;
  require(community::tool::run_tool(in, out) == 0, "the tool ends well");
  std::size_t expected = 0;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) expected += !line.empty() && line != "\r";
  std::size_t answered = 0;
  for (std::string line; std::getline(out, line); answered++)
    require(parse_json(line, {.max_bytes = line.size(), .max_depth = 400}).has_value(), "an answer is strict JSON");
  require(answered == expected, "every line is answered once");
  return 0;
}
