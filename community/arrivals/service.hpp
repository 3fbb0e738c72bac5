// SPDX-License-Identifier: Apache-2.0
// The body of Arrivals. What becomes of a row is decided inside of the write that changes it, so that requests which
// meet see each other's work.
#pragma once
#include <map>

#include "community/arrivals/factory.hpp"
#include "community/users/api/rate_limits.hpp"

namespace community::arrivals {

class ArrivalsService final : public Arrivals {
 public:
  ArrivalsService(ArrivalsDependencies dependencies, ArrivalsOptions options);

  // name.cpp
  Task<Result<ArrivalReport>> name(users::Identity identity, NameRequest request) override;
  // service.cpp
  Task<Result<std::vector<ArrivalReport>>> list(std::string user_id) override;
  Task<Result<ArrivalReport>> arrival(std::string user_id, std::string arrival_id) override;
  Task<Result<ArrivalReport>> adopt(std::string user_id, std::string arrival_id,
                                    users::LogInAssertion assertion) override;
  Task<Result<void>> forget(std::string user_id, std::string arrival_id) override;
  // bring.cpp
  Task<Result<ArrivalReport>> bring(std::string user_id, std::string arrival_id, Bytes call) override;
  // watch.cpp
  Task<void> run() override;

 private:
  struct Chain {
    explicit Chain(const ServedChain& given) : served(given), view(given.chain) {}
    ServedChain served;
    accounts::AccountView view;
    // The last expected arrival that was looked at.
    std::string looked_at;
  };
  // Which wallets without an account are taken, in this order: one that the trusted core had take in this account
  // before, whose key it may have on chain already; one without any; one that took in others, which were taken back.
  enum class Fit : std::uint8_t { has_it, empty, has_room };
  // A wallet as the trusted core has it, with the keys that an account would be given.
  struct Chosen {
    std::string wallet_id;
    accounts::InitPasskey passkey;
    std::uint32_t server_key_index = 0;
    Address server_key{};
  };

  Chain* find_chain(std::uint64_t chain_id);
  Task<Result<Arrival>> find(std::string user_id, std::string arrival_id);
  Task<Result<ArrivalReport>> report(Arrival arrival);
  Task<Result<Adoption>> adoption(const Arrival& arrival);
  // With what waits. Nothing where it is not to be had.
  Task<std::optional<OnChain>> on_chain(const Arrival& arrival);

  // name.cpp
  Result<void> check(const NameRequest& request, const std::string& user_id);
  // One that is there already for this request or account.
  Task<Result<std::optional<Arrival>>> find_named(std::string user_id, NameRequest request);
  // Of the person, for this account; nothing: one has to be made.
  Task<Result<std::optional<Chosen>>> find_wallet(const users::Identity& identity, const NameRequest& request);
  Task<Result<std::optional<Chosen>>> choose(const users::Identity& identity, std::string wallet_id,
                                             const NameRequest& request, Fit fit);
  // Nothing when the wallet serves another account meanwhile.
  Task<Result<std::optional<Arrival>>> enter(const users::Identity& identity, const NameRequest& request,
                                             Chosen chosen);

  // bring.cpp
  Task<Result<void>> check_finish(Chain& chain, const Arrival& arrival, const Bytes& call);

  // watch.cpp
  Task<void> look_around(Chain& chain);
  // The row as it is after the look.
  Task<Arrival> look(Chain& chain, Arrival arrival, const accounts::AccountState& state);
  Task<Result<Arrival>> enter_arrived(Arrival arrival, bool may_replace);

  std::string new_id();
  void count(const char* what);
  Result<void> take(const std::string& bucket, users::Rate rate);
  static tl::unexpected<Error> from_core(const keys::Error& error);
  // Errors of the database in this module's words.
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  ArrivalsDependencies d_;
  const ArrivalsOptions options_;
  std::vector<std::unique_ptr<Chain>> chains_;
  users::RateLimits rates_;
  // Arrivals whose account another wallet has at this node: the block in which the chain said otherwise first.
  std::map<std::string, std::uint64_t> contested_;
  infra::Event changed_;
};

// Whether the account has the keys that the arrival was made with.
bool has_keys(const accounts::AccountState& state, const Arrival& arrival);
// escape or recover to exactly the keys that the arrival was made with, no more passkeys than its own. The escape key
// that a recovery brings is between the guardians, who sign it, and the person's page, which made it.
bool names_exactly(const accounts::Action& action, const Arrival& arrival);
// Of what waits, which the account's votes or guardians decided: whether it gives the account the arrival's keys.
bool brings(const accounts::Action& action, const Arrival& arrival);

}  // namespace community::arrivals
