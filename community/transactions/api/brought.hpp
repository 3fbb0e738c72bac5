// SPDX-License-Identifier: Apache-2.0
// Calls of accounts whose signatures come from elsewhere, and what waits in an account: read and tried, for whoever
// brings them on chain.
#pragma once
#include "community/chain/api/execution_client.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::transactions {

// escape or recover, which is what anybody may bring without a person's signature. calls_invalid.
Result<accounts::StartedAction> read_brought(ByteView call);

// On the latest state. The account's refusals by their names (would_revert and its like); chain_unavailable.
Task<Result<void>> try_call(chain::ExecutionClient& chain, Address account, Bytes call);

// Each with its content where that is what the item's id commits to; without a summary.
std::vector<WaitingItem> read_waiting(const accounts::AccountOnChain& where, std::uint32_t key_epoch,
                                      std::vector<accounts::WaitingItem> items);

}  // namespace community::transactions
