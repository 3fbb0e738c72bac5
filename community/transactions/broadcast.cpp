// SPDX-License-Identifier: Apache-2.0
// broadcast_transaction: what was signed comes into the pool or to the courier. Both know what they have by its hash,
// so that bringing something again, after a crash at any point, sends nothing twice.
#include "community/chain/api/entry_point.hpp"
#include "community/infra/api/log.hpp"
#include "community/transactions/service.hpp"
#include "community/transactions/text.hpp"

namespace community::transactions {
namespace {

// The pool's and the validator's answers that another moment may change.
bool is_for_later(pool::ErrorCode code) {
  using enum pool::ErrorCode;
  return code == replacement_in_progress || code == sender_limit || code == paymaster_limit ||
         code == paymaster_deposit || code == pool_full || code == storage;
}
bool is_for_later(validation::ErrorCode code) {
  using enum validation::ErrorCode;
  return code == chain_unavailable || code == fee_too_low || code == paymaster_deposit_too_low;
}
bool is_for_later(courier::ErrorCode code) {
  using enum courier::ErrorCode;
  return code == queue_full || code == keys_unavailable || code == chain_unavailable || code == storage;
}

// The payer's deposit; nothing without a paymaster.
Task<chain::ChainResult<std::optional<Uint256>>> deposit_of(const ServedChain& chain,
                                                            std::optional<Address> paymaster) {
  if (!paymaster) co_return std::optional<Uint256>();
  chain::CallRequest question;
  question.to = chain.entry_point.address();
  question.data = chain.entry_point.encode_balance_of(*paymaster);
  const auto answer = co_await chain.chain.call(std::move(question));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto word = chain::decode_word(*answer);
  // Without a number the pool would take the deposit for unlimited.
  if (!word) co_return chain::chain_fail(chain::ChainErrorKind::malformed, "balanceOf returned no number");
  co_return std::optional<Uint256>(*word);
}

}  // namespace

Task<TransactionService::Outcome> TransactionService::submit(Stored& row) {
  const Kind kind = row.transaction.kind;
  auto task = is_operation(kind) ? submit_operation(row) : kind == Kind::eoa ? submit_eoa(row) : submit_action(row);
  co_return co_await std::move(task);
}

Task<TransactionService::Outcome> TransactionService::submit_operation(Stored& row) {
  Chain* chain = find_chain(row.transaction.chain_id);
  if (chain == nullptr) co_return Outcome{Sent::later, {}};
  const ServedChain& served = chain->served;
  const auto known = co_await served.pool.record(*row.transaction.digest);
  const bool is_known = known && known->status != pool::UseropStatus::dropped;
  if (is_known) co_return Outcome{Sent::sent, {}};
  auto ready = co_await make_ready(*chain, row);
  if (!ready) co_return std::move(ready.error());
  const auto added = co_await served.pool.add(std::move(ready->userop), ready->paymaster_deposit);
  if (added || added.error().code == pool::ErrorCode::already_known) co_return Outcome{Sent::sent, {}};
  const bool later = is_for_later(added.error().code);
  co_return Outcome{later ? Sent::later : Sent::refused, added.error().text()};
}

Task<tl::expected<TransactionService::PoolReady, TransactionService::Outcome>> TransactionService::make_ready(
    const Chain& chain, const Stored& row) {
  const ServedChain& served = chain.served;
  core::UserOperation op = std::get<PreparedOperation>(row.transaction.content).userop;
  op.signature = row.submission;
  const validation::EntryPointId entry_point{served.entry_point.address(), served.entry_point.version()};
  const auto before = served.pool.predecessors(entry_point.address, op.sender, op.nonce);
  std::vector<const core::UserOperation*> predecessors;
  for (const pool::UseropPtr& one : before) predecessors.push_back(&one->userop.op);
  auto balance_question = deposit_of(served, op.paymaster);
  auto validation = served.validator.validate(std::move(op), entry_point, std::move(predecessors));
  auto [validated, deposit] = co_await infra::both(std::move(validation), std::move(balance_question));
  if (!validated) {
    const bool later = is_for_later(validated.error().code);
    const std::string words = clean_text(validated.error().message, kMaxRevertCharacters);
    co_return tl::unexpected(Outcome{later ? Sent::later : Sent::refused, words});
  }
  if (!deposit) co_return tl::unexpected(Outcome{Sent::later, {}});
  co_return PoolReady{std::move(*validated), *deposit};
}

Task<TransactionService::Outcome> TransactionService::submit_action(Stored& row) {
  Chain* chain = find_chain(row.transaction.chain_id);
  if (chain == nullptr) co_return Outcome{Sent::later, {}};
  Bytes call = row.submission;
  const auto errand = co_await chain->served.courier.accept(row.transaction.account, std::move(call));
  if (errand) {
    row.errand = *errand;
    co_return Outcome{Sent::sent, {}};
  }
  const bool later = is_for_later(errand.error().code);
  co_return Outcome{later ? Sent::later : Sent::refused, clean_text(errand.error().message, kMaxRevertCharacters)};
}

Task<Result<Stored>> TransactionService::bring(Stored row) {
  const Hold hold(*this, row.transaction.transaction_id);
  const Outcome outcome = co_await submit(row);
  if (outcome.sent == Sent::later) co_return row;
  Transaction& t = row.transaction;
  t.updated_ms = d_.clock.now_ms();
  std::vector<audit::AuditEvent> events;
  const bool renewed = outcome.sent == Sent::refused && was_renewed(row, outcome.reason);
  bool has_lost = false;
  if (outcome.sent == Sent::refused && !renewed && is_operation(t.kind)) has_lost = co_await has_lost_nonce(row);
  if (has_lost && t.state != State::replaced) co_return row;
  if (has_lost) {
    // Nothing is to be brought any more.
  } else if (renewed) {
    // Under the new day it is tried again with the next look.
    t.state = State::signed_;
  } else if (outcome.sent == Sent::sent) {
    t.state = State::submitted;
    audit::AuditEvent broadcast = event(audit::EventName::transaction_broadcast, t);
    if (is_operation(t.kind)) broadcast.payload["hash"] = core::to_hex(*t.digest);
    if (row.errand) broadcast.payload["errand"] = core::to_hex(*row.errand);
    events.push_back(std::move(broadcast));
  } else {
    t.state = State::dropped;
    t.reason = outcome.reason;
    row.is_over = true;
    events = untold_events(row);
    infra::log_info("what a person signed was refused", {{"transaction", t.transaction_id}, {"why", t.reason}});
  }
  Stored kept = row;
  if (auto done = co_await keep(std::move(kept), std::move(events)); !done) co_return tl::unexpected(done.error());
  co_return row;
}

// Nobody signs it: being asked to bring it is all that it needs.
Task<Result<Stored>> TransactionService::begin_unsigned(Stored row) {
  const std::int64_t now = d_.clock.now_ms();
  if (now >= row.transaction.expires_ms) co_return fail(ErrorCode::transaction_expired);
  if (row.transaction.kind == Kind::session) {
    if (auto allowed = co_await check_risk(row); !allowed) co_return tl::unexpected(allowed.error());
    auto signed_row = co_await sign_session(std::move(row));
    if (!signed_row) co_return signed_row;
    row = std::move(*signed_row);
  }
  Transaction& t = row.transaction;
  t.state = State::signed_;
  t.signed_ms = t.updated_ms = now;
  auto work = [this, row](soci::session& sql) -> Result<bool> {
    const Transaction& wanted = row.transaction;
    const auto before = store::find(sql, wanted.user_id, wanted.transaction_id);
    if (!before || before->transaction.state != State::prepared) return false;
    if (auto within = check_limits(sql, wanted, wanted.signed_ms); !within) return tl::unexpected(within.error());
    store::update(sql, row);
    d_.people.note_used(sql, wanted.wallet_id, wanted.chain_id, wanted.signed_ms);
    return true;
  };
  const auto begun = from_database(co_await d_.database.write(work));
  if (!begun) co_return tl::unexpected(begun.error());
  if (!*begun) co_return fail(ErrorCode::not_prepared);
  enter(row);
  co_return row;
}

Task<Result<Transaction>> TransactionService::broadcast_transaction(std::string user_id, std::string transaction_id) {
  auto found = co_await find(user_id, transaction_id);
  if (!found) co_return tl::unexpected(found.error());
  if (found->transaction.state == State::prepared && is_brought_unsigned(found->transaction.kind)) {
    auto begun = co_await begin_unsigned(std::move(*found));
    if (!begun) co_return tl::unexpected(begun.error());
    found = std::move(begun);
  }
  const State state = found->transaction.state;
  if (is_answered(found->transaction.kind)) co_return fail(ErrorCode::not_signed, "nothing of this comes on chain");
  if (state == State::prepared || found->transaction.signed_ms == 0) co_return fail(ErrorCode::not_signed);
  // Brought already, or just now by somebody else.
  if (state != State::signed_ || held_.contains(transaction_id)) co_return std::move(found->transaction);
  auto brought = co_await bring(std::move(*found));
  if (!brought) co_return tl::unexpected(brought.error());
  changed_.set();
  const Transaction& t = brought->transaction;
  if (t.state == State::dropped || t.state == State::replaced) co_return fail(ErrorCode::refused_by_node, t.reason);
  co_return t;
}

Task<Result<Transaction>> TransactionService::discard(std::string user_id, std::string transaction_id) {
  // What was answered just now is in the pool in a moment, and can be taken back then.
  co_await until_kept(user_id);
  auto found = co_await find(user_id, transaction_id);
  if (!found) co_return tl::unexpected(found.error());
  if (is_under_way(found->transaction.state)) {
    auto dropped = co_await drop_waiting(std::move(*found));
    if (!dropped) co_return tl::unexpected(dropped.error());
    co_return std::move(dropped->transaction);
  }
  if (found->transaction.state != State::prepared) co_return fail(ErrorCode::too_late);
  auto work = [user_id, transaction_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<Transaction> {
    auto row = store::find(sql, user_id, transaction_id);
    if (!row || row->transaction.state != State::prepared) return fail(ErrorCode::too_late);
    row->transaction.state = State::discarded;
    row->transaction.updated_ms = now;
    row->is_over = true;
    store::update(sql, *row);
    return std::move(row->transaction);
  };
  auto done = from_database(co_await d_.database.write(work));
  if (done) lanes_.release(lane_account(*done), transaction_id);
  co_return done;
}

// Another operation under its nonce is what makes it void for certain; the lane is free for one.
Task<Result<Stored>> TransactionService::drop_waiting(Stored row) {
  Transaction& t = row.transaction;
  Chain* chain = find_chain(t.chain_id);
  if (held_.contains(t.transaction_id) || chain == nullptr) co_return fail(ErrorCode::too_late);
  const Hold hold(*this, t.transaction_id);
  // It may be in the chain's pool, also where nothing says so.
  if (t.kind == Kind::eoa) co_return fail(ErrorCode::too_late, "replace it");
  if (!is_operation(t.kind) && t.state != State::signed_) co_return fail(ErrorCode::too_late, "the courier has it");
  if (is_operation(t.kind)) {
    const auto waiting = chain->served.pool.find_live(*t.digest);
    if (waiting && waiting->status == pool::UseropStatus::bundled)
      co_return fail(ErrorCode::too_late, "it is in a transaction on its way into a block");
    if (waiting)
      if (const auto dropped = co_await chain->served.pool.drop(*t.digest, "taken back by its person"); !dropped)
        co_return fail(ErrorCode::too_late, dropped.error().text());
    if (!waiting && t.state == State::submitted) co_return fail(ErrorCode::too_late);
  }
  t.state = State::dropped;
  t.reason = "taken back";
  t.updated_ms = d_.clock.now_ms();
  row.is_over = true;
  Stored kept = row;
  if (auto done = co_await keep(std::move(kept), std::vector<audit::AuditEvent>()); !done)
    co_return tl::unexpected(done.error());
  co_return row;
}

}  // namespace community::transactions
