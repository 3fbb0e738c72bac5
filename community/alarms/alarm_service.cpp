// SPDX-License-Identifier: Apache-2.0
// The door, and two loops behind it: one tells alarms and carries freezes on, one compares keys. Both start at each
// block and at each event; neither holds up the block watcher.
#include "community/alarms/alarm_store.hpp"
#include "community/alarms/factory.hpp"
#include "community/alarms/key_reconciler.hpp"
#include "community/alarms/server_freeze.hpp"
#include "community/infra/api/log.hpp"

namespace community::alarms {
namespace {

namespace json = boost::json;

// Alarms that are told in one go; more follow at once.
constexpr std::size_t kToldAtOnce = 64;

class AlarmService final : public AlarmBook, public Alarms {
 public:
  AlarmService(AlarmDependencies dependencies, std::uint64_t chain_id, AlarmRules rules, AlarmLimits limits)
      : d_(dependencies),
        chain_id_(chain_id),
        rules_(rules),
        limits_(limits),
        store_({d_.database, d_.clock, d_.metrics}, chain_id, rules, limits),
        freezes_({store_, d_.chain, d_.keys, d_.courier, d_.metrics}, chain_id, limits) {}

  accounts::EventJournal& journal() override { return store_; }

  Alarms& open(accounts::AccountWatcher& watcher) override {
    watcher_ = &watcher;
    reconciler_.emplace(KeyReconcilerDependencies{store_, watcher, d_.chain, d_.keys, d_.metrics}, chain_id_);
    watcher.listen([this](const accounts::AccountEvent& event) -> Task<void> {
      heard(event);
      co_return;
    });
    d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
      if (event.kind == chain::ChainEvent::Kind::reorg) reconciler_->reorganised(event.ancestor);
      if (event.kind == chain::ChainEvent::Kind::reset) reconciler_->look_at_all();
      wake_alarms_.set();
      wake_keys_.set();
      co_return;
    });
    return *this;
  }

  Task<Result<void>> follow(Address account, keys::RecordId wallet) override {
    auto kept = co_await store_.follow(account, wallet, WhenFull::refuse);
    if (!kept && kept.error().code == ErrorCode::too_many_wallets) {
      // Strangers' wallets may have filled the places; the owner's gets one for what the chain says of it.
      const auto named = co_await reconciler_->is_named(account, wallet);
      if (!named) co_return tl::unexpected(named.error());
      if (*named) kept = co_await store_.follow(account, wallet, WhenFull::replace);
    }
    if (!kept) co_return kept;
    const auto watched = co_await watcher_->watch(account);
    if (!watched) co_return fail(ErrorCode::storage_failed, watched.error().message);
    reconciler_->look_at(account);
    wake_keys_.set();
    co_return Result<void>{};
  }

  Task<Result<std::vector<Alarm>>> list(AlarmQuery query) override { co_return co_await store_.list(std::move(query)); }
  Task<Result<void>> acknowledge(std::int64_t id) override {
    auto done = co_await store_.acknowledge(id);
    co_await count_waiting();
    co_return done;
  }
  Task<Result<KeyDifference>> difference(Address account) override {
    co_return co_await reconciler_->difference(account);
  }

  Task<void> run() override {
    reconciler_->look_at_all();
    infra::TaskGroup loops(co_await boost::asio::this_coro::executor);
    loops.spawn(run_alarms());
    loops.spawn(run_keys());
    co_await loops.join();
  }

 private:
  void heard(const accounts::AccountEvent& event) {
    reconciler_->heard(event);
    const auto what = alarm_class_of(event);
    if (!what || rules_.action(*what) != AlarmAction::log) return;
    count(*what);
    infra::log_info("something happened to an account", {{"class", name(*what)},
                                                         {"event", event.name},
                                                         {"account", core::format_address(event.account)},
                                                         {"block", event.block_number}});
  }

  Task<void> run_alarms() {
    for (;;) {
      const bool more = co_await tell_alarms();
      if (more) continue;
      co_await wake_alarms_.wait();
      wake_alarms_.reset();
    }
  }

  Task<void> run_keys() {
    for (;;) {
      co_await reconciler_->check();
      co_await wake_keys_.wait();
      wake_keys_.reset();
    }
  }

  // Freezes first, because telling asks the chain who sent the transaction; an alarm that is told has had its freeze
  // carried as far as it goes now. True when there is more to tell.
  Task<bool> tell_alarms() {
    const auto alarms = co_await store_.untold(kToldAtOnce);
    co_await freezes_.advance();
    if (!alarms) {
      infra::log_warning("alarms were not read", {{"why", alarms.error().text()}});
      co_return false;
    }
    for (const Alarm& alarm : *alarms) {
      const bool told = co_await tell(alarm);
      if (!told) co_return false;
    }
    if (!alarms->empty()) co_await count_waiting();
    co_return alarms->size() == kToldAtOnce;
  }

  // Told before it is marked: a crash in between tells it again.
  Task<bool> tell(const Alarm& alarm) {
    const auto transaction = co_await d_.chain.transaction(alarm.transaction_hash);
    // Told without the submitter rather than not at all, unless the chain is only away.
    if (!transaction && transaction.error().kind != chain::ChainErrorKind::rpc) co_return false;
    std::optional<Address> submitter;
    if (transaction && transaction->is_object()) {
      const auto from = core::address_member(transaction->get_object(), "from");
      if (from) submitter = *from;
    }
    infra::log_warning("alarm: something happened to an account",
                       {{"alarm", alarm.id},
                        {"class", name(alarm.what)},
                        {"account", core::format_address(alarm.account)},
                        {"block", alarm.block_number},
                        {"transaction", core::to_hex(alarm.transaction_hash)},
                        {"submitter", submitter ? core::format_address(*submitter) : "unknown"}});
    auto marked = co_await store_.tell(alarm.id, submitter);
    if (!marked) {
      infra::log_warning("an alarm was not marked as told", {{"why", marked.error().text()}});
      co_return false;
    }
    count(alarm.what);
    co_return true;
  }

  void count(AlarmClass what) {
    if (d_.metrics == nullptr) return;
    d_.metrics
        ->counter("community_alarms_total", "Alarms about the node's accounts, those that are only logged among them.",
                  {{"class", std::string(name(what))}})
        .add();
  }

  Task<void> count_waiting() {
    if (d_.metrics == nullptr) co_return;
    const auto waiting = co_await store_.count_waiting();
    if (!waiting) co_return;
    d_.metrics->gauge("community_alarms_waiting", "Alarms that nobody has acknowledged.")
        .set(static_cast<double>(*waiting));
  }

  AlarmDependencies d_;
  const std::uint64_t chain_id_;
  const AlarmRules rules_;
  const AlarmLimits limits_;
  AlarmStore store_;
  ServerFreezes freezes_;
  accounts::AccountWatcher* watcher_ = nullptr;
  std::optional<KeyReconciler> reconciler_;
  infra::Event wake_alarms_, wake_keys_;
};

}  // namespace

json::object to_json(const Alarm& alarm) {
  json::object object;
  object["id"] = alarm.id;
  object["chainId"] = alarm.chain_id;
  object["account"] = core::format_address(alarm.account);
  object["class"] = name(alarm.what);
  object["block"] = alarm.block_number;
  object["transaction"] = core::to_hex(alarm.transaction_hash);
  object["submitter"] = alarm.submitter ? json::value(core::format_address(*alarm.submitter)) : json::value();
  object["seenMs"] = alarm.seen_ms;
  object["events"] = alarm.events;
  object["eventCount"] = alarm.event_count;
  object["acknowledgedMs"] = alarm.acknowledged_ms == 0 ? json::value() : json::value(alarm.acknowledged_ms);
  object["removed"] = alarm.removed;
  object["freeze"] = json::value();
  if (!alarm.freeze) return object;
  json::object freeze;
  freeze["state"] = name(alarm.freeze->state);
  freeze["alarm"] = alarm.freeze->alarm;
  freeze["reason"] = alarm.freeze->reason;
  freeze["errand"] =
      base::is_zero(alarm.freeze->errand) ? json::value() : json::value(core::to_hex(alarm.freeze->errand));
  object["freeze"] = std::move(freeze);
  return object;
}

infra::MigrationSet alarm_migrations() { return AlarmStore::migrations(); }

std::unique_ptr<AlarmBook> make_alarms(AlarmDependencies dependencies, std::uint64_t chain_id, AlarmRules rules,
                                       AlarmLimits limits) {
  return std::make_unique<AlarmService>(dependencies, chain_id, rules, limits);
}

}  // namespace community::alarms
