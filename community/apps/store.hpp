// SPDX-License-Identifier: Apache-2.0
// Rows of permissions, tokens and noted calls. Ids are UUIDs as text, hashes lower-case hex, times milliseconds.
#pragma once
#include <soci/soci.h>

#include "community/apps/api/apps.hpp"

namespace community::apps::store {

// A token with the permission that it hangs on.
struct Token {
  Permission permission;
  std::string session_id;
  Bytes32 grant_id{};
  std::int64_t expires_ms = 0;
};

std::vector<Permission> permissions(soci::session& sql, const std::string& user_id, std::int64_t now_ms);
std::optional<Permission> permission(soci::session& sql, const std::string& user_id, const std::string& permission_id);
std::optional<Permission> permission_of(soci::session& sql, const std::string& user_id, const std::string& origin);
long long count_permissions(soci::session& sql, const std::string& user_id);
void insert(soci::session& sql, const Permission& permission);
// Another wallet: tokens go.
void update_wallet(soci::session& sql, const Permission& permission);
// With everything that hangs on it. False: there was none.
bool remove(soci::session& sql, const std::string& user_id, const std::string& permission_id);
void note_used(soci::session& sql, const std::string& permission_id, std::int64_t now_ms);

// Those that are over go first, then the oldest of the permission beyond kMaxTokens.
void insert_token(soci::session& sql, const Bytes32& token_hash, const Token& token, std::int64_t now_ms);
// Nothing when it is over by its time.
std::optional<Token> token(soci::session& sql, const Bytes32& token_hash, std::int64_t now_ms);
void remove_token(soci::session& sql, const Bytes32& token_hash);

// Of the permission, by the id that the app chose; empty: none.
std::string noted(soci::session& sql, const std::string& permission_id, const std::string& request_id);
// The oldest go beyond kMaxNoted. `request_id` is the transaction's own for what the person signed.
void note(soci::session& sql, const Permission& permission, const std::string& transaction_id,
          const std::string& request_id, std::int64_t now_ms);
// Whose transaction it is, if this origin was told of it; empty: no such thing.
std::string owner_of_noted(soci::session& sql, const std::string& origin, const std::string& transaction_id);

}  // namespace community::apps::store
