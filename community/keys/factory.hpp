// SPDX-License-Identifier: Apache-2.0
// The real key service. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/connected_key_service.hpp"

namespace community::keys {

struct KeyServiceDependencies {
  // All outlive the service.
  infra::Database& database;
  infra::Random& random;
  infra::Metrics* metrics = nullptr;
};

// The migrations of this module, for Database::open.
infra::MigrationSet key_migrations();

// The same executors without `reserved`, which somebody else sends with: two senders of one key would take each other's
// nonces. `all` outlives the result.
std::unique_ptr<ExecutorKeys> executors_without(ExecutorKeys& all, RecordId reserved);

std::unique_ptr<ConnectedKeyService> make_key_service(KeyServiceDependencies dependencies);

}  // namespace community::keys
