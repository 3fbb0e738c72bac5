// SPDX-License-Identifier: Apache-2.0
// What is expected, compared with the chain: an account that has the arrival's keys is the person's at this node.
#include "community/arrivals/service.hpp"
#include "community/arrivals/store.hpp"
#include "community/core/uuid.hpp"
#include "community/infra/api/log.hpp"

namespace community::arrivals {
namespace {

audit::AuditEvent arrived_event(const Arrival& arrival, std::int64_t now_ms) {
  audit::AuditEvent event;
  event.event = audit::EventName::wallet_arrived;
  event.subject = arrival.user_id;
  event.payload["walletId"] = arrival.wallet_id;
  event.payload["arrivalId"] = arrival.arrival_id;
  event.payload["chainId"] = arrival.chain_id;
  event.payload["address"] = core::format_address(arrival.account);
  event.time_ms = now_ms;
  return event;
}

// For who had the account here before.
audit::AuditEvent moved_event(const Arrival& arrival, std::string former, std::int64_t now_ms) {
  audit::AuditEvent event;
  event.event = audit::EventName::account_moved;
  event.subject = std::move(former);
  event.payload["chainId"] = arrival.chain_id;
  event.payload["account"] = core::format_address(arrival.account);
  event.time_ms = now_ms;
  return event;
}

}  // namespace

// Bindings are unique, and who came first may have one without the account's keys: it goes, but not for a state that a
// reorganisation may take back.
Task<Result<Arrival>> ArrivalsService::enter_arrived(Arrival arrival, bool may_replace) {
  auto work = [arrival, may_replace, people = &d_.people, log = &d_.audit,
               now = d_.clock.now_ms()](soci::session& sql) -> Result<Arrival> {
    auto row = store::arrival(sql, arrival.user_id, arrival.arrival_id);
    if (!row) return fail(ErrorCode::not_found);
    if (row->state != State::expected) return std::move(*row);
    const auto holder = store::holder(sql, row->chain_id, row->account);
    if (holder && *holder != row->wallet_id && !may_replace) return std::move(*row);
    row->state = State::arrived;
    row->arrived_ms = now;
    store::update(sql, *row);
    store::erase_arrived(sql, *row);
    const users::ArrivedAccount account{row->user_id, row->wallet_id, {row->chain_id, row->account}, row->alias, now};
    const auto former = people->enter_account(sql, account);
    std::vector<audit::AuditEvent> events{arrived_event(*row, now)};
    if (former) events.push_back(moved_event(*row, *former, now));
    for (const audit::AuditEvent& event : events)
      if (const auto told = log->record(sql, event); !told)
        return fail(ErrorCode::database_unavailable, told.error().text());
    return std::move(*row);
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Arrival> ArrivalsService::look(Chain& chain, Arrival arrival, const accounts::AccountState& state) {
  if (arrival.state != State::expected || !has_keys(state, arrival)) {
    contested_.erase(arrival.arrival_id);
    co_return arrival;
  }
  const auto seen = contested_.find(arrival.arrival_id);
  const bool is_settled = seen != contested_.end() && state.block_number >= seen->second + chain.served.final_depth;
  auto entered = co_await enter_arrived(arrival, is_settled);
  if (!entered) {
    if (entered.error().code != ErrorCode::not_found)
      infra::log_warning("an account that arrived is not entered yet",
                         {{"arrival", arrival.arrival_id}, {"why", entered.error().message}});
    co_return arrival;
  }
  if (entered->state != State::arrived) {
    contested_.emplace(arrival.arrival_id, state.block_number);
    co_return std::move(*entered);
  }
  contested_.erase(arrival.arrival_id);
  count("arrived");
  const auto record = core::parse_uuid(entered->wallet_id);
  if (record && d_.arrived) co_await d_.arrived(entered->chain_id, entered->account, *record);
  co_return std::move(*entered);
}

Task<void> ArrivalsService::look_around(Chain& chain) {
  auto read = [chain_id = chain.served.chain_id, after = chain.looked_at](soci::session& sql) {
    return store::expected(sql, chain_id, after, kLookedAtPerBlock);
  };
  auto found = co_await d_.database.read(read);
  if (!found) co_return;
  // From the beginning again.
  chain.looked_at = found->size() < kLookedAtPerBlock ? std::string() : found->back().arrival_id;
  for (Arrival& one : *found) {
    const auto state = co_await chain.view.state(one.account);
    // A chain that is away is there again with some block; what is no account stays expected.
    if (!state && state.error().code == accounts::ErrorCode::chain_failed) co_return;
    if (state) co_await look(chain, std::move(one), *state);
  }
}

Task<void> ArrivalsService::run() {
  for (;;) {
    changed_.reset();
    for (const auto& chain : chains_) co_await look_around(*chain);
    co_await changed_.wait();
  }
}

}  // namespace community::arrivals
