// SPDX-License-Identifier: Apache-2.0
// The real body. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/pool/api/pool.hpp"

namespace community::pool {

// Pass it to Database::open.
infra::MigrationSet pool_migrations();

// Rows that were written before rows named their chain are this chain's. Inside of Database::write; the second time
// there is nothing left to do.
void claim_rows(soci::session& sql, std::uint64_t chain_id);

// Of one chain; several pools share a database. Everything outlives the pool; `metrics` may be null.
std::unique_ptr<Pool> make_pool(infra::Database& database, infra::Clock& clock, std::uint64_t chain_id,
                                infra::Metrics* metrics, PoolLimits limits);

}  // namespace community::pool
