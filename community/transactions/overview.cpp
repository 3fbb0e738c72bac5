// SPDX-License-Identifier: Apache-2.0
// What an account is now, for its person: from the chain, with what this node knows besides.
#include "community/transactions/api/brought.hpp"
#include "community/transactions/queue.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {

namespace json = core::json;

namespace {

// Accounts whose server key is known to be their wallet's, about 100 bytes each: 6 MB. Beyond, the core is asked again.
constexpr std::size_t kMaxOwnServerKeys = 65'536;

}  // namespace

Task<Result<std::vector<WaitingItem>>> TransactionService::waiting_items(const Moment& now, std::uint64_t from_block) {
  auto items = co_await now.chain->view.waiting(now.wallet.account, from_block);
  if (!items) co_return tl::unexpected(from_accounts(items.error()));
  std::vector<WaitingItem> out = read_waiting(now.where(), now.state.key_epoch, std::move(*items));
  for (WaitingItem& item : out) {
    const auto* queued = item.content ? std::get_if<accounts::Queued>(&*item.content) : nullptr;
    auto order = queued != nullptr ? order_of(*queued) : std::nullopt;
    if (order && order->kind == accounts::QueueKind::spend) {
      DescribeRequest question{now.wallet.account, std::move(order->calls)};
      auto nobody = Describer::these(std::vector<Address>());
      auto described = co_await now.chain->describer.describe(std::move(question), std::move(nobody));
      if (!described) co_return tl::unexpected(described.error());
      item.summary = std::move(described->summary);
    } else if (order) {
      json::array summary;
      summary.push_back(queue_json(*order));
      item.summary = co_await now.chain->describer.name_tokens(std::move(summary));
    }
  }
  co_return out;
}

Task<Result<std::vector<GrantState>>> TransactionService::live_grants(const Moment& now, std::uint64_t from_block) {
  auto grants = co_await now.chain->view.grants(now.wallet.account, from_block);
  if (!grants) co_return tl::unexpected(from_accounts(grants.error()));
  std::vector<GrantState> out;
  for (const accounts::LiveGrant& one : *grants) {
    GrantState grant;
    grant.id = one.id;
    grant.value_left = one.value_left;
    auto content = accounts::read_grant(one.call);
    if (content && accounts::grant_id(now.where(), now.state.key_epoch, *content) == one.id)
      grant.content = std::move(*content);
    out.push_back(std::move(grant));
  }
  co_return out;
}

Task<Result<std::vector<Lane>>> TransactionService::lanes_of(const Moment& now) {
  std::map<std::uint64_t, Lane> lanes;
  for (const auto& [id, row] : live_) {
    const Transaction& t = row.transaction;
    if (t.account != now.wallet.account || t.chain_id != now.chain->served.chain_id) continue;
    if (is_operation(t.kind) && is_under_way(t.state)) lanes[row.lane].places.push_back({id, row.lane_sequence, 0});
  }
  std::vector<Lane> out;
  for (auto& [key, lane] : lanes) {
    const auto next = co_await next_nonce(*now.chain, now.wallet.account, key);
    if (!next) co_return tl::unexpected(next.error());
    lane.key = key;
    lane.next = next->limb[0];
    std::set<std::uint64_t> live;
    for (const Lane::Place& place : lane.places) live.insert(place.sequence);
    for (Lane::Place& place : lane.places) place.missing = missing_before(lane.next, live, place.sequence);
    out.push_back(std::move(lane));
  }
  co_return out;
}

// Asked of the core once for each server key that an account has; a key of this wallet's stays one.
Task<void> TransactionService::look_elsewhere(const Moment& now, WalletState& out) {
  const std::pair place(now.chain->served.chain_id, now.wallet.account);
  const auto known = own_server_keys_.find(place);
  if (known != own_server_keys_.end() && known->second == now.state.server_key) co_return;
  const auto index = co_await server_key_index(now);
  if (index) {
    if (own_server_keys_.size() >= kMaxOwnServerKeys) own_server_keys_.clear();
    own_server_keys_[place] = now.state.server_key;
  }
  if (index || index.error().code != ErrorCode::account_elsewhere) co_return;
  out.is_elsewhere = true;
  auto read = [place, epoch = now.state.key_epoch](soci::session& sql) {
    return store::block_of_key_epoch(sql, {place.first, place.second, epoch, 0});
  };
  const auto number = co_await d_.database.read(read);
  if (!number || *number == 0) co_return;
  const auto block = co_await now.chain->served.chain.block(chain::BlockRef::number(*number));
  if (block && *block) out.moved_at_s = (*block)->timestamp;
}

Task<Result<WalletState>> TransactionService::wallet_state(std::string user_id, std::string wallet_id,
                                                           std::uint64_t chain_id, std::vector<Address> tokens) {
  if (tokens.size() > kMaxTokens) co_return fail_field("/token", "32 tokens at most");
  auto now = co_await moment(std::move(user_id), wallet_id, chain_id, tokens);
  if (!now) co_return tl::unexpected(now.error());
  WalletState out;
  out.wallet_id = wallet_id;
  out.chain_id = chain_id;
  out.account = now->wallet.account;
  out.block_number = now->state.block_number;
  out.block_time_s = now->state.block_time_s;
  for (const accounts::ChainPasskey& on_chain : now->state.passkeys) {
    AccountPasskey one{on_chain, {}, {}};
    for (const OwnedPasskey& own : now->own) {
      if (own.public_key != on_chain.key.public_key) continue;
      one.passkey_id = own.passkey_id;
      one.name = own.name;
    }
    out.passkeys.push_back(std::move(one));
  }
  out.tokens = co_await now->chain->tokens.balances(out.account, std::move(tokens));
  auto lanes = co_await lanes_of(*now);
  if (!lanes) co_return tl::unexpected(lanes.error());
  out.lanes = std::move(*lanes);
  if (now->state.deployed) {
    const std::uint64_t from = out.block_number > kItemBlocks ? out.block_number - kItemBlocks : 0;
    auto [waiting, grants] = co_await infra::both(waiting_items(*now, from), live_grants(*now, from));
    if (!waiting) co_return tl::unexpected(waiting.error());
    if (!grants) co_return tl::unexpected(grants.error());
    out.waiting = std::move(*waiting);
    out.grants = std::move(*grants);
    co_await look_elsewhere(*now, out);
  }
  out.state = std::move(now->state);
  co_return out;
}

}  // namespace community::transactions
