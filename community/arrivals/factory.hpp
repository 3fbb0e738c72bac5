// SPDX-License-Identifier: Apache-2.0
// The real bodies, with what they need of others. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/arrivals/api/arrivals.hpp"
#include "community/arrivals/api/imports.hpp"
#include "community/audit/api/audit_log.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/courier/api/courier.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::arrivals {

// Wallets and passkeys of people.
class People {
 public:
  virtual ~People() = default;
  // With an account each. database_unavailable.
  virtual Task<Result<std::vector<users::Wallet>>> wallets(std::string user_id) = 0;
  // Without one. database_unavailable.
  virtual Task<Result<std::vector<users::Wallet>>> incoming_wallets(std::string user_id) = 0;
  // too_many_wallets, core_refused, core_unavailable, database_unavailable.
  virtual Task<Result<users::Wallet>> make_wallet(users::Identity identity, std::string request_id) = 0;
  // Those that are in use. database_unavailable.
  virtual Task<Result<std::vector<users::PasskeyProfile>>> passkeys(std::string user_id) = 0;
  // As users::Users::enter_account.
  virtual std::optional<std::string> enter_account(soci::session& sql, const users::ArrivedAccount& account) = 0;
};
std::unique_ptr<People> make_people(users::Users& users);

// A chain that accounts come on. Everything outlives the arrivals.
struct ServedChain {
  std::uint64_t chain_id = 0;
  chain::ExecutionClient& chain;
  // They listen to it; its owner runs it.
  chain::BlockWatcher& blocks;
  courier::Courier& courier;
  const chain::EntryPoint& entry_point;
  // Blocks after which a state is taken for final.
  std::uint64_t final_depth = 12;
};

struct ArrivalsOptions {
  // Relying party of passkeys.
  std::string rp_id;
};

// All outlive the arrivals.
struct ArrivalsDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  keys::WalletKeys& wallets;
  audit::AuditLog& audit;
  People& people;
  std::vector<ServedChain> chains;
  // Called once for each account that came, when it is written down.
  std::function<Task<void>(std::uint64_t chain_id, Address account, keys::RecordId wallet)> arrived;
  infra::Metrics* metrics = nullptr;
};

// After the users' own: rows go with their person.
infra::MigrationSet arrivals_migrations();

std::unique_ptr<Arrivals> make_arrivals(ArrivalsDependencies dependencies, ArrivalsOptions options);

// All outlive the imports.
struct ImportsDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  audit::AuditLog& audit;
  std::vector<ServedChain> chains;
  infra::Metrics* metrics = nullptr;
};
std::unique_ptr<Imports> make_imports(ImportsDependencies dependencies);

}  // namespace community::arrivals
