// SPDX-License-Identifier: Apache-2.0
// View functions of one contract, asked together about one block.
#pragma once
#include "community/accounts/api/account.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/core/abi.hpp"

namespace community::accounts {

using AbiValues = std::vector<core::AbiValue>;

// One question: a view function, what to ask it, and the types of its answer.
struct Question {
  std::string function;
  AbiValues arguments;
  std::string answer;
};

// All at once, as one eth_call where the chain's server runs it, else in one batch; the answers in the order of the
// questions. `client` outlives the task.
// chain_failed when the chain does not answer; account_unreadable when the contract reverts or answers other types.
infra::Task<Result<std::vector<AbiValues>>> ask_all(chain::ExecutionClient& client, Address contract,
                                                    std::vector<Question> questions, chain::BlockRef block);

}  // namespace community::accounts
