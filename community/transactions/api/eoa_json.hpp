// SPDX-License-Identifier: Apache-2.0
// A transaction of a phrase's key as people's programs and this module's rows have it.
#pragma once
#include "community/transactions/api/transaction.hpp"

namespace community::transactions {

// As eth_sendTransaction has it, quantities in hexadecimal; the type is "legacy", "eip1559" or "eip7702".
core::json::object eoa_json(const PreparedEoa& prepared);

}  // namespace community::transactions
