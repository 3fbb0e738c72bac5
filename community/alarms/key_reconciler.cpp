// SPDX-License-Identifier: Apache-2.0
#include "community/alarms/key_reconciler.hpp"

#include <algorithm>

#include "community/alarms/wallet_keys.hpp"
#include "community/infra/api/log.hpp"

namespace community::alarms {
namespace {

using accounts::ItemKind;

// A change waits 3 days and is void after 30 more: what started it is among an account's latest events.
constexpr std::size_t kEventsLookedAt = 1'000;

bool is_change_of_keys(const std::string& decimal_kind) {
  return decimal_kind == std::to_string(static_cast<int>(ItemKind::change_keys));
}

bool touches_keys(const accounts::AccountEvent& event) {
  constexpr std::string_view kNames[] = {"PasskeyAdded", "PasskeyRemoved", "ServerKeyChanged", "KeyEpochChanged"};
  if (std::ranges::find(kNames, event.name) != std::end(kNames)) return true;
  const core::AbiValue* kind = event.name.starts_with("Item") ? event.field("kind") : nullptr;
  return kind != nullptr && is_change_of_keys(core::format_decimal(kind->word()));
}

Error account_error(const accounts::Error& error) {
  switch (error.code) {
    case accounts::ErrorCode::account_unreadable:
      return {ErrorCode::account_unreadable, error.message};
    case accounts::ErrorCode::storage_failed:
      return {ErrorCode::storage_failed, error.message};
    default:
      return {ErrorCode::chain_failed, error.message};
  }
}

}  // namespace

KeyReconciler::KeyReconciler(KeyReconcilerDependencies dependencies, std::uint64_t chain_id)
    : d_(dependencies), chain_id_(chain_id) {}

Task<Result<KeyDifference>> KeyReconciler::difference(Address account) {
  auto followers = co_await d_.store.followers(account);
  if (!followers) co_return tl::unexpected(followers.error());
  const keys::RecordId first = followers->front().wallet;
  accounts::AccountView view(d_.chain);
  auto state = co_await view.state(account);
  if (!state) co_return tl::unexpected(account_error(state.error()));
  auto found_wallet =
      co_await find_account_wallet(d_.keys, std::move(*followers), chain_id_, account, state->server_key);
  if (!found_wallet) co_return tl::unexpected(found_wallet.error());
  const Follower follower = found_wallet->follower;
  WalletKeysOnChain& keys = found_wallet->keys;
  if (keys.server_key_index && (!follower.was_named || follower.wallet != first)) {
    auto named = co_await d_.store.name_wallet(account, follower.wallet);
    if (!named) co_return tl::unexpected(named.error());
  }
  KeyFacts facts;
  facts.wallet = std::move(keys.wallet);
  facts.binding = keys.binding;
  facts.last_server_key = keys.last_server_key;
  facts.server_key_index = keys.server_key_index;
  facts.account = std::move(*state);
  facts.agreed = follower.agreed;
  KeyDifference found = compare_keys(facts);
  if (found.next == KeyStep::repeat || found.next == KeyStep::chain_moved) {
    const auto waits = co_await change_waits(account);
    if (!waits) co_return tl::unexpected(waits.error());
    facts.change_waits = *waits;
    found = compare_keys(facts);
  }
  const KeyAgreement now{facts.account.key_epoch, facts.binding.last_server_key_index};
  if (found.next == KeyStep::agreed && now != facts.agreed) {
    auto agreed = co_await d_.store.agree(account, follower.wallet, facts.agreed, now);
    if (!agreed) co_return tl::unexpected(agreed.error());
  }
  co_return found;
}

Task<Result<bool>> KeyReconciler::is_named(Address account, keys::RecordId wallet) {
  accounts::AccountView view(d_.chain);
  const auto state = co_await view.state(account);
  if (!state) co_return tl::unexpected(account_error(state.error()));
  const auto found = co_await find_server_key(d_.keys, wallet, chain_id_, account, state->server_key);
  if (!found) co_return tl::unexpected(found.error());
  // The core binds init data only to the wallet whose server key it names, and the address follows from it.
  if (!state->deployed) co_return !found->binding.is_adopted();
  co_return found->server_key_index.has_value();
}

Task<Result<bool>> KeyReconciler::change_waits(Address account) {
  const auto events = co_await d_.watcher.recent(account, kEventsLookedAt);
  if (!events) co_return tl::unexpected(account_error(events.error()));
  std::optional<std::uint64_t> first;
  for (const core::json::object& event : *events) {
    const auto* kind = event.if_contains("kind");
    if (event.at("event") != "ItemStarted" || kind == nullptr) continue;
    if (!is_change_of_keys(std::string(kind->as_string()))) continue;
    const auto block = event.at("block").to_number<std::uint64_t>();
    first = std::min(first.value_or(block), block);
  }
  if (!first) co_return false;
  accounts::AccountView view(d_.chain);
  const auto waiting = co_await view.waiting(account, *first);
  if (!waiting) co_return tl::unexpected(account_error(waiting.error()));
  co_return std::ranges::any_of(*waiting,
                                [](const accounts::WaitingItem& item) { return item.kind == ItemKind::change_keys; });
}

void KeyReconciler::heard(const accounts::AccountEvent& event) {
  if (!touches_keys(event)) return;
  changed_.insert(event.account);
  std::uint64_t& block = key_blocks_[event.account];
  block = std::max(block, event.block_number);
}

void KeyReconciler::reorganised(std::uint64_t ancestor) {
  for (const auto& [account, block] : key_blocks_)
    if (block > ancestor) changed_.insert(account);
}

Task<void> KeyReconciler::check() {
  if (all_) {
    const auto followed = co_await d_.store.all_followed();
    if (!followed) co_return;
    changed_.insert(followed->begin(), followed->end());
    all_ = false;
  }
  const std::set<Address> accounts = std::exchange(changed_, {});
  for (const Address& account : accounts) {
    const auto found = co_await difference(account);
    if (found) {
      tell(*found);
      continue;
    }
    // The watcher follows accounts that no wallet here belongs to, too.
    if (found.error().code == ErrorCode::account_unknown) continue;
    if (found.error().code == ErrorCode::account_unreadable) {
      infra::log_warning("an account's keys are not compared",
                         {{"account", core::format_address(account)}, {"why", found.error().text()}});
      continue;
    }
    changed_.insert(account);
  }
}

void KeyReconciler::tell(const KeyDifference& difference) {
  const bool is_open = difference.next != KeyStep::agreed && difference.next != KeyStep::not_deployed;
  const auto known = open_.find(difference.account);
  const bool is_same = known == open_.end() ? !is_open : known->second == difference.next;
  if (is_same) return;
  if (is_open) {
    open_[difference.account] = difference.next;
    infra::log_warning("trusted core and chain disagree about an account's keys",
                       {{"account", core::format_address(difference.account)},
                        {"next", name(difference.next)},
                        {"only in core", difference.only_in_core.size()},
                        {"only on chain", difference.only_on_chain.size()},
                        {"server key differs", difference.server_key_differs()},
                        {"key epoch", difference.key_epoch}});
  } else {
    open_.erase(known);
    infra::log_info("trusted core and chain agree about an account's keys again",
                    {{"account", core::format_address(difference.account)}});
  }
  if (d_.metrics == nullptr) return;
  constexpr KeyStep kOpen[] = {KeyStep::wait, KeyStep::repeat, KeyStep::chain_moved, KeyStep::not_arrived,
                               KeyStep::account_left};
  for (const KeyStep step : kOpen) {
    const auto count = std::ranges::count_if(open_, [step](const auto& one) { return one.second == step; });
    d_.metrics
        ->gauge("community_key_differences", "Accounts whose keys on chain are not those of the trusted core.",
                {{"next", std::string(name(step))}})
        .set(static_cast<double>(count));
  }
}

}  // namespace community::alarms
