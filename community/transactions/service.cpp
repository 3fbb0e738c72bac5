// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/service.hpp"
#include "community/audit/api/left.hpp"

#include "community/core/uuid.hpp"
#include "community/infra/api/log.hpp"

namespace community::transactions {

std::string_view name(Payer payer) {
  switch (payer) {
    case Payer::sponsor:
      return "sponsor";
    case Payer::account:
      return "account";
    case Payer::node:
      break;
  }
  return "node";
}

namespace {
// spec/account.md, sections 2 and 3.
constexpr std::int64_t kHour_ms = 60 * 60 * 1'000;
constexpr std::int64_t kQueuedSpend_ms = 24 * kHour_ms, kOneVote_ms = 3 * 24 * kHour_ms;

constexpr int kFundsTries = 5;

constexpr std::string_view kStates[] = {"prepared", "signed",  "submitted", "included", "final",
                                        "failed",   "dropped", "replaced",  "expired",  "discarded"};
// What is queued, by the words that mails have for it (community/notifications/strings.json).
std::string_view queued_word(const Transaction& queue) {
  const auto* summary = queue.summary.empty() ? nullptr : queue.summary[0].if_object();
  const std::string_view meaning = summary == nullptr ? "" : core::string_member(*summary, "meaning").value_or("");
  if (meaning == "changeLimit" || meaning == "changeGasCap") return "limit";
  if (meaning == "listDomain" || meaning == "allowCall") return "permission";
  return "spend";
}

// How long an escape or a recovery waits, which the mail about it says.
std::int64_t delay_of_brought(const Transaction& brought) {
  const auto* summary = brought.summary.empty() ? nullptr : brought.summary[0].if_object();
  const core::json::value* seconds = summary == nullptr ? nullptr : summary->if_contains("seconds");
  return seconds != nullptr && seconds->is_number() ? seconds->to_number<std::int64_t>() * 1'000 : 0;
}

}  // namespace

std::string_view name(State state) {
  const auto index = static_cast<std::size_t>(state);
  return index < std::size(kStates) ? kStates[index] : "unknown";
}

std::optional<State> parse_state(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kStates); i++)
    if (kStates[i] == text) return static_cast<State>(i);
  return std::nullopt;
}

TransactionService::TransactionService(TransactionsDependencies dependencies, TransactionsOptions options)
    : d_(std::move(dependencies)), options_(std::move(options)) {
  for (const ServedChain& chain : d_.chains) {
    chains_.push_back(std::make_unique<Chain>(chain, d_.clock));
    chain.blocks.listen([this](const chain::ChainEvent&) -> Task<void> {
      changed_.set();
      co_return;
    });
  }
}

std::string TransactionService::new_id() const {
  core::Uuid bytes{};
  d_.random.fill(bytes);
  return core::format_uuid(core::random_uuid(bytes));
}

LaneBook::Account TransactionService::lane_account(const Transaction& transaction) {
  return {transaction.chain_id, transaction.account};
}

LaneBook::Account TransactionService::lane_account(const Moment& now) {
  return {now.chain->served.chain_id, now.wallet.account};
}

void TransactionService::count(const char* name, const char* help, const infra::MetricLabels& labels, double amount) {
  if (d_.metrics != nullptr) d_.metrics->counter(name, help, labels).add(amount);
}

audit::AuditEvent TransactionService::event(audit::EventName name, const Transaction& transaction) const {
  audit::AuditEvent out;
  out.event = name;
  out.subject = transaction.user_id;
  out.payload["transactionId"] = transaction.transaction_id;
  out.payload["walletId"] = transaction.wallet_id;
  out.payload["chainId"] = transaction.chain_id;
  out.payload["account"] = core::format_address(transaction.account);
  out.payload["kind"] = in_camel_case(transactions::name(transaction.kind));
  out.payload["value"] = core::format_decimal(transaction.value);
  out.time_ms = d_.clock.now_ms();
  return out;
}

// What its person should find in the log besides the transaction itself.
std::vector<audit::AuditEvent> TransactionService::events_of_inclusion(const TransactionService& self,
                                                                       const Stored& row) {
  using audit::EventName;
  const Transaction& t = row.transaction;
  std::vector<audit::AuditEvent> events;
  const auto add = [&](EventName name) {
    events.push_back(self.event(name, t));
    if (t.transaction_hash) events.back().payload["transactionHash"] = core::to_hex(*t.transaction_hash);
  };
  add(EventName::transaction_included);
  const auto* operation = std::get_if<PreparedOperation>(&t.content);
  if (operation != nullptr && operation->userop.factory) add(EventName::account_deployed);
  // What the mail about it says. A little early: the item's own clock begins with its block, after the signature.
  const auto add_queued = [&](std::string_view change, std::int64_t delay_ms) {
    add(EventName::change_queued);
    events.back().payload["change"] = change;
    events.back().payload["readyAt"] = audit::format_time_ms(t.signed_ms + delay_ms);
  };
  if (t.kind == Kind::queue) add_queued(queued_word(t), kQueuedSpend_ms);
  if (t.kind == Kind::confirm || t.kind == Kind::finish) add(EventName::change_confirmed);
  if (t.kind == Kind::cancel) add(EventName::change_cancelled);
  if (t.kind == Kind::freeze) add(EventName::account_frozen);
  if (t.kind == Kind::revoke_grant) add(EventName::grant_revoked);
  if (t.kind == Kind::grant) add(EventName::grant_created);
  if (t.kind == Kind::escape || t.kind == Kind::recover) {
    add(t.kind == Kind::escape ? EventName::escape_started : EventName::recovery_started);
    events.back().payload["readyAt"] = audit::format_time_ms(t.signed_ms + delay_of_brought(t));
  }
  const auto* action = std::get_if<PreparedAction>(&t.content);
  // With one vote it waits first.
  if (t.kind == Kind::unfreeze && action != nullptr) {
    if (action->votes_needed > 1)
      add(EventName::account_unfrozen);
    else
      add_queued("unfreeze", kOneVote_ms);
  }
  const bool is_change = (t.kind == Kind::keys || t.kind == Kind::rules) && action != nullptr;
  if (is_change && action->votes_needed > 1) add(EventName::rules_changed);
  if (is_change && action->votes_needed == 1) add_queued(t.kind == Kind::keys ? "keys" : "rules", kOneVote_ms);
  if (is_change && row.plan && self.moves_away(*action, *row.plan)) add(EventName::account_moved);
  if (t.kind == Kind::lower_limit || t.kind == Kind::lower_gas_cap || t.kind == Kind::disallow_call ||
      t.kind == Kind::unlist_domain)
    add(EventName::rules_changed);
  return events;
}

audit::AuditEvent TransactionService::event_of_failure(const Transaction& transaction) const {
  audit::AuditEvent failed = event(audit::EventName::transaction_failed, transaction);
  failed.payload["state"] = transactions::name(transaction.state);
  if (transaction.transaction_hash) failed.payload["transactionHash"] = core::to_hex(*transaction.transaction_hash);
  return failed;
}

bool TransactionService::moves_away(const PreparedAction& action, const KeyPlan& plan) {
  const auto* change = std::get_if<accounts::ChangeKeys>(&action.action);
  return change != nullptr && action.votes_needed > 1 && !base::is_zero(change->server_key) && !plan.own_server_key;
}

void TransactionService::place_in_lane(const Stored& row) {
  const Transaction& t = row.transaction;
  if (!is_operation(t.kind)) return;
  const bool has_nonce_to_come = t.state == State::prepared || is_under_way(t.state);
  if (has_nonce_to_come && !row.is_over) {
    const std::int64_t until = t.state == State::prepared ? t.expires_ms : INT64_MAX;
    lanes_.share(lane_account(t), t.transaction_id, row.lane, until);
  } else {
    lanes_.release(lane_account(t), t.transaction_id);
  }
  if (t.block_number != 0) lanes_.note_next(lane_account(t), {row.lane, row.lane_sequence + 1});
}

void TransactionService::forget(const std::string& user_id) {
  std::erase_if(live_, [&](const auto& entry) { return entry.second.transaction.user_id == user_id; });
  std::erase_if(untold_, [&](const Transaction& one) { return one.user_id == user_id; });
}

void TransactionService::enter(const Stored& row) {
  place_in_lane(row);
  if (row.is_over || row.transaction.state == State::prepared) {
    live_.erase(row.transaction.transaction_id);
    looked_at_.erase(row.transaction.transaction_id);
  } else {
    live_[row.transaction.transaction_id] = row;
  }
}

Task<Result<void>> TransactionService::keep(Stored row, std::vector<audit::AuditEvent> events) {
  auto work = [row, events = std::move(events), audit = &d_.audit](soci::session& sql) -> Result<void> {
    // Nothing is written about a person who left.
    if (!store::update(sql, row)) return fail(ErrorCode::not_found);
    const bool acted = row.transaction.state == State::included || row.transaction.state == State::final_;
    if (acted) store::note_recipients(sql, row, row.transaction.updated_ms);
    for (const audit::AuditEvent& one : events)
      if (const auto told = audit->record(sql, one); !told)
        return fail(ErrorCode::database_unavailable, told.error().text());
    return {};
  };
  auto written = co_await d_.database.write(work);
  if (!written) co_return fail(ErrorCode::database_unavailable, written.error().text());
  if (!*written) co_return tl::unexpected(written->error());
  enter(row);
  if (row.is_over)
    count("community_transactions_ended_total", "Transactions that were signed and are over, by state.",
          {{"state", std::string(name(row.transaction.state))}});
  untold_.push_back(row.transaction);
  to_tell_.set();
  co_return Result<void>{};
}

std::optional<Stored> TransactionService::read_row(soci::session& sql, const std::string& user_id,
                                                   const std::string& transaction_id, std::int64_t now_ms) {
  auto row = store::find(sql, user_id, transaction_id);
  if (row && row->transaction.state == State::prepared && row->transaction.expires_ms <= now_ms)
    row->transaction.state = State::expired;
  return row;
}

Task<Result<Stored>> TransactionService::find(std::string user_id, std::string transaction_id) {
  const auto live = live_.find(transaction_id);
  if (live != live_.end() && live->second.transaction.user_id == user_id) co_return live->second;
  co_await until_kept(user_id);
  auto read = [user_id, transaction_id, now = d_.clock.now_ms()](soci::session& sql) -> Result<Stored> {
    auto row = read_row(sql, user_id, transaction_id, now);
    if (!row) return fail(ErrorCode::not_found);
    return std::move(*row);
  };
  co_return from_database(co_await d_.database.read_short(read));
}

Task<Result<Transaction>> TransactionService::transaction(std::string user_id, std::string transaction_id) {
  auto row = co_await find(std::move(user_id), std::move(transaction_id));
  if (!row) co_return tl::unexpected(row.error());
  co_return std::move(row->transaction);
}

Task<Result<std::vector<Transaction>>> TransactionService::history(std::string user_id, HistoryQuery query) {
  if (query.limit < 1 || query.limit > kMaxPage) co_return fail_field("/limit", "1 to 100");
  co_await until_kept(user_id);
  auto read = [user_id, query](soci::session& sql) -> Result<std::vector<Transaction>> {
    std::vector<Transaction> out;
    for (Stored& row : store::history(sql, user_id, query)) out.push_back(std::move(row.transaction));
    return out;
  };
  co_return from_database(co_await d_.database.read(read));
}

Task<Result<void>> TransactionService::load() {
  using Rows = std::pair<std::vector<Stored>, std::uint64_t>;
  auto read = [](soci::session& sql) -> Result<Rows> { return Rows{store::open(sql), store::last_sequence(sql)}; };
  auto rows = from_database(co_await d_.database.read(read));
  if (!rows) co_return tl::unexpected(rows.error());
  last_sequence_ = rows->second;
  for (const Stored& row : rows->first) {
    enter(row);
    if (row.asked && row.transaction.state == State::prepared) interrupted_.push_back(row);
  }
  changed_.set();
  co_return Result<void>{};
}

// One at a time: the chain gives two transactions of one account that it is asked for at once the same number, and
// refuses the second. Others who pay from that account, as who deployed the contracts, may still be as fast: tried
// again.
Task<chain::ChainResult<core::json::value>> TransactionService::pay_funds(Chain& chain, Address to) {
  while (chain.is_paying) {
    chain.has_paid.reset();
    co_await chain.has_paid.wait();
  }
  struct Turn {
    explicit Turn(Chain& chain) : of(chain) { of.is_paying = true; }
    ~Turn() {
      of.is_paying = false;
      of.has_paid.set();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Chain& of;
  };
  const Turn turn(chain);
  chain::ChainCall question;
  question.method = "eth_accounts";
  const auto accounts = co_await chain.served.chain.request(std::move(question), chain::ChainCallOptions());
  const auto* list = accounts ? accounts->if_array() : nullptr;
  if (list == nullptr || list->empty())
    co_return chain::chain_fail(chain::ChainErrorKind::malformed, "the chain has no unlocked account");
  core::json::object payment;
  payment["from"] = list->front();
  payment["to"] = core::format_address(to);
  payment["value"] = core::format_quantity(options_.funds);
  for (int tries = 1;; tries++) {
    chain::ChainCall order;
    order.method = "eth_sendTransaction";
    order.params.push_back(payment);
    auto sent = co_await chain.served.chain.request(std::move(order), chain::ChainCallOptions());
    const bool was_refused = !sent && sent.error().kind == chain::ChainErrorKind::rpc;
    if (!was_refused || tries == kFundsTries) co_return sent;
  }
}

Task<Result<FundsGiven>> TransactionService::give_funds(std::string user_id, std::string wallet_id,
                                                        std::uint64_t chain_id) {
  const auto wallet = co_await d_.people.wallet(user_id, wallet_id);
  if (!wallet) co_return tl::unexpected(wallet.error());
  Chain* chain = find_chain(chain_id);
  if (chain == nullptr || !chain->served.development)
    co_return fail(ErrorCode::chain_unknown, "only a development chain gives funds away");
  const std::int64_t now = d_.clock.now_ms(), pause = options_.funds_pause.count();
  auto take = [user_id, now, pause](soci::session& sql) -> Result<void> {
    if (audit::has_left(sql, user_id)) return fail(ErrorCode::not_found, "this person was deleted");
    const std::int64_t last = store::funds_given_ms(sql, user_id);
    if (last != 0 && last + pause > now && last <= now)
      return fail_until(ErrorCode::funds_given, (last + pause - now + 999) / 1'000);
    store::note_funds(sql, user_id, now);
    return {};
  };
  const auto taken = co_await d_.database.write(take);
  if (!taken) co_return fail(ErrorCode::database_unavailable, taken.error().text());
  if (!*taken) co_return tl::unexpected(taken->error());
  const auto sent = co_await pay_funds(*chain, wallet->account);
  const auto* text = sent ? sent->if_string() : nullptr;
  const auto hash = text != nullptr ? core::parse_bytes32(*text) : core::parse_bytes32("");
  if (!hash) {
    // Nothing was given.
    auto undo = [user_id](soci::session& sql) {
      if (!audit::has_left(sql, user_id)) store::note_funds(sql, user_id, 0);
    };
    (void)co_await d_.database.write(undo);
    co_return fail(ErrorCode::chain_unavailable, sent ? "no hash" : sent.error().text());
  }
  co_return FundsGiven{*hash, options_.funds};
}

std::unique_ptr<Transactions> make_transactions(TransactionsDependencies dependencies, TransactionsOptions options) {
  return std::make_unique<TransactionService>(std::move(dependencies), std::move(options));
}

}  // namespace community::transactions
