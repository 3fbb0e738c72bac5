// SPDX-License-Identifier: Apache-2.0
// People, their passkeys and sessions.
#include "community/users/people_store.hpp"

#include "community/users/rows.hpp"
#include "community/users/transports.hpp"
#include "trusted/base/sha2.hpp"

namespace community::users::store {
namespace {

// The founders' columns allow for other kinds; here there is one.
constexpr const char* kPasskeyType = "passkey";
constexpr const char* kActive = "active";
constexpr const char* kSuspended = "suspended";

struct PasskeyRow {
  std::string profile_id, user_id, name, device_id, credential_id, public_key, aaguid, transports;
  int flags = 0, prf = 0, active = 0;
  long long sign_count = 0, created = 0, verified = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(profile_id));
    statement.exchange(soci::into(user_id));
    statement.exchange(soci::into(name));
    statement.exchange(soci::into(device_id));
    statement.exchange(soci::into(credential_id));
    statement.exchange(soci::into(public_key));
    statement.exchange(soci::into(flags));
    statement.exchange(soci::into(sign_count));
    statement.exchange(soci::into(aaguid));
    statement.exchange(soci::into(transports));
    statement.exchange(soci::into(prf));
    statement.exchange(soci::into(active));
    statement.exchange(soci::into(created));
    statement.exchange(soci::into(verified));
  }

  PasskeyProfile passkey() const {
    PasskeyProfile out;
    out.profile_id = profile_id;
    out.user_id = user_id;
    out.name = name;
    out.device_id = device_id;
    out.credential_id = bytes(credential_id);
    out.public_key = fixed<64>(public_key);
    out.flags = static_cast<std::uint8_t>(flags);
    out.sign_count = static_cast<std::uint32_t>(sign_count);
    out.aaguid = fixed<16>(aaguid);
    out.transports = split_transports(transports);
    out.prf = prf != 0;
    out.is_active = active != 0;
    out.created_ms = created;
    out.last_verified_ms = verified;
    return out;
  }
};

// What the statement, whose parameters are bound, finds.
std::vector<PasskeyProfile> fetch_passkeys(soci::statement& statement, const std::string& rest) {
  PasskeyRow row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(
      "SELECT profile_id, user_id, name, device_id, credential_id, public_key, flags, sign_count, aaguid, transports, "
      "prf, is_active, created_at, last_verified_at FROM biometric_profiles " +
      rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<PasskeyProfile> found;
  while (statement.fetch()) found.push_back(row.passkey());
  return found;
}

std::optional<PasskeyProfile> first(std::vector<PasskeyProfile> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

struct SessionRow {
  Session session;
  long long created = 0, used = 0, expires = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(session.session_id));
    statement.exchange(soci::into(session.user_id));
    statement.exchange(soci::into(session.profile_id));
    statement.exchange(soci::into(created));
    statement.exchange(soci::into(used));
    statement.exchange(soci::into(expires));
    statement.exchange(soci::into(session.client.device_name));
    statement.exchange(soci::into(session.client.address));
  }
  Session value() const {
    Session out = session;
    out.created_ms = created;
    out.last_used_ms = used;
    out.expires_ms = expires;
    return out;
  }
};

// A session whose passkey is gone is over; its row stays until it would have expired, so that its browser can be told.
constexpr const char* kIsLive =
    " AND EXISTS (SELECT 1 FROM biometric_profiles p WHERE p.profile_id = sessions.profile_id)";

std::vector<Session> fetch_sessions(soci::statement& statement, const std::string& rest) {
  SessionRow row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(
      "SELECT session_id, user_id, profile_id, created_at, last_used_at, expires_at, device_name, address "
      "FROM sessions " +
      rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<Session> found;
  while (statement.fetch()) found.push_back(row.value());
  return found;
}

}  // namespace

void insert(soci::session& sql, const Person& person, const std::string& email_key) {
  const long long created = person.created_ms, updated = person.updated_ms;
  const std::string status = person.is_active ? kActive : kSuspended;
  sql << "INSERT INTO users (user_id, email, email_key, username, avatar_url, phone_number, locale, created_at, "
         "updated_at, status) VALUES (:id, :email, :key, :name, :avatar, :phone, :locale, :created, :updated, :status)",
      soci::use(person.user_id), soci::use(person.email), soci::use(email_key), soci::use(person.username),
      soci::use(person.avatar_url), soci::use(person.phone_number), soci::use(person.locale), soci::use(created),
      soci::use(updated), soci::use(status);
}

std::optional<Person> person(soci::session& sql, const std::string& user_id) {
  Person out;
  std::string status;
  long long created = 0, updated = 0;
  sql << "SELECT email, username, avatar_url, phone_number, locale, created_at, updated_at, status FROM users "
         "WHERE user_id = :id",
      soci::use(user_id), soci::into(out.email), soci::into(out.username), soci::into(out.avatar_url),
      soci::into(out.phone_number), soci::into(out.locale), soci::into(created), soci::into(updated),
      soci::into(status);
  if (!sql.got_data()) return std::nullopt;
  out.user_id = user_id;
  out.created_ms = created;
  out.updated_ms = updated;
  out.is_active = status == kActive;
  return out;
}

void update(soci::session& sql, const Person& person) {
  const long long updated = person.updated_ms;
  sql << "UPDATE users SET username = :name, avatar_url = :avatar, phone_number = :phone, locale = :locale, "
         "updated_at = :updated WHERE user_id = :id",
      soci::use(person.username), soci::use(person.avatar_url), soci::use(person.phone_number),
      soci::use(person.locale), soci::use(updated), soci::use(person.user_id);
}

void insert(soci::session& sql, const PasskeyProfile& p, const std::string& tee_template_id) {
  const std::string type = kPasskeyType, template_hash = hex(base::sha256(p.public_key));
  const std::string credential_id = hex(p.credential_id), public_key = hex(p.public_key), aaguid = hex(p.aaguid);
  const std::string transports = join_transports(p.transports);
  const int flags = p.flags, prf = p.prf ? 1 : 0, active = p.is_active ? 1 : 0;
  const long long sign_count = p.sign_count, created = p.created_ms, verified = p.last_verified_ms;
  sql << "INSERT INTO biometric_profiles (profile_id, user_id, biometric_type, template_hash, tee_template_id, "
         "device_id, is_active, created_at, last_verified_at, name, credential_id, public_key, flags, sign_count, "
         "aaguid, transports, prf) VALUES (:id, :user, :type, :hash, :tee, :device, :active, :created, :verified, "
         ":name, :credential, :key, :flags, :count, :aaguid, :transports, :prf)",
      soci::use(p.profile_id), soci::use(p.user_id), soci::use(type), soci::use(template_hash),
      soci::use(tee_template_id), soci::use(p.device_id), soci::use(active), soci::use(created), soci::use(verified),
      soci::use(p.name), soci::use(credential_id), soci::use(public_key), soci::use(flags), soci::use(sign_count),
      soci::use(aaguid), soci::use(transports), soci::use(prf);
}

bool knows_credential(soci::session& sql, const Bytes& credential_id) {
  const std::string wanted = hex(credential_id);
  long long profiles = 0, intents = 0;
  sql << "SELECT COUNT(*) FROM biometric_profiles WHERE credential_id = :id", soci::use(wanted), soci::into(profiles);
  sql << "SELECT COUNT(*) FROM wallet_intents WHERE registers = 1 AND credential_id = :id", soci::use(wanted),
      soci::into(intents);
  return profiles + intents != 0;
}

std::optional<PasskeyProfile> passkey_of_credential(soci::session& sql, const Bytes& credential_id) {
  const std::string wanted = hex(credential_id);
  soci::statement statement(sql);
  statement.exchange(soci::use(wanted));
  return first(fetch_passkeys(statement, "WHERE credential_id = :id"));
}

std::optional<PasskeyProfile> passkey(soci::session& sql, const std::string& user_id, const std::string& profile_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(profile_id));
  return first(fetch_passkeys(statement, "WHERE user_id = :user AND profile_id = :profile"));
}

std::vector<PasskeyProfile> passkeys(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  return fetch_passkeys(statement, "WHERE user_id = :user ORDER BY created_at, profile_id");
}

void rename_passkey(soci::session& sql, const std::string& profile_id, const std::string& name) {
  sql << "UPDATE biometric_profiles SET name = :name WHERE profile_id = :id", soci::use(name), soci::use(profile_id);
}

void activate_passkey(soci::session& sql, const std::string& profile_id, const std::string& tee_template_id) {
  sql << "UPDATE biometric_profiles SET is_active = 1, tee_template_id = :tee WHERE profile_id = :id",
      soci::use(tee_template_id), soci::use(profile_id);
}

void remove_passkey(soci::session& sql, const std::string& user_id, const std::string& profile_id) {
  sql << "DELETE FROM biometric_profiles WHERE user_id = :user AND profile_id = :id", soci::use(user_id),
      soci::use(profile_id);
}

void note_verified(soci::session& sql, const std::string& profile_id, std::uint32_t sign_count, std::int64_t now_ms) {
  const long long count = sign_count, now = now_ms;
  sql << "UPDATE biometric_profiles SET sign_count = :count, last_verified_at = :now WHERE profile_id = :id",
      soci::use(count), soci::use(now), soci::use(profile_id);
}

std::vector<Session> insert(soci::session& sql, const Session& session, const Bytes32& token_hash) {
  soci::statement oldest(sql);
  oldest.exchange(soci::use(session.user_id));
  auto ended =
      fetch_sessions(oldest, "WHERE user_id = :user" + std::string(kIsLive) + " ORDER BY created_at DESC, session_id");
  ended.erase(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(std::min(ended.size(), kMaxSessions - 1)));
  for (const Session& one : ended) remove_session(sql, one.user_id, one.session_id);
  const std::string hash = hex(token_hash);
  const long long created = session.created_ms, used = session.last_used_ms, expires = session.expires_ms;
  sql << "INSERT INTO sessions (session_id, user_id, profile_id, token_hash, created_at, last_used_at, expires_at, "
         "device_name, address) VALUES (:id, :user, :profile, :hash, :created, :used, :expires, :device, :address)",
      soci::use(session.session_id), soci::use(session.user_id), soci::use(session.profile_id), soci::use(hash),
      soci::use(created), soci::use(used), soci::use(expires), soci::use(session.client.device_name),
      soci::use(session.client.address);
  return ended;
}

std::optional<Session> session_of_token(soci::session& sql, const Bytes32& token_hash) {
  const std::string hash = hex(token_hash);
  soci::statement statement(sql);
  statement.exchange(soci::use(hash));
  auto found = fetch_sessions(statement, "WHERE token_hash = :hash" + std::string(kIsLive));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

bool lost_its_passkey(soci::session& sql, const Bytes32& token_hash, std::int64_t now_ms) {
  const std::string hash = hex(token_hash);
  const long long now = now_ms;
  long long count = 0;
  sql << "SELECT COUNT(*) FROM sessions WHERE token_hash = :hash AND expires_at > :now AND NOT EXISTS (SELECT 1 FROM "
         "biometric_profiles p WHERE p.profile_id = sessions.profile_id)",
      soci::use(hash), soci::use(now), soci::into(count);
  return count > 0;
}

std::vector<Session> sessions(soci::session& sql, const std::string& user_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  return fetch_sessions(statement,
                        "WHERE user_id = :user" + std::string(kIsLive) + " ORDER BY last_used_at DESC, session_id");
}

void note_used(soci::session& sql, const std::string& session_id, std::int64_t now_ms) {
  const long long now = now_ms;
  sql << "UPDATE sessions SET last_used_at = :now WHERE session_id = :id", soci::use(now), soci::use(session_id);
}

bool remove_session(soci::session& sql, const std::string& user_id, const std::string& session_id) {
  soci::statement statement = (sql.prepare << "DELETE FROM sessions WHERE user_id = :user AND session_id = :id",
                               soci::use(user_id), soci::use(session_id));
  statement.execute(true);
  return statement.get_affected_rows() > 0;
}

long long remove_other_sessions(soci::session& sql, const std::string& user_id, const std::string& kept) {
  soci::statement statement = (sql.prepare << "DELETE FROM sessions WHERE user_id = :user AND session_id <> :id",
                               soci::use(user_id), soci::use(kept));
  statement.execute(true);
  return statement.get_affected_rows();
}

void remove_expired_sessions(soci::session& sql, std::int64_t now_ms) {
  const long long now = now_ms;
  sql << "DELETE FROM sessions WHERE expires_at <= :now", soci::use(now);
}

bool note_device(soci::session& sql, const std::string& user_id, const Bytes32& token_hash, std::int64_t now_ms) {
  const std::string hash = hex(token_hash);
  const long long now = now_ms, kept = static_cast<long long>(kMaxDevices);
  soci::statement note = (sql.prepare << "UPDATE known_devices SET last_used_at = :now WHERE user_id = :user AND "
                                         "token_hash = :hash",
                          soci::use(now), soci::use(user_id), soci::use(hash));
  note.execute(true);
  if (note.get_affected_rows() > 0) return true;
  sql << "INSERT INTO known_devices (user_id, token_hash, last_used_at) VALUES (:user, :hash, :now)",
      soci::use(user_id), soci::use(hash), soci::use(now);
  sql << "DELETE FROM known_devices WHERE user_id = :user AND token_hash NOT IN (SELECT token_hash FROM known_devices "
         "WHERE user_id = :same ORDER BY last_used_at DESC, token_hash LIMIT :kept)",
      soci::use(user_id), soci::use(user_id), soci::use(kept);
  return false;
}

void remove_old_devices(soci::session& sql, std::int64_t before_ms) {
  const long long before = before_ms;
  sql << "DELETE FROM known_devices WHERE last_used_at < :before", soci::use(before);
}

long long active_people(soci::session& sql, std::int64_t since_ms) {
  const long long since = since_ms;
  long long count = 0;
  sql << "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE last_used_at > :since", soci::use(since),
      soci::into(count);
  return count;
}

}  // namespace community::users::store
