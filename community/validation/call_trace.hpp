// SPDX-License-Identifier: Apache-2.0
// The tree of calls that callTracer reports, reduced to what estimation reads. Inside of the module.
#pragma once
#include "community/core/json.hpp"
#include "community/validation/api/simulator.hpp"

namespace community::validation {

struct CallFrame {
  Address to{};
  // Zero for input shorter than four bytes.
  std::array<std::uint8_t, 4> selector{};
  // Gas handed to the frame (with the stipend of a call with value), and what it used.
  std::uint64_t gas = 0;
  std::uint64_t gas_used = 0;
  bool has_value = false;
  bool failed = false;
  // Returned or reverted with.
  Bytes output;
  std::vector<CallFrame> calls;
};

// More frames than any useful operation makes; each costs about 150 bytes.
inline constexpr std::size_t kMaxFrames = 20'000;

// chain_unavailable when it is not a callTracer result.
Result<CallFrame> parse_call_frame(const core::json::value& value);

// Least gas under which the frame does the same again, as far as the trace shows: its own use, and for every call that
// asked for all gas the 64th part that EIP-150 keeps back. A call that asked for a fixed amount shows nothing of the
// gas left around it; the caller confirms the result by a second run.
std::uint64_t needed_gas(const CallFrame& frame);

}  // namespace community::validation
