// SPDX-License-Identifier: Apache-2.0
// People: how they register, log in and are logged out, their passkeys and wallets as records. The founders' operations
// keep their names: register_user, authenticate_user, setup_biometric, create_wallet, get_user_wallets. All calls
// belong to the thread of the loop that the object was made on.
#pragma once
#include "community/infra/api/health.hpp"
#include "community/infra/api/task.hpp"
#include "community/users/api/error.hpp"
#include "community/users/api/people.hpp"

namespace soci {
class session;
}

namespace community::users {

using infra::Task;

// --- limits ----------------------------------------------------------------------------------------------------------

// Guesses of one code: with three codes in a quarter of an hour, a stranger guesses an address's code with a chance of
// 15 in 100,000,000, and 1 in 70,000 in a whole day.
inline constexpr int kCodeAttempts = 5;
inline constexpr int kCodesPerAddress = 3;
inline constexpr infra::Milliseconds kCodeLife{15 * 60 * 1'000};
// Registrations that wait for a code or a passkey, about 1 kB each: 64 MB.
inline constexpr std::size_t kMaxRegistrations = 65'536;
inline constexpr infra::Milliseconds kChallengeLife{5 * 60 * 1'000};
// Log-ins under way, about 100 bytes each: 6 MB. The oldest goes when there is no room.
inline constexpr std::size_t kMaxChallenges = 65'536;
// The oldest ends when there is one more.
inline constexpr std::size_t kMaxSessions = 32;
inline constexpr std::size_t kMaxWallets = 16;
// What an account takes; besides, those that no wallet took yet: the oldest of them goes when there is one more.
inline constexpr std::size_t kMaxPasskeys = 8, kMaxPendingPasskeys = 4;
// Browsers that a person is known to log in from; the one that was not used for longest is forgotten, and each after
// kDeviceLife, which is as long as browsers keep a cookie.
inline constexpr std::size_t kMaxDevices = 32;
inline constexpr infra::Milliseconds kDeviceLife{400ll * 24 * 60 * 60 * 1'000};

// --- registration ----------------------------------------------------------------------------------------------------

struct RegisterRequest {
  std::string email;
  // Empty: none given.
  std::string username;
  // One of kLocales; empty: "en".
  std::string locale;
};

struct PendingRegistration {
  std::string registration_id;
  std::int64_t expires_ms = 0;
};

// What a page asks the device for (PublicKeyCredentialCreationOptions).
struct PasskeyQuestion {
  // Random bytes of the user's id: WebAuthn's user handle, which tells nothing about the person.
  Bytes user_handle;
  std::string user_name;
  std::string display_name;
  Bytes32 challenge{};
  std::int64_t expires_ms = 0;
  // Of the person already: a device that has one of these makes no second one.
  std::vector<Bytes> known_credential_ids;
};

// --- log-in ----------------------------------------------------------------------------------------------------------

struct LoggedIn {
  Person person;
  NewSession session;
};

struct Registered {
  LoggedIn logged_in;
  Wallet wallet;
};

// Who asks, by a session that was found good.
struct Identity {
  Person person;
  Session session;
};

// --- what a person may change ----------------------------------------------------------------------------------------

// Nothing: as it is. Empty text: taken away.
struct ProfileChange {
  std::optional<std::string> username, avatar_url, phone_number, locale;
};

struct WalletRequest {
  // The caller's, a UUID: the same one again answers the same wallet.
  std::string request_id;
  Address escape_key{};
  std::string alias;
};

struct WalletChange {
  // Empty text: taken away.
  std::optional<std::string> alias;
  bool make_primary = false;
  bool recovery_file_saved = false;
};

// An account that began elsewhere, and the wallet of this person whose key it has now.
struct ArrivedAccount {
  std::string user_id, wallet_id;
  AccountOnChain account;
  // Empty: none.
  std::string alias;
  std::int64_t now_ms = 0;
};

// What became of a wallet's passkeys by a change of its keys; ids of profiles.
struct PasskeyChange {
  std::string user_id, wallet_id;
  std::vector<std::string> activated, retired;
};

// What the page must know before anybody is logged in.
struct AccountDefaults {
  // wei
  core::Bytes32 daily_limit{}, gas_cap{};
  std::uint32_t recovery_delay_s = 0;
};

class Users {
 public:
  virtual ~Users() = default;

  // Sends a code to the address, whoever it belongs to: known and unknown are answered alike, after the same work. More
  // than kCodesPerAddress in kCodeLife are answered alike too and send nothing. field_invalid, too_many_requests when
  // the node has kMaxRegistrations.
  virtual Task<Result<PendingRegistration>> register_user(RegisterRequest request, Client client) = 0;
  // Eight digits, among which spaces and hyphens are passed over. The right code may be sent again until the passkey is
  // there. code_wrong, registration_expired, already_registered.
  virtual Task<Result<PasskeyQuestion>> prove_email(std::string registration_id, std::string code) = 0;
  // Makes person, passkey, wallet and account, all or nothing. The same answer of the device again finds the same
  // person, with a session in place of the earlier one, until the registration expires. passkey_refused,
  // registration_expired, already_registered, core_unavailable.
  virtual Task<Result<Registered>> setup_biometric(std::string registration_id, NewPasskey passkey, Client client) = 0;

  // A challenge that is good for one log-in within kChallengeLife, and for nothing else.
  virtual Bytes32 begin_log_in() = 0;
  // passkey_refused, without a reason, whatever was wrong: the reason is in metrics.
  // The event says with `newDevice` whether it was from a browser that the person has not logged in from before. A
  // browser is known by a random token alone, which the node gave it at an earlier log-in: nothing of the browser
  // itself is looked at, so one that keeps no cookies is new each time.
  virtual Task<Result<LoggedIn>> authenticate_user(LogInAssertion assertion, Client client) = 0;

  // A challenge for the deletion of this person, which a passkey of theirs has to answer: good once, within
  // kChallengeLife, for nothing and nobody else.
  virtual Bytes32 begin_deletion(const std::string& user_id) = 0;
  // passkey_refused, without a reason. Deletes nothing: community/privacy does.
  virtual Task<Result<void>> prove_deletion(std::string user_id, LogInAssertion assertion) = 0;

  // Who a token belongs to; notes that the session was used, once a minute. not_logged_in.
  virtual Task<Result<Identity>> identify(std::string token) = 0;
  // Sent back by the page with whatever changes something; follows from the token, so that nothing is stored.
  virtual std::string csrf_token(std::string_view token) const = 0;

  // Nothing: no such person.
  virtual Task<Result<std::optional<Person>>> person(std::string user_id) = 0;
  virtual Task<Result<std::vector<Session>>> sessions(std::string user_id) = 0;
  // not_found.
  virtual Task<Result<void>> revoke_session(std::string user_id, std::string session_id) = 0;
  virtual Task<Result<void>> revoke_other_sessions(std::string user_id, std::string kept_session_id) = 0;

  // field_invalid.
  virtual Task<Result<Person>> update_profile(std::string user_id, ProfileChange change) = 0;
  virtual Task<Result<std::vector<PasskeyProfile>>> passkeys(std::string user_id) = 0;
  // not_found, field_invalid.
  virtual Task<Result<PasskeyProfile>> rename_passkey(std::string user_id, std::string profile_id,
                                                      std::string name) = 0;

  // What a page asks a further device for. The challenge is good for one passkey of this person within kChallengeLife.
  virtual Task<Result<PasskeyQuestion>> begin_passkey(std::string user_id) = 0;
  // Checked as at a registration; kept inactive: it logs nobody in and signs nothing until a wallet takes it.
  // passkey_refused, too_many_passkeys, field_invalid.
  virtual Task<Result<PasskeyProfile>> add_passkey(std::string user_id, NewPasskey passkey) = 0;
  // Of one that no wallet takes; its sessions end. not_found, passkey_in_use, core_unavailable.
  virtual Task<Result<void>> remove_passkey(std::string user_id, std::string profile_id) = 0;
  // Whether the trusted core has the passkey in a wallet of the person's but this one.
  virtual Task<Result<bool>> is_held(std::string user_id, Bytes credential_id, std::string except_wallet_id) = 0;
  // Inside of the caller's Database::write; what they throw makes it fail. Ids that are gone are passed over, and so is
  // a person's last active passkey, which would leave nobody who could read, export or delete what is theirs here.
  virtual void enter_passkeys(soci::session& sql, const PasskeyChange& change) = 0;
  virtual void note_wallet_used(soci::session& sql, const std::string& wallet_id, std::uint64_t chain_id,
                                std::int64_t now_ms) = 0;

  // The primary one first, then as they came.
  virtual Task<Result<std::vector<Wallet>>> get_user_wallets(std::string user_id) = 0;
  // not_found.
  virtual Task<Result<Wallet>> wallet(std::string user_id, std::string wallet_id) = 0;
  // Whose account it is; nothing: nobody's at this node.
  virtual Task<Result<std::optional<std::string>>> owner(AccountOnChain account) = 0;
  // Sealed to the passkey of the session. too_many_wallets, field_invalid, core_unavailable.
  virtual Task<Result<Wallet>> create_wallet(Identity identity, WalletRequest request) = 0;
  // not_found, field_invalid.
  virtual Task<Result<Wallet>> update_wallet(std::string user_id, std::string wallet_id, WalletChange change) = 0;

  // A wallet without an account, for one that the person brings from another node; sealed to the passkey of the
  // session. The same request answers the same wallet. It is in no list of wallets before it has an account.
  // too_many_wallets, core_unavailable.
  virtual Task<Result<Wallet>> create_incoming_wallet(Identity identity, std::string request_id) = 0;
  // Those that have no account yet, as they came.
  virtual Task<Result<std::vector<Wallet>>> incoming_wallets(std::string user_id) = 0;
  // Inside of the caller's Database::write, once the chain says that the account is this wallet's: who had it at this
  // node before has it no longer. Whose it was, where it was another person's. Throws what makes the write fail.
  virtual std::optional<std::string> enter_account(soci::session& sql, const ArrivedAccount& account) = 0;

  // Degraded when registrations are nearly as many as there may be, or when wallets wait for the trusted core.
  virtual infra::HealthReport report() const = 0;
  // Finishes what a crash or an absent core interrupted, removes what expired, keeps figures; until cancelled.
  virtual Task<void> run() = 0;
};

}  // namespace community::users
