// SPDX-License-Identifier: Apache-2.0
// Why a contract of the account refused, in its own words.
#pragma once
#include <optional>

#include "community/accounts/api/account.hpp"

namespace community::accounts {

// "OverDailyLimit(0x…, 20, 10)" for the errors of accounts, multisigs, their factories, and the EntryPoint's refusals;
// nothing for other bytes.
std::optional<std::string> describe_account_revert(ByteView revert);

}  // namespace community::accounts
