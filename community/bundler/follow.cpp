// SPDX-License-Identifier: Apache-2.0
// Following transactions until they are final. Every conclusion is drawn from receipts: a nonce that is used says only
// that one of several transactions won.
#include "community/bundler/inclusions.hpp"
#include "community/bundler/relay_bundler.hpp"

namespace community::bundler {
namespace {

// Looks that must agree that a nonce is used and no attempt mined: the node may have mined a block between two answers.
constexpr unsigned kLooksUntilLost = 2;
// Finished transactions kept for receipts, and how many may finish before the rest is deleted.
constexpr std::size_t kKeptTransactions = 50'000;
constexpr std::uint64_t kTrimEvery = 1'024;

double as_double(const Uint256& value) {
  double result = 0;
  for (std::size_t i = 4; i-- > 0;) result = result * 18'446'744'073'709'551'616.0 + static_cast<double>(value.limb[i]);
  return result;
}

chain::ChainCall ask(std::string method, chain::json::array params) { return {std::move(method), std::move(params)}; }

}  // namespace

Task<std::optional<RelayBundler::Look>> RelayBundler::look(Executor& executor) {
  std::vector<chain::ChainCall> calls;
  const std::string address = core::format_address(executor.address);
  // The count comes first: a block between the answers then shows as a receipt, not as a loss.
  calls.push_back(ask("eth_getTransactionCount", {address, "latest"}));
  calls.push_back(ask("eth_getBalance", {address, "latest"}));
  std::vector<Bytes32> hashes;
  for (auto& [nonce, slot] : executor.slots) {
    const Attempt* mined = slot.mined();
    const bool is_settled = mined != nullptr && mined->block_number <= recheck_above_.value_or(mined->block_number) &&
                            head_ < mined->block_number + options_.limits.final_depth;
    if (is_settled) continue;
    for (const Attempt& attempt : slot.attempts) {
      hashes.push_back(attempt.hash);
      calls.push_back(ask("eth_getTransactionReceipt", {core::to_hex(attempt.hash)}));
    }
  }
  chain::ChainCallOptions call_options;
  auto answers = co_await d_.chain.batch(std::move(calls), call_options);
  if (!answers) co_return std::nullopt;
  Look seen;
  for (const auto& answer : *answers)
    if (!answer) co_return std::nullopt;
  const auto number = [](const chain::json::value& value) {
    return value.is_string() ? core::parse_hex_number(value.get_string()).value_or(Uint256()) : Uint256();
  };
  seen.count = number(*(*answers)[0]).to_u64().value_or(0);
  executor.balance = number(*(*answers)[1]);
  for (std::size_t i = 0; i < hashes.size(); i++) {
    seen.asked.insert(hashes[i]);
    const auto& value = *(*answers)[i + 2];
    if (value.is_null()) continue;
    auto receipt = chain::receipt_from_json(value);
    if (!receipt) co_return std::nullopt;
    seen.receipts.emplace(hashes[i], std::move(*receipt));
  }
  co_return seen;
}

Task<bool> RelayBundler::follow(Executor& executor) {
  auto seen = co_await look(executor);
  if (!seen) co_return false;
  std::vector<std::uint64_t> nonces;
  for (const auto& [nonce, slot] : executor.slots) nonces.push_back(nonce);
  for (const std::uint64_t nonce : nonces) {
    const bool is_mined = executor.slots.at(nonce).mined() != nullptr;
    if (is_mined) co_await follow_mined(executor, nonce, *seen);
    if (!is_mined) co_await follow_slot(executor, nonce, *seen);
  }
  executor.next_nonce = seen->count;
  for (auto it = executor.slots.find(executor.next_nonce); it != executor.slots.end() && it->second.mined() != nullptr;
       it = executor.slots.find(executor.next_nonce))
    executor.next_nonce++;
  co_await stand_down(executor);
  executor.is_known = true;
  co_return true;
}

// A transaction behind a nonce that nobody fills any more can only wait: its operations go into other bundles, and it
// is still looked up in case the node brings the missing one back.
Task<void> RelayBundler::stand_down(Executor& executor) {
  const auto next = executor.slots.find(executor.next_nonce);
  if (next != executor.slots.end() && next->second.is_active) co_return;
  for (auto& [nonce, slot] : executor.slots) {
    if (nonce <= executor.next_nonce || !slot.is_active || slot.mined() != nullptr) continue;
    slot.is_active = false;
    const std::set<Bytes32> none;
    auto userops = take_userops(executor, nonce, none);
    co_await d_.pool.mark_waiting(std::move(userops), false, pool::AlsoWrite());
  }
}

Task<void> RelayBundler::follow_slot(Executor& executor, std::uint64_t nonce, const Look& seen) {
  Slot& slot = executor.slots.at(nonce);
  for (const Attempt& attempt : slot.attempts) {
    const auto found = seen.receipts.find(attempt.hash);
    if (found == seen.receipts.end()) continue;
    const Bytes32 hash = attempt.hash;
    co_await on_mined(executor, nonce, hash, found->second);
    co_return;
  }
  if (seen.count > nonce) {
    slot.missing++;
    if (slot.missing >= kLooksUntilLost) co_await release(executor, nonce);
    co_return;
  }
  slot.missing = 0;
  if (!slot.is_active || seen.count < nonce) co_return;
  const std::uint64_t sent_at = slot.attempts.back().sent_at;
  if (head_ >= sent_at + options_.limits.stuck_blocks) {
    co_await bump(executor, nonce);
  } else if (head_ > sent_at || !send_problem_.empty()) {
    const Bytes32 hash = slot.attempts.back().hash;
    co_await broadcast(executor, nonce, hash);
  }
}

Task<void> RelayBundler::follow_mined(Executor& executor, std::uint64_t nonce, const Look& seen) {
  Slot& slot = executor.slots.at(nonce);
  const Attempt mined = *slot.mined();
  if (!seen.asked.contains(mined.hash)) co_return;
  const auto found = seen.receipts.find(mined.hash);
  if (found == seen.receipts.end()) {
    co_await on_vanished(executor, nonce);
    // Another attempt may have taken its place.
    co_await follow_slot(executor, nonce, seen);
    co_return;
  }
  if (found->second.block_hash != mined.block_hash) {
    co_await on_mined(executor, nonce, mined.hash, found->second);
    co_return;
  }
  if (head_ < mined.block_number + options_.limits.final_depth) co_return;
  const Bytes32 hash = mined.hash;
  pool::AlsoWrite also = [hash](soci::session& sql) { set_state(sql, hash, TransactionState::final); };
  std::vector<Bytes32> userops = mined.userops;
  auto forgotten = co_await d_.pool.forget(std::move(userops), std::move(also));
  if (!forgotten) co_return;
  for (const Bytes32& userop : mined.userops) slot_of_.erase(userop);
  executor.slots.erase(nonce);
  // Nobody knows how many the last run left: the first to finish removes them.
  if (finished_++ % kTrimEvery == 0) co_await store_.trim(kKeptTransactions);
}

std::vector<Bytes32> RelayBundler::take_userops(const Executor& executor, std::uint64_t nonce,
                                                const std::set<Bytes32>& kept) {
  std::vector<Bytes32> taken;
  for (const Attempt& attempt : executor.slots.at(nonce).attempts) {
    for (const Bytes32& userop : attempt.userops) {
      const auto found = slot_of_.find(userop);
      const bool is_own = found != slot_of_.end() && found->second == std::pair(executor.address, nonce);
      if (!is_own || kept.contains(userop)) continue;
      slot_of_.erase(found);
      taken.push_back(userop);
    }
  }
  return taken;
}

Task<void> RelayBundler::on_mined(Executor& executor, std::uint64_t nonce, Bytes32 hash,
                                  const chain::Receipt& receipt) {
  Slot& slot = executor.slots.at(nonce);
  Attempt attempt;
  for (const Attempt& one : slot.attempts)
    if (one.hash == hash) attempt = one;
  const chain::EntryPoint* entry_point = find_entry_point(attempt.entry_point);
  std::vector<pool::Inclusion> inclusions;
  if (entry_point != nullptr && receipt.success) inclusions = read_inclusions(receipt, *entry_point);
  if (inclusions.empty() && !attempt.userops.empty()) {
    co_await on_reverted(executor, nonce, hash, receipt);
    co_return;
  }
  attempt.block_number = receipt.block_number;
  attempt.block_hash = receipt.block_hash;
  std::string text = core::json::serialize(receipt.raw);
  Attempt row = attempt;
  row.raw.clear();
  pool::AlsoWrite also = [row, text = std::move(text)](soci::session& sql) { set_mined(sql, row, text); };
  std::vector<std::pair<Address, Uint256>> settled;
  for (const pool::Inclusion& inclusion : inclusions)
    if (const auto userop = d_.pool.find_live(inclusion.hash))
      settled.emplace_back(userop->userop.op.sender, userop->userop.op.nonce);
  std::vector<pool::Inclusion> stored = inclusions;
  auto done = co_await d_.pool.mark_included(std::move(stored), std::move(also));
  if (!done) {
    infra::log_error("inclusion was not stored", {{"why", done.error().message}});
    block_seen_ = true;
    co_return;
  }
  std::set<Bytes32> kept;
  for (const pool::Inclusion& inclusion : inclusions) kept.insert(inclusion.hash);
  // They may be in another executor's transaction too, if this one had vanished before: that one loses them.
  for (const Bytes32& userop : attempt.userops)
    if (kept.contains(userop)) slot_of_[userop] = {executor.address, nonce};
  send_problem_.clear();
  for (Attempt& one : slot.attempts) {
    one.state = one.hash == hash ? TransactionState::mined : TransactionState::pending;
    one.raw.clear();
    if (one.hash != hash) continue;
    one.block_number = receipt.block_number;
    one.block_hash = receipt.block_hash;
  }
  if (d_.on_included)
    for (const auto& [sender, userop_nonce] : settled) d_.on_included(sender, userop_nonce);
  // Attempts with other operations lost their nonce.
  auto rest = take_userops(executor, nonce, kept);
  if (!rest.empty()) co_await d_.pool.mark_waiting(std::move(rest), false, pool::AlsoWrite());
  account(receipt, inclusions);
}

Task<void> RelayBundler::on_reverted(Executor& executor, std::uint64_t nonce, Bytes32 hash,
                                     const chain::Receipt& receipt) {
  if (reverted_) reverted_->add();
  infra::log_warning("bundle reverted on chain",
                     {{"hash", core::to_hex(hash)}, {"block", receipt.block_number}, {"gas", receipt.gas_used}});
  Slot& slot = executor.slots.at(nonce);
  const std::set<Bytes32> none;
  auto userops = take_userops(executor, nonce, none);
  std::vector<Bytes32> again;
  for (const Bytes32& userop : userops) {
    parked_.insert(userop);
    const auto live = d_.pool.find_live(userop);
    if (live && live->failures + 1 >= options_.limits.max_failures) {
      co_await d_.pool.drop(userop, "its bundles reverted on chain although they had passed simulation");
    } else {
      again.push_back(userop);
    }
  }
  Attempt row;
  for (Attempt& attempt : slot.attempts) {
    if (attempt.hash != hash) continue;
    attempt.state = TransactionState::mined;
    attempt.block_number = receipt.block_number;
    attempt.block_hash = receipt.block_hash;
    attempt.raw.clear();
    // A vanished revert takes nothing with it.
    attempt.userops.clear();
    row = attempt;
  }
  std::string text = core::json::serialize(receipt.raw);
  pool::AlsoWrite also = [row, text = std::move(text)](soci::session& sql) { set_mined(sql, row, text); };
  co_await d_.pool.mark_waiting(std::move(again), true, std::move(also));
}

Task<void> RelayBundler::on_vanished(Executor& executor, std::uint64_t nonce) {
  if (vanished_) vanished_->add();
  Slot& slot = executor.slots.at(nonce);
  Attempt& mined = *slot.mined();
  infra::log_warning("inclusion vanished", {{"hash", core::to_hex(mined.hash)}, {"block", mined.block_number}});
  mined.state = TransactionState::pending;
  mined.block_number = 0;
  slot.is_active = false;
  const Bytes32 hash = mined.hash;
  const std::set<Bytes32> none;
  auto userops = take_userops(executor, nonce, none);
  pool::AlsoWrite also = [hash](soci::session& sql) { set_state(sql, hash, TransactionState::pending); };
  auto done = co_await d_.pool.mark_waiting(std::move(userops), false, std::move(also));
  if (!done) infra::log_error("vanished inclusion was not stored", {{"why", done.error().message}});
}

Task<void> RelayBundler::release(Executor& executor, std::uint64_t nonce) {
  Slot& slot = executor.slots.at(nonce);
  if (slot.is_active)
    infra::log_warning("a foreign transaction used the executor's nonce",
                       {{"executor", core::format_address(executor.address)}, {"nonce", nonce}});
  std::vector<Bytes32> hashes;
  for (const Attempt& attempt : slot.attempts) hashes.push_back(attempt.hash);
  const std::set<Bytes32> none;
  auto userops = take_userops(executor, nonce, none);
  pool::AlsoWrite also = [hashes](soci::session& sql) {
    for (const Bytes32& hash : hashes) set_state(sql, hash, TransactionState::dead);
  };
  auto done = co_await d_.pool.mark_waiting(std::move(userops), false, std::move(also));
  if (done) executor.slots.erase(nonce);
}

// The same operations, as far as they still go through, with higher fees; an empty transaction when none is left.
Task<void> RelayBundler::bump(Executor& executor, std::uint64_t nonce) {
  Slot& slot = executor.slots.at(nonce);
  Attempt last = slot.attempts.back();
  auto fees = co_await d_.fees.suggest();
  if (!fees) co_return;
  Bundle bundle;
  bundle.entry_point = find_entry_point(last.entry_point);
  if (bundle.entry_point != nullptr) {
    std::vector<pool::UseropPtr> userops;
    for (const Bytes32& hash : last.userops)
      if (auto userop = d_.pool.find_live(hash)) userops.push_back(std::move(userop));
    const chain::EntryPoint& entry_point = *bundle.entry_point;
    auto outcome = co_await builder_.prove(entry_point, std::move(userops), executor.address);
    if (!outcome) co_return;
    bundle = std::move(outcome->bundle);
    co_await handle_misfits(entry_point, std::move(outcome->misfits));
  }
  const auto offer = choose_fees(*fees, bundle, &slot);
  if (!offer) {
    fee_problem_ = "a stuck transaction cannot be replaced: its fees would exceed what executors may offer";
    const Bytes32 hash = last.hash;
    co_await broadcast(executor, nonce, hash);
    co_return;
  }
  fee_problem_.clear();
  std::set<Bytes32> kept;
  for (const pool::UseropPtr& userop : bundle.userops) kept.insert(userop->userop.hash);
  if (!co_await submit(executor, nonce, bundle, *offer)) co_return;
  if (bumps_) bumps_->add();
  infra::log_info(
      "stuck transaction replaced",
      {{"old", core::to_hex(last.hash)}, {"userops", bundle.userops.size()}, {"blocks", head_ - last.sent_at}});
  // What no longer fits waits for another bundle.
  auto rest = take_userops(executor, nonce, kept);
  if (!rest.empty()) co_await d_.pool.mark_waiting(std::move(rest), false, pool::AlsoWrite());
}

void RelayBundler::account(const chain::Receipt& receipt, const std::vector<pool::Inclusion>& inclusions) {
  if (userops_) userops_->add(static_cast<double>(inclusions.size()));
  if (!margin_) return;
  double paid = 0;
  for (const pool::Inclusion& inclusion : inclusions) paid += as_double(inclusion.actual_gas_cost);
  margin_->add(paid - as_double(receipt.effective_gas_price) * static_cast<double>(receipt.gas_used));
}

}  // namespace community::bundler
