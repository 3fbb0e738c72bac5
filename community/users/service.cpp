// SPDX-License-Identifier: Apache-2.0
// What the flows share: identifiers, counters, errors of others, and the work that goes on by itself.
#include "community/users/service.hpp"

#include "community/infra/api/log.hpp"

namespace community::users {
namespace {

constexpr infra::Milliseconds kRound{30'000};
// A request that began an intent has this long to finish it before somebody else does too.
constexpr std::int64_t kPatience_ms = 60'000;
constexpr std::int64_t kDay_ms = 24 * 60 * 60 * 1'000;
constexpr std::size_t kIntentsInOneGo = 256;
constexpr std::size_t kTokenBytes = 32;

}  // namespace

PersonEvent revoked(const Session& session, std::int64_t now_ms) {
  core::json::object details;
  details["sessionId"] = session.session_id;
  return {EventName::SessionRevoked, session.user_id, std::move(details), now_ms};
}

std::unique_ptr<Users> make_users(UsersDependencies dependencies, UsersOptions options) {
  return std::make_unique<UsersService>(dependencies, std::move(options));
}

UsersService::UsersService(UsersDependencies dependencies, UsersOptions options)
    : d_(dependencies),
      options_(std::move(options)),
      key_(dependencies.people_key),
      challenges_(dependencies.clock, dependencies.random, kChallengeLife, kMaxChallenges, "log-in"),
      deletions_(dependencies.clock, dependencies.random, kChallengeLife, kMaxChallenges, "delete this person"),
      new_passkeys_(dependencies.clock, dependencies.random, kChallengeLife, kMaxChallenges, "new passkey") {
  base::wipe(d_.people_key);
}

std::string UsersService::new_id() {
  core::Uuid id;
  d_.random.fill(id);
  return core::format_uuid(core::random_uuid(id));
}

void UsersService::count(const char* name, const char* help, const infra::MetricLabels& labels, double amount) {
  if (d_.metrics != nullptr) d_.metrics->counter(name, help, labels).add(amount);
}

PersonEvent UsersService::violation(std::string_view type, std::string user_id) {
  count("community_security_violations_total", "Signs of somebody doing what they should not.",
        {{"type", std::string(type)}});
  core::json::object details;
  details["type"] = type;
  return {EventName::SecurityViolation, std::move(user_id), std::move(details), d_.clock.now_ms()};
}

tl::unexpected<Error> UsersService::from_core(const keys::Error& error) {
  if (error.code != keys::ErrorCode::refused) {
    const bool own = error.code == keys::ErrorCode::storage;
    return fail(own ? ErrorCode::database_unavailable : ErrorCode::core_unavailable, std::string(name(error.code)));
  }
  Error refused;
  refused.code = ErrorCode::core_refused;
  refused.refusal = std::string(protocol::name(error.refusal));
  return tl::unexpected<Error>(std::move(refused));
}

Session UsersService::new_session(const std::string& id, const std::string& user_id, const std::string& profile_id,
                                  Client client) const {
  Session session;
  session.session_id = id;
  session.user_id = user_id;
  session.profile_id = profile_id;
  session.created_ms = session.last_used_ms = d_.clock.now_ms();
  session.expires_ms = session.created_ms + options_.session_duration.count();
  session.client = std::move(client);
  session.client.device_token.clear();
  return session;
}

UsersService::Token UsersService::new_token() {
  Bytes32 secret;
  d_.random.fill(secret);
  Token token{core::to_base64url(secret), base::sha256(secret)};
  base::wipe(secret);
  return token;
}

std::string UsersService::device_token(const Client& client) {
  const auto bytes = core::parse_base64url(client.device_token, kTokenBytes);
  return bytes && bytes->size() == kTokenBytes ? client.device_token : new_token().text;
}

Task<void> UsersService::record(PersonEvent event) {
  auto work = [event = std::move(event), journal = &d_.journal](soci::session& sql) { journal->record(sql, event); };
  co_await d_.database.write(work);
}

// --- what goes on by itself ------------------------------------------------------------------------------------------

Task<void> UsersService::clean_up() {
  const std::int64_t now = d_.clock.now_ms();
  using Left = std::pair<long long, long long>;
  auto work = [now](soci::session& sql) -> Result<Left> {
    store::remove_expired_registrations(sql, now);
    store::remove_expired_sessions(sql, now);
    store::remove_old_devices(sql, now - kDeviceLife.count());
    return Left{store::count_registrations(sql), store::active_people(sql, now - kDay_ms)};
  };
  const auto left = from_database(co_await d_.database.write(work));
  if (!left) co_return;
  registrations_ = left->first;
  if (d_.metrics != nullptr)
    d_.metrics->gauge("community_users_active", "People with a session that was used in the last 24 hours.")
        .set(static_cast<double>(left->second));
}

// Intents whose requests are gone: the node was killed, the core was away, or the caller gave up.
Task<void> UsersService::finish_interrupted(std::int64_t made_before_ms) {
  auto read = [](soci::session& sql) -> Result<std::vector<store::WalletIntent>> {
    return store::intents(sql, kIntentsInOneGo);
  };
  auto intents = from_database(co_await d_.database.read(read));
  if (!intents) co_return;
  std::erase_if(*intents, [made_before_ms](const auto& intent) { return intent.created_ms > made_before_ms; });
  interrupted_ = intents->size();
  for (store::WalletIntent& intent : *intents) {
    const auto done = co_await fulfil(intent);
    std::string what = done ? "finished" : std::string(name(done.error().code));
    if (done) interrupted_--;
    if (done) infra::log_info("users: a wallet that was interrupted is finished", {{"user", intent.user_id}});
    if (!done && done.error().code == ErrorCode::core_unavailable) co_return;
    count("community_accounts_reconciled_total", "Interrupted registrations and wallets, by what became of them.",
          {{"what", what}});
    if (!done)
      infra::log_warning(
          "users: a wallet that was interrupted cannot be finished",
          {{"user", intent.user_id}, {"why", name(done.error().code)}, {"refusal", done.error().refusal}});
  }
}

infra::HealthReport UsersService::report() const {
  using infra::HealthState;
  constexpr auto kMost = static_cast<long long>(kMaxRegistrations);
  if (registrations_ > kMost - kMost / 4)
    return {HealthState::degraded, std::to_string(registrations_) + " registrations wait, " + std::to_string(kMost) +
                                       " at most: somebody asks for codes without end?"};
  if (interrupted_ > 0)
    return {HealthState::degraded, std::to_string(interrupted_) + " wallets wait for the trusted core"};
  return {};
}

Task<void> UsersService::run() {
  // At the start nobody else works on an intent.
  std::int64_t made_before_ms = INT64_MAX;
  bool is_everywhere = false;
  for (;;) {
    co_await clean_up();
    co_await finish_interrupted(made_before_ms);
    if (!is_everywhere) is_everywhere = co_await use_further_chains();
    co_await d_.clock.sleep_for(kRound);
    made_before_ms = d_.clock.now_ms() - kPatience_ms;
  }
}

}  // namespace community::users
