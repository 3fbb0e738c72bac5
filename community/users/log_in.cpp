// SPDX-License-Identifier: Apache-2.0
// Log-in with a passkey (WebAuthn level 3, section 7.2) and the sessions that follow from it.
#include "community/core/ecdsa.hpp"
#include "community/users/api/ended.hpp"
#include "community/users/service.hpp"
#include "community/webauthn/api/ceremony.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::users {
namespace {

constexpr std::size_t kMaxAuthenticatorData = 512, kMaxSignature = 80;
constexpr std::int64_t kNoteUse_ms = 60'000;
constexpr std::size_t kTokenBytes = 32;

// Type, origin, relying party and flags. Nothing when all are right, otherwise the rule.
std::optional<std::string_view> broken_rule(const LogInAssertion& assertion, const webauthn::Ceremony& ceremony,
                                            webauthn::AuthenticatorData& data) {
  if (const auto good = webauthn::check_client_data(assertion.client_data, "webauthn.get", ceremony); !good)
    return name(good.error().code);
  if (webauthn::read_authenticator_data(assertion.authenticator_data, data) != webauthn::AssertionError::none)
    return name(webauthn::ErrorCode::authenticator_data_malformed);
  if (const auto good = webauthn::check_flags(data.rp_id_hash, data.flags, ceremony); !good)
    return name(good.error().code);
  return std::nullopt;
}

bool is_signed(const LogInAssertion& assertion, const std::array<std::uint8_t, 64>& public_key) {
  const auto signature = core::parse_der_signature(assertion.signature);
  if (!signature) return false;
  const Bytes32 digest = base::sha256({assertion.authenticator_data, base::sha256(assertion.client_data)});
  return core::verify_p256(public_key, digest, *signature);
}

// WebAuthn, section 7.2, step 22: devices that count say so by a number that is not zero.
bool went_back(std::uint32_t known, std::uint32_t now) { return (known != 0 || now != 0) && now <= known; }

}  // namespace

// With the person's id: people who share a browser are not told from it to belong together.
Bytes32 device_hash(std::string_view token, std::string_view user_id) {
  return base::sha256({base::view(token), base::view(user_id)});
}

std::optional<Bytes32> challenge_of(ByteView client_data) {
  webauthn::ClientData read;
  if (webauthn::read_client_data(client_data, read) != webauthn::AssertionError::none) return std::nullopt;
  const auto bytes = core::parse_base64url(read.challenge, 32);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  Bytes32 challenge;
  base::copy(challenge, *bytes);
  return challenge;
}

// The reason is one of a fixed set of words.
tl::unexpected<Error> UsersService::refuse_log_in(std::string_view reason) {
  count("community_users_log_ins_total", "Log-ins, by what came of them.", {{"result", std::string(reason)}});
  return fail(ErrorCode::passkey_refused);
}

// The signature comes before the rest of the client data: what a person's own passkey signed for another place is worth
// an event, what anybody can send is not.
Task<Result<UsersService::Asserted>> UsersService::check_assertion(const LogInAssertion& assertion,
                                                                   ChallengeBook& challenges, std::string whom) {
  if (assertion.client_data.size() > kMaxClientData || assertion.signature.size() > kMaxSignature ||
      assertion.authenticator_data.size() > kMaxAuthenticatorData)
    co_return refuse_log_in("too_large");
  const auto challenge = challenge_of(assertion.client_data);
  if (!challenge) co_return refuse_log_in("client_data_malformed");
  if (!challenges.redeem(*challenge, whom)) co_return refuse_log_in("challenge_unknown");
  auto read = [id = assertion.credential_id](soci::session& sql) -> Result<std::optional<PasskeyProfile>> {
    return store::passkey_of_credential(sql, id);
  };
  auto passkey = from_database(co_await d_.database.read_short(read));
  if (!passkey) co_return tl::unexpected(passkey.error());
  if (!*passkey || (!whom.empty() && (*passkey)->user_id != whom)) co_return refuse_log_in("credential_unknown");
  const bool is_good = is_signed(assertion, (*passkey)->public_key);
  count("community_users_biometric_verifications_total", "Passkeys that were registered, by what came of it.",
        {{"result", is_good ? "ok" : "refused"}});
  if (!is_good) co_return refuse_log_in("signature_invalid");
  webauthn::Ceremony ceremony;
  ceremony.rp_id = options_.rp_id;
  ceremony.origins = {options_.origin};
  ceremony.challenge = core::to_bytes(*challenge);
  webauthn::AuthenticatorData data;
  if (const auto rule = broken_rule(assertion, ceremony, data)) {
    co_await record(violation(*rule, (*passkey)->user_id));
    co_return refuse_log_in(*rule);
  }
  if (assertion.user_handle &&
      !base::equal(*assertion.user_handle, core::parse_uuid((*passkey)->user_id).value_or(core::Uuid{})))
    co_return refuse_log_in("user_handle_differs");
  co_return Asserted{std::move(**passkey), data.sign_count};
}

Task<Result<LoggedIn>> UsersService::authenticate_user(LogInAssertion assertion, Client client) {
  if (!client.device_name.empty())
    if (auto good = check_name(client.device_name, "/deviceName"); !good) co_return tl::unexpected(good.error());
  auto asserted = co_await check_assertion(assertion, challenges_, {});
  if (!asserted) co_return tl::unexpected(asserted.error());
  const PasskeyProfile& passkey = asserted->passkey;
  const Token token = new_token();
  const std::string device = device_token(client);
  Session session = new_session(new_id(), passkey.user_id, passkey.profile_id, std::move(client));
  core::json::object details;
  details["sessionId"] = session.session_id;
  details["passkeyId"] = passkey.profile_id;
  PersonEvent event{EventName::UserAuthenticated, passkey.user_id, std::move(details), session.created_ms};
  // A risk signal and no refusal: synced passkeys do not count, and a device may be restored from a copy.
  std::optional<PersonEvent> clone_sign;
  if (went_back(passkey.sign_count, asserted->sign_count))
    clone_sign = violation("sign_count_regression", passkey.user_id);
  using Answer = std::optional<LoggedIn>;
  auto work = [session, token, device, event, clone_sign, count = std::max(passkey.sign_count, asserted->sign_count),
               journal = &d_.journal](soci::session& sql) mutable -> Result<Answer> {
    const auto current = store::passkey(sql, session.user_id, session.profile_id);
    auto person = store::person(sql, session.user_id);
    if (!current || !current->is_active || !person || !person->is_active) return Answer{};
    LoggedIn logged_in{std::move(*person), {session, token.text, device}};
    if (logged_in.session.session.client.device_name.empty())
      logged_in.session.session.client.device_name = current->name;
    store::note_verified(sql, session.profile_id, count, session.created_ms);
    for (const Session& ended : store::insert(sql, logged_in.session.session, token.hash))
      journal->record(sql, revoked(ended, session.created_ms));
    const Bytes32 browser = device_hash(device, session.user_id);
    event.details["newDevice"] = !store::note_device(sql, session.user_id, browser, session.created_ms);
    if (clone_sign) journal->record(sql, *clone_sign);
    journal->record(sql, event);
    return Answer{std::move(logged_in)};
  };
  auto answer = from_database(co_await d_.database.write(work));
  if (!answer) co_return tl::unexpected(answer.error());
  if (!*answer) co_return refuse_log_in("passkey_or_person_inactive");
  count("community_users_log_ins_total", "Log-ins, by what came of them.", {{"result", "ok"}});
  co_return std::move(**answer);
}

Task<Result<void>> UsersService::prove_deletion(std::string user_id, LogInAssertion assertion) {
  const auto asserted = co_await check_assertion(assertion, deletions_, user_id);
  if (!asserted) co_return tl::unexpected(asserted.error());
  if (!asserted->passkey.is_active) co_return refuse_log_in("passkey_or_person_inactive");
  co_return Result<void>{};
}

Task<Result<Identity>> UsersService::identify(std::string text) {
  const auto token = core::parse_base64url(text, kTokenBytes);
  if (!token || token->size() != kTokenBytes) co_return fail(ErrorCode::not_logged_in);
  const std::int64_t now = d_.clock.now_ms();
  auto read = [hash = base::sha256(*token), now](soci::session& sql) -> Result<Identity> {
    auto session = store::session_of_token(sql, hash);
    if (!session && store::lost_its_passkey(sql, hash, now))
      return fail(ErrorCode::not_logged_in, std::string(kPasskeyRemoved));
    if (!session || session->expires_ms <= now) return fail(ErrorCode::not_logged_in);
    auto person = store::person(sql, session->user_id);
    if (!person || !person->is_active) return fail(ErrorCode::not_logged_in);
    return Identity{std::move(*person), std::move(*session)};
  };
  auto identity = from_database(co_await d_.database.read_short(read));
  if (!identity || now - identity->session.last_used_ms < kNoteUse_ms) co_return identity;
  identity->session.last_used_ms = now;
  auto note = [id = identity->session.session_id, now](soci::session& sql) { store::note_used(sql, id, now); };
  const auto noted = co_await d_.database.write(note);
  if (!noted) co_return fail(ErrorCode::database_unavailable, noted.error().text());
  co_return identity;
}

}  // namespace community::users
