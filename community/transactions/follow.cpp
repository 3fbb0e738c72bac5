// SPDX-License-Identifier: Apache-2.0
// What became of what was sent: the pool's records and the courier's errands are looked at with each block, and a
// little later, because bundler and courier look at the same block.
#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/infra/api/log.hpp"
#include "community/transactions/cancelled.hpp"
#include "community/transactions/service.hpp"
#include "community/transactions/text.hpp"

namespace community::transactions {
namespace {

constexpr infra::Milliseconds kLook{250};
// What was never signed is kept so long, for a page that asks what became of it.
constexpr std::int64_t kKeepUnsigned_ms = 60 * 60'000;

std::string words_of(ByteView revert) {
  const std::string words = accounts::describe_account_revert(revert).value_or(chain::describe_revert(revert));
  return clean_text(words, kMaxRevertCharacters);
}

// AA22: the day that the operation's signature names is over (spec/account.md, section 3).
bool is_day_over(const std::string& reason) {
  return reason.find("AA22") != std::string::npos || reason.find("DayIsOver") != std::string::npos;
}

}  // namespace

void TransactionService::leave_block(Stored& row) {
  Transaction& t = row.transaction;
  t.state = State::submitted;
  t.transaction_hash.reset();
  t.block_number = 0;
  t.actual_cost = Uint256();
  t.reason.clear();
}

void TransactionService::take_inclusion(const pool::UseropRecord& record, Stored& row) {
  Transaction& t = row.transaction;
  t.state = record.status == pool::UseropStatus::included ? State::included : State::failed;
  if (!record.inclusion) return;
  t.transaction_hash = record.inclusion->transaction_hash;
  t.block_number = record.inclusion->block_number;
  t.actual_cost = record.inclusion->actual_gas_cost;
  t.reason = record.inclusion->success ? std::string() : words_of(record.inclusion->reason);
}

// The day is not signed, so that what was held back over midnight goes on under the day of now.
bool TransactionService::was_renewed(Stored& row, const std::string& reason) {
  if (row.transaction.payer != Payer::account || !is_day_over(reason)) return false;
  Bytes signature = row.submission;
  if (!accounts::set_signature_day(signature, today(*find_chain(row.transaction.chain_id)))) return false;
  if (signature == row.submission) return false;
  row.submission = std::move(signature);
  row.transaction.state = State::signed_;
  return true;
}

// An operation that waits here, for its fees or because the pool lost it, is tried again and then refused for a nonce
// that is used, or for fees below its replacement's: what happened to it is that replacement. It waits for what was
// prepared later than itself alone, so that no two wait for each other.
Task<bool> TransactionService::has_lost_nonce(Stored& row) {
  Transaction& t = row.transaction;
  const auto is_rival = [&row, &t](const auto& entry) {
    const Stored& other = entry.second;
    return is_operation(other.transaction.kind) && other.transaction.account == t.account &&
           other.transaction.chain_id == t.chain_id && other.lane == row.lane &&
           other.lane_sequence == row.lane_sequence && other.transaction.sequence > t.sequence &&
           is_under_way(other.transaction.state);
  };
  // As of the refusal: a rival that is taken back while the database answers leaves the nonce to this one.
  const bool has_rival = std::any_of(live_.begin(), live_.end(), is_rival);
  auto read = [row](soci::session& sql) { return store::same_nonce_in_block(sql, row); };
  auto winner = co_await d_.database.read(read);
  if (winner && !winner->empty()) {
    t.state = State::replaced;
    t.reason = "another operation took its nonce";
    t.replaced_by = std::move(*winner);
    row.is_over = true;
    co_return true;
  }
  co_return !winner || has_rival;
}

Task<void> TransactionService::follow_operation(Stored& row) {
  Transaction& t = row.transaction;
  pool::Pool& pool = find_chain(t.chain_id)->served.pool;
  if (pool.find_live(*t.digest)) {
    leave_block(row);
    co_return;
  }
  const auto record = co_await pool.record(*t.digest);
  if (!record) {
    // A pool that forgot it, or lost it with another database, gets it again.
    if (record.error().code == pool::ErrorCode::not_found && t.state == State::submitted) t.state = State::signed_;
    co_return;
  }
  using enum pool::UseropStatus;
  switch (record->status) {
    case included:
    case failed:
      take_inclusion(*record, row);
      break;
    case dropped: {
      if (was_renewed(row, record->reason)) break;
      const bool has_lost = co_await has_lost_nonce(row);
      if (has_lost) break;
      t.state = State::dropped;
      t.reason = clean_text(record->reason, kMaxRevertCharacters);
      row.is_over = true;
      break;
    }
    case replaced: {
      t.state = State::replaced;
      t.reason = clean_text(record->reason, kMaxRevertCharacters);
      row.is_over = true;
      for (const auto& [id, other] : live_)
        if (other.transaction.replaces == t.transaction_id) t.replaced_by = id;
      // It may be final by now, and no longer in memory.
      auto read = [row](soci::session& sql) { return store::same_nonce_in_block(sql, row); };
      auto winner = co_await d_.database.read(read);
      if (t.replaced_by.empty() && winner) t.replaced_by = std::move(*winner);
      break;
    }
    case received:
    case validated:
    case pooled:
    case bundled:
      leave_block(row);
      break;
  }
}

Task<void> TransactionService::follow_errand(Stored& row) {
  Transaction& t = row.transaction;
  const auto errand = co_await find_chain(t.chain_id)->served.courier.errand(*row.errand);
  if (!errand) {
    if (errand.error().code == courier::ErrorCode::not_found && t.state == State::submitted) t.state = State::signed_;
    co_return;
  }
  // The courier has the last word: what is deep enough by a row that it has not looked at again may be gone.
  row.is_over = errand->state == courier::ErrandState::included || errand->state == courier::ErrandState::failed;
  if (!row.is_over && !errand->is_in_block()) {
    leave_block(row);
    co_return;
  }
  const bool has_acted = row.is_over ? errand->state == courier::ErrandState::included : errand->reason.empty();
  const State done = row.is_over ? State::final_ : State::included;
  t.state = has_acted ? done : State::failed;
  if (!base::is_zero(errand->transaction_hash)) t.transaction_hash = errand->transaction_hash;
  t.block_number = errand->block_number;
  t.reason = clean_text(errand->reason, kMaxRevertCharacters);
}

std::vector<audit::AuditEvent> TransactionService::untold_events(Stored& row) const {
  const State state = row.transaction.state;
  const bool has_acted = state == State::included || state == State::final_;
  const bool has_failed = state == State::failed || state == State::dropped;
  std::vector<audit::AuditEvent> events;
  if (has_acted && !row.told_inclusion) events = events_of_inclusion(*this, row);
  if (has_failed && !row.told_failure) events.push_back(event_of_failure(row.transaction));
  row.told_inclusion = row.told_inclusion || has_acted;
  row.told_failure = row.told_failure || has_failed;
  return events;
}

Task<void> TransactionService::follow(std::string id) {
  const auto found = live_.find(id);
  if (found == live_.end() || held_.contains(id)) co_return;
  if (found->second.transaction.state == State::signed_) {
    Stored row = found->second;
    // What cannot be brought now is tried again; what is refused is told.
    (void)co_await bring(std::move(row));
    co_return;
  }
  const Hold hold(*this, id);
  Stored row = found->second;
  const State before = row.transaction.state;
  const std::optional<Bytes32> transaction_before = row.transaction.transaction_hash;
  const std::uint64_t block_before = row.transaction.block_number;
  Chain* chain = find_chain(row.transaction.chain_id);
  if (chain == nullptr) co_return;
  const Kind kind = row.transaction.kind;
  auto task = is_operation(kind) ? follow_operation(row) : kind == Kind::eoa ? follow_eoa(row) : follow_errand(row);
  co_await std::move(task);
  Transaction& t = row.transaction;
  const auto& head = chain->served.blocks.head();
  const bool in_block = (t.state == State::included || t.state == State::failed) && !row.errand;
  if (in_block && head && head->number >= t.block_number + chain->served.final_depth) {
    if (t.state == State::included) t.state = State::final_;
    row.is_over = true;
  }
  const bool same_place = t.transaction_hash == transaction_before && t.block_number == block_before;
  if (t.state == before && same_place && !row.is_over) co_return;
  t.updated_ms = d_.clock.now_ms();
  std::vector<audit::AuditEvent> events = untold_events(row);
  // For good: what is cancelled in a block that goes may still come to be. Asked again at the next look when it fails.
  if (t.state == State::final_ && t.kind == Kind::cancel)
    if (const auto retired = co_await retire_cancelled(d_.database, d_.people, row); !retired) co_return;
  if (const auto kept = co_await keep(std::move(row), std::move(events)); !kept)
    infra::log_warning("a transaction's state is not on disk yet", {{"why", kept.error().message}});
}

Task<void> TransactionService::follow_all() {
  std::vector<std::string> ids;
  for (const auto& [id, row] : live_) ids.push_back(id);
  for (const std::string& id : ids) co_await follow(id);
}

Task<void> TransactionService::sweep() {
  auto work = [now = d_.clock.now_ms()](soci::session& sql) {
    store::expire(sql, now);
    store::remove_unsigned(sql, now - kKeepUnsigned_ms);
    // A chain may be behind this machine.
    store::remove_grants(sql, now - accounts::kSecondsPerDay * 1'000);
  };
  if (const auto swept = co_await d_.database.write(work); !swept)
    infra::log_warning("transactions that expired are not marked yet", {{"why", swept.error().text()}});
}

Task<void> TransactionService::tick() {
  constexpr int kSweepEvery = 40;
  for (int i = 0;; i++) {
    co_await d_.clock.sleep_for(kLook);
    if (!live_.empty()) changed_.set();
    if (i % kSweepEvery == 0) co_await sweep();
  }
}

Task<void> TransactionService::tell() {
  for (;;) {
    while (!untold_.empty()) {
      const Transaction transaction = std::move(untold_.front());
      untold_.pop_front();
      for (const Listener& listener : listeners_) co_await listener(transaction);
    }
    to_tell_.reset();
    co_await to_tell_.wait();
  }
}

Task<void> TransactionService::run() {
  infra::TaskGroup group(co_await boost::asio::this_coro::executor);
  struct Background {
    TransactionService& owner;
    ~Background() { owner.background_ = nullptr; }
  } background{*this};
  background_ = &group;
  group.spawn(tick());
  group.spawn(tell());
  const auto work = [this]() -> Task<void> {
    for (;;) {
      changed_.reset();
      co_await finish_interrupted();
      co_await follow_all();
      co_await look_for_retired();
      co_await changed_.wait();
    }
  };
  group.spawn(work());
  co_await group.join();
}

}  // namespace community::transactions
