// SPDX-License-Identifier: Apache-2.0
// The real body, with what it needs of others. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/accounts/api/account_watcher.hpp"
#include "community/audit/api/audit_log.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/courier/api/courier.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/paymaster/api/sponsor.hpp"
#include "community/pool/api/pool.hpp"
#include "community/transactions/api/call_describer.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::users {
class Users;
}

namespace community::transactions {

// What makes an account that is not on chain yet.
struct OwnedOrigin {
  Address factory{};
  Bytes init_data;
};
struct OwnedWallet {
  std::string wallet_id;
  // In the trusted core.
  keys::RecordId record{};
  Address account{};
  // Chains that it is bound on.
  std::vector<std::uint64_t> chain_ids;
  // Nothing for an account that began elsewhere.
  std::optional<OwnedOrigin> origin;
};
struct OwnedPasskey {
  std::string passkey_id, name;
  Bytes credential_id;
  std::array<std::uint8_t, 64> public_key{};
  // False: no wallet took it yet, and nobody signs with it.
  bool is_active = true;
};
// What people log in with follows a change of a wallet's keys. Ids of passkeys.
struct OwnedPasskeyChange {
  std::string user_id, wallet_id;
  std::vector<std::string> activated, retired;
};

// Whose wallets and passkeys are whose. Answers are of this moment: a removed passkey is gone.
class People {
 public:
  virtual ~People() = default;
  // not_found, database_unavailable.
  virtual Task<Result<OwnedWallet>> wallet(std::string user_id, std::string wallet_id) = 0;
  virtual Task<Result<std::vector<OwnedWallet>>> wallets(std::string user_id) = 0;
  // Whose account it is; nothing: nobody's at this node.
  virtual Task<Result<std::optional<std::string>>> owner(std::uint64_t chain_id, Address account) = 0;
  virtual Task<Result<std::vector<OwnedPasskey>>> passkeys(std::string user_id) = 0;
  // Whether the trusted core has the passkey in another wallet of the person. core_unavailable too.
  virtual Task<Result<bool>> is_held_elsewhere(std::string user_id, Bytes credential_id, std::string wallet_id) = 0;
  // Inside of Database::write; what they throw makes it fail. A person's last active passkey is never retired.
  virtual void enter_passkeys(soci::session& sql, const OwnedPasskeyChange& change) = 0;
  virtual void note_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id,
                         std::int64_t now_ms) = 0;
};
std::unique_ptr<People> make_people(users::Users& users);

// A chain that accounts of this node are on. Everything outlives the transactions.
struct ServedChain {
  std::uint64_t chain_id = 0;
  chain::ExecutionClient& chain;
  chain::FeeOracle& fees;
  // They listen to it; its owner runs it.
  chain::BlockWatcher& blocks;
  // Of the accounts.
  const chain::EntryPoint& entry_point;
  validation::Validator& validator;
  validation::Estimator& estimator;
  pool::Pool& pool;
  courier::Courier& courier;
  // Null when nobody sponsors.
  paymaster::Sponsor* sponsor = nullptr;
  // A chain without value, whose first unlocked account gives funds away.
  bool development = false;
  // Blocks after which an inclusion is final; the bundler's.
  std::uint64_t final_depth = 12;
};

// What the policy is asked about, after the rules of this module.
struct RiskQuestion {
  std::string user_id;
  std::uint64_t chain_id = 0;
  Address account{};
  Kind kind{};
  Uint256 value;
  // Recipients and contracts that the account never paid or called before.
  std::vector<Address> new_recipients;
};
class RiskPolicy {
 public:
  virtual ~RiskPolicy() = default;
  // Words for the person when it is refused.
  virtual Task<std::optional<std::string>> refuse(RiskQuestion question) = 0;
};

struct TransactionsOptions {
  // Relying party of passkeys, and the page's full origin.
  std::string rp_id, origin;
  // wei of the native currency that a person may sign away in a UTC day on one chain, over all wallets; nothing: no
  // bound but the account's own.
  std::optional<Uint256> daily_limit;
  // Transactions that a person may sign, and prepare, in a minute.
  std::size_t signed_per_minute = 30, prepared_per_minute = 60;
  // What give_funds gives, and how often a person gets it.
  Uint256 funds{10'000'000'000'000'000'000u};
  infra::Milliseconds funds_pause{60 * 60'000};
};

struct TransactionsDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  keys::WalletKeys& wallets;
  keys::PhraseKeys& phrases;
  audit::AuditLog& audit;
  People& people;
  std::vector<ServedChain> chains;
  // Null: none beyond the limits above.
  RiskPolicy* policy = nullptr;
  infra::Metrics* metrics = nullptr;
};

infra::MigrationSet transaction_migrations();

// Writes down, with the account watcher's own cursor, whose keys the chain says have changed: what a person logs in
// with follows once that block is final (retire.cpp). For the watcher of this chain.
std::unique_ptr<accounts::EventJournal> make_key_journal(std::uint64_t chain_id);

// Both outlive it.
std::unique_ptr<CallDescriber> make_call_describer(chain::ExecutionClient& chain, infra::Clock& clock);

std::unique_ptr<Transactions> make_transactions(TransactionsDependencies dependencies, TransactionsOptions options);

}  // namespace community::transactions
