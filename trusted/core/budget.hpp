// SPDX-License-Identifier: Apache-2.0
// Budgets of signed maximum cost (rules 3 and 4). Spending is leased: one durable write reserves a chunk, spending
// inside it costs no write. What a crash leaves of a lease counts as spent.
#pragma once
#include "trusted/core/state.hpp"

namespace community::trusted {

enum class BudgetKind : std::uint8_t { executor, sponsor, treasury };
inline constexpr std::size_t kBudgetKinds = 3;

// One of a chain's budgets: what the operator's configuration allows in all, in wei.
struct Budget {
  std::uint64_t chain_id = 0;
  BudgetKind kind{};
  Uint256 limit;
};

inline Budget executor_budget(const protocol::ChainConfig& chain) {
  return {chain.chain_id, BudgetKind::executor, chain.executor_budget};
}
inline Budget sponsor_budget(const protocol::ChainConfig& chain) {
  return {chain.chain_id, BudgetKind::sponsor, chain.sponsor_budget};
}
inline Budget treasury_budget(const protocol::TreasuryConfig& treasury) {
  return {treasury.chain_id, BudgetKind::treasury, treasury.budget};
}

class Budgets {
 public:
  // Counts `cost` against the budget. `approval` names what is approved (chain, sender and nonce, say): of a second
  // approval of the same thing only the excess counts, since at most one of them can happen. Writes the state when the
  // lease does not suffice; on failure nothing is counted.
  Error spend(const Port& port, State& state, const Budget& budget, const Bytes32& approval, const Uint256& cost);

  // Returns what is left of all leases to the budgets, durably. For a clean stop. When the write fails the leases are
  // lost.
  Error release(const Port& port, State& state);

  // What may still be spent: the limit less what is spent, leases counted as unspent.
  Uint256 left(const State& state, const Budget& budget) const;

 private:
  // One a kind; they belong to the slot of their chain in State::spent.
  using Leases = std::array<Uint256, kBudgetKinds>;
  // 4,096 recent approvals of 64 bytes. One that was pushed out counts in full again, which errs on the safe side.
  static constexpr std::size_t kWays = 4, kSets = 1'024;
  struct Approval {
    Bytes32 id{};
    Uint256 cost;
  };
  struct Set {
    std::array<Approval, kWays> ways{};
    std::uint8_t next = 0;
  };

  Approval* find(const Bytes32& id);
  void remember(const Bytes32& id, const Uint256& cost);

  std::array<Leases, protocol::kMaxChains> leases_{};
  std::array<Set, kSets> approvals_{};
};

// The slot of a chain in State::spent, made when there is none; nothing when all are taken.
Spent* spent_slot(State& state, std::uint64_t chain_id);
const Spent* find_spent(const State& state, std::uint64_t chain_id);

}  // namespace community::trusted
