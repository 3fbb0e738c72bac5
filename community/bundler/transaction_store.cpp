// SPDX-License-Identifier: Apache-2.0
#include "community/bundler/transaction_store.hpp"

#include <soci/soci.h>

#include "community/bundler/factory.hpp"

namespace community::bundler {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE bundler_transactions (
  hash TEXT NOT NULL PRIMARY KEY,
  executor TEXT NOT NULL,
  nonce BIGINT NOT NULL,
  entry_point TEXT NOT NULL,
  userops TEXT NOT NULL,
  raw TEXT NOT NULL,
  max_fee TEXT NOT NULL,
  priority_fee TEXT NOT NULL,
  state INTEGER NOT NULL,
  block_number BIGINT NOT NULL,
  block_hash TEXT NOT NULL,
  receipt TEXT NOT NULL,
  sent_at BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX bundler_transactions_open ON bundler_transactions (state, created_ms);
)sql";

// 0 until claim_rows says whose they are.
constexpr const char* kChains = R"sql(
ALTER TABLE bundler_transactions ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX bundler_transactions_open;
CREATE INDEX bundler_transactions_open ON bundler_transactions (chain_id, state, created_ms);
)sql";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

struct Row {
  std::string hash, executor, entry_point, userops, raw, max_fee, priority_fee, block_hash;
  long long nonce = 0, block_number = 0, sent_at = 0;
  int state = 0;

  Attempt attempt() const {
    Attempt result;
    result.hash = fixed<32>(hash);
    result.executor = fixed<20>(executor);
    result.nonce = static_cast<std::uint64_t>(nonce);
    result.entry_point = fixed<20>(entry_point);
    constexpr std::size_t kDigits = 64;
    for (std::size_t at = 0; at + kDigits <= userops.size(); at += kDigits)
      result.userops.push_back(fixed<32>(userops.substr(at, kDigits)));
    result.raw = core::parse_hex(raw, core::HexPrefix::optional).value_or(core::Bytes{});
    result.max_fee_per_gas = core::parse_decimal(max_fee).value_or(Uint256());
    result.max_priority_fee_per_gas = core::parse_decimal(priority_fee).value_or(Uint256());
    result.state = static_cast<TransactionState>(state);
    result.block_number = static_cast<std::uint64_t>(block_number);
    result.block_hash = fixed<32>(block_hash);
    result.sent_at = static_cast<std::uint64_t>(sent_at);
    return result;
  }
};

}  // namespace

infra::MigrationSet TransactionStore::migrations() {
  return {"bundler", {{1, "transactions", kSchema}, {2, "the chain of a transaction", kChains}}};
}
infra::MigrationSet bundler_migrations() { return TransactionStore::migrations(); }

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE bundler_transactions SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

void insert_attempt(soci::session& sql, std::uint64_t chain_id, const Attempt& attempt, std::int64_t now_ms) {
  const std::string hash = hex(attempt.hash), executor = hex(attempt.executor), entry_point = hex(attempt.entry_point);
  std::string userops;
  for (const Bytes32& userop : attempt.userops) userops += hex(userop);
  const std::string raw = hex(attempt.raw), max_fee = core::format_decimal(attempt.max_fee_per_gas);
  const std::string priority_fee = core::format_decimal(attempt.max_priority_fee_per_gas);
  const long long nonce = static_cast<long long>(attempt.nonce), sent_at = static_cast<long long>(attempt.sent_at);
  const long long now = now_ms, chain = static_cast<long long>(chain_id);
  sql << "INSERT INTO bundler_transactions (hash, chain_id, executor, nonce, entry_point, userops, raw, max_fee, "
         "priority_fee, "
         "state, "
         "block_number, block_hash, receipt, sent_at, created_ms) VALUES (:hash, :chain, :executor, :nonce, "
         ":entry_point, "
         ":userops, :raw, :max_fee, :priority_fee, 0, 0, '', '', :sent_at, :now)",
      soci::use(hash), soci::use(chain), soci::use(executor), soci::use(nonce), soci::use(entry_point),
      soci::use(userops), soci::use(raw), soci::use(max_fee), soci::use(priority_fee), soci::use(sent_at),
      soci::use(now);
}

void set_mined(soci::session& sql, const Attempt& attempt, const std::string& receipt) {
  const std::string hash = hex(attempt.hash), block_hash = hex(attempt.block_hash), executor = hex(attempt.executor);
  const long long number = static_cast<long long>(attempt.block_number), nonce = static_cast<long long>(attempt.nonce);
  std::string userops;
  for (const Bytes32& userop : attempt.userops) userops += hex(userop);
  const int mined = static_cast<int>(TransactionState::mined), dead = static_cast<int>(TransactionState::dead);
  sql << "UPDATE bundler_transactions SET state = :dead WHERE executor = :executor AND nonce = :nonce AND hash <> "
         ":hash",
      soci::use(dead), soci::use(executor), soci::use(nonce), soci::use(hash);
  sql << "UPDATE bundler_transactions SET state = :mined, block_number = :number, block_hash = :block, userops = "
         ":userops, receipt = :receipt WHERE hash = :hash",
      soci::use(mined), soci::use(number), soci::use(block_hash), soci::use(userops), soci::use(receipt),
      soci::use(hash);
}

void set_state(soci::session& sql, const Bytes32& hash, TransactionState state) {
  const std::string key = hex(hash);
  const int number = static_cast<int>(state);
  sql << "UPDATE bundler_transactions SET state = :state WHERE hash = :hash", soci::use(number), soci::use(key);
}

Task<Result<std::vector<Attempt>>> TransactionStore::load() {
  auto job = [chain = chain_id_](soci::session& sql) {
    std::vector<Attempt> attempts;
    Row row;
    soci::statement statement =
        (sql.prepare << "SELECT hash, executor, nonce, entry_point, userops, raw, max_fee, priority_fee, state, "
                        "block_number, block_hash, sent_at FROM bundler_transactions WHERE chain_id = :chain AND state "
                        "< 2 ORDER BY "
                        "created_ms",
         soci::use(chain), soci::into(row.hash), soci::into(row.executor), soci::into(row.nonce),
         soci::into(row.entry_point), soci::into(row.userops), soci::into(row.raw), soci::into(row.max_fee),
         soci::into(row.priority_fee), soci::into(row.state), soci::into(row.block_number), soci::into(row.block_hash),
         soci::into(row.sent_at));
    statement.execute();
    while (statement.fetch()) attempts.push_back(row.attempt());
    return attempts;
  };
  auto outcome = co_await database_.read(job);
  if (!outcome) co_return fail(ErrorCode::storage, outcome.error().text());
  co_return std::move(*outcome);
}

Task<Result<std::string>> TransactionStore::receipt(Bytes32 hash) {
  auto job = [key = hex(hash)](soci::session& sql) {
    std::string text;
    sql << "SELECT receipt FROM bundler_transactions WHERE hash = :hash", soci::use(key), soci::into(text);
    return text;
  };
  auto outcome = co_await database_.read(job);
  if (!outcome) co_return fail(ErrorCode::storage, outcome.error().text());
  if (outcome->empty()) co_return fail(ErrorCode::not_found, "no receipt of this transaction");
  co_return std::move(*outcome);
}

Task<Result<void>> TransactionStore::trim(std::size_t keep) {
  const long long kept = static_cast<long long>(keep);
  auto job = [kept, chain = chain_id_](soci::session& sql) {
    sql << "DELETE FROM bundler_transactions WHERE chain_id = :chain AND state >= 2 AND hash NOT IN (SELECT hash FROM "
           "bundler_transactions WHERE chain_id = :same ORDER BY created_ms DESC LIMIT :kept)",
        soci::use(chain), soci::use(chain), soci::use(kept);
  };
  auto outcome = co_await database_.write(job);
  if (!outcome) co_return fail(ErrorCode::storage, outcome.error().text());
  co_return Result<void>{};
}

}  // namespace community::bundler
