// SPDX-License-Identifier: Apache-2.0
// Reading what contracts revert with. Inside of the module.
#pragma once
#include "community/validation/api/simulator.hpp"

namespace community::validation {

// A contract's text may hold anything; what leaves the node is valid UTF-8 without control characters, and short.
std::string clean_text(std::string_view text);
inline constexpr std::size_t kMaxReasonBytes = 512;
// Error(string), Panic(uint256) or hex, cleaned; "no reason" for nothing.
std::string reason_text(ByteView revert);
// "AA25" of "AA25 invalid account nonce"; empty when the text does not begin so.
std::string aa_code(std::string_view reason);
// The refusal that a FailedOp means.
Error refusal_of(const chain::FailedOp& failure);

}  // namespace community::validation
