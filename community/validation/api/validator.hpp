// SPDX-License-Identifier: Apache-2.0
// The door to this module: takes an operation from a stranger and answers what the pool may keep, or why not.
#pragma once
#include "community/core/json.hpp"
#include "community/validation/api/rules.hpp"

namespace community::validation {

// An operation that passed, with what others would have to compute again.
struct ValidatedUserop {
  Bytes32 hash{};
  EntryPointId entry_point;
  UserOperation op;
  // Gas it may use in a bundle.
  std::uint64_t gas = 0;
  // Its part of the calldata.
  CalldataCost calldata;
  // wei that its payer is liable for
  Uint256 max_cost;
};

struct GasEstimate {
  Uint256 pre_verification_gas;
  Uint256 verification_gas_limit;
  Uint256 call_gas_limit;
  // Absent without a paymaster.
  std::optional<Uint256> paymaster_verification_gas_limit;
  std::optional<Uint256> paymaster_post_op_gas_limit;
};

class Validator {
 public:
  virtual ~Validator() = default;
  virtual const std::vector<EntryPointId>& entry_points() const = 0;
  // entry_point_unknown.
  virtual Result<EntryPointId> find_entry_point(const Address& address) const = 0;
  // field_invalid, eip7702_not_supported where the hash depends on an authorization that is absent.
  virtual Result<Bytes32> hash(const UserOperation& op, const EntryPointId& entry_point) const = 0;
  // `predecessors` are operations of the same sender and nonce key that wait before this one, in nonce order.
  virtual Task<Result<ValidatedUserop>> validate(UserOperation op, EntryPointId entry_point,
                                                 std::vector<const UserOperation*> predecessors) = 0;
};

class Estimator {
 public:
  virtual ~Estimator() = default;
  // Limits under which the operation goes through when it is sent with exactly these; `overrides` is the state override
  // object of eth_call, empty for none. `nonce_pending`: earlier operations of the nonce key wait in the pool.
  virtual Task<Result<GasEstimate>> estimate(UserOperation op, EntryPointId entry_point, core::json::object overrides,
                                             bool nonce_pending) = 0;
};

}  // namespace community::validation
