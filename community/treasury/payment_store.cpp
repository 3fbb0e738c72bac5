// SPDX-License-Identifier: Apache-2.0
#include "community/treasury/payment_store.hpp"

#include <soci/soci.h>

namespace community::treasury {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE treasury_payments (
  id BIGINT NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  payee TEXT NOT NULL,
  amount TEXT NOT NULL,
  automatic INTEGER NOT NULL,
  state INTEGER NOT NULL,
  nonce BIGINT NOT NULL,
  transaction_hash TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  reason TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX treasury_payments_open ON treasury_payments (state, id);
CREATE TABLE treasury_attempts (
  hash TEXT NOT NULL PRIMARY KEY,
  payment BIGINT NOT NULL,
  raw TEXT NOT NULL,
  max_fee TEXT NOT NULL,
  priority_fee TEXT NOT NULL,
  sent_at BIGINT NOT NULL
);
CREATE INDEX treasury_attempts_payment ON treasury_attempts (payment);
)sql";

constexpr const char* kColumns =
    "SELECT id, kind, payee, amount, automatic, state, nonce, transaction_hash, block_number, reason FROM "
    "treasury_payments ";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

// One row of treasury_payments.
struct Row {
  long long id = 0, nonce = 0, block = 0;
  int kind = 0, automatic = 0, state = 0;
  std::string payee, amount, transaction, reason;

  Job job() const {
    Job job;
    Payment& payment = job.payment;
    payment.id = static_cast<std::uint64_t>(id);
    payment.kind = static_cast<PaymentKind>(kind);
    payment.payee = fixed<20>(payee);
    payment.value = core::parse_decimal(amount).value_or(Uint256());
    payment.automatic = automatic != 0;
    payment.state = static_cast<PaymentState>(state);
    payment.transaction_hash = fixed<32>(transaction);
    payment.block_number = static_cast<std::uint64_t>(block);
    payment.reason = reason;
    job.nonce = static_cast<std::uint64_t>(nonce);
    return job;
  }
};

// What follows kColumns; `number` is its parameter.
std::vector<Job> fetch(soci::session& sql, const std::string& rest, long long number) {
  Row row;
  std::vector<Job> jobs;
  soci::statement statement =
      (sql.prepare << kColumns + rest, soci::use(number), soci::into(row.id), soci::into(row.kind),
       soci::into(row.payee), soci::into(row.amount), soci::into(row.automatic), soci::into(row.state),
       soci::into(row.nonce), soci::into(row.transaction), soci::into(row.block), soci::into(row.reason));
  statement.execute();
  while (statement.fetch()) jobs.push_back(row.job());
  return jobs;
}

std::vector<Attempt> fetch_attempts(soci::session& sql, std::uint64_t payment) {
  const long long id = static_cast<long long>(payment);
  std::vector<Attempt> attempts;
  std::string hash, raw, fee, priority;
  long long sent_at = 0;
  soci::statement rows =
      (sql.prepare << "SELECT hash, raw, max_fee, priority_fee, sent_at FROM treasury_attempts "
                      "WHERE payment = :payment ORDER BY sent_at",
       soci::use(id), soci::into(hash), soci::into(raw), soci::into(fee), soci::into(priority), soci::into(sent_at));
  rows.execute();
  while (rows.fetch()) {
    Attempt attempt;
    attempt.hash = fixed<32>(hash);
    attempt.raw = core::parse_hex(raw, core::HexPrefix::optional).value_or(Bytes{});
    attempt.fees.max_fee_per_gas = core::parse_decimal(fee).value_or(Uint256());
    attempt.fees.max_priority_fee_per_gas = core::parse_decimal(priority).value_or(Uint256());
    attempt.sent_at = static_cast<std::uint64_t>(sent_at);
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

template <class T>
Result<T> from_database(infra::Result<T> outcome) {
  if (!outcome) return fail(ErrorCode::storage, outcome.error().text());
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*outcome);
  }
}

}  // namespace

infra::MigrationSet PaymentStore::migrations() {
  return {"treasury", {{1, "payments and their transactions", kSchema}}};
}

Task<Result<std::uint64_t>> PaymentStore::add(Payment payment, std::int64_t now_ms) {
  auto work = [payment, now = static_cast<long long>(now_ms)](soci::session& sql) -> std::uint64_t {
    long long id = 0;
    sql << "SELECT COALESCE(MAX(id), 0) + 1 FROM treasury_payments", soci::into(id);
    const int kind = static_cast<int>(payment.kind), automatic = payment.automatic ? 1 : 0;
    const std::string payee = hex(payment.payee), amount = core::format_decimal(payment.value);
    sql << "INSERT INTO treasury_payments (id, kind, payee, amount, automatic, state, nonce, transaction_hash, "
           "block_number, reason, created_ms) VALUES (:id, :kind, :payee, :amount, :automatic, 0, 0, '', 0, '', :now)",
        soci::use(id), soci::use(kind), soci::use(payee), soci::use(amount), soci::use(automatic), soci::use(now);
    return static_cast<std::uint64_t>(id);
  };
  co_return from_database<std::uint64_t>(co_await database_.write(work));
}

Task<Result<Payment>> PaymentStore::payment(std::uint64_t id) {
  auto work = [number = static_cast<long long>(id)](soci::session& sql) {
    return fetch(sql, "WHERE id = :id", number);
  };
  const auto found = co_await database_.read(work);
  if (!found) co_return fail(ErrorCode::storage, found.error().text());
  if (found->empty()) co_return fail(ErrorCode::not_found, "no payment " + std::to_string(id));
  co_return found->front().payment;
}

Task<Result<std::vector<Payment>>> PaymentStore::latest(std::size_t count) {
  auto work = [most = static_cast<long long>(count)](soci::session& sql) {
    std::vector<Payment> payments;
    for (Job& job : fetch(sql, "ORDER BY id DESC LIMIT :most", most)) payments.push_back(std::move(job.payment));
    return payments;
  };
  co_return from_database<std::vector<Payment>>(co_await database_.read(work));
}

Task<Result<std::vector<Job>>> PaymentStore::open() {
  auto work = [over = static_cast<long long>(PaymentState::included)](soci::session& sql) {
    std::vector<Job> jobs = fetch(sql, "WHERE state < :over ORDER BY id", over);
    for (Job& job : jobs) job.attempts = fetch_attempts(sql, job.payment.id);
    return jobs;
  };
  co_return from_database<std::vector<Job>>(co_await database_.read(work));
}

Task<Result<void>> PaymentStore::write(Job job, std::optional<Attempt> attempt) {
  auto work = [job = std::move(job), attempt = std::move(attempt)](soci::session& sql) {
    const Payment& payment = job.payment;
    const long long id = static_cast<long long>(payment.id), nonce = static_cast<long long>(job.nonce),
                    block = static_cast<long long>(payment.block_number);
    const int state = static_cast<int>(payment.state);
    const std::string transaction = hex(payment.transaction_hash);
    sql << "UPDATE treasury_payments SET state = :state, nonce = :nonce, transaction_hash = :hash, block_number = "
           ":block, reason = :reason WHERE id = :id",
        soci::use(state), soci::use(nonce), soci::use(transaction), soci::use(block), soci::use(payment.reason),
        soci::use(id);
    if (!attempt) return;
    const std::string hash = hex(attempt->hash), raw = hex(attempt->raw);
    const std::string fee = core::format_decimal(attempt->fees.max_fee_per_gas);
    const std::string priority = core::format_decimal(attempt->fees.max_priority_fee_per_gas);
    const long long sent_at = static_cast<long long>(attempt->sent_at);
    sql << "INSERT INTO treasury_attempts (hash, payment, raw, max_fee, priority_fee, sent_at) VALUES (:hash, "
           ":payment, :raw, :fee, :priority, :sent_at)",
        soci::use(hash), soci::use(id), soci::use(raw), soci::use(fee), soci::use(priority), soci::use(sent_at);
  };
  co_return from_database<void>(co_await database_.write(work));
}

}  // namespace community::treasury
