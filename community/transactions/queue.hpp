// SPDX-License-Identifier: Apache-2.0
// What an account queues (spec/account.md, section 3), between the order of a person, the bytes on chain and the words
// of a summary. Pure.
#pragma once
#include "community/transactions/api/transaction.hpp"

namespace community::transactions {

accounts::Result<accounts::Queued> queued_of(const QueueOrder& order, const Uint256& salt);
// As it was ordered. Nothing for content that this program does not read.
std::optional<QueueOrder> order_of(const accounts::Queued& queued);
// A queued change as CallSummary of spec/openapi.json; of a spend, its calls say more.
core::json::object queue_json(const QueueOrder& order);

}  // namespace community::transactions
