// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/courier/api/courier.hpp"
#include "community/infra/api/database.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::courier {

// Pass it to Database::open.
infra::MigrationSet courier_migrations();
// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

// All outlive the courier.
struct CourierDependencies {
  infra::Database& database;
  infra::Clock& clock;
  chain::ExecutionClient& chain;
  // The courier listens to it; its owner runs it.
  chain::BlockWatcher& blocks;
  chain::FeeOracle& fees;
  keys::ExecutorKeys& keys;
  infra::Metrics* metrics = nullptr;
};

// `key` is an executor that nobody else sends with.
std::unique_ptr<Courier> make_courier(CourierDependencies dependencies, std::uint64_t chain_id, keys::KeyInfo key,
                                      CourierLimits limits);

}  // namespace community::courier
