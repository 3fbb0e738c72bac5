// SPDX-License-Identifier: Apache-2.0
// Runs operations against the chain's state without sending them. Bodies: one call of the execution client (here), the
// in-process EVM (relay issue). What a body saw is a ValidationTrace; what it means is decided by Rules.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "community/infra/api/task.hpp"
#include "community/validation/api/entry_point.hpp"
#include "community/validation/api/error.hpp"

namespace community::validation {

using infra::Task;

// What the validation of an operation did. Frames, opcodes and storage join when a body can see them.
struct ValidationTrace {
  // Nothing when handleOps went through.
  std::optional<chain::FailedOp> failure;
  // False: this body saw only the result. Rules that need more say so instead of passing silently.
  bool has_frames = false;
};

struct SimulationRequest {
  EntryPointId entry_point;
  // In bundle order.
  std::vector<const UserOperation*> ops;
  // Sender of the transaction; a stand-in when absent.
  std::optional<Address> executor;
  // Who is paid; the sender when absent.
  std::optional<Address> beneficiary;
  // 0: what bundle_gas_limit says.
  std::uint64_t gas_limit = 0;
};

class Simulator {
 public:
  virtual ~Simulator() = default;
  // The real handleOps against the latest block. chain_unavailable when there is no usable answer.
  virtual Task<Result<ValidationTrace>> simulate(SimulationRequest request) = 0;
};

}  // namespace community::validation
