// SPDX-License-Identifier: Apache-2.0
// The real bodies. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/validation/api/validator.hpp"

namespace community::validation {

struct ValidationOptions {
  std::uint64_t chain_id = 0;
  std::vector<ServedEntryPoint> entry_points;
  StaticLimits limits;
  // wei; an operation that pays less is refused.
  Uint256 least_priority_fee;
};

std::unique_ptr<Simulator> make_call_simulator(chain::ExecutionClient& chain, ValidationOptions options);
std::unique_ptr<Rules> make_rules();
// What is passed by reference outlives what is made.
std::unique_ptr<Validator> make_validator(chain::FeeOracle& fees, Simulator& simulator, const Rules& rules,
                                          ValidationOptions options);
// Needs debug_traceCall with state and block overrides.
std::unique_ptr<Estimator> make_estimator(chain::ExecutionClient& chain, const chain::BlockWatcher& blocks,
                                          ValidationOptions options);

}  // namespace community::validation
