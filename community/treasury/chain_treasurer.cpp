// SPDX-License-Identifier: Apache-2.0
// Payments as orders of the treasury's key, and what is paid by itself. What sends them is community/sender.
#include <algorithm>
#include <cstdlib>

#include "community/infra/api/log.hpp"
#include "community/sender/api/sender.hpp"
#include "community/treasury/factory.hpp"
#include "community/treasury/payment_store.hpp"
#include "trusted/ethereum/calls.hpp"

namespace community::treasury {
namespace {

// Payments that a report lists.
constexpr std::size_t kReported = 10;

Bytes deposit_call(const Address& paymaster) {
  Bytes data = core::to_bytes(ethereum::kDepositTo);
  data.resize(4 + 12);
  core::append(data, paymaster);
  return data;
}

Error from_sender(sender::Error error) {
  switch (error.code) {
    case sender::ErrorCode::queue_full:
      return {ErrorCode::queue_full, std::move(error.message)};
    case sender::ErrorCode::would_revert:
    case sender::ErrorCode::gas_too_high:
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

class ChainTreasurer final : public Treasurer, private sender::OrderOwner {
 public:
  ChainTreasurer(TreasurerDependencies dependencies, TreasurerOptions options)
      : d_(dependencies),
        options_(std::move(options)),
        limits_(options_.limits),
        store_(d_.database, options_.chain_id) {
    sender::SenderOptions sending;
    sending.chain_id = options_.chain_id;
    sending.from = options_.key.address;
    sending.tables = {"treasury_payments", "treasury_attempts", "payment"};
    sending.limits = {limits_.queue,        limits_.gas,           limits_.max_fee_per_gas,
                      limits_.stuck_blocks, limits_.bump_permille, limits_.final_depth};
    sending.what = "a payment of the treasury";
    sender_ = sender::make_sender({d_.database, d_.chain, d_.blocks, d_.fees, *this}, std::move(sending));
    if (d_.health != nullptr) d_.health->add("treasury", [this] { return health(); });
    if (d_.metrics == nullptr) return;
    paid_.emplace(d_.metrics->counter("community_treasury_payments_total", "Payments that are final"));
    failed_.emplace(d_.metrics->counter("community_treasury_failed_total", "Payments given up"));
  }

  Task<Result<std::uint64_t>> pay(PaymentKind kind, Address payee, Uint256 value) override {
    if (value.is_zero() || value > limits_.value_cap)
      co_return fail(ErrorCode::value_out_of_range,
                     "a payment moves 1 to " + core::format_decimal(limits_.value_cap) + " wei");
    Payment payment;
    payment.kind = kind;
    payment.payee = payee;
    payment.value = value;
    if (kind == PaymentKind::executor) {
      const auto known = co_await executor_at(payee);
      if (!known) co_return tl::unexpected(known.error());
      if (!*known)
        co_return fail(ErrorCode::not_an_executor, core::format_address(payee) + " is no executor of this node");
    } else if (find_paymaster(payee) == nullptr) {
      co_return fail(ErrorCode::not_a_paymaster, core::format_address(payee) + " is no paymaster of this node");
    }
    co_return co_await keep(std::move(payment));
  }

  Task<Result<Payment>> payment(std::uint64_t id) override { return store_.payment(id); }

  Task<Result<TreasuryReport>> report() override {
    TreasuryReport report;
    report.address = options_.key.address;
    auto seen = co_await report_balances();
    if (!seen) co_return tl::unexpected(seen.error());
    report.balance = seen->first;
    report.holdings = std::move(seen->second);
    auto latest = co_await store_.latest(kReported);
    if (!latest) co_return tl::unexpected(latest.error());
    report.payments = std::move(*latest);
    co_return report;
  }

  Task<void> run() override { return sender_->run(); }

 private:
  const PaymasterAccount* find_paymaster(const Address& paymaster) const {
    for (const PaymasterAccount& account : options_.paymasters)
      if (account.paymaster == paymaster) return &account;
    return nullptr;
  }

  Task<Result<std::optional<keys::KeyInfo>>> executor_at(Address address) {
    const auto executors = co_await d_.executors.executors(options_.chain_id);
    if (!executors) co_return fail(ErrorCode::keys_unavailable, executors.error().text());
    for (const keys::KeyInfo& key : *executors)
      if (key.address == address) co_return std::optional<keys::KeyInfo>(key);
    co_return std::optional<keys::KeyInfo>();
  }

  Task<Result<std::vector<Holding>>> holdings() {
    const auto executors = co_await d_.executors.executors(options_.chain_id);
    if (!executors) co_return fail(ErrorCode::keys_unavailable, executors.error().text());
    std::vector<Holding> holdings;
    for (const keys::KeyInfo& key : *executors) {
      const auto balance = co_await d_.chain.balance(key.address);
      if (!balance) co_return fail(ErrorCode::chain_unavailable, balance.error().text());
      holdings.push_back({PaymentKind::executor, key.address, *balance});
    }
    for (const PaymasterAccount& account : options_.paymasters) {
      chain::CallRequest request;
      request.to = account.entry_point->address();
      request.data = account.entry_point->encode_balance_of(account.paymaster);
      const auto answer = co_await d_.chain.call(std::move(request));
      if (!answer) co_return fail(ErrorCode::chain_unavailable, answer.error().text());
      const auto deposit = chain::decode_word(*answer);
      if (!deposit) co_return fail(ErrorCode::chain_unavailable, "an EntryPoint answers no deposit");
      holdings.push_back({PaymentKind::deposit, account.paymaster, *deposit});
    }
    co_return holdings;
  }

  Task<Result<std::uint64_t>> keep(Payment payment) {
    sender::Order order;
    order.value = payment.value;
    std::tie(order.to, order.data) = call_of(payment);
    auto row = [&store = store_, payment, now = d_.clock.now_ms()](soci::session& sql, const sender::Order&) {
      return std::to_string(store.add(sql, payment, now));
    };
    sender::KeepOrder kept = std::move(row);
    auto accepted = co_await sender_->accept(std::move(order), false, std::move(kept));
    if (!accepted) co_return tl::unexpected(from_sender(std::move(accepted.error())));
    co_return std::strtoull(accepted->c_str(), nullptr, 10);
  }

  // The first executor or deposit that is below its lowest, filled up to its target as far as cap and money go.
  Task<void> idle() override {
    const std::uint64_t head = sender_->head();
    if ((limits_.min_balance.is_zero() && limits_.min_deposit.is_zero()) || head < next_look_) co_return;
    next_look_ = head + limits_.look_blocks;
    const auto seen = co_await report_balances();
    if (!seen) {
      infra::log_warning("the treasury sees no balances", {{"why", seen.error().text()}});
      co_return;
    }
    trouble_.clear();
    for (const Holding& holding : seen->second) {
      const bool is_executor = holding.kind == PaymentKind::executor;
      const Uint256& lowest = is_executor ? limits_.min_balance : limits_.min_deposit;
      const Uint256& target = is_executor ? limits_.target_balance : limits_.target_deposit;
      if (holding.balance >= lowest) continue;
      const Uint256 wanted = std::min(subtract(target, holding.balance).value_or(Uint256()), limits_.value_cap);
      if (wanted.is_zero()) continue;
      // Gas is kept back at the highest fee that the core signs; what is not enough for a whole refill waits.
      const Uint256 gas = multiply(Uint256(limits_.gas), limits_.max_fee_per_gas).value_or(Uint256::max());
      if (subtract(seen->first, gas).value_or(Uint256()) < wanted) {
        trouble_ = "the treasury " + core::format_address(options_.key.address) + " has too little to fill up " +
                   core::format_address(holding.payee) + ": send it ether";
        next_look_ = head + limits_.rest_blocks;
        co_return;
      }
      Payment payment;
      payment.kind = holding.kind;
      payment.payee = holding.payee;
      payment.value = wanted;
      payment.automatic = true;
      const auto kept = co_await keep(std::move(payment));
      if (!kept) infra::log_warning("a refill was not begun", {{"why", kept.error().text()}});
      co_return;
    }
  }

  // The treasury's own balance, then what it looks after.
  Task<Result<std::pair<Uint256, std::vector<Holding>>>> report_balances() {
    const auto own = co_await d_.chain.balance(options_.key.address);
    if (!own) co_return fail(ErrorCode::chain_unavailable, own.error().text());
    auto held = co_await holdings();
    if (!held) co_return tl::unexpected(held.error());
    co_return std::pair<Uint256, std::vector<Holding>>(*own, std::move(*held));
  }

  // Destination and call data of a payment.
  std::pair<Address, Bytes> call_of(const Payment& payment) const {
    if (payment.kind == PaymentKind::executor) return {payment.payee, Bytes()};
    const PaymasterAccount* account = find_paymaster(payment.payee);
    // One that is no longer configured: the core refuses the payment.
    const Address entry_point = account == nullptr ? Address{} : account->entry_point->address();
    return {entry_point, deposit_call(payment.payee)};
  }

  std::vector<sender::Order> open_orders(soci::session& sql) override {
    std::vector<sender::Order> orders;
    for (const Payment& payment : store_.open(sql)) {
      sender::Order order;
      order.id = std::to_string(payment.id);
      order.value = payment.value;
      std::tie(order.to, order.data) = call_of(payment);
      orders.push_back(std::move(order));
    }
    return orders;
  }

  // A payment to an executor is one without call data.
  Task<sender::Result<core::Signature>> sign(sender::Order order, Bytes unsigned_transaction) override {
    std::optional<keys::RecordId> executor;
    if (order.data.empty()) {
      const auto known = co_await executor_at(order.to);
      if (!known) co_return sender::fail(sender::ErrorCode::keys_unavailable, known.error().message);
      if (*known) executor = (*known)->id;
    }
    const auto made = co_await d_.treasuries.sign_treasury(options_.key.id, std::move(unsigned_transaction), executor);
    if (made) co_return made->signature;
    const bool refused = made.error().code == keys::ErrorCode::refused;
    co_return sender::fail(refused ? sender::ErrorCode::refused : sender::ErrorCode::keys_unavailable,
                           made.error().text());
  }

  std::string describe_revert(core::ByteView revert) const override { return chain::describe_revert(revert); }

  Task<void> ended(sender::Order order) override {
    if (order.state == sender::OrderState::included) {
      if (paid_) paid_->add();
      co_return;
    }
    infra::log_warning("a payment of the treasury failed",
                       {{"to", core::format_address(order.to)}, {"why", order.reason}});
    if (failed_) failed_->add();
    const auto payment = co_await store_.payment(std::strtoull(order.id.c_str(), nullptr, 10));
    if (!payment || !payment->automatic) co_return;
    trouble_ = "a refill failed: " + order.reason;
    next_look_ = sender_->head() + limits_.rest_blocks;
  }

  infra::HealthReport health() const {
    if (trouble_.empty()) return {};
    return {infra::HealthState::degraded, trouble_};
  }

  TreasurerDependencies d_;
  TreasurerOptions options_;
  const TreasuryLimits limits_;
  PaymentStore store_;
  // The block from which balances are looked at again.
  std::uint64_t next_look_ = 0;
  // Words for health; empty when all is well.
  std::string trouble_;
  std::unique_ptr<sender::Sender> sender_;
  std::optional<infra::Counter> paid_, failed_;
};

}  // namespace

infra::MigrationSet treasury_migrations() { return PaymentStore::migrations(); }

std::unique_ptr<Treasurer> make_treasurer(TreasurerDependencies dependencies, TreasurerOptions options) {
  return std::make_unique<ChainTreasurer>(dependencies, std::move(options));
}

}  // namespace community::treasury
