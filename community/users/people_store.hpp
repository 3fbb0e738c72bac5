// SPDX-License-Identifier: Apache-2.0
// Rows of people, one function a question. All run inside of a write or read of the database and throw what SOCI
// throws.
#pragma once
#include <soci/soci.h>

#include "community/keys/api/tagged_wallets.hpp"
#include "community/users/api/text.hpp"
#include "community/users/factory.hpp"

namespace community::users::store {

// --- registrations ---------------------------------------------------------------------------------------------------

enum class RegistrationState : std::uint8_t {
  // The code was sent.
  code = 0,
  // The address is proven; the passkey is awaited.
  proven = 1,
  // There is a wallet intent.
  creating = 2,
  done = 3,
  // The code was right and the address has an account, or it was guessed too often.
  spent = 4,
};

struct Registration {
  std::string registration_id;
  // Of the person who will be.
  std::string user_id;
  EmailAddress email;
  std::string username, locale;
  RegistrationState state = RegistrationState::code;
  // False: the address had its codes already, and nobody knows this one.
  bool mailed = true;
  Bytes32 code_mac{};
  int attempts = 0;
  Bytes32 challenge{};
  // SHA-256 over the device's answer, so that the same one again is known.
  Bytes32 answer_hash{};
  // The session that it ended in; empty before.
  std::string session_id;
  std::int64_t created_ms = 0, expires_ms = 0;
};

std::optional<Registration> registration(soci::session& sql, const std::string& id);
void insert(soci::session& sql, const Registration& registration);
// What may change: state, attempts, challenge, answer_hash, session_id, expires_ms.
void update(soci::session& sql, const Registration& registration);
// Of codes that were sent.
long long codes_since(soci::session& sql, const std::string& email_key, std::int64_t since_ms);
bool is_being_created(soci::session& sql, const std::string& email_key);
bool has_account(soci::session& sql, const std::string& email_key);
// Expired ones that no intent needs.
void remove_expired_registrations(soci::session& sql, std::int64_t now_ms);
long long count_registrations(soci::session& sql);

// --- wallet intents --------------------------------------------------------------------------------------------------

// What was decided before the trusted core was asked, so that the same wallet comes out whenever it is finished.
struct WalletIntent {
  // Also the tag in the trusted core's records.
  keys::WalletTag tag{};
  std::string user_id;
  // Of createWallet, or the registration's id.
  std::string request_id;
  // Of the person's first wallet.
  bool registers = false;
  // The passkey that it is sealed to; all of it is new when `registers`.
  PasskeyProfile passkey;
  Address escape_key{};
  Bytes32 salt{};
  std::string alias;
  AccountRules rules;
  // None: the wallet is for an account that began elsewhere.
  std::vector<AccountChain> chains;
  std::int64_t created_ms = 0;

  bool is_incoming() const { return chains.empty(); }
};

void insert(soci::session& sql, const WalletIntent& intent);
std::optional<WalletIntent> intent(soci::session& sql, const keys::WalletTag& tag);
std::optional<WalletIntent> intent_of_request(soci::session& sql, const std::string& user_id,
                                              const std::string& request_id);
// The oldest first.
std::vector<WalletIntent> intents(soci::session& sql, std::size_t most);
void remove_intent(soci::session& sql, const keys::WalletTag& tag);

// --- people, passkeys ------------------------------------------------------------------------------------------------

void insert(soci::session& sql, const Person& person, const std::string& email_key);
std::optional<Person> person(soci::session& sql, const std::string& user_id);
// Profile and updated_ms.
void update(soci::session& sql, const Person& person);

// `tee_template_id`: the core's record that holds it.
void insert(soci::session& sql, const PasskeyProfile& passkey, const std::string& tee_template_id);
bool knows_credential(soci::session& sql, const Bytes& credential_id);
std::optional<PasskeyProfile> passkey_of_credential(soci::session& sql, const Bytes& credential_id);
std::optional<PasskeyProfile> passkey(soci::session& sql, const std::string& user_id, const std::string& profile_id);
std::vector<PasskeyProfile> passkeys(soci::session& sql, const std::string& user_id);
void rename_passkey(soci::session& sql, const std::string& profile_id, const std::string& name);
void activate_passkey(soci::session& sql, const std::string& profile_id, const std::string& tee_template_id);
// The sessions that it began are over with it.
void remove_passkey(soci::session& sql, const std::string& user_id, const std::string& profile_id);
void note_verified(soci::session& sql, const std::string& profile_id, std::uint32_t sign_count, std::int64_t now_ms);

// --- sessions --------------------------------------------------------------------------------------------------------

// Ends the oldest of the person where there would be more than kMaxSessions: which ones.
std::vector<Session> insert(soci::session& sql, const Session& session, const Bytes32& token_hash);
std::optional<Session> session_of_token(soci::session& sql, const Bytes32& token_hash);
// Whether it is over because its passkey was removed, and would not have expired yet.
bool lost_its_passkey(soci::session& sql, const Bytes32& token_hash, std::int64_t now_ms);
std::vector<Session> sessions(soci::session& sql, const std::string& user_id);
void note_used(soci::session& sql, const std::string& session_id, std::int64_t now_ms);
// Whether there was one.
bool remove_session(soci::session& sql, const std::string& user_id, const std::string& session_id);
// How many went.
long long remove_other_sessions(soci::session& sql, const std::string& user_id, const std::string& kept);
void remove_expired_sessions(soci::session& sql, std::int64_t now_ms);
// People with a session that was used since.
long long active_people(soci::session& sql, std::int64_t since_ms);

// Whether the person had logged in with this browser's token before; from now on, it has. Forgets the oldest beyond
// kMaxDevices.
bool note_device(soci::session& sql, const std::string& user_id, const Bytes32& token_hash, std::int64_t now_ms);
void remove_old_devices(soci::session& sql, std::int64_t before_ms);

// --- wallets ---------------------------------------------------------------------------------------------------------

// `request_id` and `profile_id`: who asked for it, and the passkey it is sealed to. Bindings get ids from
// `binding_ids`, one an account.
struct NewWallet {
  std::string user_id, request_id, profile_id;
  Wallet wallet;
  std::vector<std::string> binding_ids;
};
void insert(soci::session& sql, const NewWallet& wallet);
// The primary one first, then the oldest.
std::vector<Wallet> wallets(soci::session& sql, const std::string& user_id);
std::optional<Wallet> wallet(soci::session& sql, const std::string& user_id, const std::string& wallet_id);
// Empty: nobody's.
std::string owner(soci::session& sql, const AccountOnChain& account);
std::optional<Wallet> wallet_of_request(soci::session& sql, const std::string& user_id, const std::string& request_id);
// Whose binding it was; nothing when there is none, or when it is this wallet's.
std::optional<std::string> remove_other_binding(soci::session& sql, const AccountOnChain& account,
                                                const std::string& wallet_id);
// Passed over when the wallet has it.
void insert_binding(soci::session& sql, const ArrivedAccount& arrived, const std::string& binding_id);
struct OwnedWallet {
  std::string user_id;
  Wallet wallet;
};
// Made here, with an account on some chain, and nobody's on this one; by wallet id, those after `after`.
std::vector<OwnedWallet> wallets_without_account(soci::session& sql, std::uint64_t chain_id, const std::string& after,
                                                 std::size_t most);
// Wallets and intents together.
long long count_wallets(soci::session& sql, const std::string& user_id);
void note_wallet_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id, std::int64_t now_ms);
void set_alias(soci::session& sql, const std::string& wallet_id, const std::string& alias);
void set_primary(soci::session& sql, const std::string& user_id, const std::string& wallet_id);
void set_recovery_file_saved(soci::session& sql, const std::string& wallet_id);

}  // namespace community::users::store
