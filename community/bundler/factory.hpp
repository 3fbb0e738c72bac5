// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/bundler/api/bundler.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/health.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/pool/api/pool.hpp"
#include "community/validation/api/simulator.hpp"

namespace community::bundler {

// Pass it to Database::open.
infra::MigrationSet bundler_migrations();
// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

struct BundlerOptions {
  std::uint64_t chain_id = 0;
  std::vector<const chain::EntryPoint*> entry_points;
  // Who receives what operations pay; the executor itself when absent. Must equal the trusted core's configuration.
  std::optional<Address> beneficiary;
  BundlerLimits limits;
};

// All outlive the bundler.
struct BundlerDependencies {
  infra::Database& database;
  infra::Clock& clock;
  chain::ExecutionClient& chain;
  // The bundler listens to it; its owner runs it.
  chain::BlockWatcher& blocks;
  chain::FeeOracle& fees;
  keys::ExecutorKeys& keys;
  pool::Pool& pool;
  validation::Simulator& simulator;
  infra::Metrics* metrics = nullptr;
  // Gets the component "bundler".
  infra::Health* health = nullptr;
  // An operation was included: its sender and nonce. Sponsorships are settled with it.
  std::function<void(const Address&, const Uint256&)> on_included;
};

std::unique_ptr<Bundler> make_bundler(BundlerDependencies dependencies, BundlerOptions options);

}  // namespace community::bundler
