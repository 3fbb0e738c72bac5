// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/health.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/treasury/api/treasurer.hpp"

namespace community::treasury {

// Pass it to Database::open.
infra::MigrationSet treasury_migrations();
// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

// All outlive the treasurer.
struct TreasurerDependencies {
  infra::Database& database;
  infra::Clock& clock;
  chain::ExecutionClient& chain;
  // The treasurer listens to it; its owner runs it.
  chain::BlockWatcher& blocks;
  chain::FeeOracle& fees;
  keys::TreasuryKeys& treasuries;
  keys::ExecutorKeys& executors;
  infra::Metrics* metrics = nullptr;
  // Gets the component "treasury".
  infra::Health* health = nullptr;
};

// A paymaster of the operator's configuration, with its EntryPoint.
struct PaymasterAccount {
  const chain::EntryPoint* entry_point = nullptr;
  Address paymaster{};
};

struct TreasurerOptions {
  std::uint64_t chain_id = 0;
  // A treasury key that nobody else sends with.
  keys::KeyInfo key;
  std::vector<PaymasterAccount> paymasters;
  TreasuryLimits limits;
};

std::unique_ptr<Treasurer> make_treasurer(TreasurerDependencies dependencies, TreasurerOptions options);

}  // namespace community::treasury
