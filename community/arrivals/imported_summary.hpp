// SPDX-License-Identifier: Apache-2.0
// A summary of calls that another node wrote, as CallSummary of spec/openapi.json has it: members that are known, of
// their types, texts that a line may hold. What is anything else is left out. Pure.
#pragma once
#include "community/core/json.hpp"

namespace community::arrivals {

// At most kMaxSummaryItems, and kMaxSummaryBytes as JSON: one with more is empty.
core::json::array imported_summary(const core::json::value& summary);

}  // namespace community::arrivals
