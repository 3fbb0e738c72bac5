// SPDX-License-Identifier: Apache-2.0
// What people see and change of themselves: profile, sessions, passkeys.
#include "community/users/service.hpp"

namespace community::users {
namespace {

// Nothing to check in what is not changed or is taken away.
template <class Check>
Result<void> check_change(const std::optional<std::string>& value, Check check, const char* pointer) {
  if (!value || value->empty()) return {};
  return check(*value, pointer);
}

}  // namespace

Task<Result<std::optional<Person>>> UsersService::person(std::string user_id) {
  auto read = [user_id](soci::session& sql) -> Result<std::optional<Person>> { return store::person(sql, user_id); };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<std::vector<Session>>> UsersService::sessions(std::string user_id) {
  auto read = [user_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<std::vector<Session>> {
    auto found = store::sessions(sql, user_id);
    std::erase_if(found, [now](const Session& session) { return session.expires_ms <= now; });
    return found;
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<void>> UsersService::revoke_session(std::string user_id, std::string session_id) {
  auto work = [user_id, session_id, now = d_.clock.now_ms(),
               journal = &d_.journal](soci::session& sql) -> Result<void> {
    if (!store::remove_session(sql, user_id, session_id)) return fail(ErrorCode::not_found);
    Session ended;
    ended.user_id = user_id;
    ended.session_id = session_id;
    journal->record(sql, revoked(ended, now));
    return {};
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<void>> UsersService::revoke_other_sessions(std::string user_id, std::string kept_session_id) {
  auto work = [user_id, kept_session_id, now = d_.clock.now_ms(),
               journal = &d_.journal](soci::session& sql) -> Result<void> {
    for (const Session& session : store::sessions(sql, user_id)) {
      if (session.session_id == kept_session_id) continue;
      store::remove_session(sql, user_id, session.session_id);
      journal->record(sql, revoked(session, now));
    }
    return {};
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<Person>> UsersService::update_profile(std::string user_id, ProfileChange change) {
  auto good = check_change(change.username, check_name, "/username");
  if (good) good = check_change(change.avatar_url, check_avatar_url, "/avatarUrl");
  if (good) good = check_change(change.phone_number, check_phone_number, "/phoneNumber");
  if (good && change.locale) good = check_locale(*change.locale, "/locale");
  if (!good) co_return tl::unexpected(good.error());
  auto work = [user_id, change, now = d_.clock.now_ms(), journal = &d_.journal](soci::session& sql) -> Result<Person> {
    auto person = store::person(sql, user_id);
    if (!person) return fail(ErrorCode::not_found);
    core::json::array members;
    const auto take = [&members](std::string& to, const std::optional<std::string>& from, const char* member) {
      if (!from || *from == to) return;
      to = *from;
      members.emplace_back(member);
    };
    take(person->username, change.username, "username");
    take(person->avatar_url, change.avatar_url, "avatarUrl");
    take(person->phone_number, change.phone_number, "phoneNumber");
    take(person->locale, change.locale, "locale");
    if (members.empty()) return std::move(*person);
    person->updated_ms = now;
    store::update(sql, *person);
    core::json::object details;
    details["members"] = std::move(members);
    journal->record(sql, {EventName::ProfileChanged, user_id, std::move(details), now});
    return std::move(*person);
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<std::vector<PasskeyProfile>>> UsersService::passkeys(std::string user_id) {
  auto read = [user_id](soci::session& sql) -> Result<std::vector<PasskeyProfile>> {
    return store::passkeys(sql, user_id);
  };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<PasskeyProfile>> UsersService::rename_passkey(std::string user_id, std::string profile_id,
                                                          std::string name) {
  if (auto good = check_name(name, "/name"); !good) co_return tl::unexpected(good.error());
  auto work = [user_id, profile_id, name](soci::session& sql) -> Result<PasskeyProfile> {
    auto found = store::passkey(sql, user_id, profile_id);
    if (!found) return fail(ErrorCode::not_found);
    store::rename_passkey(sql, profile_id, name);
    found->name = name;
    return std::move(*found);
  };
  co_return from_database(co_await d_.database.write(work));
}

}  // namespace community::users
