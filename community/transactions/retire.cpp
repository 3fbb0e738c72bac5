// SPDX-License-Identifier: Apache-2.0
// Escape, recovery and changes of keys that came elsewhere take passkeys from an account without the trusted core's
// knowing, and leave them in its record. Here they log nobody in any more, as soon as the block that says so is final:
// whoever has one would see everything of its person and could confirm the deletion of what is kept.
//
// That an account's key epoch changed is written down together with the account watcher's cursor, so that no crash
// loses it, and by whoever looks at an account with an active passkey that it does not have. What the chain's servers
// do not tell, or tell of an earlier block, costs nobody a passkey: it is asked again with the next block.
#include "community/transactions/retire.hpp"

#include <algorithm>

#include "community/infra/api/log.hpp"
#include "community/transactions/cancelled.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

// A block's worth of looks, at two questions an account; the others come with the next block.
constexpr std::size_t kLooksPerBlock = 32;
// Accounts whose epoch is remembered to be written down, about 100 bytes each: 6 MB. Beyond, some are written again.
constexpr std::size_t kMaxNoted = 65'536;

class KeyJournal final : public accounts::EventJournal {
 public:
  explicit KeyJournal(std::uint64_t chain_id) : chain_id_(chain_id) {}

  void came(soci::session& sql, const accounts::AccountEvent& event, bool, std::int64_t) override {
    if (event.name == "KeyEpochChanged") {
      const core::AbiValue* epoch = event.field("keyEpoch");
      if (epoch == nullptr) return;
      const auto number = static_cast<std::uint32_t>(epoch->word().limb[0]);
      store::note_key_epoch(sql, {chain_id_, event.account, number, event.block_number});
    } else if (event.name == "ItemCancelled") {
      const core::AbiValue* item = event.field("item");
      if (item == nullptr) return;
      Bytes32 id{};
      base::copy(id, item->bytes());
      store::note_cancelled(sql, {chain_id_, event.account, id, event.block_number});
    }
  }
  void went(soci::session& sql, std::uint64_t above_block) override {
    store::take_back_key_epochs(sql, chain_id_, above_block);
    store::take_back_cancelled(sql, chain_id_, above_block);
  }

 private:
  const std::uint64_t chain_id_;
};

}  // namespace

std::unique_ptr<accounts::EventJournal> make_key_journal(std::uint64_t chain_id) {
  return std::make_unique<KeyJournal>(chain_id);
}

void HeldKeys::add(std::uint64_t chain_id, const Address& account, const accounts::AccountState& state) {
  for (const accounts::ChainPasskey& one : state.passkeys) public_keys.insert(one.key.public_key);
  const auto [place, is_first] = key_epochs.try_emplace({chain_id, account}, state.key_epoch);
  if (!is_first) place->second = std::min(place->second, state.key_epoch);
}

std::vector<std::string> choose_retired(const std::vector<OwnedPasskey>& own, const HeldKeys& held,
                                        const std::vector<Stored>& signed_changes) {
  std::set<std::string> to_come;
  for (const Stored& row : signed_changes) {
    const auto* change = std::get_if<PreparedAction>(&row.transaction.content);
    const auto epoch = held.key_epochs.find({row.transaction.chain_id, row.transaction.account});
    const bool is_void = change != nullptr && epoch != held.key_epochs.end() && change->stamp.key_epoch < epoch->second;
    if (is_void || !row.plan) continue;
    for (const KeyPlan::Passkey& one : row.plan->added) to_come.insert(one.passkey_id);
  }
  std::vector<std::string> retired;
  bool any_is_held = false;
  for (const OwnedPasskey& one : own) {
    if (!one.is_active) continue;
    const bool is_held = held.public_keys.contains(one.public_key);
    any_is_held = any_is_held || is_held;
    if (!is_held && !to_come.contains(one.passkey_id)) retired.push_back(one.passkey_id);
  }
  if (!any_is_held) retired.clear();
  return retired;
}

// What the watcher does not see, because nobody told it of the account, or because it happened before there was a
// watcher: noticed by whoever looks.
Task<void> TransactionService::notice_strange_keys(const Moment& now) {
  const bool has_strange =
      now.state.deployed && std::any_of(now.own.begin(), now.own.end(), [&now](const OwnedPasskey& one) {
        const auto is_this = [&one](const accounts::ChainPasskey& key) { return key.key.public_key == one.public_key; };
        return one.is_active && std::none_of(now.state.passkeys.begin(), now.state.passkeys.end(), is_this);
      });
  const std::pair place(now.chain->served.chain_id, now.wallet.account);
  const auto noted = noted_epochs_.find(place);
  if (!has_strange || (noted != noted_epochs_.end() && noted->second >= now.state.key_epoch)) co_return;
  const store::KeyEpoch heard{place.first, place.second, now.state.key_epoch, now.state.block_number};
  auto work = [heard](soci::session& sql) { store::note_key_epoch(sql, heard); };
  if (const auto written = co_await d_.database.write_unsynced(work); !written) co_return;
  if (noted_epochs_.size() >= kMaxNoted) noted_epochs_.clear();
  noted_epochs_[place] = heard.key_epoch;
}

// Once a head, when something is old enough to be final.
Task<void> TransactionService::look_for_retired() {
  for (const auto& chain : chains_) {
    const auto& head = chain->served.blocks.head();
    const std::uint64_t depth = chain->served.final_depth;
    if (!head || head->number < depth || chain->compared_at == head->number) continue;
    const std::uint64_t number = head->number;
    chain->compared_at = number;
    auto read = [chain_id = chain->served.chain_id, until = number - depth](soci::session& sql) {
      return store::open_key_epochs(sql, chain_id, until, kLooksPerBlock);
    };
    const auto open = co_await d_.database.read(read);
    if (!open) continue;
    for (const store::KeyEpoch& one : *open) co_await compare_passkeys(one);
    auto read_cancelled = [chain_id = chain->served.chain_id, until = number - depth](soci::session& sql) {
      return store::cancelled_items(sql, chain_id, until, kLooksPerBlock);
    };
    const auto cancelled = co_await d_.database.read(read_cancelled);
    if (!cancelled) continue;
    for (const store::CancelledItem& one : *cancelled) co_await look_at_cancelled(one);
  }
}

// A passkey that a cancelled change would have added waits for nothing any more. Tried again with the next head until
// it succeeds.
Task<void> TransactionService::look_at_cancelled(store::CancelledItem item) {
  const auto owner = co_await d_.people.owner(item.chain_id, item.account);
  if (!owner) co_return;
  if (*owner)
    if (const auto retired = co_await retire_item(d_.database, d_.people, **owner, item.item); !retired) co_return;
  auto done = [item](soci::session& sql) { store::remove_cancelled(sql, item); };
  (void)co_await d_.database.write(done);
}

Task<tl::expected<void, TransactionService::Unknown>> TransactionService::add_held(HeldKeys& held, OwnedWallet wallet,
                                                                                   std::uint64_t chain_id,
                                                                                   store::KeyEpoch heard) {
  Chain* chain = find_chain(chain_id);
  // Which keys the account has on a chain that this node does not serve any more, it cannot learn.
  if (chain == nullptr) co_return tl::unexpected(Unknown::for_good);
  const auto& head = chain->served.blocks.head();
  const std::uint64_t depth = chain->served.final_depth;
  if (!head || head->number < depth) co_return tl::unexpected(Unknown::for_now);
  const std::uint64_t latest = head->number;
  auto old_question = chain->view.state_at(wallet.account, latest - depth);
  auto new_question = chain->view.state_at(wallet.account, latest);
  auto [then, now] = co_await infra::both(std::move(old_question), std::move(new_question));
  if (!then || !now) co_return tl::unexpected(Unknown::for_now);
  // A server that lags, or a reorganisation: not what was heard of.
  const bool is_this = chain_id == heard.chain_id && wallet.account == heard.account;
  if (is_this && (!then->deployed || then->key_epoch < heard.key_epoch)) co_return tl::unexpected(Unknown::for_now);
  for (accounts::AccountState* state : {&*then, &*now}) {
    const bool is_known = state->deployed || (wallet.origin && take_init(*wallet.origin, chain_id, *state));
    if (!is_known) co_return tl::unexpected(Unknown::for_good);
    held.add(chain_id, wallet.account, *state);
  }
  co_return tl::expected<void, Unknown>();
}

Task<tl::expected<HeldKeys, TransactionService::Unknown>> TransactionService::held_keys(
    std::vector<OwnedWallet> wallets, store::KeyEpoch heard) {
  HeldKeys held;
  for (const OwnedWallet& wallet : wallets) {
    if (wallet.chain_ids.empty()) {
      // It waits for its account: what the trusted core sealed it to is in use.
      const auto described = co_await d_.wallets.describe_wallet(wallet.record, 0);
      if (!described) co_return tl::unexpected(Unknown::for_now);
      for (std::size_t i = 0; i < described->passkey_count; i++)
        held.public_keys.insert(described->passkeys[i].public_key);
    }
    for (const std::uint64_t chain_id : wallet.chain_ids) {
      const auto added = co_await add_held(held, wallet, chain_id, heard);
      if (!added) co_return tl::unexpected(added.error());
    }
  }
  co_return held;
}

Task<void> TransactionService::compare_passkeys(store::KeyEpoch heard) {
  const auto owner = co_await d_.people.owner(heard.chain_id, heard.account);
  if (!owner) co_return;
  if (!*owner) {
    // Watched for somebody who is not, or no longer, a person of this node.
    auto forget_it = [heard](soci::session& sql) { store::remove_key_epoch(sql, heard); };
    (void)co_await d_.database.write(forget_it);
    co_return;
  }
  const std::string user_id = **owner;
  const auto wallets = co_await d_.people.wallets(user_id);
  if (!wallets) co_return;
  const auto held = co_await held_keys(*wallets, heard);
  const auto own = co_await d_.people.passkeys(user_id);
  if (!own) co_return;
  if (!held) {
    auto put_off = [heard, why = held.error(), now = d_.clock.now_ms()](soci::session& sql) {
      if (why == Unknown::for_good) store::close_key_epoch(sql, heard);
      store::note_key_epoch_tried(sql, heard, now);
    };
    (void)co_await d_.database.write_unsynced(put_off);
    co_return;
  }
  OwnedPasskeyChange change{user_id, {}, {}, {}};
  for (const OwnedWallet& wallet : *wallets)
    if (wallet.account == heard.account) change.wallet_id = wallet.wallet_id;
  // Changes that are signed meanwhile count: they are read in the write that decides.
  auto work = [people = &d_.people, heard, change, held = *held, own = *own](soci::session& sql) {
    OwnedPasskeyChange decided = change;
    decided.retired = choose_retired(own, held, store::signed_key_changes(sql, decided.user_id));
    if (!decided.retired.empty()) people->enter_passkeys(sql, decided);
    store::close_key_epoch(sql, heard);
    return decided.retired.size();
  };
  const auto retired = co_await d_.database.write(work);
  if (!retired || *retired == 0) co_return;
  count("community_transactions_passkeys_retired_total",
        "Passkeys that log nobody in any more, because no account has them.", {}, static_cast<double>(*retired));
  infra::log_info("passkeys that no account has any more log nobody in",
                  {{"account", core::format_address(heard.account)}, {"passkeys", *retired}});
}

}  // namespace community::transactions
