// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/accounts/api/account_watcher.hpp"
#include "community/alarms/api/alarms.hpp"
#include "community/courier/api/courier.hpp"

namespace community::alarms {

// Pass it to Database::open.
infra::MigrationSet alarm_migrations();
// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

// All outlive the alarms.
struct AlarmDependencies {
  infra::Database& database;
  infra::Clock& clock;
  chain::ExecutionClient& chain;
  // The alarms listen to it, after the watcher has; its owner runs it.
  chain::BlockWatcher& blocks;
  keys::WalletKeys& keys;
  // Null: nothing is frozen, and the alarms say so.
  courier::Courier* courier = nullptr;
  infra::Metrics* metrics = nullptr;
};

// The watcher writes its alarms through `journal`, which therefore is there before it; the alarms follow accounts
// through the watcher, which therefore is there before them.
class AlarmBook {
 public:
  virtual ~AlarmBook() = default;
  virtual accounts::EventJournal& journal() = 0;
  // Once, when the watcher is made and loaded, before the block watcher runs.
  virtual Alarms& open(accounts::AccountWatcher& watcher) = 0;
};

std::unique_ptr<AlarmBook> make_alarms(AlarmDependencies dependencies, std::uint64_t chain_id, AlarmRules rules,
                                       AlarmLimits limits = {});

}  // namespace community::alarms
