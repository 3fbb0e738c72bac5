// SPDX-License-Identifier: Apache-2.0
#include "community/alarms/server_freeze.hpp"

#include "community/accounts/api/state.hpp"
#include "community/alarms/wallet_keys.hpp"
#include "community/infra/api/log.hpp"
#include "trusted/base/keccak.hpp"

namespace community::alarms {
namespace {

std::string at(std::uint64_t time_s) { return std::to_string(time_s) + " s since 1970"; }

// The same for the same attempt, whoever asks and however often; another one for the next.
Uint256 nonce_of(const FreezeRow& freeze) {
  const Bytes32 id = Uint256(static_cast<std::uint64_t>(freeze.id)).to_be();
  const Bytes32 attempt = Uint256(freeze.attempts).to_be();
  return Uint256::from_be(base::keccak256({base::view("community server freeze"), freeze.account, id, attempt}));
}

protocol::AccountAction action_of(const FreezeRow& freeze) {
  protocol::AccountAction action;
  action.kind = protocol::ActionKind::freeze;
  action.stamp.key_epoch = freeze.key_epoch;
  action.stamp.nonce = nonce_of(freeze);
  action.stamp.deadline = freeze.deadline_s;
  return action;
}

// What may be otherwise in a while, and needs nobody.
bool may_pass(courier::ErrorCode code) {
  using courier::ErrorCode;
  return code == ErrorCode::queue_full || code == ErrorCode::keys_unavailable || code == ErrorCode::chain_unavailable ||
         code == ErrorCode::storage;
}

}  // namespace

ServerFreezes::ServerFreezes(ServerFreezeDependencies dependencies, std::uint64_t chain_id, AlarmLimits limits)
    : d_(dependencies), chain_id_(chain_id), limits_(limits) {}

Task<void> ServerFreezes::advance() {
  auto open = co_await d_.store.open_freezes();
  if (!open) {
    infra::log_warning("wanted freezes were not read", {{"why", open.error().text()}});
    co_return;
  }
  for (FreezeRow& freeze : *open) {
    bool moved = true;
    while (moved && is_open(freeze.state)) moved = co_await step(freeze);
  }
}

Task<bool> ServerFreezes::step(FreezeRow& freeze) {
  if (freeze.state == FreezeState::wanted) co_return co_await stamp(freeze);
  if (freeze.state == FreezeState::stamped) co_return co_await sign_and_send(freeze);
  co_return co_await follow(freeze);
}

Task<bool> ServerFreezes::stamp(FreezeRow& freeze) {
  if (d_.courier == nullptr) {
    freeze.reason = "this node has no key that brings plain functions on chain";
    co_return co_await move(freeze, FreezeState::impossible);
  }
  const auto head = co_await d_.chain.block(chain::BlockRef::latest());
  if (!head || !*head) co_return false;
  const std::uint64_t now_s = (*head)->timestamp;
  const auto obstacle_found = co_await obstacle(freeze, now_s);
  if (obstacle_found == FreezeState::wanted) co_return false;
  if (obstacle_found) co_return co_await move(freeze, *obstacle_found);
  freeze.deadline_s = now_s + limits_.freeze_deadline_s;
  freeze.reason.clear();
  co_return co_await move(freeze, FreezeState::stamped);
}

Task<std::optional<FreezeState>> ServerFreezes::obstacle(FreezeRow& freeze, std::uint64_t now_s) {
  const auto seen = co_await d_.chain.block(chain::BlockRef::number(freeze.block_number));
  if (!seen) co_return FreezeState::wanted;
  // A block that is not there any more will be told by the watcher.
  if (!*seen) co_return FreezeState::wanted;
  if ((*seen)->timestamp + limits_.freeze_within_s < now_s) {
    freeze.reason = "it happened too long ago, at " + at((*seen)->timestamp);
    co_return FreezeState::impossible;
  }
  accounts::AccountView view(d_.chain);
  const auto state = co_await view.state(freeze.account);
  if (!state) {
    if (state.error().code == accounts::ErrorCode::chain_failed) co_return FreezeState::wanted;
    freeze.reason = state.error().text();
    co_return FreezeState::impossible;
  }
  if (!state->deployed) {
    freeze.reason = "the account is not deployed";
    co_return FreezeState::impossible;
  }
  if (state->frozen_until_s != 0) {
    const bool by_vote = state->frozen_until_s == accounts::kFrozenForever;
    freeze.reason = by_vote ? "a vote has frozen the account" : "it is frozen until " + at(state->frozen_until_s);
    co_return FreezeState::not_needed;
  }
  if (state->server_freeze_not_before_s > now_s) {
    freeze.reason = "the server key cannot freeze the account again before " + at(state->server_freeze_not_before_s);
    co_return FreezeState::too_soon;
  }
  freeze.key_epoch = state->key_epoch;
  co_return co_await find_key(freeze, state->server_key);
}

Task<std::optional<FreezeState>> ServerFreezes::find_key(FreezeRow& freeze, Address server_key) {
  auto followers = co_await d_.store.followers(freeze.account);
  if (!followers && followers.error().code == ErrorCode::storage_failed) co_return FreezeState::wanted;
  if (!followers) {
    freeze.reason = "this node holds no wallet of the account";
    co_return FreezeState::impossible;
  }
  const auto found =
      co_await find_account_wallet(d_.keys, std::move(*followers), chain_id_, freeze.account, server_key);
  if (!found && found.error().code == ErrorCode::keys_failed) co_return FreezeState::wanted;
  if (!found || !found->keys.server_key_index) {
    freeze.reason = "the account's server key is not this node's";
    co_return FreezeState::impossible;
  }
  freeze.wallet = found->follower.wallet;
  freeze.server_key_index = *found->keys.server_key_index;
  co_return std::nullopt;
}

Task<bool> ServerFreezes::sign_and_send(FreezeRow& freeze) {
  const auto head = co_await d_.chain.block(chain::BlockRef::latest());
  if (!head || !*head) co_return false;
  if ((*head)->timestamp > freeze.deadline_s) co_return co_await try_again(freeze, "its deadline passed");
  if (d_.courier == nullptr) co_return false;
  keys::ActionRequest request;
  request.wallet = freeze.wallet;
  request.chain_id = chain_id_;
  request.account = freeze.account;
  request.server_key_index = freeze.server_key_index;
  request.action = action_of(freeze);
  const auto signed_freeze = co_await d_.keys.sign_action(std::move(request));
  if (!signed_freeze) {
    if (signed_freeze.error().code != keys::ErrorCode::refused) co_return false;
    freeze.reason = "the trusted core refuses: " + signed_freeze.error().text();
    if (signed_freeze.error().refusal == protocol::Error::server_freeze_not_allowed)
      freeze.reason += "; the operator has not allowed server freezes in the core's configuration of this chain";
    co_return co_await move(freeze, FreezeState::refused);
  }
  const accounts::Stamp stamp{freeze.key_epoch, nonce_of(freeze), freeze.deadline_s};
  std::vector<accounts::ActionSignature> signatures{
      {accounts::kServerSigner, core::to_bytes(signed_freeze->signature.to_rsv())}};
  auto call = accounts::encode_action(accounts::Freeze{}, stamp, std::move(signatures));
  if (!call) {
    freeze.reason = call.error().text();
    co_return co_await move(freeze, FreezeState::failed);
  }
  const auto errand = co_await d_.courier->accept(freeze.account, std::move(*call));
  if (!errand) {
    if (may_pass(errand.error().code)) co_return false;
    co_return co_await try_again(freeze, errand.error().text());
  }
  freeze.errand = *errand;
  co_return co_await move(freeze, FreezeState::sent);
}

Task<bool> ServerFreezes::follow(FreezeRow& freeze) {
  if (d_.courier == nullptr) co_return false;
  const auto errand = co_await d_.courier->errand(freeze.errand);
  if (!errand) {
    if (errand.error().code != courier::ErrorCode::not_found) co_return false;
    co_return co_await try_again(freeze, "the courier does not know its errand");
  }
  if (errand->state == courier::ErrandState::included) co_return co_await move(freeze, FreezeState::frozen);
  if (errand->state == courier::ErrandState::failed) co_return co_await try_again(freeze, errand->reason);
  co_return false;
}

// With a new struct, after another look at the account. False, so that it happens at the next block: what made it fail
// now would make it fail again.
Task<bool> ServerFreezes::try_again(FreezeRow& freeze, std::string why) {
  freeze.attempts++;
  freeze.reason = std::move(why);
  const bool is_over = freeze.attempts >= limits_.freeze_attempts;
  co_await move(freeze, is_over ? FreezeState::failed : FreezeState::wanted);
  co_return false;
}

Task<bool> ServerFreezes::move(FreezeRow& freeze, FreezeState to) {
  const FreezeState from = freeze.state;
  freeze.state = to;
  const auto moved = co_await d_.store.move_freeze(from, freeze);
  if (moved && *moved) {
    tell(freeze);
    co_return true;
  }
  // Called off meanwhile, or not written: what is on disk is what holds, and is read at the next call.
  freeze.state = from;
  if (!moved) infra::log_warning("a freeze was not written", {{"why", moved.error().text()}});
  co_return false;
}

void ServerFreezes::tell(const FreezeRow& freeze) {
  if (freeze.state == FreezeState::stamped) return;
  infra::log_warning("server freeze", {{"state", name(freeze.state)},
                                       {"account", core::format_address(freeze.account)},
                                       {"alarm", freeze.id},
                                       {"why", freeze.reason}});
  if (d_.metrics == nullptr || is_open(freeze.state)) return;
  d_.metrics
      ->counter("community_server_freezes_total", "Server freezes that the operator's rules asked for, by their end.",
                {{"end", std::string(name(freeze.state))}})
      .add();
}

}  // namespace community::alarms
