// SPDX-License-Identifier: Apache-2.0
// From an e-mail address to a person with a passkey, a wallet and a session.
#include "community/webauthn/api/registration.hpp"
#include "community/accounts/api/account.hpp"
#include "community/users/service.hpp"
#include "community/users/transports.hpp"

namespace community::users {
namespace {

using store::Registration;
using store::RegistrationState;

constexpr std::int64_t kLife_ms = kCodeLife.count();
// What a browser makes for an origin of 100 characters is some 300 bytes; the trusted core reads as much.

bool is_over(const std::optional<Registration>& registration, std::int64_t now_ms) {
  return !registration || registration->state == RegistrationState::spent ||
         (registration->expires_ms <= now_ms && registration->state != RegistrationState::creating);
}

// One decimal number below 100,000,000, in eight digits.
std::string eight_digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

// What a code led to. Nothing of it is an error of the write, which keeps the count of attempts.
struct Proof {
  enum class Outcome : std::uint8_t { proven, wrong, guessed_too_often, has_account, over } outcome;
  Registration registration;
};

// SHA-256 over the parts, each with its length.
Bytes32 digest_of(std::initializer_list<ByteView> parts) {
  base::Sha256 hash;
  for (const ByteView part : parts) {
    std::array<std::uint8_t, 8> size;
    base::store_be(size.data(), static_cast<std::uint64_t>(part.size()));
    hash.add(size).add(part);
  }
  return hash.finish();
}

Bytes32 answer_hash(const NewPasskey& passkey) {
  return digest_of({passkey.credential_id, passkey.client_data, passkey.attestation_object, passkey.escape_key});
}

PersonEvent event(EventName name, const std::string& user_id, core::json::object details, std::int64_t now_ms) {
  return {name, user_id, std::move(details), now_ms};
}

}  // namespace

// The same rows are read and written whoever the address belongs to, and the mail goes the same way.
Task<Result<PendingRegistration>> UsersService::register_user(RegisterRequest request, Client) {
  auto email = parse_email(request.email, "/email");
  if (!email) co_return tl::unexpected(std::move(email.error()));
  if (!request.username.empty())
    if (auto good = check_name(request.username, "/username"); !good) co_return tl::unexpected(good.error());
  if (request.locale.empty()) request.locale = std::string(kLocales.front());
  if (auto good = check_locale(request.locale, "/locale"); !good) co_return tl::unexpected(good.error());
  if (registrations_ >= static_cast<long long>(kMaxRegistrations)) {
    Error busy;
    busy.code = ErrorCode::too_many_requests;
    busy.retry_after_s = 60;
    co_return tl::unexpected<Error>(std::move(busy));
  }
  const std::int64_t now = d_.clock.now_ms();
  const std::string code = eight_digits(d_.random.below(100'000'000));
  Registration registration;
  registration.registration_id = new_id();
  registration.user_id = new_id();
  registration.email = std::move(*email);
  registration.username = std::move(request.username);
  registration.locale = std::move(request.locale);
  registration.code_mac = key_.code_mac(registration.registration_id, code);
  registration.created_ms = now;
  registration.expires_ms = now + kLife_ms;
  auto work = [registration, code, mail = &d_.mail](soci::session& sql) mutable -> Result<PendingRegistration> {
    const bool known = store::has_account(sql, registration.email.key);
    // Those that were asked for in vain do not count: who asks without end does not keep the owner out for ever.
    const long long sent = store::codes_since(sql, registration.email.key, registration.created_ms - kLife_ms);
    registration.mailed = sent < kCodesPerAddress;
    store::insert(sql, registration);
    const CodeMail text{registration.email.text, registration.locale, code, known, registration.expires_ms};
    if (registration.mailed) mail->queue(sql, text);
    return PendingRegistration{registration.registration_id, registration.expires_ms};
  };
  auto done = from_database(co_await d_.database.write(work));
  if (done) registrations_++;
  co_return done;
}

Task<Result<PasskeyQuestion>> UsersService::prove_email(std::string registration_id, std::string typed) {
  const std::string code = code_digits(typed);
  if (code.empty()) co_return fail_field("/code", "a code has eight digits");
  const std::int64_t now = d_.clock.now_ms();
  Bytes32 challenge;
  d_.random.fill(challenge);
  const Bytes32 mac = key_.code_mac(registration_id, code);
  auto work = [registration_id, now, challenge, mac](soci::session& sql) -> Result<Proof> {
    auto found = store::registration(sql, registration_id);
    if (is_over(found, now) || found->state > RegistrationState::proven) return Proof{Proof::Outcome::over, {}};
    Proof proof{Proof::Outcome::proven, std::move(*found)};
    Registration& registration = proof.registration;
    if (!base::equal_constant_time(mac, registration.code_mac)) {
      registration.attempts++;
      proof.outcome = Proof::Outcome::wrong;
      if (registration.attempts >= kCodeAttempts) {
        proof.outcome = Proof::Outcome::guessed_too_often;
        registration.state = RegistrationState::spent;
      }
    } else if (store::has_account(sql, registration.email.key) ||
               store::is_being_created(sql, registration.email.key)) {
      proof.outcome = Proof::Outcome::has_account;
      registration.state = RegistrationState::spent;
    } else if (registration.state == RegistrationState::code) {
      registration.state = RegistrationState::proven;
      registration.challenge = challenge;
      registration.expires_ms = now + kLife_ms;
    }
    store::update(sql, registration);
    return proof;
  };
  const auto proof = from_database(co_await d_.database.write(work));
  if (!proof) co_return tl::unexpected(proof.error());
  co_return co_await answer_proof(proof->registration, static_cast<int>(proof->outcome));
}

Task<Result<PasskeyQuestion>> UsersService::answer_proof(Registration registration, int outcome) {
  switch (static_cast<Proof::Outcome>(outcome)) {
    case Proof::Outcome::over:
      co_return fail(ErrorCode::registration_expired);
    case Proof::Outcome::has_account:
      count("community_users_registrations_repeated_total", "Codes proven for addresses that have an account.");
      co_return fail(ErrorCode::already_registered);
    case Proof::Outcome::guessed_too_often: {
      PersonEvent guessed = violation("code_guessing", std::string());
      co_await record(std::move(guessed));
    }
      [[fallthrough]];
    case Proof::Outcome::wrong: {
      Error wrong;
      wrong.code = ErrorCode::code_wrong;
      wrong.attempts_left = kCodeAttempts - registration.attempts;
      co_return tl::unexpected<Error>(std::move(wrong));
    }
    case Proof::Outcome::proven:
      break;
  }
  PasskeyQuestion question;
  question.user_handle = core::to_bytes(*core::parse_uuid(registration.user_id));
  question.user_name = registration.email.text;
  question.display_name = registration.username.empty() ? registration.email.text : registration.username;
  question.challenge = registration.challenge;
  question.expires_ms = registration.expires_ms;
  co_return question;
}

Result<UsersService::VerifiedPasskey> UsersService::verify(const std::string& user_id, const Bytes32& challenge,
                                                           const NewPasskey& passkey) const {
  const auto refused = [](std::string_view rule) { return fail(ErrorCode::passkey_refused, std::string(rule)); };
  if (passkey.client_data.size() > kMaxClientData) return refused("client_data_malformed");
  webauthn::Ceremony ceremony;
  ceremony.rp_id = options_.rp_id;
  ceremony.origins = {options_.origin};
  ceremony.challenge = core::to_bytes(challenge);
  // No roots: what an authenticator says of its maker is checked and nobody has to vouch for it. The page asks for
  // "none", which says nothing of whoever made the device.
  webauthn::AttestationPolicy policy;
  policy.now_s = d_.clock.now_s();
  const auto verified =
      webauthn::verify_registration(ceremony, policy, passkey.client_data, passkey.attestation_object);
  if (!verified) return refused(name(verified.error().code));
  const core::AttestedCredential& credential = verified->credential;
  if (credential.credential_id != passkey.credential_id) return refused("credential_id_differs");
  VerifiedPasskey out;
  out.answer_hash = answer_hash(passkey);
  PasskeyProfile& profile = out.passkey;
  profile.user_id = user_id;
  profile.name = passkey.device_name.empty() ? "Passkey" : passkey.device_name;
  profile.credential_id = credential.credential_id;
  profile.public_key = credential.public_key;
  profile.flags = credential.flags;
  profile.sign_count = credential.sign_count;
  profile.aaguid = credential.aaguid;
  profile.transports = passkey.transports;
  profile.prf = passkey.prf;
  profile.created_ms = d_.clock.now_ms();
  return out;
}

// The intent is on disk before the core hears of it.
Task<Result<std::optional<store::WalletIntent>>> UsersService::begin_wallet(Registration registration,
                                                                            VerifiedPasskey verified,
                                                                            Address escape_key) {
  using Begun = std::optional<store::WalletIntent>;
  verified.passkey.profile_id = new_id();
  verified.passkey.device_id = new_id();
  store::WalletIntent intent =
      new_intent(registration.user_id, registration.registration_id, verified.passkey, escape_key);
  intent.registers = true;
  const std::int64_t now = d_.clock.now_ms();
  auto work = [id = registration.registration_id, hash = verified.answer_hash, intent,
               now](soci::session& sql) -> Result<Begun> {
    auto found = store::registration(sql, id);
    if (is_over(found, now) || found->state == RegistrationState::code) return fail(ErrorCode::registration_expired);
    // Another request with the same answer came first.
    if (found->state != RegistrationState::proven) {
      if (found->answer_hash != hash) return fail(ErrorCode::already_registered);
      return Begun{store::intent_of_request(sql, found->user_id, id)};
    }
    if (store::has_account(sql, found->email.key) || store::is_being_created(sql, found->email.key))
      return fail(ErrorCode::already_registered);
    if (store::knows_credential(sql, intent.passkey.credential_id))
      return fail(ErrorCode::passkey_refused, "credential_id_known");
    found->state = RegistrationState::creating;
    found->answer_hash = hash;
    found->expires_ms = now + kLife_ms;
    store::update(sql, *found);
    store::insert(sql, intent);
    return Begun{intent};
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<Registered>> UsersService::setup_biometric(std::string registration_id, NewPasskey passkey, Client client) {
  keep_transports(passkey.transports);
  if (!passkey.device_name.empty())
    if (auto good = check_name(passkey.device_name, "/deviceName"); !good) co_return tl::unexpected(good.error());
  if (base::is_zero(passkey.escape_key)) co_return fail_field("/escapeKey", "nobody has the key of this address");
  auto read = [registration_id](soci::session& sql) -> Result<std::optional<Registration>> {
    return store::registration(sql, registration_id);
  };
  const auto found = from_database(co_await d_.database.read(read));
  if (!found) co_return tl::unexpected(found.error());
  if (is_over(*found, d_.clock.now_ms()) || (*found)->state == RegistrationState::code)
    co_return fail(ErrorCode::registration_expired);
  auto verified = verify((*found)->user_id, (*found)->challenge, passkey);
  count("community_users_biometric_verifications_total", "Passkeys that were registered, by what came of it.",
        {{"result", verified ? "ok" : "refused"}});
  if (!verified) co_return tl::unexpected(verified.error());
  auto begun = co_await begin_wallet(**found, std::move(*verified), passkey.escape_key);
  if (!begun) co_return tl::unexpected(begun.error());
  if (*begun)
    if (auto done = co_await fulfil(std::move(**begun)); !done) co_return tl::unexpected(done.error());
  co_return co_await end_registration(std::move(registration_id), answer_hash(passkey), std::move(client));
}

Task<Result<Registered>> UsersService::end_registration(std::string registration_id, Bytes32 answer, Client client) {
  const Token token = new_token();
  const std::string device = device_token(client);
  const Session draft = new_session(new_id(), {}, {}, std::move(client));
  auto work = [registration_id, answer, token, device, draft](soci::session& sql) -> Result<Registered> {
    auto found = store::registration(sql, registration_id);
    if (!found || found->state != RegistrationState::done || found->expires_ms <= draft.created_ms)
      return fail(ErrorCode::registration_expired);
    if (found->answer_hash != answer) return fail(ErrorCode::already_registered);
    auto person = store::person(sql, found->user_id);
    auto wallet = store::wallet_of_request(sql, found->user_id, registration_id);
    const auto passkeys = store::passkeys(sql, found->user_id);
    if (!person || !wallet || passkeys.empty()) return fail(ErrorCode::registration_expired);
    if (!person->is_active) return fail(ErrorCode::already_registered);
    // One registration has one session: a repetition ends the one whose answer was lost.
    store::remove_session(sql, found->user_id, found->session_id);
    Session session = draft;
    session.user_id = found->user_id;
    session.profile_id = passkeys.front().profile_id;
    // A registration is at most a quarter of an hour old: nothing is ended by it but its own.
    store::insert(sql, session, token.hash);
    store::note_device(sql, session.user_id, device_hash(device, session.user_id), draft.created_ms);
    found->session_id = session.session_id;
    store::update(sql, *found);
    return Registered{{std::move(*person), {std::move(session), token.text, device}}, std::move(*wallet)};
  };
  co_return from_database(co_await d_.database.write(work));
}

// Called inside of the write that enters the wallet: person, passkey and what the registration has become.
void UsersService::enter_person(soci::session& sql, const store::WalletIntent& intent, const std::string& wallet_id,
                                std::int64_t now_ms, Journal& journal) {
  auto registration = store::registration(sql, intent.request_id);
  if (!registration) throw soci::soci_error("a registration is gone while its wallet is made");
  Person person;
  person.user_id = intent.user_id;
  person.email = registration->email.text;
  person.username = registration->username;
  person.locale = registration->locale;
  person.created_ms = person.updated_ms = now_ms;
  store::insert(sql, person, registration->email.key);
  store::insert(sql, intent.passkey, wallet_id);
  registration->state = RegistrationState::done;
  store::update(sql, *registration);
  journal.record(sql, event(EventName::UserRegistered, intent.user_id, {}, now_ms));
  core::json::object details;
  details["passkeyId"] = intent.passkey.profile_id;
  journal.record(sql, event(EventName::BiometricSetup, intent.user_id, std::move(details), now_ms));
}

}  // namespace community::users
