// SPDX-License-Identifier: Apache-2.0
// One payment is under way at a time, with all its attempts on disk, until one of them is final: nonces need no
// bookkeeping beyond that, because nobody else uses the key, and no payment can be made twice.
#include <algorithm>
#include <deque>

#include "community/core/transaction.hpp"
#include "community/infra/api/log.hpp"
#include "community/treasury/factory.hpp"
#include "community/treasury/payment_store.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/calls.hpp"

namespace community::treasury {
namespace {

constexpr unsigned kGasMarginPercent = 25;
// Payments that a report lists.
constexpr std::size_t kReported = 10;
// Looks that must agree that the nonce is used and no attempt mined: the client may have taken in a block between two
// answers, or two clients may differ for a while.
constexpr unsigned kLooksUntilLost = 3;

Bytes deposit_call(const Address& paymaster) {
  Bytes data = core::to_bytes(ethereum::kDepositTo);
  data.resize(4 + 12);
  core::append(data, paymaster);
  return data;
}

class ChainTreasurer final : public Treasurer {
 public:
  ChainTreasurer(TreasurerDependencies dependencies, TreasurerOptions options)
      : d_(dependencies), options_(std::move(options)), limits_(options_.limits), store_(d_.database) {
    d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
      if (event.kind == chain::ChainEvent::Kind::block) head_ = event.block.number;
      wake_.set();
      co_return;
    });
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
    co_await loaded_.wait();
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

  Task<void> run() override {
    for (;;) {
      if (!loaded_.is_set()) {
        const bool loaded = co_await load();
        if (loaded) loaded_.set();
        // A crash may have come between disk and chain; sending what the chain knows already does no harm.
        if (current_) co_await send(current_->attempts.back());
      }
      if (loaded_.is_set()) co_await step();
      co_await wake_.wait();
      wake_.reset();
    }
  }

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
    if (waiting_.size() + (current_ ? 1 : 0) >= limits_.queue)
      co_return fail(ErrorCode::queue_full, "too many payments wait; the first of them is under way");
    Job job;
    job.payment = payment;
    const auto id = co_await store_.add(std::move(payment), d_.clock.now_ms());
    if (!id) co_return tl::unexpected(id.error());
    job.payment.id = *id;
    waiting_.push_back(std::move(job));
    wake_.set();
    co_return *id;
  }

  Task<bool> load() {
    auto jobs = co_await store_.open();
    if (!jobs) {
      infra::log_warning("the treasury's payments were not read", {{"why", jobs.error().text()}});
      co_return false;
    }
    for (Job& job : *jobs) {
      if (!job.attempts.empty() && !current_) {
        current_ = std::move(job);
      } else {
        waiting_.push_back(std::move(job));
      }
    }
    co_return true;
  }

  Task<void> step() {
    if (current_) co_await follow();
    if (!current_ && waiting_.empty()) co_await look_for_need();
    while (!current_ && !waiting_.empty()) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      if (!co_await begin(job)) {
        waiting_.push_front(std::move(job));
        co_return;
      }
    }
  }

  // The first executor or deposit that is below its lowest, filled up to its target as far as cap and money go.
  Task<void> look_for_need() {
    if ((limits_.min_balance.is_zero() && limits_.min_deposit.is_zero()) || head_ < next_look_) co_return;
    next_look_ = head_ + limits_.look_blocks;
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
        next_look_ = head_ + limits_.rest_blocks;
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

  // False when it has to be tried again later; what chain or core refuse is over.
  Task<bool> begin(Job& job) {
    const auto nonce = co_await d_.chain.transaction_count(options_.key.address);
    if (!nonce) co_return false;
    const auto gas = co_await estimate(job);
    if (!gas) {
      if (gas.error().code == ErrorCode::chain_unavailable) co_return false;
      co_await end(std::move(job), gas.error().message);
      co_return true;
    }
    job.nonce = *nonce;
    const auto fees = co_await d_.fees.suggest();
    if (!fees) co_return false;
    const auto sent = co_await attempt(job, *gas, fees->standard);
    if (!sent) {
      if (sent.error().code != ErrorCode::refused) co_return false;
      co_await end(std::move(job), sent.error().message);
      co_return true;
    }
    missing_ = 0;
    current_ = std::move(job);
    co_return true;
  }

  // Destination and call data of a payment.
  std::pair<Address, Bytes> call_of(const Payment& payment) const {
    if (payment.kind == PaymentKind::executor) return {payment.payee, Bytes()};
    const PaymasterAccount* account = find_paymaster(payment.payee);
    // One that is no longer configured: the core refuses the payment.
    const Address entry_point = account == nullptr ? Address{} : account->entry_point->address();
    return {entry_point, deposit_call(payment.payee)};
  }

  // `refused` with the reason when the chain would not carry it out.
  Task<Result<std::uint64_t>> estimate(const Job& job) {
    chain::CallRequest request;
    request.from = options_.key.address;
    std::tie(request.to, request.data) = call_of(job.payment);
    request.value = job.payment.value;
    const auto gas = co_await d_.chain.estimate_gas(std::move(request));
    if (!gas) {
      if (gas.error().kind != chain::ChainErrorKind::rpc)
        co_return fail(ErrorCode::chain_unavailable, gas.error().text());
      const std::string words = chain::describe_revert(gas.error().data);
      co_return fail(ErrorCode::refused, words.empty() ? gas.error().message : words);
    }
    if (*gas > limits_.gas)
      co_return fail(ErrorCode::refused, "the payment takes " + std::to_string(*gas) + " gas, " +
                                             std::to_string(limits_.gas) + " are the most");
    co_return std::min(*gas + *gas / 100 * kGasMarginPercent, limits_.gas);
  }

  // Signs, writes, sends. What is not sent is sent again by follow(). A refusal of the core has its words.
  Task<Result<void>> attempt(Job& job, std::uint64_t gas, chain::FeeOffer fees) {
    fees.max_fee_per_gas = std::min(fees.max_fee_per_gas, limits_.max_fee_per_gas);
    fees.max_priority_fee_per_gas = std::min(fees.max_priority_fee_per_gas, fees.max_fee_per_gas);
    core::Transaction transaction;
    transaction.chain_id = Uint256(options_.chain_id);
    transaction.nonce = job.nonce;
    transaction.max_fee_per_gas = fees.max_fee_per_gas;
    transaction.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
    transaction.gas_limit = Uint256(gas);
    transaction.value = job.payment.value;
    const auto [to, data] = call_of(job.payment);
    transaction.to = to;
    transaction.data = data;
    std::optional<keys::RecordId> executor;
    if (job.payment.kind == PaymentKind::executor) {
      const auto known = co_await executor_at(job.payment.payee);
      if (!known) co_return tl::unexpected(known.error());
      if (*known) executor = (*known)->id;
    }
    const auto made = co_await d_.treasuries.sign_treasury(options_.key.id, transaction.unsigned_encoding(), executor);
    if (!made) {
      const bool refused = made.error().code == keys::ErrorCode::refused;
      co_return fail(refused ? ErrorCode::refused : ErrorCode::keys_unavailable, made.error().text());
    }
    transaction.signature = made->signature;
    auto raw = transaction.signed_encoding();
    if (!raw) co_return fail(ErrorCode::refused, raw.error().text());
    Attempt one;
    one.hash = base::keccak256(*raw);
    one.raw = std::move(*raw);
    one.fees = fees;
    one.sent_at = head_;
    Job next = job;
    next.payment.state = PaymentState::sent;
    next.payment.transaction_hash = one.hash;
    std::optional<Attempt> row = one;
    const auto written = co_await store_.write(next, std::move(row));
    if (!written) co_return written;
    job = std::move(next);
    job.attempts.push_back(one);
    co_await send(one);
    co_return Result<void>{};
  }

  Task<void> send(const Attempt& one) {
    const auto sent = co_await d_.chain.send_raw_transaction(one.raw);
    if (!sent) infra::log_warning("the chain did not take a payment of the treasury", {{"why", sent.error().text()}});
  }

  Task<void> follow() {
    Job& job = *current_;
    // The count comes first: a block between the answers then shows as a receipt, not as a loss.
    const auto count = co_await d_.chain.transaction_count(options_.key.address);
    if (!count) co_return;
    for (const Attempt& one : job.attempts) {
      const auto receipt = co_await d_.chain.receipt(one.hash);
      if (!receipt) co_return;
      if (!*receipt) continue;
      missing_ = 0;
      co_await on_mined(one.hash, (*receipt)->block_number, (*receipt)->success);
      co_return;
    }
    if (*count > job.nonce) {
      if (++missing_ < kLooksUntilLost) co_return;
      Job lost = std::move(job);
      current_.reset();
      co_await end(std::move(lost), "its nonce was used by a transaction that is not this node's");
      co_return;
    }
    missing_ = 0;
    job.payment.block_number = 0;
    const Attempt last = job.attempts.back();
    if (head_ >= last.sent_at + limits_.stuck_blocks) co_await raise(job, last);
  }

  Task<void> on_mined(Bytes32 hash, std::uint64_t block_number, bool success) {
    Job& job = *current_;
    const bool is_new = job.payment.block_number != block_number || job.payment.transaction_hash != hash;
    job.payment.transaction_hash = hash;
    job.payment.block_number = block_number;
    // Until it is final, a reorganisation may take it out again; then it is sent again from here.
    if (head_ < block_number + limits_.final_depth) {
      Job row = job;
      if (is_new) co_await write(std::move(row));
      co_return;
    }
    Job done = std::move(job);
    current_.reset();
    co_await end(std::move(done), success ? "" : "it reverted on chain");
  }

  // Higher fees where they may rise; the same bytes again where not.
  Task<void> raise(Job& job, Attempt last) {
    chain::FeeOffer fees = last.fees;
    fees.max_fee_per_gas = chain::raised_fee(fees.max_fee_per_gas, limits_.bump_permille);
    fees.max_priority_fee_per_gas = chain::raised_fee(fees.max_priority_fee_per_gas, limits_.bump_permille);
    if (fees.max_fee_per_gas > limits_.max_fee_per_gas) {
      co_await send(last);
      co_return;
    }
    const auto gas = co_await estimate(job);
    // It may be refused now because an attempt is mined already: the receipt tells at the next block.
    if (!gas) co_return;
    const auto sent = co_await attempt(job, *gas, fees);
    if (sent) co_return;
    infra::log_warning("a payment was not sent again with higher fees", {{"why", sent.error().text()}});
    co_await send(last);
  }

  Task<void> write(Job job) {
    std::optional<Attempt> none;
    const auto written = co_await store_.write(std::move(job), std::move(none));
    if (!written) infra::log_warning("a payment's state was not written", {{"why", written.error().text()}});
  }

  // An empty reason: it is on chain for good.
  Task<void> end(Job job, std::string reason) {
    const bool is_done = reason.empty();
    job.payment.state = is_done ? PaymentState::included : PaymentState::failed;
    if (!is_done) {
      infra::log_warning("a payment of the treasury failed",
                         {{"payee", core::format_address(job.payment.payee)}, {"why", reason}});
      if (job.payment.automatic) {
        trouble_ = "a refill failed: " + reason;
        next_look_ = head_ + limits_.rest_blocks;
      }
      if (failed_) failed_->add();
    } else if (paid_) {
      paid_->add();
    }
    job.payment.reason = std::move(reason);
    co_await write(std::move(job));
    wake_.set();
  }

  infra::HealthReport health() const {
    if (trouble_.empty()) return {};
    return {infra::HealthState::degraded, trouble_};
  }

  TreasurerDependencies d_;
  TreasurerOptions options_;
  const TreasuryLimits limits_;
  PaymentStore store_;
  std::deque<Job> waiting_;
  std::optional<Job> current_;
  infra::Event wake_, loaded_;
  std::uint64_t head_ = 0;
  // The block from which balances are looked at again.
  std::uint64_t next_look_ = 0;
  // Looks in a row that found the nonce used and none of the attempts mined.
  unsigned missing_ = 0;
  // Words for health; empty when all is well.
  std::string trouble_;
  std::optional<infra::Counter> paid_, failed_;
};

}  // namespace

infra::MigrationSet treasury_migrations() { return PaymentStore::migrations(); }

std::unique_ptr<Treasurer> make_treasurer(TreasurerDependencies dependencies, TreasurerOptions options) {
  return std::make_unique<ChainTreasurer>(dependencies, std::move(options));
}

}  // namespace community::treasury
