// SPDX-License-Identifier: Apache-2.0
// Brings plain functions of accounts on chain at the node's cost (spec/account.md, section 2): freezing, changing keys,
// escaping and recovering must work for people whose account is frozen or without ether. One transaction at a time,
// of an executor key that bundles do not use; each is on disk before it is sent.
#pragma once
#include "community/core/address.hpp"
#include "community/core/rules.hpp"
#include "community/core/uint256.hpp"
#include "community/infra/api/task.hpp"

namespace community::courier {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

#define COMMUNITY_COURIER_ERRORS(X)                                            \
  X(call_invalid) /* empty, too large, or not a call */                        \
  X(would_revert) /* the contract refuses it now; the message has its words */ \
  X(gas_too_high) /* above what the trusted core signs */                      \
  X(queue_full)                                                                \
  X(refused) /* a rule of the trusted core; the message names it */            \
  X(keys_unavailable)                                                          \
  X(chain_unavailable)                                                         \
  X(storage)                                                                   \
  X(not_found)

COMMUNITY_ERRORS(COMMUNITY_COURIER_ERRORS)

struct CourierLimits {
  // Waiting and under way together.
  std::size_t queue = 256;
  std::size_t bytes = 16'384;
  // The trusted core's kMaxPlainCallGas.
  std::uint64_t gas = 2'000'000;
  // Blocks without inclusion after which fees are raised, and by how much; see the bundler's limits.
  std::uint64_t stuck_blocks = 3;
  unsigned bump_permille = 125;
  // Blocks after which an inclusion is final.
  std::uint64_t final_depth = 12;
  // Errands in blocks that are not final, and the one that waits for a block.
  std::size_t under_way = 32;
  // wei; the trusted core's fee_cap. Bumps stop there.
  Uint256 max_fee_per_gas;
};

#define COMMUNITY_ERRAND_STATES(X) X(waiting) X(sent) X(included) X(failed)
COMMUNITY_RULES(ErrandState, COMMUNITY_ERRAND_STATES)

struct Errand {
  // keccak256 of destination and call data: the same call is the same errand while it is not over.
  Bytes32 id{};
  // Included is final. One that is sent may be in a block already.
  ErrandState state = ErrandState::waiting;
  Address to{};
  // Of the transaction that is in a block, or of the last one sent.
  Bytes32 transaction_hash{};
  // Zero before it is in a block, and again once a reorganisation took it out.
  std::uint64_t block_number = 0;
  // Why it failed; of one that is sent and in a block, why it did nothing there.
  std::string reason;

  bool is_in_block() const { return block_number != 0; }
};

class Courier {
 public:
  virtual ~Courier() = default;
  // On disk when it returns. The call is tried on the latest state first. Waits until run() has read what a former run
  // left, so that asking again after a crash for what is under way finds it.
  virtual Task<Result<Bytes32>> accept(Address to, Bytes call_data) = 0;
  virtual Task<Result<Errand>> errand(Bytes32 id) = 0;
  // Reads what a former run left, then works until cancelled. Joined by its owner.
  virtual Task<void> run() = 0;
  // Who pays; nothing before the key is known.
  virtual std::optional<Address> address() const = 0;
};

}  // namespace community::courier
