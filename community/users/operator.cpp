// SPDX-License-Identifier: Apache-2.0
#include "community/users/api/operator.hpp"

#include "community/users/people_store.hpp"

namespace community::users {
namespace {

constexpr const char* kSummary =
    "SELECT u.user_id, u.created_at, u.status, (SELECT COUNT(*) FROM biometric_profiles p WHERE p.user_id = "
    "u.user_id), "
    "(SELECT COUNT(*) FROM wallet_origins w WHERE w.user_id = u.user_id), "
    "(SELECT COUNT(*) FROM sessions s JOIN biometric_profiles p ON p.profile_id = s.profile_id WHERE s.user_id = "
    "u.user_id), "
    "(SELECT COALESCE(MAX(s.last_used_at), 0) FROM sessions s WHERE s.user_id = u.user_id) FROM users u ";

// What the statement, whose parameters are bound, finds.
std::vector<PersonSummary> fetch(soci::statement& statement, const std::string& rest) {
  PersonSummary row;
  std::string status;
  long long created = 0, passkeys = 0, wallets = 0, sessions = 0, used = 0;
  statement.exchange(soci::into(row.user_id));
  for (long long* number : {&created}) statement.exchange(soci::into(*number));
  statement.exchange(soci::into(status));
  for (long long* number : {&passkeys, &wallets, &sessions, &used}) statement.exchange(soci::into(*number));
  statement.alloc();
  statement.prepare(kSummary + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<PersonSummary> found;
  while (statement.fetch()) {
    row.created_ms = created;
    row.is_active = status == "active";
    row.passkeys = static_cast<std::size_t>(passkeys);
    row.wallets = static_cast<std::size_t>(wallets);
    row.sessions = static_cast<std::size_t>(sessions);
    row.last_used_ms = used;
    found.push_back(row);
  }
  return found;
}

// Whose deed it was.
core::json::object by_operator() { return {{"by", "operator"}}; }

std::size_t end_all(soci::session& sql, const std::string& user_id, std::int64_t now_ms, Journal& journal) {
  const auto sessions = store::sessions(sql, user_id);
  for (const Session& session : sessions) {
    store::remove_session(sql, user_id, session.session_id);
    core::json::object details = by_operator();
    details["sessionId"] = session.session_id;
    journal.record(sql, {EventName::SessionRevoked, user_id, std::move(details), now_ms});
  }
  return sessions.size();
}

class Operator final : public UsersOperator {
 public:
  Operator(infra::Database& database, infra::Clock& clock, Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<std::vector<PersonSummary>>> list(std::string after, std::size_t limit) override {
    if (limit < 1 || limit > kMaxPeoplePage) co_return fail_field("/limit", "1 to 1000");
    auto read = [after,
                 most = static_cast<long long>(limit)](soci::session& sql) -> Result<std::vector<PersonSummary>> {
      soci::statement statement(sql);
      statement.exchange(soci::use(after));
      statement.exchange(soci::use(most));
      return fetch(statement, "WHERE u.user_id > :after ORDER BY u.user_id LIMIT :most");
    };
    co_return from_database(co_await database_.read(read));
  }

  Task<Result<PersonSummary>> show(std::string user_id) override {
    auto read = [user_id](soci::session& sql) -> Result<PersonSummary> {
      soci::statement statement(sql);
      statement.exchange(soci::use(user_id));
      auto found = fetch(statement, "WHERE u.user_id = :user");
      if (found.empty()) return fail(ErrorCode::not_found);
      return std::move(found.front());
    };
    co_return from_database(co_await database_.read(read));
  }

  Task<Result<std::string>> find(std::string email) override {
    const auto parsed = parse_email(email, "/email");
    if (!parsed) co_return tl::unexpected(parsed.error());
    auto read = [key = parsed->key](soci::session& sql) -> Result<std::string> {
      std::string user_id;
      sql << "SELECT user_id FROM users WHERE email_key = :key", soci::use(key), soci::into(user_id);
      if (!sql.got_data()) return fail(ErrorCode::not_found);
      return user_id;
    };
    co_return from_database(co_await database_.read(read));
  }

  Task<Result<void>> set_active(std::string user_id, bool is_active) override {
    auto work = [user_id, is_active, now = clock_.now_ms(), journal = &journal_](soci::session& sql) -> Result<void> {
      const auto person = store::person(sql, user_id);
      if (!person) return fail(ErrorCode::not_found);
      if (person->is_active == is_active) return {};
      const std::string status = is_active ? "active" : "suspended";
      const long long updated = now;
      sql << "UPDATE users SET status = :status, updated_at = :now WHERE user_id = :user", soci::use(status),
          soci::use(updated), soci::use(user_id);
      core::json::object details = by_operator();
      details["members"] = core::json::array{"status"};
      details["status"] = status;
      journal->record(sql, {EventName::ProfileChanged, user_id, std::move(details), now});
      if (!is_active) end_all(sql, user_id, now, *journal);
      return {};
    };
    co_return from_database(co_await database_.write(work));
  }

  Task<Result<std::size_t>> end_sessions(std::string user_id) override {
    auto work = [user_id, now = clock_.now_ms(), journal = &journal_](soci::session& sql) -> Result<std::size_t> {
      if (!store::person(sql, user_id)) return fail(ErrorCode::not_found);
      return end_all(sql, user_id, now, *journal);
    };
    co_return from_database(co_await database_.write(work));
  }

 private:
  template <class T>
  static Result<T> from_database(infra::Result<Result<T>> outcome) {
    if (!outcome) return fail(ErrorCode::database_unavailable, outcome.error().text());
    return std::move(*outcome);
  }

  infra::Database& database_;
  infra::Clock& clock_;
  Journal& journal_;
};

}  // namespace

std::unique_ptr<UsersOperator> make_users_operator(infra::Database& database, infra::Clock& clock, Journal& journal) {
  return std::make_unique<Operator>(database, clock, journal);
}

}  // namespace community::users
