// SPDX-License-Identifier: Apache-2.0
// Money of the relay: a treasury key of the trusted core pays the node's executors and the deposits of its paymasters,
// when the operator says so and by itself when they run low. One payment is under way at a time.
#pragma once
#include <vector>

#include "community/core/address.hpp"
#include "community/core/rules.hpp"
#include "community/core/uint256.hpp"
#include "community/infra/api/task.hpp"

namespace community::treasury {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

#define COMMUNITY_TREASURY_ERRORS(X)                                                \
  X(not_an_executor)    /* no executor of this node and chain */                    \
  X(not_a_paymaster)    /* no paymaster of this node */                             \
  X(value_out_of_range) /* nothing, or above what the core pays */                  \
  X(queue_full)                                                                     \
  X(keys_unavailable)                                                               \
  X(chain_unavailable)                                                              \
  X(storage)                                                                        \
  X(refused) /* by the chain or a rule of the trusted core; the message says why */ \
  X(not_found)

COMMUNITY_ERRORS(COMMUNITY_TREASURY_ERRORS)

struct TreasuryLimits {
  // wei a payment; the trusted core's cap.
  Uint256 value_cap;
  // The trusted core's kMaxTreasuryGas.
  std::uint64_t gas = 200'000;
  // wei; the trusted core's fee_cap. Bumps stop there.
  Uint256 max_fee_per_gas;
  // Waiting and under way together.
  std::size_t queue = 64;
  // Blocks without inclusion after which fees are raised, and by how much; see the bundler's limits.
  std::uint64_t stuck_blocks = 3;
  unsigned bump_permille = 125;
  // Blocks after which an inclusion is final.
  std::uint64_t final_depth = 12;
  // wei. Below the lowest an executor, or a deposit, is filled up to the target; a lowest of zero: never by itself.
  Uint256 min_balance, target_balance, min_deposit, target_deposit;
  // Blocks between two looks at all balances, and after a refill that failed or that there was no money for.
  std::uint64_t look_blocks = 5, rest_blocks = 50;
};

#define COMMUNITY_PAYMENT_KINDS(X) X(executor) X(deposit)
COMMUNITY_RULES(PaymentKind, COMMUNITY_PAYMENT_KINDS)
#define COMMUNITY_PAYMENT_STATES(X) X(waiting) X(sent) X(included) X(failed)
COMMUNITY_RULES(PaymentState, COMMUNITY_PAYMENT_STATES)

struct Payment {
  std::uint64_t id = 0;
  PaymentKind kind{};
  // The executor, or the paymaster whose deposit is raised.
  Address payee{};
  // wei
  Uint256 value;
  // A refill that nobody ordered.
  bool automatic = false;
  // Included is final. One that is sent may be in a block already.
  PaymentState state{};
  // Of the transaction that is in a block, or of the last one sent.
  Bytes32 transaction_hash{};
  // Zero before it is in a block, and again once a reorganisation took it out.
  std::uint64_t block_number = 0;
  // Why it failed; of one that is sent and in a block, why it did nothing there.
  std::string reason;
};

struct Holding {
  PaymentKind kind{};
  Address payee{};
  // wei; of a paymaster its deposit.
  Uint256 balance;
};

struct TreasuryReport {
  Address address{};
  Uint256 balance;
  // The executors, then the paymasters.
  std::vector<Holding> holdings;
  // The latest ten, newest first.
  std::vector<Payment> payments;
};

class Treasurer {
 public:
  virtual ~Treasurer() = default;
  // On disk when they return; the payment's id. They wait until run() has read what a former run left.
  virtual Task<Result<std::uint64_t>> pay(PaymentKind kind, Address payee, Uint256 value) = 0;
  virtual Task<Result<Payment>> payment(std::uint64_t id) = 0;
  virtual Task<Result<TreasuryReport>> report() = 0;
  // Reads what a former run left, then works until cancelled. Joined by its owner.
  virtual Task<void> run() = 0;
};

}  // namespace community::treasury
