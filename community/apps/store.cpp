// SPDX-License-Identifier: Apache-2.0
#include "community/apps/store.hpp"

#include "community/apps/factory.hpp"

namespace community::apps {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE app_permissions (
  permission_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  wallet_id TEXT NOT NULL,
  account TEXT NOT NULL,
  chain_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  UNIQUE (user_id, origin)
);
CREATE TABLE app_tokens (
  token_hash TEXT NOT NULL PRIMARY KEY,
  permission_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX app_tokens_permission ON app_tokens (permission_id);
CREATE INDEX app_tokens_user ON app_tokens (user_id);
CREATE INDEX app_tokens_end ON app_tokens (expires_at);
CREATE TABLE app_calls (
  transaction_id TEXT NOT NULL PRIMARY KEY,
  permission_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (permission_id, request_id)
);
CREATE INDEX app_calls_permission ON app_calls (permission_id, created_at);
CREATE INDEX app_calls_user ON app_calls (user_id);
)sql";

}  // namespace

infra::MigrationSet app_migrations() { return {"apps", {{1, "apps that people let use their accounts", kSchema}}}; }

namespace store {
namespace {

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

template <class T>
T fixed(const std::string& text) {
  const auto bytes = core::parse_hex_array<std::tuple_size_v<T>>(text, core::HexPrefix::optional);
  if (!bytes) throw soci::soci_error("a row about an app has bytes that this program did not write");
  return *bytes;
}

constexpr const char* kPermissionColumns =
    "SELECT p.permission_id, p.user_id, p.origin, p.wallet_id, p.account, p.chain_id, p.created_at, p.last_used_at ";

struct PermissionRow {
  Permission permission;
  std::string account;
  long long chain_id = 0, created = 0, used = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(permission.permission_id));
    statement.exchange(soci::into(permission.user_id));
    statement.exchange(soci::into(permission.origin));
    statement.exchange(soci::into(permission.wallet_id));
    statement.exchange(soci::into(account));
    statement.exchange(soci::into(chain_id));
    statement.exchange(soci::into(created));
    statement.exchange(soci::into(used));
  }
  Permission value() const {
    Permission out = permission;
    out.account = fixed<core::Address>(account);
    out.chain_id = static_cast<std::uint64_t>(chain_id);
    out.created_ms = created;
    out.last_used_ms = used;
    return out;
  }
};

// `rest` are constants of this file; values were bound before.
std::vector<Permission> fetch(soci::statement& statement, const std::string& rest) {
  PermissionRow row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(kPermissionColumns + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<Permission> found;
  while (statement.fetch()) found.push_back(row.value());
  return found;
}

std::optional<Permission> first(std::vector<Permission> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace

std::vector<Permission> permissions(soci::session& sql, const std::string& user_id, std::int64_t now_ms) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  auto found =
      fetch(statement, "FROM app_permissions p WHERE p.user_id = :user ORDER BY p.created_at DESC, p.permission_id");
  std::string permission_id, grant;
  long long expires = 0;
  const long long now = now_ms;
  soci::statement tokens =
      (sql.prepare << "SELECT permission_id, grant_id, expires_at FROM app_tokens WHERE user_id = "
                      ":user AND expires_at > :now ORDER BY expires_at DESC, token_hash",
       soci::use(user_id), soci::use(now), soci::into(permission_id), soci::into(grant), soci::into(expires));
  tokens.execute();
  while (tokens.fetch())
    for (Permission& one : found)
      if (one.permission_id == permission_id) one.tokens.push_back({fixed<Bytes32>(grant), expires});
  return found;
}

std::optional<Permission> permission(soci::session& sql, const std::string& user_id, const std::string& permission_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(permission_id));
  return first(fetch(statement, "FROM app_permissions p WHERE p.user_id = :user AND p.permission_id = :id"));
}

std::optional<Permission> permission_of(soci::session& sql, const std::string& user_id, const std::string& origin) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(origin));
  return first(fetch(statement, "FROM app_permissions p WHERE p.user_id = :user AND p.origin = :origin"));
}

long long count_permissions(soci::session& sql, const std::string& user_id) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM app_permissions WHERE user_id = :user", soci::use(user_id), soci::into(count);
  return count;
}

void insert(soci::session& sql, const Permission& permission) {
  const std::string account = hex(permission.account);
  const long long chain_id = static_cast<long long>(permission.chain_id), created = permission.created_ms,
                  used = permission.last_used_ms;
  sql << "INSERT INTO app_permissions (permission_id, user_id, origin, wallet_id, account, chain_id, created_at, "
         "last_used_at) VALUES (:id, :user, :origin, :wallet, :account, :chain, :created, :used)",
      soci::use(permission.permission_id), soci::use(permission.user_id), soci::use(permission.origin),
      soci::use(permission.wallet_id), soci::use(account), soci::use(chain_id), soci::use(created), soci::use(used);
}

void update_wallet(soci::session& sql, const Permission& permission) {
  const std::string account = hex(permission.account);
  const long long chain_id = static_cast<long long>(permission.chain_id);
  sql << "UPDATE app_permissions SET wallet_id = :wallet, account = :account, chain_id = :chain WHERE permission_id = "
         ":id",
      soci::use(permission.wallet_id), soci::use(account), soci::use(chain_id), soci::use(permission.permission_id);
  sql << "DELETE FROM app_tokens WHERE permission_id = :id", soci::use(permission.permission_id);
}

bool remove(soci::session& sql, const std::string& user_id, const std::string& permission_id) {
  soci::statement statement =
      (sql.prepare << "DELETE FROM app_permissions WHERE user_id = :user AND permission_id = :id", soci::use(user_id),
       soci::use(permission_id));
  statement.execute(true);
  if (statement.get_affected_rows() == 0) return false;
  sql << "DELETE FROM app_tokens WHERE permission_id = :id", soci::use(permission_id);
  sql << "DELETE FROM app_calls WHERE permission_id = :id", soci::use(permission_id);
  return true;
}

void note_used(soci::session& sql, const std::string& permission_id, std::int64_t now_ms) {
  const long long now = now_ms;
  sql << "UPDATE app_permissions SET last_used_at = :now WHERE permission_id = :id", soci::use(now),
      soci::use(permission_id);
}

void insert_token(soci::session& sql, const Bytes32& token_hash, const Token& token, std::int64_t now_ms) {
  const long long now = now_ms, expires = token.expires_ms, kept = static_cast<long long>(kMaxTokens - 1);
  sql << "DELETE FROM app_tokens WHERE expires_at <= :now", soci::use(now);
  sql << "DELETE FROM app_tokens WHERE permission_id = :id AND token_hash NOT IN (SELECT token_hash FROM app_tokens "
         "WHERE permission_id = :same ORDER BY created_at DESC, token_hash LIMIT :kept)",
      soci::use(token.permission.permission_id), soci::use(token.permission.permission_id), soci::use(kept);
  const std::string hash = hex(token_hash), grant = hex(token.grant_id);
  sql << "INSERT INTO app_tokens (token_hash, permission_id, user_id, session_id, grant_id, created_at, expires_at) "
         "VALUES (:hash, :permission, :user, :session, :grant, :created, :expires)",
      soci::use(hash), soci::use(token.permission.permission_id), soci::use(token.permission.user_id),
      soci::use(token.session_id), soci::use(grant), soci::use(now), soci::use(expires);
}

std::optional<Token> token(soci::session& sql, const Bytes32& token_hash, std::int64_t now_ms) {
  const std::string hash = hex(token_hash);
  const long long now = now_ms;
  std::string user_id, permission_id, session_id, grant;
  long long expires = 0;
  sql << "SELECT user_id, permission_id, session_id, grant_id, expires_at FROM app_tokens WHERE token_hash = :hash AND "
         "expires_at > :now",
      soci::use(hash), soci::use(now), soci::into(user_id), soci::into(permission_id), soci::into(session_id),
      soci::into(grant), soci::into(expires);
  if (!sql.got_data()) return std::nullopt;
  auto found = permission(sql, user_id, permission_id);
  if (!found) return std::nullopt;
  return Token{std::move(*found), session_id, fixed<Bytes32>(grant), expires};
}

void remove_token(soci::session& sql, const Bytes32& token_hash) {
  const std::string hash = hex(token_hash);
  sql << "DELETE FROM app_tokens WHERE token_hash = :hash", soci::use(hash);
}

std::string noted(soci::session& sql, const std::string& permission_id, const std::string& request_id) {
  std::string transaction_id;
  sql << "SELECT transaction_id FROM app_calls WHERE permission_id = :permission AND request_id = :request",
      soci::use(permission_id), soci::use(request_id), soci::into(transaction_id);
  return sql.got_data() ? transaction_id : std::string();
}

void note(soci::session& sql, const Permission& permission, const std::string& transaction_id,
          const std::string& request_id, std::int64_t now_ms) {
  const long long now = now_ms, kept = static_cast<long long>(kMaxNoted);
  sql << "INSERT INTO app_calls (transaction_id, permission_id, user_id, request_id, created_at) VALUES (:id, "
         ":permission, :user, :request, :now) ON CONFLICT (transaction_id) DO NOTHING",
      soci::use(transaction_id), soci::use(permission.permission_id), soci::use(permission.user_id),
      soci::use(request_id), soci::use(now);
  sql << "DELETE FROM app_calls WHERE permission_id = :permission AND transaction_id NOT IN (SELECT transaction_id "
         "FROM "
         "app_calls WHERE permission_id = :same ORDER BY created_at DESC, transaction_id LIMIT :kept)",
      soci::use(permission.permission_id), soci::use(permission.permission_id), soci::use(kept);
  note_used(sql, permission.permission_id, now_ms);
}

std::string owner_of_noted(soci::session& sql, const std::string& origin, const std::string& transaction_id) {
  std::string user_id;
  sql << "SELECT c.user_id FROM app_calls c JOIN app_permissions p ON p.permission_id = c.permission_id WHERE "
         "c.transaction_id = :id AND p.origin = :origin",
      soci::use(transaction_id), soci::use(origin), soci::into(user_id);
  return sql.got_data() ? user_id : std::string();
}

}  // namespace store
}  // namespace community::apps
