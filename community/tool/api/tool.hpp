// SPDX-License-Identifier: Apache-2.0
// `community-node tool`: the product's codecs and checks as JSON lines, for scripts, other implementations and vector
// suites. One object a line in, `{"id","op","in"}`; one a line out, `{"id","out"}`, `{"id","error"}` or
// `{"id","skip"}`.
#pragma once
#include <cstddef>
#include <iosfwd>

namespace community::tool {

// A longer line is answered with an error and skipped without being kept.
inline constexpr std::size_t kMaxLineBytes = 8u << 20;

// Runs until the input ends; answers what it has whenever no input is waiting. 0, or 1 when the output broke. A main
// that reads std::cin calls std::ios::sync_with_stdio(false) first, else every byte is a call.
int run_tool(std::istream& in, std::ostream& out);

}  // namespace community::tool
