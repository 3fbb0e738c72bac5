// SPDX-License-Identifier: Apache-2.0
// What calls say they do, for pages that show calls which nobody prepared here: those that a multisig's owners propose.
#pragma once
#include "community/accounts/api/account.hpp"
#include "community/core/json.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::transactions {

struct CallsDescription {
  // CallSummary and Warning of spec/openapi.json, as in a prepared transaction.
  core::json::array summary, warnings;
};

// Of one chain. On the loop that it is used on.
class CallDescriber {
 public:
  virtual ~CallDescriber() = default;
  // `sender` is who would make the calls. first-payment is left out: only an account says whom it knows.
  // chain_unavailable; calls_invalid when they carry more than there is.
  virtual Task<Result<CallsDescription>> describe(Address sender, std::vector<accounts::Call> calls) = 0;
  // In the order of the tokens, each as its contract tells it.
  virtual Task<std::vector<TokenBalance>> balances(Address holder, std::vector<Address> tokens) = 0;
};

}  // namespace community::transactions
