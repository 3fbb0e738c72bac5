// SPDX-License-Identifier: Apache-2.0
#include "trusted/core/budget.hpp"

namespace community::trusted {
namespace {

// A lease is a hundredth of the budget at most, unless one approval alone needs more.
constexpr std::uint32_t kLeaseParts = 100;

const Uint256& limit_of(const protocol::ChainConfig& chain, BudgetKind kind) {
  return kind == BudgetKind::executor ? chain.executor_budget : chain.sponsor_budget;
}

}  // namespace

const Spent* find_spent(const State& state, std::uint64_t chain_id) {
  for (std::size_t i = 0; i < state.spent_count; i++)
    if (state.spent[i].chain_id == chain_id) return &state.spent[i];
  return nullptr;
}

Spent* spent_slot(State& state, std::uint64_t chain_id) {
  if (const Spent* found = find_spent(state, chain_id)) return const_cast<Spent*>(found);
  if (state.spent_count == state.spent.size()) return nullptr;
  Spent& slot = state.spent[state.spent_count++];
  slot = Spent{chain_id, {}, {}};
  return &slot;
}

Budgets::Approval* Budgets::find(const Bytes32& id) {
  Set& set = approvals_[base::load_be<std::uint16_t>(id.data()) % kSets];
  for (Approval& approval : set.ways)
    if (approval.id == id) return &approval;
  return nullptr;
}

void Budgets::remember(const Bytes32& id, const Uint256& cost) {
  if (Approval* known = find(id)) {
    if (cost > known->cost) known->cost = cost;
    return;
  }
  Set& set = approvals_[base::load_be<std::uint16_t>(id.data()) % kSets];
  set.ways[set.next] = Approval{id, cost};
  set.next = static_cast<std::uint8_t>((set.next + 1u) % kWays);
}

Error Budgets::spend(const Port& port, State& state, const protocol::ChainConfig& chain, BudgetKind kind,
                     const Bytes32& approval, const Uint256& cost) {
  Spent* spent = spent_slot(state, chain.chain_id);
  if (spent == nullptr) return Error::configuration_malformed;
  Lease& slot = leases_[static_cast<std::size_t>(spent - state.spent.data())];
  Uint256& lease = kind == BudgetKind::executor ? slot.executor : slot.sponsor;
  Uint256& used = kind == BudgetKind::executor ? spent->executor : spent->sponsor;

  Uint256 excess = cost;
  if (const Approval* known = find(approval)) excess = subtract(cost, known->cost).value_or(Uint256{});
  // Also when the lease would suffice: one that was taken under a larger budget must not outlive it.
  if (excess > left(state, chain, kind)) return Error::budget_exhausted;
  if (excess > lease) {
    const Uint256 missing = *subtract(excess, lease);
    const Uint256 free = subtract(limit_of(chain, kind), used).value_or(Uint256{});
    if (missing > free) return Error::budget_exhausted;
    const Uint256 hundredth = quotient(limit_of(chain, kind), kLeaseParts);
    Uint256 chunk = missing > hundredth ? missing : hundredth;
    if (chunk > free) chunk = free;
    const Uint256 before = used;
    used = *add(used, chunk);
    const Error error = save_state(port, state);
    if (error != Error::ok) {
      used = before;
      return error;
    }
    lease = *add(lease, chunk);
  }
  lease = *subtract(lease, excess);
  remember(approval, cost);
  return Error::ok;
}

Error Budgets::release(const Port& port, State& state) {
  const auto before = state.spent;
  for (std::size_t i = 0; i < state.spent_count; i++) {
    state.spent[i].executor = subtract(state.spent[i].executor, leases_[i].executor).value_or(Uint256{});
    state.spent[i].sponsor = subtract(state.spent[i].sponsor, leases_[i].sponsor).value_or(Uint256{});
  }
  const Error error = save_state(port, state);
  // A failed write may have reached the store all the same. A lease that was perhaps returned must not be spent as
  // well, so it is given up and counts as spent.
  leases_ = {};
  if (error != Error::ok) state.spent = before;
  return error;
}

Uint256 Budgets::left(const State& state, const protocol::ChainConfig& chain, BudgetKind kind) const {
  const Spent* spent = find_spent(state, chain.chain_id);
  if (spent == nullptr) return limit_of(chain, kind);
  const Lease& slot = leases_[static_cast<std::size_t>(spent - state.spent.data())];
  const Uint256& used = kind == BudgetKind::executor ? spent->executor : spent->sponsor;
  const Uint256& lease = kind == BudgetKind::executor ? slot.executor : slot.sponsor;
  const Uint256 reserved = subtract(used, lease).value_or(Uint256{});
  return subtract(limit_of(chain, kind), reserved).value_or(Uint256{});
}

}  // namespace community::trusted
