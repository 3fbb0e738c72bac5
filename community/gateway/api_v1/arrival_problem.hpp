// SPDX-License-Identifier: Apache-2.0
// Errors of arrivals and imports as problem documents.
#pragma once
#include "community/arrivals/api/error.hpp"
#include "community/gateway/api_v1/problem.hpp"

namespace community::gateway::api_v1 {

tl::unexpected<Problem> refuse_arrival(const arrivals::Error& error);

}  // namespace community::gateway::api_v1
