// SPDX-License-Identifier: Apache-2.0
// The real body and what it needs. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/apps/api/apps.hpp"
#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/api/random.hpp"

namespace community::users {
class Users;
}

namespace community::apps {

// What this module asks about people.
class People {
 public:
  virtual ~People() = default;
  // The wallet's account on this chain. not_found, database_unavailable.
  virtual Task<Result<core::Address>> account(std::string user_id, std::string wallet_id, std::uint64_t chain_id) = 0;
  // Until when the session lasts; 0 when it has ended, or when its person is suspended.
  virtual Task<Result<std::int64_t>> session_end(std::string user_id, std::string session_id) = 0;
};
std::unique_ptr<People> make_people(users::Users& users, infra::Clock& clock);

// All outlive the apps.
struct AppsDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  audit::AuditLog& audit;
  People& people;
  transactions::Transactions& transactions;
  infra::Metrics* metrics = nullptr;
};

infra::MigrationSet app_migrations();

std::unique_ptr<Apps> make_apps(AppsDependencies dependencies);

}  // namespace community::apps
