// SPDX-License-Identifier: Apache-2.0
#include "community/sender/attempt_store.hpp"

#include <soci/soci.h>

namespace community::sender {
namespace {

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }

std::vector<Attempt> read_attempts(soci::session& sql, const OrderTables& tables, const std::string& order) {
  std::vector<Attempt> attempts;
  std::string hash, raw, fee, priority;
  long long sent_at = 0;
  soci::statement rows =
      (sql.prepare << "SELECT hash, raw, max_fee, priority_fee, sent_at FROM " << tables.attempts << " WHERE "
                   << tables.order_column << " = :order ORDER BY sent_at",
       soci::use(order), soci::into(hash), soci::into(raw), soci::into(fee), soci::into(priority), soci::into(sent_at));
  rows.execute();
  while (rows.fetch()) {
    Attempt attempt;
    attempt.hash = core::parse_hex_array<32>(hash, core::HexPrefix::optional).value_or(Bytes32{});
    attempt.raw = core::parse_hex(raw, core::HexPrefix::optional).value_or(Bytes{});
    attempt.fees.max_fee_per_gas = core::parse_decimal(fee).value_or(Uint256());
    attempt.fees.max_priority_fee_per_gas = core::parse_decimal(priority).value_or(Uint256());
    attempt.sent_at = static_cast<std::uint64_t>(sent_at);
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

// Where the order was at the last look: what became of that meanwhile, following it tells.
void read_state(soci::session& sql, const OrderTables& tables, Job& job) {
  Order& order = job.order;
  std::string transaction;
  int state = 0;
  long long nonce = 0, block = 0;
  sql << "SELECT state, nonce, transaction_hash, block_number, reason FROM " << tables.orders << " WHERE id = :id",
      soci::use(order.id), soci::into(state), soci::into(nonce), soci::into(transaction), soci::into(block),
      soci::into(order.reason);
  order.state = static_cast<OrderState>(state);
  order.transaction_hash = core::parse_hex_array<32>(transaction, core::HexPrefix::optional).value_or(Bytes32{});
  order.block_number = static_cast<std::uint64_t>(block);
  job.nonce = static_cast<std::uint64_t>(nonce);
}

void write_state(soci::session& sql, const OrderTables& tables, const Job& job) {
  const Order& order = job.order;
  const std::string transaction = hex(order.transaction_hash);
  const int state = static_cast<int>(order.state);
  const long long nonce = static_cast<long long>(job.nonce), block = static_cast<long long>(order.block_number);
  sql << "UPDATE " << tables.orders
      << " SET state = :state, nonce = :nonce, transaction_hash = :hash, block_number = :block, reason = :reason "
         "WHERE id = :id",
      soci::use(state), soci::use(nonce), soci::use(transaction), soci::use(block), soci::use(order.reason),
      soci::use(order.id);
}

void write_attempt(soci::session& sql, const OrderTables& tables, const Job& job, const Attempt& attempt) {
  const std::string hash = hex(attempt.hash), raw = hex(attempt.raw);
  const std::string fee = core::format_decimal(attempt.fees.max_fee_per_gas);
  const std::string priority = core::format_decimal(attempt.fees.max_priority_fee_per_gas);
  const long long sent_at = static_cast<long long>(attempt.sent_at);
  sql << "INSERT INTO " << tables.attempts << " (hash, " << tables.order_column
      << ", raw, max_fee, priority_fee, sent_at) VALUES (:hash, :order, :raw, :fee, :priority, :sent_at)",
      soci::use(hash), soci::use(job.order.id), soci::use(raw), soci::use(fee), soci::use(priority), soci::use(sent_at);
}

}  // namespace

Task<Result<std::vector<Job>>> AttemptStore::open() {
  auto read = [this](soci::session& sql) {
    std::vector<Job> jobs;
    for (Order& order : owner_.open_orders(sql)) {
      Job job;
      job.attempts = read_attempts(sql, tables_, order.id);
      job.order = std::move(order);
      read_state(sql, tables_, job);
      jobs.push_back(std::move(job));
    }
    return jobs;
  };
  auto jobs = co_await database_.read(read);
  if (!jobs) co_return fail(ErrorCode::storage, jobs.error().text());
  co_return std::move(*jobs);
}

Task<Result<std::string>> AttemptStore::add(Order order, KeepOrder keep) {
  auto write = [tables = tables_, order = std::move(order), keep = std::move(keep)](soci::session& sql) {
    if (!order.id.empty()) {
      sql << "DELETE FROM " << tables.attempts << " WHERE " << tables.order_column << " = :id", soci::use(order.id);
      sql << "DELETE FROM " << tables.orders << " WHERE id = :id", soci::use(order.id);
    }
    return keep(sql, order);
  };
  auto id = co_await database_.write(write);
  if (!id) co_return fail(ErrorCode::storage, id.error().text());
  co_return std::move(*id);
}

Task<Result<void>> AttemptStore::write(Job job, std::optional<Attempt> attempt) {
  auto work = [tables = tables_, job = std::move(job), attempt = std::move(attempt)](soci::session& sql) {
    write_state(sql, tables, job);
    if (attempt) write_attempt(sql, tables, job, *attempt);
  };
  auto written = co_await database_.write(work);
  if (!written) co_return fail(ErrorCode::storage, written.error().text());
  co_return Result<void>{};
}

}  // namespace community::sender
