// SPDX-License-Identifier: Apache-2.0
// An operation whose fields are all in order; tests change the one they are about.
#pragma once
#include "community/validation/api/simulator.hpp"

namespace community::validation {

inline UserOperation sample_userop(std::uint8_t sender = 1, std::uint64_t nonce = 0) {
  UserOperation op;
  op.sender[19] = sender;
  op.nonce = Uint256(nonce);
  op.call_data = {1, 2, 3, 4};
  op.verification_gas_limit = Uint256(100'000);
  op.call_gas_limit = Uint256(50'000);
  op.pre_verification_gas = Uint256(60'000);
  op.max_fee_per_gas = Uint256(9'000'000'000);
  op.max_priority_fee_per_gas = Uint256(1'000'000'000);
  op.signature = {9};
  return op;
}

}  // namespace community::validation
