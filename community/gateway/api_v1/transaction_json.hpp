// SPDX-License-Identifier: Apache-2.0
// Transactions and the state of accounts in the words of spec/openapi.json.
#pragma once
#include "community/core/json.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::gateway::api_v1 {

namespace json = core::json;

json::object to_json(const transactions::Transaction& transaction);
json::object to_json(const transactions::DerivedAddress& derived);
json::object to_json(const transactions::WalletState& state);
json::object to_json(const transactions::TokenBalance& token);
json::object waiting_json(const transactions::WaitingItem& waiting, const accounts::AccountOnChain& where);

}  // namespace community::gateway::api_v1
