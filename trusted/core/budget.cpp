// SPDX-License-Identifier: Apache-2.0
#include "trusted/core/budget.hpp"

namespace community::trusted {
namespace {

// A lease is a hundredth of the budget at most, unless one approval alone needs more.
constexpr std::uint32_t kLeaseParts = 100;

std::size_t index_of(BudgetKind kind) { return static_cast<std::size_t>(kind); }

const Uint256& spent_of(const Spent& spent, BudgetKind kind) {
  switch (kind) {
    case BudgetKind::executor:
      return spent.executor;
    case BudgetKind::sponsor:
      return spent.sponsor;
    case BudgetKind::treasury:
      break;
  }
  return spent.treasury;
}
Uint256& spent_of(Spent& spent, BudgetKind kind) {
  return const_cast<Uint256&>(spent_of(static_cast<const Spent&>(spent), kind));
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
  slot = {};
  slot.chain_id = chain_id;
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

Error Budgets::spend(const Port& port, State& state, const Budget& budget, const Bytes32& approval,
                     const Uint256& cost) {
  Spent* spent = spent_slot(state, budget.chain_id);
  if (spent == nullptr) return Error::configuration_malformed;
  Uint256& lease = leases_[static_cast<std::size_t>(spent - state.spent.data())][index_of(budget.kind)];
  Uint256& used = spent_of(*spent, budget.kind);

  Uint256 excess = cost;
  if (const Approval* known = find(approval)) excess = subtract(cost, known->cost).value_or(Uint256{});
  // Also when the lease would suffice: one that was taken under a larger budget must not outlive it.
  if (excess > left(state, budget)) return Error::budget_exhausted;
  if (excess > lease) {
    const Uint256 missing = *subtract(excess, lease);
    const Uint256 free = subtract(budget.limit, used).value_or(Uint256{});
    if (missing > free) return Error::budget_exhausted;
    const Uint256 hundredth = quotient(budget.limit, kLeaseParts);
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
    for (const BudgetKind kind : {BudgetKind::executor, BudgetKind::sponsor, BudgetKind::treasury}) {
      Uint256& used = spent_of(state.spent[i], kind);
      used = subtract(used, leases_[i][index_of(kind)]).value_or(Uint256{});
    }
  }
  const Error error = save_state(port, state);
  // A failed write may have reached the store all the same. A lease that was perhaps returned must not be spent as
  // well, so it is given up and counts as spent.
  leases_ = {};
  if (error != Error::ok) state.spent = before;
  return error;
}

Uint256 Budgets::left(const State& state, const Budget& budget) const {
  const Spent* spent = find_spent(state, budget.chain_id);
  if (spent == nullptr) return budget.limit;
  const Uint256& lease = leases_[static_cast<std::size_t>(spent - state.spent.data())][index_of(budget.kind)];
  const Uint256 reserved = subtract(spent_of(*spent, budget.kind), lease).value_or(Uint256{});
  return subtract(budget.limit, reserved).value_or(Uint256{});
}

}  // namespace community::trusted
