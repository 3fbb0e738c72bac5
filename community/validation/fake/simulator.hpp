// SPDX-License-Identifier: Apache-2.0
// A simulator that answers what a test says about each operation.
#pragma once
#include <functional>

#include "community/validation/api/simulator.hpp"

namespace community::validation {

class FakeSimulator final : public Simulator {
 public:
  // The reason an operation fails with; empty when it goes through.
  using Judge = std::function<std::string(const UserOperation&)>;

  // Operations of each bundle that was asked for.
  std::vector<std::size_t> sizes;
  Judge judge;
  // An operation with which handleOps reverts without naming anybody.
  std::function<bool(const UserOperation&)> spoils;
  // Answered instead of everything else while it is set.
  std::optional<Error> trouble;

  Task<Result<ValidationTrace>> simulate(SimulationRequest request) override {
    co_await infra::reschedule();
    sizes.push_back(request.ops.size());
    if (trouble) co_return tl::unexpected(*trouble);
    for (const UserOperation* op : request.ops)
      if (spoils && spoils(*op)) co_return fail(ErrorCode::bundle_reverted, "handleOps reverted");
    ValidationTrace trace;
    for (std::size_t i = 0; i < request.ops.size() && judge; i++) {
      const std::string reason = judge(*request.ops[i]);
      if (reason.empty()) continue;
      chain::FailedOp failure;
      failure.index = i;
      failure.reason = reason;
      trace.failure = std::move(failure);
      break;
    }
    co_return trace;
  }
};

}  // namespace community::validation
