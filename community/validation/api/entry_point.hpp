// SPDX-License-Identifier: Apache-2.0
// The EntryPoints this node serves. What differs between versions lies in sibling files, v0_7 and v0_8.
#pragma once
#include <string_view>

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

struct EntryPoint {
  Address address{};
  EntryPointVersion version{};
  bool operator==(const EntryPoint&) const = default;
};

// Runtime code of the published EntryPointSimulations, laid over the EntryPoint for estimates only.
struct EntryPointCode {
  EntryPoint entry_point;
  Bytes simulations;
};

inline std::string_view version_text(EntryPointVersion version) {
  return version == EntryPointVersion::v0_7 ? "0.7" : "0.8";
}

}  // namespace community::validation
