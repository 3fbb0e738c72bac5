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

// 0 until claim_rows says whose they are. An attempt belongs to its payment.
constexpr const char* kChains = R"sql(
ALTER TABLE treasury_payments ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX treasury_payments_open;
CREATE INDEX treasury_payments_open ON treasury_payments (chain_id, state, id);
)sql";

constexpr const char* kColumns =
    "SELECT id, kind, payee, amount, automatic, state, transaction_hash, block_number, reason FROM treasury_payments ";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

// One row of treasury_payments.
struct Row {
  long long id = 0, block = 0;
  int kind = 0, automatic = 0, state = 0;
  std::string payee, amount, transaction, reason;

  Payment payment() const {
    Payment payment;
    payment.id = static_cast<std::uint64_t>(id);
    payment.kind = static_cast<PaymentKind>(kind);
    payment.payee = fixed<20>(payee);
    payment.value = core::parse_decimal(amount).value_or(Uint256());
    payment.automatic = automatic != 0;
    payment.state = static_cast<PaymentState>(state);
    payment.transaction_hash = fixed<32>(transaction);
    payment.block_number = static_cast<std::uint64_t>(block);
    payment.reason = reason;
    return payment;
  }
};

// What follows the chain in the condition; `number` is its parameter.
std::vector<Payment> fetch(soci::session& sql, long long chain, const std::string& rest, long long number) {
  Row row;
  std::vector<Payment> payments;
  soci::statement statement = (sql.prepare << kColumns + ("WHERE chain_id = :chain " + rest), soci::use(chain),
                               soci::use(number), soci::into(row.id), soci::into(row.kind), soci::into(row.payee),
                               soci::into(row.amount), soci::into(row.automatic), soci::into(row.state),
                               soci::into(row.transaction), soci::into(row.block), soci::into(row.reason));
  statement.execute();
  while (statement.fetch()) payments.push_back(row.payment());
  return payments;
}

}  // namespace

infra::MigrationSet PaymentStore::migrations() {
  return {"treasury", {{1, "payments and their transactions", kSchema}, {2, "the chain of a payment", kChains}}};
}

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE treasury_payments SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

std::uint64_t PaymentStore::add(soci::session& sql, const Payment& payment, std::int64_t now_ms) const {
  long long id = 0;
  sql << "SELECT COALESCE(MAX(id), 0) + 1 FROM treasury_payments", soci::into(id);
  const long long now = now_ms;
  const int kind = static_cast<int>(payment.kind), automatic = payment.automatic ? 1 : 0;
  const std::string payee = hex(payment.payee), amount = core::format_decimal(payment.value);
  sql << "INSERT INTO treasury_payments (id, chain_id, kind, payee, amount, automatic, state, nonce, transaction_hash, "
         "block_number, reason, created_ms) VALUES (:id, :chain, :kind, :payee, :amount, :automatic, 0, 0, '', 0, '', "
         ":now)",
      soci::use(id), soci::use(chain_id_), soci::use(kind), soci::use(payee), soci::use(amount), soci::use(automatic),
      soci::use(now);
  return static_cast<std::uint64_t>(id);
}

std::vector<Payment> PaymentStore::open(soci::session& sql) const {
  return fetch(sql, chain_id_, "AND state < :over ORDER BY id", static_cast<long long>(PaymentState::included));
}

Task<Result<Payment>> PaymentStore::payment(std::uint64_t id) {
  auto work = [chain = chain_id_, number = static_cast<long long>(id)](soci::session& sql) {
    return fetch(sql, chain, "AND id = :id", number);
  };
  const auto found = co_await database_.read(work);
  if (!found) co_return fail(ErrorCode::storage, found.error().text());
  if (found->empty()) co_return fail(ErrorCode::not_found, "no payment " + std::to_string(id));
  co_return found->front();
}

Task<Result<std::vector<Payment>>> PaymentStore::latest(std::size_t count) {
  auto work = [chain = chain_id_, most = static_cast<long long>(count)](soci::session& sql) {
    return fetch(sql, chain, "ORDER BY id DESC LIMIT :most", most);
  };
  auto found = co_await database_.read(work);
  if (!found) co_return fail(ErrorCode::storage, found.error().text());
  co_return std::move(*found);
}

}  // namespace community::treasury
