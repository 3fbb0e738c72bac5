// SPDX-License-Identifier: Apache-2.0
// The real key service. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/attestation.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/keys/channel.hpp"

namespace community::keys {

struct KeyServiceDependencies {
  // All outlive the service.
  infra::Database& database;
  infra::Random& random;
  infra::Metrics* metrics = nullptr;
};

// The migrations of this module, for Database::open.
infra::MigrationSet key_migrations();

// A key service over a connection that comes and goes: the owner connects it each time the trusted core is there.
class ConnectedKeyService : public KeyService, public AttestingCore {
 public:
  // Connects, compares epochs and rolls the database forward or back, then serves until the connection ends; returns
  // why it ended. state_forked when database and core cannot be reconciled.
  virtual Task<Error> serve(ChannelOptions options) = 0;
  // Connects for status and recover() alone, without comparing epochs: the way out of state_forked.
  virtual Task<Result<void>> attach(ChannelOptions options) = 0;
  virtual bool is_connected() const = 0;
  // Set while connected.
  virtual infra::Event& connected() = 0;
  // Asks the core to return its leases; for a clean stop.
  virtual Task<Result<void>> release_leases() = 0;
};

// The same executors without `reserved`, which somebody else sends with: two senders of one key would take each other's
// nonces. `all` outlives the result.
std::unique_ptr<ExecutorKeys> executors_without(ExecutorKeys& all, RecordId reserved);

std::unique_ptr<ConnectedKeyService> make_key_service(KeyServiceDependencies dependencies);

}  // namespace community::keys
