// SPDX-License-Identifier: Apache-2.0
// From a trace to a verdict. The rules are written once over ValidationTrace, whichever body made it; each refusal
// names its rule.
#pragma once
#include "community/validation/api/gas.hpp"
#include "community/validation/api/simulator.hpp"

namespace community::validation {

// What the checks that need no trace must know of chain and configuration.
struct FeeLevel {
  // Of the next block, wei.
  Uint256 base_fee;
  // Least priority fee this node bundles for, wei.
  Uint256 least_priority_fee;
};

struct StaticLimits {
  // Sum of gas limits of one operation, with what its bundle needs besides.
  std::uint64_t bundle_gas = kMaxTransactionGas;
  std::size_t bundle_bytes = kMaxBundleBytes;
  // ERC-7562, MAX_VERIFICATION_GAS is 500,000 there; accounts that verify P-256 without the precompile and deploy in
  // the same operation need more, so this node takes up to a third of a bundle.
  std::uint64_t verification_gas = 5'000'000;
};

class Rules {
 public:
  virtual ~Rules() = default;
  // Form, sizes, gas and fees: everything that needs neither chain state nor a trace.
  virtual Result<void> check_static(const UserOperation& op, const EntryPointId& entry_point,
                                    const StaticLimits& limits, const FeeLevel& fees) const = 0;
  // What the run showed about the operation at `index`.
  virtual Result<void> check_trace(const ValidationTrace& trace, std::size_t index) const = 0;
};

}  // namespace community::validation
