// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/cancelled.hpp"

#include <soci/soci.h>

namespace community::transactions {
namespace {

// The person's signed transaction over this digest, which is the id of the item that it started.
std::optional<Stored> started_by(soci::session& sql, const std::string& user_id, const Bytes32& item) {
  const std::string digest = core::to_plain_hex(item);
  std::string id;
  sql << "SELECT transaction_id FROM transactions_entries WHERE user_id = :user AND digest = :digest AND signed_at > 0",
      soci::use(user_id), soci::use(digest), soci::into(id);
  return sql.got_data() ? store::find(sql, user_id, id) : std::nullopt;
}

}  // namespace

Task<Result<void>> retire_cancelled(infra::Database& database, People& people, const Stored& row) {
  const auto* prepared = std::get_if<PreparedAction>(&row.transaction.content);
  const auto* cancel = prepared != nullptr ? std::get_if<accounts::Cancel>(&prepared->action) : nullptr;
  if (cancel == nullptr) co_return Result<void>{};
  co_return co_await retire_item(database, people, row.transaction.user_id, cancel->item);
}

Task<Result<void>> retire_item(infra::Database& database, People& people, std::string user_id, Bytes32 item) {
  auto read = [user_id, item](soci::session& sql) { return started_by(sql, user_id, item); };
  const auto started = co_await database.read(read);
  if (!started) co_return fail(ErrorCode::database_unavailable, started.error().text());
  if (!*started || !(*started)->plan) co_return Result<void>{};
  const std::string wallet_id = (*started)->transaction.wallet_id;
  OwnedPasskeyChange change{user_id, wallet_id, {}, {}};
  for (const KeyPlan::Passkey& one : (*started)->plan->added) {
    if (one.is_foreign()) continue;
    const auto held = co_await people.is_held_elsewhere(user_id, one.credential_id, wallet_id);
    if (!held) co_return tl::unexpected(held.error());
    if (!*held) change.retired.push_back(one.passkey_id);
  }
  if (change.retired.empty()) co_return Result<void>{};
  auto write = [&people, change](soci::session& sql) { people.enter_passkeys(sql, change); };
  const auto written = co_await database.write(write);
  if (!written) co_return fail(ErrorCode::database_unavailable, written.error().text());
  co_return Result<void>{};
}

}  // namespace community::transactions
