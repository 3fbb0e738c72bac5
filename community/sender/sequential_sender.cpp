// SPDX-License-Identifier: Apache-2.0
// At most one order waits for a block, with all its attempts on disk: whichever of them is mined, it is the order.
// Those before it are in blocks and wait until they are final; where a reorganisation takes some out again, they are
// sent again and nothing new is begun before they are back. So each order has the nonce after the one before, and
// nonces need no bookkeeping beyond that, because nobody else uses the key.
#include <algorithm>
#include <deque>
#include <set>

#include "community/chain/api/entry_point.hpp"
#include "community/core/transaction.hpp"
#include "community/infra/api/log.hpp"
#include "community/sender/attempt_store.hpp"
#include "trusted/base/keccak.hpp"

namespace community::sender {
namespace {

// Estimates are exact for the state they were made on; signatures and storage may cost a little more in the next.
constexpr unsigned kGasMarginPercent = 25;
// Looks that must agree that the nonce is used and no attempt mined: the client may have taken in a block between two
// answers, or two clients may differ for a while.
constexpr unsigned kLooksUntilLost = 3;
constexpr const char* kReverted = "it reverted on chain";

bool is_in_block(const Job& job) { return job.order.is_in_block(); }

class SequentialSender final : public Sender {
 public:
  SequentialSender(SenderDependencies dependencies, SenderOptions options)
      : d_(dependencies),
        options_(std::move(options)),
        limits_(options_.limits),
        store_(d_.database, d_.owner, options_.tables) {
    d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
      if (event.kind == chain::ChainEvent::Kind::block) head_ = event.block.number;
      wake_.set();
      co_return;
    });
  }

  std::uint64_t head() const override { return head_; }

  Task<Result<std::string>> accept(Order order, bool try_first, KeepOrder keep) override {
    // What a former run accepted is known first: an order that is under way is not begun again beside itself.
    co_await loaded_.wait();
    const std::string asked = order.id;
    if (open_.contains(asked)) co_return asked;
    if (open_.size() + arriving_ >= limits_.queue)
      co_return fail(ErrorCode::queue_full, "too many transactions wait to be brought on chain; try again later");
    // The place is taken while the order is tried and written, so that many at once cannot overfill the queue.
    if (asked.empty()) {
      arriving_++;
    } else {
      open_.insert(asked);
    }
    Job job;
    job.order = std::move(order);
    auto id = co_await try_and_keep(job, try_first, std::move(keep));
    if (asked.empty()) arriving_--;
    if (!id) {
      open_.erase(asked);
      co_return id;
    }
    job.order.id = *id;
    open_.insert(*id);
    waiting_.push_back(std::move(job));
    wake_.set();
    co_return id;
  }

  Task<void> run() override {
    for (;;) {
      if (!loaded_.is_set()) {
        const bool loaded = co_await load();
        if (loaded) loaded_.set();
        // A crash may have come between disk and chain; sending what the chain knows already does no harm.
        for (std::size_t i = 0; loaded && i < under_way_.size(); i++) {
          const Attempt last = under_way_[i].attempts.back();
          co_await send(last);
        }
      }
      if (loaded_.is_set()) co_await step();
      co_await wake_.wait();
      wake_.reset();
    }
  }

 private:
  Task<Result<std::string>> try_and_keep(const Job& job, bool try_first, KeepOrder keep) {
    if (try_first) {
      const auto gas = co_await estimate(job);
      if (!gas) co_return tl::unexpected(gas.error());
    }
    co_return co_await store_.add(job.order, std::move(keep));
  }

  Task<bool> load() {
    auto jobs = co_await store_.open();
    if (!jobs) {
      infra::log_warning("what was to be sent was not read", {{"what", options_.what}, {"why", jobs.error().text()}});
      co_return false;
    }
    for (Job& job : *jobs) {
      const bool is_new = open_.insert(job.order.id).second;
      if (!job.attempts.empty()) {
        under_way_.push_back(std::move(job));
      } else if (is_new) {
        waiting_.push_back(std::move(job));
      }
    }
    std::sort(under_way_.begin(), under_way_.end(), [](const Job& a, const Job& b) { return a.nonce < b.nonce; });
    co_return true;
  }

  Task<void> step() {
    co_await follow_all();
    if (under_way_.empty() && waiting_.empty()) co_await d_.owner.idle();
    while (may_begin()) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      const bool is_over_or_sent = co_await begin(job);
      if (!is_over_or_sent) {
        waiting_.push_front(std::move(job));
        co_return;
      }
    }
  }

  bool may_begin() const {
    return !waiting_.empty() && under_way_.size() < limits_.under_way &&
           std::all_of(under_way_.begin(), under_way_.end(), is_in_block);
  }

  // False when it has to be tried again later; an order that chain or core refuse is over.
  Task<bool> begin(Job& job) {
    const auto nonce = co_await d_.chain.transaction_count(options_.from);
    if (!nonce) co_return false;
    // A reorganisation has taken out what was in a block at the last look.
    if (!under_way_.empty() && *nonce <= under_way_.back().nonce) co_return false;
    const auto gas = co_await estimate(job);
    if (!gas) {
      if (gas.error().code == ErrorCode::chain_unavailable) co_return false;
      co_await end(std::move(job), gas.error().message);
      co_return true;
    }
    job.nonce = *nonce;
    const auto fees = co_await d_.fees.suggest();
    if (!fees) co_return false;
    const auto sent = co_await attempt(job, *gas, options_.is_urgent ? fees->fast : fees->standard);
    if (!sent) {
      if (sent.error().code != ErrorCode::refused) co_return false;
      co_await end(std::move(job), sent.error().message);
      co_return true;
    }
    under_way_.push_back(std::move(job));
    co_return true;
  }

  Task<Result<std::uint64_t>> estimate(const Job& job) {
    chain::CallRequest request;
    request.from = options_.from;
    request.to = job.order.to;
    request.value = job.order.value;
    request.data = job.order.data;
    const auto gas = co_await d_.chain.estimate_gas(std::move(request));
    if (!gas) {
      if (gas.error().kind != chain::ChainErrorKind::rpc)
        co_return fail(ErrorCode::chain_unavailable, gas.error().text());
      const std::string words = d_.owner.describe_revert(gas.error().data);
      co_return fail(ErrorCode::would_revert, words.empty() ? gas.error().message : words);
    }
    if (*gas > limits_.gas)
      co_return fail(ErrorCode::gas_too_high, "the transaction takes " + std::to_string(*gas) + " gas, " +
                                                  std::to_string(limits_.gas) + " are the most");
    co_return std::min(*gas + *gas / 100 * kGasMarginPercent, limits_.gas);
  }

  // Signs, writes, sends. What is not sent is sent again by follow().
  Task<Result<void>> attempt(Job& job, std::uint64_t gas, chain::FeeOffer fees) {
    fees.max_fee_per_gas = std::min(fees.max_fee_per_gas, limits_.max_fee_per_gas);
    fees.max_priority_fee_per_gas = std::min(fees.max_priority_fee_per_gas, fees.max_fee_per_gas);
    core::Transaction transaction;
    transaction.chain_id = Uint256(options_.chain_id);
    transaction.nonce = job.nonce;
    transaction.max_fee_per_gas = fees.max_fee_per_gas;
    transaction.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
    transaction.gas_limit = Uint256(gas);
    transaction.to = job.order.to;
    transaction.value = job.order.value;
    transaction.data = job.order.data;
    const auto signature = co_await d_.owner.sign(job.order, transaction.unsigned_encoding());
    if (!signature) co_return tl::unexpected(signature.error());
    transaction.signature = *signature;
    auto raw = transaction.signed_encoding();
    if (!raw) co_return fail(ErrorCode::refused, raw.error().text());
    Attempt one;
    one.hash = base::keccak256(*raw);
    one.raw = std::move(*raw);
    one.fees = fees;
    one.sent_at = head_;
    Job next = job;
    next.order.state = OrderState::sent;
    next.order.transaction_hash = one.hash;
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
    if (!sent)
      infra::log_warning("the chain did not take a transaction",
                         {{"what", options_.what}, {"why", sent.error().text()}});
  }

  // How an order ended: an empty text is a success.
  using Ending = std::optional<std::string>;

  // Where an order is that is not over.
  struct Place {
    Bytes32 transaction_hash{};
    std::uint64_t block_number = 0;
    std::string reason = {};
  };

  Task<void> follow_all() {
    if (under_way_.empty()) co_return;
    // The count comes first: a block between the answers then shows as a receipt, not as a loss.
    const auto count = co_await d_.chain.transaction_count(options_.from);
    if (!count) co_return;
    for (std::size_t i = 0; i < under_way_.size();) {
      Ending ending = co_await follow(under_way_[i], *count);
      if (!ending) {
        i++;
        continue;
      }
      Job done = std::move(under_way_[i]);
      under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(i));
      co_await end(std::move(done), std::move(*ending));
    }
  }

  Task<Ending> follow(Job& job, std::uint64_t count) {
    for (std::size_t i = 0; i < job.attempts.size(); i++) {
      const Bytes32 hash = job.attempts[i].hash;
      const auto receipt = co_await d_.chain.receipt(hash);
      if (!receipt) co_return std::nullopt;
      if (!*receipt) continue;
      job.missing = 0;
      co_return co_await on_mined(job, hash, (*receipt)->block_number, (*receipt)->success);
    }
    if (count > job.nonce) {
      if (++job.missing < kLooksUntilLost) co_return std::nullopt;
      job.order.block_number = 0;
      co_return "its nonce was used by a transaction that is not this node's";
    }
    job.missing = 0;
    Attempt last = job.attempts.back();
    const Place in_no_block{last.hash};
    co_await note(job, in_no_block);
    if (head_ >= last.sent_at + limits_.stuck_blocks) co_await raise(job, std::move(last));
    co_return std::nullopt;
  }

  Task<Ending> on_mined(Job& job, Bytes32 hash, std::uint64_t block_number, bool success) {
    const bool is_final = head_ >= block_number + limits_.final_depth;
    if (is_final) {
      job.order.transaction_hash = hash;
      job.order.block_number = block_number;
      co_return success ? "" : kReverted;
    }
    // A reorganisation may take it out again; then it is sent again from here.
    const Place in_block{hash, block_number, success ? "" : kReverted};
    co_await note(job, in_block);
    co_return std::nullopt;
  }

  // Whoever waits for the order reads it from its row.
  Task<void> note(Job& job, Place place) {
    Order& order = job.order;
    const bool is_new = order.transaction_hash != place.transaction_hash || order.block_number != place.block_number ||
                        order.reason != place.reason;
    if (!is_new && !job.is_row_behind) co_return;
    order.transaction_hash = place.transaction_hash;
    order.block_number = place.block_number;
    order.reason = std::move(place.reason);
    Job row = job;
    const bool is_written = co_await write(std::move(row));
    job.is_row_behind = !is_written;
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
    infra::log_warning("a transaction was not sent again with higher fees",
                       {{"what", options_.what}, {"why", sent.error().text()}});
    co_await send(last);
  }

  Task<bool> write(Job job) {
    std::optional<Attempt> none;
    const auto written = co_await store_.write(std::move(job), std::move(none));
    if (!written)
      infra::log_warning("the state of a transaction was not written",
                         {{"what", options_.what}, {"why", written.error().text()}});
    co_return written.has_value();
  }

  // An empty reason: it is on chain for good.
  Task<void> end(Job job, std::string reason) {
    job.order.state = reason.empty() ? OrderState::included : OrderState::failed;
    job.order.reason = std::move(reason);
    Order order = job.order;
    (void)co_await write(std::move(job));
    open_.erase(order.id);
    co_await d_.owner.ended(std::move(order));
    wake_.set();
  }

  SenderDependencies d_;
  const SenderOptions options_;
  const SenderLimits limits_;
  AttemptStore store_;
  std::deque<Job> waiting_;
  // By nonce. The vector stays as it is while one of them is followed.
  std::vector<Job> under_way_;
  // Waiting and under way.
  std::set<std::string> open_;
  // Orders without an id yet, which are being written.
  std::size_t arriving_ = 0;
  infra::Event wake_, loaded_;
  std::uint64_t head_ = 0;
};

}  // namespace

std::unique_ptr<Sender> make_sender(SenderDependencies dependencies, SenderOptions options) {
  return std::make_unique<SequentialSender>(dependencies, std::move(options));
}

}  // namespace community::sender
