// SPDX-License-Identifier: Apache-2.0
// The real body, with what it needs of others. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/core/json.hpp"
#include "community/core/uint256.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/users/api/operator.hpp"
#include "community/users/api/users.hpp"

namespace community::users {

// Words of the audit log, the founders' first; tests of the program that connects both compare them.
#define COMMUNITY_PERSON_EVENTS(X) \
  X(UserRegistered)                \
  X(RegistrationRepeated)          \
  X(UserAuthenticated)             \
  X(BiometricSetup)                \
  X(PasskeyRemoved)                \
  X(WalletCreated)                 \
  X(WalletChanged)                 \
  X(SessionRevoked)                \
  X(ProfileChanged)                \
  X(SecurityViolation) /* the member `type` of the details names it */

COMMUNITY_RULES(EventName, COMMUNITY_PERSON_EVENTS)

struct PersonEvent {
  EventName event{};
  // Empty where nobody is known.
  std::string user_id;
  // Ids, addresses of the chain and fixed words; no personal data.
  core::json::object details;
  std::int64_t time_ms = 0;
};

// Where events are written down.
class Journal {
 public:
  virtual ~Journal() = default;
  // Inside of Database::write, on the writer's thread: the event is there exactly when the write is. Throws what makes
  // the write fail.
  virtual void record(soci::session& sql, const PersonEvent& event) = 0;
};

// What a registration has sent: the code, and whether the address has an account already. One text is as long as the
// other and goes the same way.
struct CodeMail {
  std::string to;
  // One of kLocales.
  std::string locale;
  std::string code;
  bool already_registered = false;
  // When the code expires; nobody wants the mail afterwards.
  std::int64_t expires_ms = 0;
};

class Mail {
 public:
  virtual ~Mail() = default;
  // As Journal::record.
  virtual void queue(soci::session& sql, const CodeMail& mail) = 0;
};

// A chain that accounts are made for.
struct AccountChain {
  std::uint64_t chain_id = 0;
  Address factory{};
  Address entry_point{};
  Bytes32 proxy_init_code_hash{};
};

// What a new account allows, until its owner changes it.
struct AccountRules {
  // wei: of the chain's own currency a day, and of what one operation may cost when no paymaster pays.
  core::Uint256 daily_limit, gas_cap;
  std::uint32_t recovery_delay_s = 7 * 24 * 60 * 60;
};

struct UsersOptions {
  // Relying party of passkeys, and the page's full origin: "https://example.org:8443".
  std::string rp_id, origin;
  // At most as many as a wallet of the trusted core has accounts; factory and proxy code are the same on all of them,
  // so that an account has one address.
  std::vector<AccountChain> chains;
  AccountRules rules;
  infra::Milliseconds session_duration{24 * 60 * 60 * 1'000};
};

// All outlive the users.
struct UsersDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  keys::WalletKeys& wallets;
  keys::TaggedWallets& tagged_wallets;
  Journal& journal;
  Mail& mail;
  // people.key of the data folder: keys the MACs of codes and CSRF tokens.
  Bytes32 people_key{};
  infra::Metrics* metrics = nullptr;
};

infra::MigrationSet user_migrations();

// Over the same tables and journal, which outlive it.
std::unique_ptr<UsersOperator> make_users_operator(infra::Database& database, infra::Clock& clock, Journal& journal);

std::unique_ptr<Users> make_users(UsersDependencies dependencies, UsersOptions options);

}  // namespace community::users
