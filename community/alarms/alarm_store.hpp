// SPDX-License-Identifier: Apache-2.0
// Alarms, wanted freezes and followed accounts on disk. Alarms are written by the account watcher's own write, so that
// an event, its alarm and the freeze that a rule asks for are there together or not at all.
#pragma once
#include "community/accounts/api/account_watcher.hpp"
#include "community/alarms/api/alarms.hpp"
#include "community/infra/api/database.hpp"

namespace community::alarms {

// A wallet that said it has an account.
struct Follower {
  keys::RecordId wallet{};
  KeyAgreement agreed;
  // Comparisons have found the account's server key on chain to be one of the wallet's.
  bool was_named = false;
};

// What becomes of one more wallet of an account that has AlarmLimits::wallets_per_account.
enum class WhenFull { refuse, replace };

// A freeze that a rule asked for.
struct FreezeRow {
  // The alarm that asked first.
  std::int64_t id = 0;
  Address account{};
  // Of the alarm's event.
  std::uint64_t block_number = 0;
  FreezeState state = FreezeState::wanted;
  // What is signed: with the id and the attempt it makes the struct, so that a crash signs the same bytes again.
  std::uint32_t key_epoch = 0;
  std::uint64_t deadline_s = 0;
  // Whose server key the account had when it was stamped, and which one.
  keys::RecordId wallet{};
  std::uint32_t server_key_index = 0;
  unsigned attempts = 0;
  Bytes32 errand{};
  std::string reason;
};

constexpr bool is_open(FreezeState state) { return state <= FreezeState::sent; }

struct AlarmStoreDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Metrics* metrics = nullptr;
};

class AlarmStore final : public accounts::EventJournal {
 public:
  AlarmStore(AlarmStoreDependencies dependencies, std::uint64_t chain_id, AlarmRules rules, AlarmLimits limits);

  static infra::MigrationSet migrations();

  // On the writer's thread.
  void came(soci::session& sql, const accounts::AccountEvent& event, bool is_new, std::int64_t now_ms) override;
  void went(soci::session& sql, std::uint64_t above_block) override;

  // too_many_wallets, when told to refuse; told to replace, the one goes that the chain named longest ago or never, and
  // among those that it never named the one that was followed first.
  Task<Result<void>> follow(Address account, keys::RecordId wallet, WhenFull when_full);
  // Whom the chain named last comes first; those that it never named come after, who was followed last before the
  // others. account_unknown when there is none.
  Task<Result<std::vector<Follower>>> followers(Address account);
  // The chain names this wallet for the account now.
  Task<Result<void>> name_wallet(Address account, keys::RecordId wallet);
  Task<Result<std::vector<Address>>> all_followed();
  // Nothing is written where another comparison was quicker and `before` holds no more.
  Task<Result<void>> agree(Address account, keys::RecordId wallet, KeyAgreement before, KeyAgreement now);

  Task<Result<std::vector<Alarm>>> list(AlarmQuery query);
  // Oldest first.
  Task<Result<std::vector<Alarm>>> untold(std::size_t limit);
  Task<Result<void>> tell(std::int64_t id, std::optional<Address> submitter);
  Task<Result<void>> acknowledge(std::int64_t id);
  // Neither acknowledged nor removed.
  Task<Result<std::uint64_t>> count_waiting();

  // Oldest first.
  Task<Result<std::vector<FreezeRow>>> open_freezes();
  // Writes `next` where the freeze is still in `from`; false where it was called off meanwhile.
  Task<Result<bool>> move_freeze(FreezeState from, FreezeRow next);

 private:
  std::int64_t raise(soci::session& sql, const accounts::AccountEvent& event, AlarmClass what, std::int64_t now_ms);
  void make_room(soci::session& sql, const std::string& account);
  void evict_one(soci::session& sql, const std::string& account);
  void want_freeze(soci::session& sql, std::int64_t alarm, const accounts::AccountEvent& event, std::int64_t now_ms);
  void revive(soci::session& sql, std::int64_t alarm, const accounts::AccountEvent& event);

  AlarmStoreDependencies d_;
  const std::uint64_t chain_id_;
  const AlarmRules rules_;
  const AlarmLimits limits_;
  std::optional<infra::Counter> evicted_seen_, evicted_unseen_;
};

}  // namespace community::alarms
