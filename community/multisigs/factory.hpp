// SPDX-License-Identifier: Apache-2.0
// The real body, with what it needs of others. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>

#include "community/audit/api/audit_log.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/random.hpp"
#include "community/multisigs/api/multisigs.hpp"
#include "community/transactions/api/call_describer.hpp"

namespace community::users {
class Users;
}

namespace community::multisigs {

struct OwnAccount {
  std::string wallet_id;
  Address address{};
};
struct OwnPasskey {
  std::string passkey_id;
  // P-256 x || y.
  std::array<std::uint8_t, 64> public_key{};
};
struct Own {
  // On the chain that was asked for.
  std::vector<OwnAccount> accounts;
  std::vector<OwnPasskey> passkeys;
};

// Which accounts and passkeys are the person's.
class People {
 public:
  virtual ~People() = default;
  // database_unavailable.
  virtual Task<Result<Own>> own(std::string user_id, std::uint64_t chain_id) = 0;
};
std::unique_ptr<People> make_people(users::Users& users);

// A chain with this node's multisig contracts on it. Chain and describer outlive the list.
struct ServedChain {
  std::uint64_t chain_id = 0;
  chain::ExecutionClient& chain;
  transactions::CallDescriber& describer;
  Address factory{};
  Bytes32 proxy_init_code_hash{};
  // PasskeyVerifier (ERC-7913).
  Address passkey_verifier{};
};

// All outlive the list.
struct MultisigsDependencies {
  infra::Database& database;
  infra::Clock& clock;
  infra::Random& random;
  audit::AuditLog& audit;
  People& people;
  std::vector<ServedChain> chains;
};

// After the users' own: an entry goes with its person.
infra::MigrationSet multisigs_migrations();

std::unique_ptr<Multisigs> make_multisigs(MultisigsDependencies dependencies);

}  // namespace community::multisigs
