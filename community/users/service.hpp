// SPDX-License-Identifier: Apache-2.0
// The body of Users. Decisions about rows are made inside of the write that changes them, so that requests which meet
// see each other's work.
#pragma once
#include "community/users/challenge_book.hpp"
#include "community/users/people_key.hpp"
#include "community/users/people_store.hpp"

namespace community::users {

// What the journal hears of a session that ends before its time.
PersonEvent revoked(const Session& session, std::int64_t now_ms);

// By what a browser is known to one person. Both have a fixed length.
Bytes32 device_hash(std::string_view device_token, std::string_view user_id);

// WebAuthn's own is some 200 bytes.
inline constexpr std::size_t kMaxClientData = 2'048;
// The challenge that client data names; nothing where it names none.
std::optional<Bytes32> challenge_of(ByteView client_data);

class UsersService final : public Users {
 public:
  UsersService(UsersDependencies dependencies, UsersOptions options);

  // registration.cpp
  Task<Result<PendingRegistration>> register_user(RegisterRequest request, Client client) override;
  Task<Result<PasskeyQuestion>> prove_email(std::string registration_id, std::string code) override;
  Task<Result<Registered>> setup_biometric(std::string registration_id, NewPasskey passkey, Client client) override;
  // log_in.cpp
  Bytes32 begin_log_in() override { return challenges_.issue(); }
  Task<Result<LoggedIn>> authenticate_user(LogInAssertion assertion, Client client) override;
  Task<Result<Identity>> identify(std::string token) override;
  Bytes32 begin_deletion(const std::string& user_id) override { return deletions_.issue(user_id); }
  Task<Result<void>> prove_deletion(std::string user_id, LogInAssertion assertion) override;
  std::string csrf_token(std::string_view token) const override { return key_.csrf_token(token); }
  // people.cpp
  Task<Result<std::optional<Person>>> person(std::string user_id) override;
  Task<Result<std::vector<Session>>> sessions(std::string user_id) override;
  Task<Result<void>> revoke_session(std::string user_id, std::string session_id) override;
  Task<Result<void>> revoke_other_sessions(std::string user_id, std::string kept_session_id) override;
  Task<Result<Person>> update_profile(std::string user_id, ProfileChange change) override;
  Task<Result<std::vector<PasskeyProfile>>> passkeys(std::string user_id) override;
  Task<Result<PasskeyProfile>> rename_passkey(std::string user_id, std::string profile_id, std::string name) override;
  // passkeys.cpp
  Task<Result<PasskeyQuestion>> begin_passkey(std::string user_id) override;
  Task<Result<PasskeyProfile>> add_passkey(std::string user_id, NewPasskey passkey) override;
  Task<Result<void>> remove_passkey(std::string user_id, std::string profile_id) override;
  Task<Result<bool>> is_held(std::string user_id, Bytes credential_id, std::string except_wallet_id) override;
  void enter_passkeys(soci::session& sql, const PasskeyChange& change) override;
  void note_wallet_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id,
                        std::int64_t now_ms) override {
    store::note_wallet_used(sql, wallet_id, chain_id, now_ms);
  }
  // wallets.cpp
  Task<Result<std::vector<Wallet>>> get_user_wallets(std::string user_id) override;
  Task<Result<Wallet>> wallet(std::string user_id, std::string wallet_id) override;
  Task<Result<std::optional<std::string>>> owner(AccountOnChain account) override;
  Task<Result<Wallet>> create_wallet(Identity identity, WalletRequest request) override;
  Task<Result<Wallet>> update_wallet(std::string user_id, std::string wallet_id, WalletChange change) override;
  // incoming.cpp
  Task<Result<Wallet>> create_incoming_wallet(Identity identity, std::string request_id) override;
  Task<Result<std::vector<Wallet>>> incoming_wallets(std::string user_id) override;
  std::optional<std::string> enter_account(soci::session& sql, const ArrivedAccount& account) override;
  // service.cpp
  infra::HealthReport report() const override;
  Task<void> run() override;

 private:
  // What the device said, verified.
  struct VerifiedPasskey {
    PasskeyProfile passkey;
    Bytes32 answer_hash{};
  };
  struct Token {
    std::string text;
    Bytes32 hash{};
  };

  // service.cpp
  std::string new_id();
  Token new_token();
  // The browser's own where it has one of the right form, otherwise a new one.
  std::string device_token(const Client& client);
  Session new_session(const std::string& id, const std::string& user_id, const std::string& profile_id,
                      Client client) const;
  Task<void> record(PersonEvent event);
  Task<void> finish_interrupted(std::int64_t made_before_ms);
  Task<void> clean_up();

  // further_chains.cpp
  // False while database or core are away.
  Task<bool> use_further_chains();
  Task<Result<void>> use_on_chain(std::string user_id, Wallet wallet, AccountChain chain);

  // registration.cpp
  Task<Result<PasskeyQuestion>> answer_proof(store::Registration registration, int outcome);
  Result<VerifiedPasskey> verify(const std::string& user_id, const Bytes32& challenge, const NewPasskey& passkey) const;
  // Nothing: the registration is done.
  Task<Result<std::optional<store::WalletIntent>>> begin_wallet(store::Registration registration,
                                                                VerifiedPasskey verified, Address escape_key);
  Task<Result<Registered>> end_registration(std::string registration_id, Bytes32 answer, Client client);
  static void enter_person(soci::session& sql, const store::WalletIntent& intent, const std::string& wallet_id,
                           std::int64_t now_ms, Journal& journal);

  // log_in.cpp
  // A passkey whose assertion is good.
  struct Asserted {
    PasskeyProfile passkey;
    std::uint32_t sign_count = 0;
  };
  // Over a challenge of this book for them; empty: whoever it is.
  Task<Result<Asserted>> check_assertion(const LogInAssertion& assertion, ChallengeBook& challenges, std::string whom);
  tl::unexpected<Error> refuse_log_in(std::string_view reason);

  // wallets.cpp
  store::WalletIntent new_intent(const std::string& user_id, const std::string& request_id, PasskeyProfile passkey,
                                 const Address& escape_key);
  // Asks the core for wallet and accounts, and enters them with everything else of the intent. Any number of times.
  Task<Result<void>> fulfil(store::WalletIntent intent);
  Task<Result<Wallet>> ask_core(const store::WalletIntent& intent);
  // With those that have no account yet.
  Task<Result<std::vector<Wallet>>> all_wallets(std::string user_id);
  // Written down for this request, or known; nothing when its wallet is there.
  Task<Result<std::optional<store::WalletIntent>>> begin_intent(store::WalletIntent draft, std::string profile_id);
  Task<Result<Wallet>> wallet_of_request(std::string user_id, std::string request_id);
  Task<Result<void>> bind(keys::WalletInfo made, const Wallet& wallet, std::uint64_t chain_id);
  Task<Result<bool>> enter(store::WalletIntent intent, Wallet wallet);

  // Errors of database and core in this module's words.
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }
  static tl::unexpected<Error> from_core(const keys::Error& error);
  void count(const char* name, const char* help, const infra::MetricLabels& labels = {}, double amount = 1);
  // The journal's words about a security violation, counted.
  PersonEvent violation(std::string_view type, std::string user_id);

  UsersDependencies d_;
  const UsersOptions options_;
  const PeopleKey key_;
  ChallengeBook challenges_, deletions_, new_passkeys_;
  // As of the last look, with those that came since.
  long long registrations_ = 0;
  // Of the last look, without those whose requests are still at it.
  std::size_t interrupted_ = 0;
};

}  // namespace community::users
