// SPDX-License-Identifier: Apache-2.0
// One errand is under way at a time, with all its attempts on disk: whichever of them is mined, it is the errand.
// Nonces need no bookkeeping beyond that, because nobody else uses the key.
#include <soci/soci.h>

#include <algorithm>
#include <deque>
#include <set>

#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/core/transaction.hpp"
#include "community/courier/factory.hpp"
#include "community/infra/api/log.hpp"
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

// Estimates are exact for the state they were made on; signatures and storage may cost a little more in the next.
constexpr unsigned kGasMarginPercent = 25;

struct Attempt {
  Bytes32 hash{};
  Bytes raw;
  chain::FeeOffer fees;
  // Head when it was sent.
  std::uint64_t sent_at = 0;
};

struct Job {
  Errand errand;
  Bytes call_data;
  std::uint64_t nonce = 0;
  std::vector<Attempt> attempts;
};

std::string hex(core::ByteView bytes) { return core::to_plain_hex(bytes); }
template <std::size_t N>
std::array<std::uint8_t, N> fixed(const std::string& text) {
  return core::parse_hex_array<N>(text, core::HexPrefix::optional).value_or(std::array<std::uint8_t, N>{});
}

void write_errand(soci::session& sql, const Job& job) {
  const std::string id = hex(job.errand.id), transaction = hex(job.errand.transaction_hash);
  const int state = static_cast<int>(job.errand.state);
  const long long nonce = static_cast<long long>(job.nonce), block = static_cast<long long>(job.errand.block_number);
  sql << "UPDATE courier_errands SET state = :state, nonce = :nonce, transaction_hash = :hash, block_number = :block, "
         "reason = :reason WHERE id = :id",
      soci::use(state), soci::use(nonce), soci::use(transaction), soci::use(block), soci::use(job.errand.reason),
      soci::use(id);
}

void write_attempt(soci::session& sql, const Job& job, const Attempt& attempt) {
  const std::string hash = hex(attempt.hash), errand = hex(job.errand.id), raw = hex(attempt.raw);
  const std::string fee = core::format_decimal(attempt.fees.max_fee_per_gas);
  const std::string priority = core::format_decimal(attempt.fees.max_priority_fee_per_gas);
  const long long sent_at = static_cast<long long>(attempt.sent_at);
  sql << "INSERT INTO courier_attempts (hash, errand, raw, max_fee, priority_fee, sent_at) VALUES (:hash, :errand, "
         ":raw, :fee, :priority, :sent_at)",
      soci::use(hash), soci::use(errand), soci::use(raw), soci::use(fee), soci::use(priority), soci::use(sent_at);
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

std::vector<Attempt> read_attempts(soci::session& sql, const std::string& errand) {
  std::vector<Attempt> attempts;
  std::string hash, raw, fee, priority;
  long long sent_at = 0;
  soci::statement rows = (sql.prepare << "SELECT hash, raw, max_fee, priority_fee, sent_at FROM courier_attempts WHERE "
                                         "errand = :errand ORDER BY sent_at",
                          soci::use(errand), soci::into(hash), soci::into(raw), soci::into(fee), soci::into(priority),
                          soci::into(sent_at));
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

class ChainCourier final : public Courier {
 public:
  ChainCourier(CourierDependencies dependencies, std::uint64_t chain_id, keys::KeyInfo key, CourierLimits limits)
      : d_(dependencies), chain_id_(chain_id), key_(key), limits_(limits) {
    d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
      if (event.kind == chain::ChainEvent::Kind::block) head_ = event.block.number;
      wake_.set();
      co_return;
    });
    if (d_.metrics == nullptr) return;
    included_.emplace(d_.metrics->counter("community_courier_included_total", "Plain functions brought on chain"));
    failed_.emplace(d_.metrics->counter("community_courier_failed_total", "Plain functions given up"));
  }

  std::optional<Address> address() const override { return key_.address; }

  Task<Result<Bytes32>> accept(Address to, Bytes call_data) override {
    if (call_data.size() < 4 || call_data.size() > limits_.bytes)
      co_return fail(ErrorCode::call_invalid, "a call has 4 to " + std::to_string(limits_.bytes) + " bytes");
    // What a former run accepted is known first: a call that is under way is not begun again beside itself.
    co_await loaded_.wait();
    Bytes named = core::to_bytes(to);
    core::append(named, call_data);
    Job job;
    job.errand.id = base::keccak256(named);
    job.errand.to = to;
    if (open_.contains(job.errand.id)) co_return job.errand.id;
    if (open_.size() >= limits_.queue)
      co_return fail(ErrorCode::queue_full, "too many calls wait to be brought on chain; try again later");
    job.call_data = std::move(call_data);
    // The place is taken while the call is tried, so that many at once cannot overfill the queue.
    open_.insert(job.errand.id);
    const Bytes32 id = job.errand.id;
    auto kept = co_await try_and_keep(job);
    if (!kept) {
      open_.erase(id);
      co_return tl::unexpected(std::move(kept.error()));
    }
    waiting_.push_back(std::move(job));
    wake_.set();
    co_return id;
  }

  Task<Result<Errand>> errand(Bytes32 id) override {
    auto job = [key = hex(id)](soci::session& sql) { return read_errand(sql, key); };
    auto found = co_await d_.database.read(job);
    if (!found) co_return fail(ErrorCode::storage, found.error().text());
    if (!*found) co_return fail(ErrorCode::not_found, "no such errand");
    co_return std::move(**found);
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
  Task<Result<void>> try_and_keep(const Job& job) {
    const auto gas = co_await estimate(job);
    if (!gas) co_return tl::unexpected(gas.error());
    co_return co_await keep(job);
  }

  Task<Result<void>> keep(const Job& job) {
    auto write = [errand = job.errand, data = hex(job.call_data),
                  now = static_cast<long long>(d_.clock.now_ms())](soci::session& sql) {
      const std::string id = hex(errand.id), target = hex(errand.to);
      sql << "DELETE FROM courier_attempts WHERE errand = :id", soci::use(id);
      sql << "DELETE FROM courier_errands WHERE id = :id", soci::use(id);
      sql << "INSERT INTO courier_errands (id, target, call_data, state, nonce, transaction_hash, block_number, "
             "reason, "
             "created_ms) VALUES (:id, :target, :data, 0, 0, '', 0, '', :now)",
          soci::use(id), soci::use(target), soci::use(data), soci::use(now);
    };
    auto written = co_await d_.database.write(write);
    if (!written) co_return fail(ErrorCode::storage, written.error().text());
    co_return Result<void>{};
  }

  // Oldest first; at most one has attempts that are not final.
  Task<bool> load() {
    auto read = [](soci::session& sql) {
      std::vector<std::string> ids, data;
      std::vector<long long> nonces;
      std::string id, call;
      long long nonce = 0;
      soci::statement rows =
          (sql.prepare << "SELECT id, call_data, nonce FROM courier_errands WHERE state < 2 ORDER BY created_ms",
           soci::into(id), soci::into(call), soci::into(nonce));
      rows.execute();
      while (rows.fetch()) {
        ids.push_back(id);
        data.push_back(call);
        nonces.push_back(nonce);
      }
      std::vector<Job> jobs;
      for (std::size_t i = 0; i < ids.size(); i++) {
        Job job;
        job.errand = *read_errand(sql, ids[i]);
        job.call_data = core::parse_hex(data[i], core::HexPrefix::optional).value_or(Bytes{});
        job.nonce = static_cast<std::uint64_t>(nonces[i]);
        job.attempts = read_attempts(sql, ids[i]);
        jobs.push_back(std::move(job));
      }
      return jobs;
    };
    auto jobs = co_await d_.database.read(read);
    if (!jobs) {
      infra::log_warning("the courier's errands were not read", {{"why", jobs.error().text()}});
      co_return false;
    }
    for (Job& job : *jobs) {
      const bool is_new = open_.insert(job.errand.id).second;
      if (job.errand.state == ErrandState::sent && !current_) {
        current_ = std::move(job);
      } else if (is_new) {
        waiting_.push_back(std::move(job));
      }
    }
    co_return true;
  }

  Task<void> step() {
    if (current_) co_await follow();
    while (!current_ && !waiting_.empty()) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      if (!co_await begin(job)) {
        waiting_.push_front(std::move(job));
        co_return;
      }
    }
  }

  // False when it has to be tried again later; a call that the contract or the core refuses is over.
  Task<bool> begin(Job& job) {
    const auto nonce = co_await d_.chain.transaction_count(key_.address);
    if (!nonce) co_return false;
    auto gas = co_await estimate(job);
    if (!gas) {
      if (gas.error().code == ErrorCode::chain_unavailable) co_return false;
      co_await end(std::move(job), gas.error().message);
      co_return true;
    }
    job.nonce = *nonce;
    const auto fees = co_await d_.fees.suggest();
    if (!fees) co_return false;
    auto sent = co_await attempt(job, *gas, fees->fast);
    if (!sent) {
      if (sent.error().code != ErrorCode::refused) co_return false;
      co_await end(std::move(job), sent.error().message);
      co_return true;
    }
    current_ = std::move(job);
    co_return true;
  }

  Task<Result<std::uint64_t>> estimate(const Job& job) {
    chain::CallRequest request;
    request.from = key_.address;
    request.to = job.errand.to;
    request.data = job.call_data;
    const auto gas = co_await d_.chain.estimate_gas(std::move(request));
    if (!gas) {
      if (gas.error().kind != chain::ChainErrorKind::rpc)
        co_return fail(ErrorCode::chain_unavailable, gas.error().text());
      const std::string words =
          accounts::describe_account_revert(gas.error().data).value_or(chain::describe_revert(gas.error().data));
      co_return fail(ErrorCode::would_revert, words.empty() ? gas.error().message : words);
    }
    const std::uint64_t with_margin = *gas + *gas / 100 * kGasMarginPercent;
    if (*gas > limits_.gas)
      co_return fail(ErrorCode::gas_too_high, "the call takes " + std::to_string(*gas) + " gas, " +
                                                  std::to_string(limits_.gas) + " are the most");
    co_return std::min(with_margin, limits_.gas);
  }

  // Signs, writes, sends. What is not sent is sent again by follow().
  Task<Result<void>> attempt(Job& job, std::uint64_t gas, chain::FeeOffer fees) {
    fees.max_fee_per_gas = std::min(fees.max_fee_per_gas, limits_.max_fee_per_gas);
    fees.max_priority_fee_per_gas = std::min(fees.max_priority_fee_per_gas, fees.max_fee_per_gas);
    core::Transaction transaction;
    transaction.chain_id = Uint256(chain_id_);
    transaction.nonce = job.nonce;
    transaction.max_fee_per_gas = fees.max_fee_per_gas;
    transaction.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
    transaction.gas_limit = Uint256(gas);
    transaction.to = job.errand.to;
    transaction.data = job.call_data;
    auto signature = co_await d_.keys.sign_transaction(key_.id, transaction.unsigned_encoding());
    if (!signature) {
      const bool refused = signature.error().code == keys::ErrorCode::refused;
      co_return fail(refused ? ErrorCode::refused : ErrorCode::keys_unavailable, signature.error().text());
    }
    transaction.signature = *signature;
    auto raw = transaction.signed_encoding();
    if (!raw) co_return fail(ErrorCode::refused, raw.error().text());
    Attempt one;
    one.hash = base::keccak256(*raw);
    one.raw = std::move(*raw);
    one.fees = fees;
    one.sent_at = head_;
    Job next = job;
    next.errand.state = ErrandState::sent;
    next.errand.transaction_hash = one.hash;
    auto write = [next, one](soci::session& sql) {
      write_errand(sql, next);
      write_attempt(sql, next, one);
    };
    auto written = co_await d_.database.write(write);
    if (!written) co_return fail(ErrorCode::storage, written.error().text());
    job = std::move(next);
    job.attempts.push_back(one);
    co_await send(one);
    co_return Result<void>{};
  }

  Task<void> send(const Attempt& one) {
    const auto sent = co_await d_.chain.send_raw_transaction(one.raw);
    if (!sent) infra::log_warning("the chain did not take an errand", {{"why", sent.error().text()}});
  }

  Task<void> follow() {
    Job& job = *current_;
    for (const Attempt& one : job.attempts) {
      const auto receipt = co_await d_.chain.receipt(one.hash);
      if (!receipt) co_return;
      if (!*receipt) continue;
      job.errand.transaction_hash = one.hash;
      job.errand.block_number = (*receipt)->block_number;
      // Until it is final, a reorganisation may take it out again; then it is sent again from here.
      if (head_ < (*receipt)->block_number + limits_.final_depth) co_return;
      Job done = std::move(job);
      current_.reset();
      co_await end(std::move(done), (*receipt)->success ? "" : "it reverted on chain");
      co_return;
    }
    const Attempt last = job.attempts.back();
    if (head_ < last.sent_at + limits_.stuck_blocks) co_return;
    co_await raise(job, last);
  }

  // Higher fees where they may rise; the same bytes again where not.
  Task<void> raise(Job& job, const Attempt& last) {
    chain::FeeOffer fees = last.fees;
    fees.max_fee_per_gas = chain::raised_fee(fees.max_fee_per_gas, limits_.bump_permille);
    fees.max_priority_fee_per_gas = chain::raised_fee(fees.max_priority_fee_per_gas, limits_.bump_permille);
    if (fees.max_fee_per_gas > limits_.max_fee_per_gas) {
      co_await send(last);
      co_return;
    }
    auto gas = co_await estimate(job);
    // It may be refused now because an attempt is mined already: the receipt tells at the next block.
    if (!gas) co_return;
    auto sent = co_await attempt(job, *gas, fees);
    if (!sent) infra::log_warning("an errand was not sent again", {{"why", sent.error().text()}});
  }

  // An empty reason: it is on chain for good.
  Task<void> end(Job job, std::string reason) {
    const bool is_done = reason.empty();
    job.errand.state = is_done ? ErrandState::included : ErrandState::failed;
    job.errand.reason = std::move(reason);
    auto write = [job](soci::session& sql) { write_errand(sql, job); };
    auto written = co_await d_.database.write(write);
    if (!written) infra::log_warning("the end of an errand was not written", {{"why", written.error().text()}});
    open_.erase(job.errand.id);
    if (is_done && included_) included_->add();
    if (!is_done && failed_) failed_->add();
  }

  CourierDependencies d_;
  std::uint64_t chain_id_;
  keys::KeyInfo key_;
  CourierLimits limits_;
  std::deque<Job> waiting_;
  std::optional<Job> current_;
  // Waiting and under way.
  std::set<Bytes32> open_;
  infra::Event wake_, loaded_;
  std::uint64_t head_ = 0;
  std::optional<infra::Counter> included_, failed_;
};

}  // namespace

infra::MigrationSet courier_migrations() { return {"courier", {{1, "errands and their transactions", kSchema}}}; }

std::unique_ptr<Courier> make_courier(CourierDependencies dependencies, std::uint64_t chain_id, keys::KeyInfo key,
                                      CourierLimits limits) {
  return std::make_unique<ChainCourier>(dependencies, chain_id, key, limits);
}

}  // namespace community::courier
