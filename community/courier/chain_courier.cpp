// SPDX-License-Identifier: Apache-2.0
// Plain functions as orders of one executor key. What sends them is community/sender.
#include <soci/soci.h>

#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/courier/factory.hpp"
#include "community/sender/api/sender.hpp"
#include "trusted/base/keccak.hpp"

namespace community::courier {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE courier_errands (
  id TEXT NOT NULL PRIMARY KEY,
  target TEXT NOT NULL,
  call_data TEXT NOT NULL,
  state INTEGER NOT NULL,
  nonce BIGINT NOT NULL,
  transaction_hash TEXT NOT NULL,
  block_number BIGINT NOT NULL,
  reason TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX courier_errands_open ON courier_errands (state, created_ms);
CREATE TABLE courier_attempts (
  hash TEXT NOT NULL PRIMARY KEY,
  errand TEXT NOT NULL,
  raw TEXT NOT NULL,
  max_fee TEXT NOT NULL,
  priority_fee TEXT NOT NULL,
  sent_at BIGINT NOT NULL
);
CREATE INDEX courier_attempts_errand ON courier_attempts (errand);
)sql";

// 0 until claim_rows says whose they are. An attempt belongs to its errand.
constexpr const char* kChains = R"sql(
ALTER TABLE courier_errands ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX courier_errands_open;
CREATE INDEX courier_errands_open ON courier_errands (chain_id, state, created_ms);
)sql";

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

std::optional<Errand> read_errand(soci::session& sql, const std::string& id) {
  std::string target, transaction, reason;
  int state = 0;
  long long block = 0;
  sql << "SELECT target, state, transaction_hash, block_number, reason FROM courier_errands WHERE id = :id",
      soci::use(id), soci::into(target), soci::into(state), soci::into(transaction), soci::into(block),
      soci::into(reason);
  if (!sql.got_data()) return std::nullopt;
  Errand errand;
  errand.id = fixed<32>(id);
  errand.to = fixed<20>(target);
  errand.state = static_cast<ErrandState>(state);
  errand.transaction_hash = fixed<32>(transaction);
  errand.block_number = static_cast<std::uint64_t>(block);
  errand.reason = std::move(reason);
  return errand;
}

Error from_sender(sender::Error error) {
  switch (error.code) {
    case sender::ErrorCode::would_revert:
      return {ErrorCode::would_revert, std::move(error.message)};
    case sender::ErrorCode::gas_too_high:
      return {ErrorCode::gas_too_high, std::move(error.message)};
    case sender::ErrorCode::queue_full:
      return {ErrorCode::queue_full, std::move(error.message)};
    case sender::ErrorCode::refused:
      return {ErrorCode::refused, std::move(error.message)};
    case sender::ErrorCode::keys_unavailable:
      return {ErrorCode::keys_unavailable, std::move(error.message)};
    case sender::ErrorCode::chain_unavailable:
      return {ErrorCode::chain_unavailable, std::move(error.message)};
    case sender::ErrorCode::storage:
      break;
  }
  return {ErrorCode::storage, std::move(error.message)};
}

class ChainCourier final : public Courier, private sender::OrderOwner {
 public:
  ChainCourier(CourierDependencies dependencies, std::uint64_t chain_id, keys::KeyInfo key, CourierLimits limits)
      : d_(dependencies), chain_id_(chain_id), key_(key), limits_(limits) {
    sender::SenderOptions options;
    options.chain_id = chain_id;
    options.from = key.address;
    options.tables = {"courier_errands", "courier_attempts", "errand"};
    options.limits = {limits.queue,         limits.gas,         limits.max_fee_per_gas, limits.stuck_blocks,
                      limits.bump_permille, limits.final_depth, limits.under_way};
    options.is_urgent = true;
    options.what = "an errand";
    sender_ = sender::make_sender({d_.database, d_.chain, d_.blocks, d_.fees, *this}, std::move(options));
    if (d_.metrics == nullptr) return;
    included_.emplace(d_.metrics->counter("community_courier_included_total", "Plain functions brought on chain"));
    failed_.emplace(d_.metrics->counter("community_courier_failed_total", "Plain functions given up"));
  }

  std::optional<Address> address() const override { return key_.address; }

  Task<Result<Bytes32>> accept(Address to, Bytes call_data) override {
    if (call_data.size() < 4 || call_data.size() > limits_.bytes)
      co_return fail(ErrorCode::call_invalid, "a call has 4 to " + std::to_string(limits_.bytes) + " bytes");
    // An account has one address on every chain, and some of its functions take no signature that names the chain.
    Bytes named = core::to_bytes(core::Uint256(chain_id_).to_be());
    core::append(named, to);
    core::append(named, call_data);
    const Bytes32 id = base::keccak256(named);
    sender::Order order;
    order.id = hex(id);
    order.to = to;
    order.data = std::move(call_data);
    auto row = [chain = static_cast<long long>(chain_id_), now = static_cast<long long>(d_.clock.now_ms())](
                   soci::session& sql, const sender::Order& kept) {
      const std::string target = hex(kept.to), data = hex(kept.data);
      sql << "INSERT INTO courier_errands (id, chain_id, target, call_data, state, nonce, transaction_hash, "
             "block_number, "
             "reason, created_ms) VALUES (:id, :chain, :target, :data, 0, 0, '', 0, '', :now)",
          soci::use(kept.id), soci::use(chain), soci::use(target), soci::use(data), soci::use(now);
      return kept.id;
    };
    sender::KeepOrder keep = std::move(row);
    auto accepted = co_await sender_->accept(std::move(order), true, std::move(keep));
    if (!accepted) co_return tl::unexpected(from_sender(std::move(accepted.error())));
    co_return id;
  }

  Task<Result<Errand>> errand(Bytes32 id) override {
    auto job = [key = hex(id)](soci::session& sql) { return read_errand(sql, key); };
    auto found = co_await d_.database.read_short(job);
    if (!found) co_return fail(ErrorCode::storage, found.error().text());
    if (!*found) co_return fail(ErrorCode::not_found, "no such errand");
    co_return std::move(**found);
  }

  Task<void> run() override { return sender_->run(); }

 private:
  std::vector<sender::Order> open_orders(soci::session& sql) override {
    std::vector<sender::Order> orders;
    std::string id, target, call;
    const long long chain = static_cast<long long>(chain_id_);
    soci::statement rows =
        (sql.prepare << "SELECT id, target, call_data FROM courier_errands WHERE chain_id = :chain AND state < 2 "
                        "ORDER BY created_ms",
         soci::use(chain), soci::into(id), soci::into(target), soci::into(call));
    rows.execute();
    while (rows.fetch()) {
      sender::Order order;
      order.id = id;
      order.to = fixed<20>(target);
      order.data = core::parse_hex(call, core::HexPrefix::optional).value_or(Bytes{});
      orders.push_back(std::move(order));
    }
    return orders;
  }

  Task<sender::Result<core::Signature>> sign(sender::Order, Bytes unsigned_transaction) override {
    auto signature = co_await d_.keys.sign_transaction(key_.id, std::move(unsigned_transaction));
    if (signature) co_return *signature;
    const bool refused = signature.error().code == keys::ErrorCode::refused;
    co_return sender::fail(refused ? sender::ErrorCode::refused : sender::ErrorCode::keys_unavailable,
                           signature.error().text());
  }

  std::string describe_revert(core::ByteView revert) const override {
    return accounts::describe_account_revert(revert).value_or(chain::describe_revert(revert));
  }

  Task<void> ended(sender::Order order) override {
    if (order.state == sender::OrderState::included && included_) included_->add();
    if (order.state == sender::OrderState::failed && failed_) failed_->add();
    co_return;
  }

  Task<void> idle() override { co_return; }

  CourierDependencies d_;
  const std::uint64_t chain_id_;
  keys::KeyInfo key_;
  CourierLimits limits_;
  std::unique_ptr<sender::Sender> sender_;
  std::optional<infra::Counter> included_, failed_;
};

}  // namespace

infra::MigrationSet courier_migrations() {
  return {"courier", {{1, "errands and their transactions", kSchema}, {2, "the chain of an errand", kChains}}};
}

void claim_rows(soci::session& sql, std::uint64_t chain_id) {
  const long long chain = static_cast<long long>(chain_id);
  sql << "UPDATE courier_errands SET chain_id = :chain WHERE chain_id = 0", soci::use(chain);
}

std::unique_ptr<Courier> make_courier(CourierDependencies dependencies, std::uint64_t chain_id, keys::KeyInfo key,
                                      CourierLimits limits) {
  return std::make_unique<ChainCourier>(dependencies, chain_id, key, limits);
}

}  // namespace community::courier
