// SPDX-License-Identifier: Apache-2.0
// Passkeys as init data and actions encode them.
#pragma once
#include "community/accounts/api/account.hpp"
#include "community/core/abi.hpp"

namespace community::accounts {

// Passkey[]: (uint256 x, uint256 y, bytes32 rpIdHash)[]
core::AbiValue passkeys_value(const std::vector<InitPasskey>& passkeys);

}  // namespace community::accounts
