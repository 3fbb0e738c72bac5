// SPDX-License-Identifier: Apache-2.0
// prepare_transaction: from what a person wants to what is shown and signed.
#include <algorithm>

#include "community/audit/api/left.hpp"
#include "community/infra/api/log.hpp"
#include "community/transactions/queue.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

// Two passkeys lie on two devices in most cases.
constexpr std::int64_t kTwoVotesLife_ms = 30 * 60'000;

Result<void> check_calls(const std::vector<accounts::Call>& calls, const Address& account, const std::string& pointer) {
  if (calls.empty() || calls.size() > kMaxCalls) return fail_field(pointer, "1 to 32 calls");
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < calls.size(); i++) {
    const std::string at = pointer + "/" + std::to_string(i);
    bytes += calls[i].data.size();
    if (bytes > kMaxCallData) return fail_field(at + "/data", "all calls together have 65,536 bytes of data at most");
    if (base::is_zero(calls[i].to)) return fail_field(at + "/to", "the zero address is nobody's");
    if (calls[i].to == account) return fail_field(at + "/to", "the account calls itself by other kinds only");
  }
  return {};
}

// Others are signed by nobody, or by whatever passkey the wallet has in the trusted core.
bool needs_accounts_passkey(const Order& order) {
  if (const auto* message = std::get_if<MessageOrder>(&order)) return !message->key;
  return !std::holds_alternative<FinishOrder>(order) && !std::holds_alternative<SessionOrder>(order) &&
         !std::holds_alternative<BroughtOrder>(order) && !std::holds_alternative<PhraseOrder>(order) &&
         !std::holds_alternative<ExportOrder>(order) && !std::holds_alternative<EoaOrder>(order);
}

}  // namespace

Stored TransactionService::new_row(const Moment& now, Kind kind) const {
  Stored row;
  Transaction& t = row.transaction;
  t.transaction_id = now.transaction_id;
  t.user_id = now.user_id;
  t.wallet_id = now.wallet.wallet_id;
  t.account = now.wallet.account;
  t.chain_id = now.chain->served.chain_id;
  t.kind = kind;
  t.created_ms = t.updated_ms = d_.clock.now_ms();
  t.expires_ms = t.created_ms + kPreparedLife.count();
  t.credential_ids = now.credential_ids;
  row.wallet = now.wallet.record;
  row.passkeys = now.usable;
  return row;
}

Task<Result<Transaction>> TransactionService::prepare_transaction(std::string user_id, PrepareRequest request) {
  const users::Rate rate{static_cast<double>(options_.prepared_per_minute), infra::Milliseconds(60'000)};
  if (const std::int64_t wait_s = rates_.take(user_id, rate, d_.clock.steady()); wait_s != 0)
    co_return fail_until(ErrorCode::too_many_requests, wait_s, "too many transactions are prepared");
  auto now = co_await look_around(user_id, request);
  if (!now) co_return tl::unexpected(now.error());
  const LaneBook::Account account = lane_account(*now);
  const std::string id = now->transaction_id;
  const bool needs_passkey = needs_accounts_passkey(request.order);
  if (needs_passkey && now->usable.empty()) lanes_.release(account, id);
  if (needs_passkey && now->usable.empty())
    co_return fail(ErrorCode::passkey_not_accounts, "the account knows none of the person's passkeys");
  auto row = co_await prepare(std::move(*now), std::move(request));
  if (!row) lanes_.release(account, id);
  if (!row) co_return tl::unexpected(row.error());
  const auto* action = std::get_if<PreparedAction>(&row->transaction.content);
  if (action != nullptr && action->votes_needed > 1)
    row->transaction.expires_ms = row->transaction.created_ms + kTwoVotesLife_ms;
  row->transaction.sequence = ++last_sequence_;
  Transaction made = row->transaction;
  if (background_ == nullptr) {
    const auto kept = co_await keep_prepared(std::move(*row));
    if (!kept) co_return tl::unexpected(kept.error());
    co_return made;
  }
  background_->spawn(keep_prepared_behind(std::move(*row), std::make_unique<const Writing>(*this, made)));
  co_return made;
}

// What an operation needs besides the account's state is asked together with it.
Task<Result<TransactionService::Moment>> TransactionService::look_around(std::string user_id,
                                                                         const PrepareRequest& request) {
  auto now = co_await begin_moment(std::move(user_id), request.wallet_id, request.chain_id);
  if (!now) co_return now;
  now->transaction_id = new_id();
  Coming coming;
  std::string pointer;
  if (const auto* order = std::get_if<CallsOrder>(&request.order)) {
    coming.calls = order->calls;
    coming.wants_sponsor = request.sponsored;
    pointer = "/calls";
  }
  if (const auto* order = std::get_if<SessionOrder>(&request.order)) {
    coming.calls = order->calls;
    pointer = "/calls";
  }
  const auto* queue = std::get_if<QueueOrder>(&request.order);
  if (queue != nullptr && queue->kind == accounts::QueueKind::spend) {
    coming.calls = queue->calls;
    pointer = "/queue/calls";
  }
  const bool has_calls = !pointer.empty();
  if (has_calls)
    if (auto good = check_calls(coming.calls, now->wallet.account, pointer); !good)
      co_return tl::unexpected(good.error());
  if (coming.wants_sponsor)
    if (auto batch = accounts::encode_batch(coming.calls)) coming.call_data = std::move(*batch);
  auto rest = complete(*now, std::vector<Address>());
  const bool is_grant = std::holds_alternative<GrantOrder>(request.order);
  coming.are_all = has_calls || queue != nullptr || is_grant;
  if (!coming.are_all && !std::holds_alternative<ConfirmOrder>(request.order)) {
    if (auto whole = co_await std::move(rest); !whole) co_return tl::unexpected(whole.error());
    co_return now;
  }
  auto [whole, ahead] = co_await infra::both(std::move(rest), look_ahead(*now, std::move(coming)));
  if (!ahead || !whole) {
    lanes_.release(lane_account(*now), now->transaction_id);
    co_return tl::unexpected(whole ? ahead.error() : whole.error());
  }
  now->ahead = std::move(*ahead);
  co_return now;
}

Task<Result<Stored>> TransactionService::prepare(Moment now, PrepareRequest request) {
  if (auto* plain = std::get_if<PlainOrder>(&request.order))
    co_return co_await prepare_plain(std::move(now), std::move(*plain));
  if (auto* finish = std::get_if<FinishOrder>(&request.order))
    co_return co_await prepare_finish(std::move(now), *finish);
  if (auto* keys = std::get_if<KeysOrder>(&request.order))
    co_return co_await prepare_keys(std::move(now), std::move(*keys));
  if (auto* brought = std::get_if<BroughtOrder>(&request.order))
    co_return co_await prepare_brought(std::move(now), std::move(*brought));
  if (auto* message = std::get_if<MessageOrder>(&request.order))
    co_return co_await prepare_message(std::move(now), std::move(*message));
  if (auto* phrase = std::get_if<PhraseOrder>(&request.order))
    co_return co_await prepare_phrase(std::move(now), *phrase);
  if (auto* order = std::get_if<ExportOrder>(&request.order)) co_return co_await prepare_export(std::move(now), *order);
  if (auto* eoa = std::get_if<EoaOrder>(&request.order))
    co_return co_await prepare_eoa(std::move(now), std::move(*eoa));
  if (auto* replace = std::get_if<ReplaceOrder>(&request.order))
    co_return co_await prepare_replacement(std::move(now), std::move(*replace), request.sponsored);
  if (now.is_frozen())
    co_return fail(ErrorCode::account_frozen, "the account is frozen: nothing moves until it is unfrozen");
  if (auto* calls = std::get_if<CallsOrder>(&request.order))
    co_return co_await prepare_calls(std::move(now), std::move(*calls), request.sponsored);
  if (auto* queue = std::get_if<QueueOrder>(&request.order))
    co_return co_await prepare_queue(std::move(now), std::move(*queue), request.sponsored);
  if (auto* confirm = std::get_if<ConfirmOrder>(&request.order))
    co_return co_await prepare_confirm(std::move(now), *confirm, request.sponsored);
  if (auto* grant = std::get_if<GrantOrder>(&request.order))
    co_return co_await prepare_grant(std::move(now), std::move(*grant), request.sponsored);
  co_return co_await prepare_session(std::move(now), std::get<SessionOrder>(std::move(request.order)));
}

Task<Result<Stored>> TransactionService::prepare_calls(Moment now, CallsOrder order, bool sponsored) {
  auto batch = accounts::encode_batch(order.calls);
  if (!batch) co_return tl::unexpected(from_accounts(batch.error()));
  OperationDraft draft;
  draft.call_data = std::move(*batch);
  draft.calls = std::move(order.calls);
  draft.wants_sponsor = sponsored;
  co_return co_await prepare_operation(std::move(now), std::move(draft));
}

Task<Result<Stored>> TransactionService::prepare_queue(Moment now, QueueOrder order, bool sponsored) {
  Bytes32 salt{};
  d_.random.fill(salt);
  const auto queued = queued_of(order, Uint256::from_be(salt));
  if (!queued) co_return tl::unexpected(from_accounts(queued.error()));
  auto call = accounts::encode_queue(now.wallet.account, *queued);
  if (!call) co_return tl::unexpected(from_accounts(call.error()));
  OperationDraft draft;
  draft.kind = Kind::queue;
  draft.call_data = std::move(*call);
  draft.acts_now = false;
  draft.wants_sponsor = sponsored;
  if (order.kind != accounts::QueueKind::spend) draft.summary.push_back(queue_json(order));
  draft.summary = co_await now.chain->describer.name_tokens(std::move(draft.summary));
  draft.calls = std::move(order.calls);
  draft.warnings.push_back(warning_json(Warning::waits));
  co_return co_await prepare_operation(std::move(now), std::move(draft));
}

Task<Result<Stored>> TransactionService::prepare_confirm(Moment now, ConfirmOrder order, bool sponsored) {
  const auto item = co_await find_item(now, order.item);
  if (!item) co_return tl::unexpected(item.error());
  // The chain's server could answer anything: the id says whether this is the call that started the item.
  const auto content = accounts::read_started_item(item->call);
  const auto* queued = content ? std::get_if<accounts::Queued>(&*content) : nullptr;
  if (queued == nullptr) co_return fail(ErrorCode::item_kind, "finish carries this item out");
  if (accounts::item_id(now.where(), now.state.key_epoch, *content) != order.item)
    co_return fail(ErrorCode::chain_unavailable, "the chain's server tells another content than the item's");
  if (item->age_s < item->delay_s)
    co_return fail_until(ErrorCode::item_not_ready, static_cast<std::int64_t>(item->delay_s - item->age_s));
  auto call = accounts::encode_confirm(now.wallet.account, *queued);
  if (!call) co_return tl::unexpected(from_accounts(call.error()));
  OperationDraft draft;
  draft.kind = Kind::confirm;
  draft.call_data = std::move(*call);
  draft.wants_sponsor = sponsored;
  auto was_ordered = order_of(*queued);
  if (was_ordered && queued->kind != accounts::QueueKind::spend) draft.summary.push_back(queue_json(*was_ordered));
  draft.summary = co_await now.chain->describer.name_tokens(std::move(draft.summary));
  if (was_ordered) draft.calls = std::move(was_ordered->calls);
  co_return co_await prepare_operation(std::move(now), std::move(draft));
}

Task<Result<Stored>> TransactionService::prepare_replacement(Moment now, ReplaceOrder order, bool sponsored) {
  auto old = co_await find(now.user_id, order.transaction_id);
  if (!old) co_return tl::unexpected(old.error());
  const Transaction& t = old->transaction;
  const bool is_here = t.wallet_id == now.wallet.wallet_id && t.chain_id == now.chain->served.chain_id;
  if (t.kind == Kind::eoa && is_here && t.state == State::submitted)
    co_return co_await replace_eoa(std::move(now), std::move(*old));
  if (now.is_frozen()) co_return fail(ErrorCode::account_frozen, "nothing moves until the account is unfrozen");
  const auto* operation = std::get_if<PreparedOperation>(&t.content);
  if (operation == nullptr || t.account != now.wallet.account || t.chain_id != now.chain->served.chain_id)
    co_return fail(ErrorCode::not_replaceable, "only an operation of this account is replaced");
  if (!is_under_way(t.state)) co_return fail(ErrorCode::not_replaceable, "it does not wait any more");
  const auto waiting = now.chain->served.pool.find_live(*t.digest);
  if (waiting && waiting->status == pool::UseropStatus::bundled)
    co_return fail(ErrorCode::too_late, "it is in a transaction on its way into a block");
  OperationDraft draft;
  draft.kind = t.kind;
  draft.call_data = operation->userop.call_data;
  draft.summary = t.summary;
  draft.warnings = t.warnings;
  draft.acts_now = !t.value.is_zero();
  draft.wants_sponsor = sponsored;
  draft.replaces = t.transaction_id;
  draft.place = NoncePlace{old->lane, old->lane_sequence};
  // What the pool asks of a replacement is a tenth more of both.
  constexpr unsigned kTenth = 100;
  draft.least_max_fee = chain::raised_fee(operation->userop.max_fee_per_gas, kTenth);
  draft.least_priority_fee = chain::raised_fee(operation->userop.max_priority_fee_per_gas, kTenth);
  Uint256 value = t.value;
  std::vector<Address> recipients = old->recipients;
  auto row = co_await prepare_operation(std::move(now), std::move(draft));
  if (row) {
    row->transaction.value = value;
    row->recipients = std::move(recipients);
  }
  co_return row;
}

Task<Result<void>> TransactionService::keep_prepared(Stored row) {
  auto work = [row, audit = &d_.audit, initiated = event(audit::EventName::transaction_initiated, row.transaction)](
                  soci::session& sql) -> Result<std::vector<Stored>> {
    if (audit::has_left(sql, row.transaction.user_id)) return fail(ErrorCode::not_found, "this person was deleted");
    store::insert(sql, row);
    std::vector<Stored> gone = store::prepared_beyond(sql, row.transaction.user_id, kMaxPrepared);
    for (Stored& one : gone) {
      one.transaction.state = State::discarded;
      one.transaction.updated_ms = row.transaction.created_ms;
      one.is_over = true;
      store::update(sql, one);
    }
    constexpr std::uint64_t kTrimEvery = 64;
    if (row.transaction.sequence % kTrimEvery == 0) store::trim(sql, row.transaction.wallet_id);
    if (const auto told = audit->record(sql, initiated); !told)
      return fail(ErrorCode::database_unavailable, told.error().text());
    return gone;
  };
  // Nobody signed it and nothing is promised: after a power failure it is prepared again.
  const auto discarded = from_database(co_await d_.database.write_unsynced(work));
  if (!discarded) {
    lanes_.release(lane_account(row.transaction), row.transaction.transaction_id);
    co_return tl::unexpected(discarded.error());
  }
  for (const Stored& one : *discarded) lanes_.release(lane_account(one.transaction), one.transaction.transaction_id);
  count("community_transactions_initiated_total", "Transactions prepared, by kind.",
        {{"kind", std::string(name(row.transaction.kind))}});
  co_return Result<void>{};
}

// The person reads meanwhile: whoever asks for the transaction waits until it is there.
Task<void> TransactionService::keep_prepared_behind(Stored row, std::unique_ptr<const Writing>) {
  const std::string id = row.transaction.transaction_id;
  std::string why;
  try {
    // On two processors the database's thread would otherwise take the one that the answer is being written on.
    co_await infra::reschedule();
    const auto kept = co_await keep_prepared(std::move(row));
    if (!kept) why = name(kept.error().code);
  } catch (const std::exception& e) {
    // A fault of one preparation ends nothing else.
    if (infra::is_cancellation(e)) throw;
    why = e.what();
  }
  if (!why.empty()) infra::log_warning("what was prepared was not kept", {{"transaction", id}, {"why", why}});
}

Task<void> TransactionService::until_kept(std::string user_id) {
  const auto is_of = [&user_id](const auto& one) { return one.second == user_id; };
  while (std::any_of(writing_.begin(), writing_.end(), is_of)) {
    has_written_.reset();
    co_await has_written_.wait();
  }
}

}  // namespace community::transactions
