// SPDX-License-Identifier: Apache-2.0
// Which EntryPoint an operation belongs to. What differs between versions lies in community/chain/v0_7 and v0_8.
#pragma once
#include <memory>

#include "community/chain/api/entry_point.hpp"
#include "community/core/userop.hpp"

namespace community::validation {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::EntryPointVersion;
using core::PackedUserOperation;
using core::Uint256;
using core::UserOperation;

struct EntryPointId {
  Address address{};
  EntryPointVersion version{};
  bool operator==(const EntryPointId&) const = default;
};

// A served EntryPoint. `contract` outlives everything that is made with it.
struct ServedEntryPoint {
  const chain::EntryPoint* contract = nullptr;
  // Runtime code of the published EntryPointSimulations, laid over the contract for estimates only.
  Bytes simulations;

  EntryPointId id() const { return {contract->address(), contract->version()}; }
};

}  // namespace community::validation
