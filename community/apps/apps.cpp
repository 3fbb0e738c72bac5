// SPDX-License-Identifier: Apache-2.0
// Decisions about rows are made inside of the write that changes them, so that requests which meet see each other's
// work: what a disconnected app asked for in the same moment is not noted, and what is not noted is not brought on
// chain.
#include "community/apps/api/origin.hpp"
#include "community/apps/factory.hpp"
#include "community/apps/store.hpp"
#include "community/audit/api/left.hpp"
#include "community/core/base64url.hpp"
#include "community/core/uuid.hpp"
#include "community/users/api/rate_limits.hpp"
#include "trusted/base/sha2.hpp"

namespace community::apps {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr users::Rate kCalls{kCallsPerMinute, infra::Milliseconds(60'000)};

tl::unexpected<Error> refused(transactions::Error cause) {
  Error error;
  error.code = ErrorCode::refused;
  error.message = cause.message;
  error.retry_after_s = cause.retry_after_s;
  error.cause = std::move(cause);
  return tl::unexpected<Error>(std::move(error));
}

// Nothing for what cannot be a token.
std::optional<Bytes32> hash_of(const std::string& token) {
  const auto bytes = core::parse_base64url(token, kTokenBytes);
  if (!bytes || bytes->size() != kTokenBytes) return std::nullopt;
  return base::sha256(*bytes);
}

class AppService final : public Apps {
 public:
  explicit AppService(AppsDependencies dependencies) : d_(dependencies) {}

  Task<Result<Permission>> connect(std::string user_id, ConnectRequest request) override;
  Task<Result<std::vector<Permission>>> permissions(std::string user_id) override;
  Task<Result<void>> disconnect(std::string user_id, std::string permission_id) override;
  Task<Result<NewToken>> issue_token(std::string user_id, std::string session_id, std::string permission_id,
                                     Bytes32 grant_id) override;
  Task<Result<void>> note_calls(std::string user_id, std::string permission_id, std::string transaction_id) override;
  Task<Result<Transaction>> send_calls(AppRequest request) override;
  Task<Result<CallsStatus>> calls_status(std::string origin, std::string transaction_id) override;

 private:
  Task<Result<store::Token>> check_token(const AppRequest& request, Bytes32 hash);
  Task<Result<std::string>> noted_before(const AppRequest& request, const store::Token& token);
  // The id of what is brought: this transaction's, or of one that the same request made in the same moment.
  Task<Result<std::string>> note_prepared(const AppRequest& request, const store::Token& token, Bytes32 hash,
                                          std::string transaction_id);
  Task<Result<Transaction>> bring(std::string user_id, std::string transaction_id);
  std::string new_id() const;
  audit::AuditEvent event(audit::EventName name, const Permission& permission) const;
  Result<void> record(soci::session& sql, const audit::AuditEvent& event) const;
  void count(const char* name, const char* help, const infra::MetricLabels& labels = {}) const;

  // Errors of the database in this module's words.
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  const AppsDependencies d_;
  users::RateLimits rates_;
};

// --- what a person decides -------------------------------------------------------------------------------------------

Task<Result<Permission>> AppService::connect(std::string user_id, ConnectRequest request) {
  if (!is_app_origin(request.origin))
    co_return fail_field("/origin", "an origin as browsers write it is expected, with https or on this machine");
  const auto account = co_await d_.people.account(user_id, request.wallet_id, request.chain_id);
  if (!account) co_return tl::unexpected(account.error());
  Permission wanted;
  wanted.permission_id = new_id();
  wanted.user_id = user_id;
  wanted.origin = request.origin;
  wanted.wallet_id = request.wallet_id;
  wanted.account = *account;
  wanted.chain_id = request.chain_id;
  wanted.created_ms = d_.clock.now_ms();
  auto work = [this, wanted](soci::session& sql) -> Result<Permission> {
    if (audit::has_left(sql, wanted.user_id)) return fail(ErrorCode::not_found, "this person was deleted");
    auto before = store::permission_of(sql, wanted.user_id, wanted.origin);
    if (before && before->wallet_id == wanted.wallet_id && before->chain_id == wanted.chain_id) return *before;
    Permission now = before.value_or(wanted);
    now.wallet_id = wanted.wallet_id;
    now.account = wanted.account;
    now.chain_id = wanted.chain_id;
    if (before) {
      store::update_wallet(sql, now);
    } else {
      if (store::count_permissions(sql, now.user_id) >= static_cast<long long>(kMaxPermissions))
        return fail(ErrorCode::too_many_apps, std::to_string(kMaxPermissions) + " at most; disconnect one");
      store::insert(sql, now);
    }
    if (auto told = record(sql, event(audit::EventName::app_connected, now)); !told)
      return tl::unexpected(told.error());
    return now;
  };
  auto done = from_database(co_await d_.database.write(work));
  if (done) count("community_apps_connected_total", "Times that a person let an app use an account.");
  co_return done;
}

Task<Result<std::vector<Permission>>> AppService::permissions(std::string user_id) {
  auto read = [user_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<std::vector<Permission>> {
    return store::permissions(sql, user_id, now);
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<void>> AppService::disconnect(std::string user_id, std::string permission_id) {
  auto work = [this, user_id, permission_id](soci::session& sql) -> Result<void> {
    const auto found = store::permission(sql, user_id, permission_id);
    if (!found || !store::remove(sql, user_id, permission_id)) return fail(ErrorCode::not_found);
    return record(sql, event(audit::EventName::app_disconnected, *found));
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<NewToken>> AppService::issue_token(std::string user_id, std::string session_id, std::string permission_id,
                                               Bytes32 grant_id) {
  const auto grant = co_await d_.transactions.grant(user_id, grant_id);
  if (!grant && grant.error().code == transactions::ErrorCode::not_found)
    co_return fail(ErrorCode::not_found, "no such grant was made here");
  if (!grant) co_return refused(grant.error());
  const auto end = co_await d_.people.session_end(user_id, session_id);
  if (!end) co_return tl::unexpected(end.error());
  const std::int64_t now = d_.clock.now_ms();
  Bytes32 secret{};
  d_.random.fill(secret);
  const Bytes32 hash = base::sha256(secret);
  NewToken out{core::to_base64url(secret), 0};
  base::wipe(secret);
  // The chain's clock decides about the grant; by this one a token never lives longer than a grant may.
  out.expires_ms = std::min({static_cast<std::int64_t>(grant->valid_until_s) * 1'000, *end, now + kTokenLife.count()});
  auto work = [this, user_id, permission_id, session_id, grant_id, hash, now, expires = out.expires_ms,
               wallet_id = grant->wallet_id](soci::session& sql) -> Result<void> {
    auto permission = store::permission(sql, user_id, permission_id);
    if (!permission || permission->wallet_id != wallet_id)
      return fail(ErrorCode::not_found, "this app is not connected to the grant's wallet");
    audit::AuditEvent told = event(audit::EventName::app_token_issued, *permission);
    told.payload["grantId"] = core::to_hex(grant_id);
    store::insert_token(sql, hash, {std::move(*permission), session_id, grant_id, expires}, now);
    return record(sql, told);
  };
  auto done = from_database(co_await d_.database.write(work));
  if (!done) co_return tl::unexpected(done.error());
  co_return out;
}

Task<Result<void>> AppService::note_calls(std::string user_id, std::string permission_id, std::string transaction_id) {
  const auto found = co_await d_.transactions.transaction(user_id, transaction_id);
  if (!found && found.error().code == transactions::ErrorCode::not_found) co_return fail(ErrorCode::not_found);
  if (!found) co_return refused(found.error());
  auto work = [user_id, permission_id, wallet_id = found->wallet_id, transaction_id,
               now = d_.clock.now_ms()](soci::session& sql) -> Result<void> {
    const auto permission = store::permission(sql, user_id, permission_id);
    if (!permission || permission->wallet_id != wallet_id) return fail(ErrorCode::not_found);
    store::note(sql, *permission, transaction_id, transaction_id, now);
    return {};
  };
  co_return from_database(co_await d_.database.write(work));
}

// --- what an app asks for --------------------------------------------------------------------------------------------

Task<Result<store::Token>> AppService::check_token(const AppRequest& request, Bytes32 hash) {
  auto read = [hash, now = d_.clock.now_ms()](soci::session& sql) -> Result<store::Token> {
    auto found = store::token(sql, hash, now);
    if (!found) return fail(ErrorCode::token_invalid, "the token is unknown or over");
    return std::move(*found);
  };
  auto token = from_database(co_await d_.database.read(read));
  if (!token) co_return token;
  // Before anything is written: whoever floods does not fill the log.
  const std::int64_t wait_s = rates_.take(token->permission.permission_id, kCalls, d_.clock.steady());
  if (wait_s > 0) {
    Error error{ErrorCode::too_many_requests, "the app asks too often", {}, wait_s, {}};
    co_return tl::unexpected<Error>(std::move(error));
  }
  if (request.origin != token->permission.origin) {
    audit::AuditEvent violation = event(audit::EventName::security_violation, token->permission);
    violation.payload["type"] = "app_origin_wrong";
    auto tell = [this, violation](soci::session& sql) { return record(sql, violation); };
    // The refusal stands whether or not it could be written down.
    (void)co_await d_.database.write(tell);
    count("community_apps_violations_total", "Requests with another origin's token.");
    co_return fail(ErrorCode::origin_wrong, "the token belongs to another origin");
  }
  const auto end = co_await d_.people.session_end(token->permission.user_id, token->session_id);
  if (!end) co_return tl::unexpected(end.error());
  if (*end != 0) co_return token;
  auto forget = [hash](soci::session& sql) { store::remove_token(sql, hash); };
  (void)co_await d_.database.write(forget);
  co_return fail(ErrorCode::token_invalid, "the session in which the person allowed it has ended");
}

Task<Result<std::string>> AppService::noted_before(const AppRequest& request, const store::Token& token) {
  auto read = [permission_id = token.permission.permission_id, request_id = request.request_id](
                  soci::session& sql) -> Result<std::string> { return store::noted(sql, permission_id, request_id); };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<std::string>> AppService::note_prepared(const AppRequest& request, const store::Token& token, Bytes32 hash,
                                                    std::string transaction_id) {
  auto work = [request_id = request.request_id, origin = request.origin, hash, transaction_id,
               now = d_.clock.now_ms()](soci::session& sql) -> Result<std::string> {
    const auto still = store::token(sql, hash, now);
    if (!still || still->permission.origin != origin)
      return fail(ErrorCode::token_invalid, "the person took the permission back");
    std::string before = store::noted(sql, still->permission.permission_id, request_id);
    if (!before.empty()) return before;
    store::note(sql, still->permission, transaction_id, request_id, now);
    return transaction_id;
  };
  auto noted = from_database(co_await d_.database.write(work));
  // Nobody will bring it.
  const bool is_left = !noted || *noted != transaction_id;
  if (is_left) (void)co_await d_.transactions.discard(token.permission.user_id, transaction_id);
  co_return noted;
}

Task<Result<Transaction>> AppService::bring(std::string user_id, std::string transaction_id) {
  auto brought = co_await d_.transactions.broadcast_transaction(std::move(user_id), std::move(transaction_id));
  if (!brought) co_return refused(std::move(brought.error()));
  count("community_apps_calls_total", "Calls that apps brought on chain under a grant.");
  co_return std::move(*brought);
}

Task<Result<Transaction>> AppService::send_calls(AppRequest request) {
  const auto hash = hash_of(request.token);
  if (!hash) co_return fail(ErrorCode::token_invalid, "this is no token of this node");
  const auto token = co_await check_token(request, *hash);
  if (!token) co_return tl::unexpected(token.error());
  const Permission& permission = token->permission;
  const auto before = co_await noted_before(request, *token);
  if (!before) co_return tl::unexpected(before.error());
  if (!before->empty()) co_return co_await bring(permission.user_id, *before);
  transactions::PrepareRequest wanted;
  wanted.wallet_id = permission.wallet_id;
  wanted.chain_id = permission.chain_id;
  wanted.order = transactions::SessionOrder{token->grant_id, request.calls};
  const auto prepared = co_await d_.transactions.prepare_transaction(permission.user_id, std::move(wanted));
  if (!prepared) co_return refused(prepared.error());
  const auto noted = co_await note_prepared(request, *token, *hash, prepared->transaction_id);
  if (!noted) co_return tl::unexpected(noted.error());
  co_return co_await bring(permission.user_id, *noted);
}

Task<Result<CallsStatus>> AppService::calls_status(std::string origin, std::string transaction_id) {
  auto read = [origin, transaction_id](soci::session& sql) -> Result<std::string> {
    std::string owner = store::owner_of_noted(sql, origin, transaction_id);
    if (owner.empty()) return fail(ErrorCode::not_found);
    return owner;
  };
  const auto owner = from_database(co_await d_.database.read(read));
  if (!owner) co_return tl::unexpected(owner.error());
  auto found = co_await d_.transactions.transaction(*owner, transaction_id);
  if (!found && found.error().code == transactions::ErrorCode::not_found) co_return fail(ErrorCode::not_found);
  if (!found) co_return refused(std::move(found.error()));
  auto receipt = co_await d_.transactions.receipt(*owner, transaction_id);
  if (!receipt) co_return refused(std::move(receipt.error()));
  co_return CallsStatus{std::move(*found), std::move(*receipt)};
}

// --- what all of them do ---------------------------------------------------------------------------------------------

std::string AppService::new_id() const {
  core::Uuid bytes{};
  d_.random.fill(bytes);
  return core::format_uuid(core::random_uuid(bytes));
}

audit::AuditEvent AppService::event(audit::EventName name, const Permission& permission) const {
  audit::AuditEvent out;
  out.event = name;
  out.subject = permission.user_id;
  out.payload["permissionId"] = permission.permission_id;
  out.payload["origin"] = permission.origin;
  out.payload["walletId"] = permission.wallet_id;
  out.payload["chainId"] = permission.chain_id;
  out.time_ms = d_.clock.now_ms();
  return out;
}

Result<void> AppService::record(soci::session& sql, const audit::AuditEvent& event) const {
  if (const auto told = d_.audit.record(sql, event); !told)
    return fail(ErrorCode::database_unavailable, told.error().text());
  return {};
}

void AppService::count(const char* name, const char* help, const infra::MetricLabels& labels) const {
  if (d_.metrics != nullptr) d_.metrics->counter(name, help, labels).add();
}

}  // namespace

std::unique_ptr<Apps> make_apps(AppsDependencies dependencies) { return std::make_unique<AppService>(dependencies); }

}  // namespace community::apps
