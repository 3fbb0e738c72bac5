// SPDX-License-Identifier: Apache-2.0
// Further passkeys of a person. One is checked and kept here first, and is good for nothing; it comes into use with the
// change of a wallet's keys that an older passkey signs (community/transactions, kind `keys`), and leaves with another.
#include "community/infra/api/log.hpp"
#include "community/users/service.hpp"
#include "community/users/transports.hpp"
#include "trusted/base/sha2.hpp"

namespace community::users {
namespace {

bool is_active(const PasskeyProfile& passkey) { return passkey.is_active; }

}  // namespace

Task<Result<PasskeyQuestion>> UsersService::begin_passkey(std::string user_id) {
  auto read = [user_id](soci::session& sql) -> Result<std::pair<Person, std::vector<PasskeyProfile>>> {
    auto person = store::person(sql, user_id);
    if (!person) return fail(ErrorCode::not_found);
    return std::pair(std::move(*person), store::passkeys(sql, user_id));
  };
  const auto found = from_database(co_await d_.database.read(read));
  if (!found) co_return tl::unexpected(found.error());
  const auto& [person, passkeys] = *found;
  PasskeyQuestion question;
  question.user_handle = core::to_bytes(*core::parse_uuid(user_id));
  question.user_name = person.email;
  question.display_name = person.username.empty() ? person.email : person.username;
  question.challenge = new_passkeys_.issue(user_id);
  question.expires_ms = d_.clock.now_ms() + kChallengeLife.count();
  // A device that has one already says so, and makes no second one.
  for (const PasskeyProfile& one : passkeys) question.known_credential_ids.push_back(one.credential_id);
  co_return question;
}

Task<Result<PasskeyProfile>> UsersService::add_passkey(std::string user_id, NewPasskey passkey) {
  keep_transports(passkey.transports);
  if (!passkey.device_name.empty())
    if (auto good = check_name(passkey.device_name, "/deviceName"); !good) co_return tl::unexpected(good.error());
  const auto challenge =
      passkey.client_data.size() > kMaxClientData ? std::optional<Bytes32>() : challenge_of(passkey.client_data);
  if (!challenge || !new_passkeys_.redeem(*challenge, user_id))
    co_return fail(ErrorCode::passkey_refused, "challenge_unknown");
  auto verified = verify(user_id, *challenge, passkey);
  count("community_users_biometric_verifications_total", "Passkeys that were registered, by what came of it.",
        {{"result", verified ? "ok" : "refused"}});
  if (!verified) co_return tl::unexpected(verified.error());
  PasskeyProfile profile = std::move(verified->passkey);
  profile.profile_id = new_id();
  profile.device_id = new_id();
  profile.is_active = false;
  auto work = [profile](soci::session& sql) -> Result<PasskeyProfile> {
    if (store::knows_credential(sql, profile.credential_id))
      return fail(ErrorCode::passkey_refused, "credential_id_known");
    std::vector<PasskeyProfile> own = store::passkeys(sql, profile.user_id);
    if (static_cast<std::size_t>(std::count_if(own.begin(), own.end(), is_active)) >= kMaxPasskeys)
      return fail(ErrorCode::too_many_passkeys);
    std::erase_if(own, is_active);
    // The oldest that never came into use makes room.
    if (own.size() >= kMaxPendingPasskeys) {
      const auto oldest = std::min_element(own.begin(), own.end(),
                                           [](const auto& a, const auto& b) { return a.created_ms < b.created_ms; });
      store::remove_passkey(sql, profile.user_id, oldest->profile_id);
    }
    store::insert(sql, profile, std::string());
    return profile;
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<bool>> UsersService::is_held(std::string user_id, Bytes credential_id, std::string except_wallet_id) {
  // One that waits for its account holds its passkey, too.
  const auto wallets = co_await all_wallets(std::move(user_id));
  if (!wallets) co_return tl::unexpected(wallets.error());
  const Bytes32 hash = base::sha256(credential_id);
  for (const Wallet& wallet : *wallets) {
    const auto record = core::parse_uuid(wallet.wallet_id);
    if (!record || wallet.wallet_id == except_wallet_id) continue;
    const auto described = co_await d_.wallets.describe_wallet(*record, 0);
    if (!described) co_return from_core(described.error());
    for (std::size_t i = 0; i < described->passkey_count; i++)
      if (described->passkeys[i].credential_hash == hash) co_return true;
  }
  co_return false;
}

Task<Result<void>> UsersService::remove_passkey(std::string user_id, std::string profile_id) {
  auto read = [user_id, profile_id](soci::session& sql) -> Result<PasskeyProfile> {
    auto found = store::passkey(sql, user_id, profile_id);
    if (!found) return fail(ErrorCode::not_found);
    return std::move(*found);
  };
  const auto found = from_database(co_await d_.database.read(read));
  if (!found) co_return tl::unexpected(found.error());
  const auto held = co_await is_held(user_id, found->credential_id, std::string());
  if (!held) co_return tl::unexpected(held.error());
  if (*held)
    co_return fail(ErrorCode::passkey_in_use, "a wallet takes it: another passkey has to sign a change of its keys");
  auto work = [user_id, profile_id](soci::session& sql) -> Result<void> {
    const auto now = store::passkey(sql, user_id, profile_id);
    if (!now) return fail(ErrorCode::not_found);
    const std::vector<PasskeyProfile> own = store::passkeys(sql, user_id);
    if (now->is_active && std::count_if(own.begin(), own.end(), is_active) < 2)
      return fail(ErrorCode::passkey_in_use, "the last passkey stays");
    store::remove_passkey(sql, user_id, profile_id);
    return {};
  };
  const auto done = co_await d_.database.write(work);
  if (!done) co_return fail(ErrorCode::database_unavailable, done.error().text());
  co_return Result<void>{};
}

void UsersService::enter_passkeys(soci::session& sql, const PasskeyChange& change) {
  const std::int64_t now = d_.clock.now_ms();
  const auto tell = [&](EventName name, const std::string& profile_id) {
    core::json::object details;
    details["passkeyId"] = profile_id;
    details["walletId"] = change.wallet_id;
    d_.journal.record(sql, {name, change.user_id, std::move(details), now});
  };
  for (const std::string& id : change.activated) {
    const auto known = store::passkey(sql, change.user_id, id);
    // A second change of another wallet adds what is in use already.
    if (!known || known->is_active) continue;
    store::activate_passkey(sql, id, change.wallet_id);
    tell(EventName::BiometricSetup, id);
  }
  for (const std::string& id : change.retired) {
    const auto known = store::passkey(sql, change.user_id, id);
    if (!known) continue;
    const std::vector<PasskeyProfile> own = store::passkeys(sql, change.user_id);
    if (known->is_active && std::count_if(own.begin(), own.end(), is_active) < 2) continue;
    store::remove_passkey(sql, change.user_id, id);
    tell(EventName::PasskeyRemoved, id);
  }
}

}  // namespace community::users
