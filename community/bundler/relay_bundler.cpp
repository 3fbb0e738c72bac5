// SPDX-License-Identifier: Apache-2.0
// Building, signing, storing and sending bundles, in this order: what is sent is on disk before.
#include "community/bundler/relay_bundler.hpp"

#include "community/bundler/inclusions.hpp"

namespace community::bundler {
namespace {

// Blocks searched for an operation that somebody else included.
constexpr std::uint64_t kSearchBlocks = 256;
// An empty transaction to oneself.
constexpr std::uint64_t kCancelGas = 21'000;

bool is_deployed_already(std::string_view reason) { return reason.starts_with("AA10"); }

}  // namespace

RelayBundler::RelayBundler(BundlerDependencies dependencies, BundlerOptions options)
    : d_(std::move(dependencies)),
      options_(std::move(options)),
      store_(d_.database, options_.chain_id),
      builder_(d_.simulator, options_) {
  d_.blocks.listen([this](const chain::ChainEvent& event) -> Task<void> {
    if (event.kind == chain::ChainEvent::Kind::block) {
      head_ = event.block.number;
    } else {
      ancestor_ = std::min(ancestor_.value_or(event.ancestor), event.ancestor);
    }
    block_seen_ = true;
    d_.fees.invalidate();
    wake_.set();
    co_return;
  });
  wake_.set();
  if (d_.health != nullptr) d_.health->add("bundler", [this] { return health(); });
  if (d_.metrics == nullptr) return;
  bundles_.emplace(d_.metrics->counter("community_bundler_bundles_total", "Bundles sent"));
  userops_.emplace(d_.metrics->counter("community_bundler_userops_included_total", "Operations included"));
  reverted_.emplace(d_.metrics->counter("community_bundler_reverted_total", "Bundles that reverted on chain"));
  bumps_.emplace(d_.metrics->counter("community_bundler_bumps_total", "Transactions sent again with higher fees"));
  vanished_.emplace(d_.metrics->counter("community_bundler_vanished_total", "Inclusions that vanished"));
  margin_.emplace(d_.metrics->gauge("community_bundler_margin_wei", "Paid by operations minus paid for gas"));
}

void RelayBundler::stop() {
  is_stopped_ = true;
  wake_.set();
}

Task<void> RelayBundler::run() {
  infra::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(watch_arrivals());
  group.spawn(work(group));
  co_await group.join();
}

Task<void> RelayBundler::watch_arrivals() {
  for (;;) {
    co_await d_.pool.arrivals().wait();
    d_.pool.arrivals().reset();
    // A short pause lets a burst travel together.
    if (d_.pool.statistics().waiting < options_.limits.batch_size) co_await d_.clock.sleep_for(options_.limits.gather);
    wake_.set();
  }
}

Task<void> RelayBundler::work(infra::TaskGroup& group) {
  while (!is_stopped_) {
    co_await wake_.wait();
    wake_.reset();
    if (!is_stopped_) co_await step();
  }
  group.cancel();
}

Task<void> RelayBundler::step() {
  auto loaded = co_await load_executors();
  if (!loaded) {
    keys_problem_ = loaded.error().message;
    infra::log_warning("bundler cannot start yet", {{"why", loaded.error().message}});
    co_return;
  }
  // Without a head no transaction can be dated; the first block event wakes again.
  if (!d_.blocks.head()) co_return;
  if (std::exchange(block_seen_, false)) {
    parked_.clear();
    recheck_above_ = std::exchange(ancestor_, std::nullopt);
    bool is_complete = true;
    for (Executor& executor : executors_) {
      const bool answered = co_await follow(executor);
      is_complete = is_complete && answered;
    }
    if (is_complete) co_await recover_strays();
    co_await drop_overdue();
    // Nothing is concluded from silence: the next event asks again.
    if (!is_complete) {
      block_seen_ = true;
      if (recheck_above_) ancestor_ = std::min(ancestor_.value_or(*recheck_above_), *recheck_above_);
    }
  }
  for (Executor& executor : executors_)
    if (!is_stopped_ && executor.is_free()) co_await send_next(executor);
}

Task<void> RelayBundler::drop_overdue() {
  const std::int64_t oldest = d_.clock.now_ms() - options_.limits.max_waiting.count();
  for (const chain::EntryPoint* entry_point : options_.entry_points)
    for (const pool::UseropPtr& userop : d_.pool.waiting(entry_point->address()))
      if (std::max(userop->received_ms, started_ms_) < oldest)
        co_await d_.pool.drop(userop->userop.hash,
                              "it waited too long, mostly because its fees are below what the chain asks for: send it "
                              "again with higher fees");
}

// What left the queue and is in no transaction that is followed: its executor is no longer one of ours, a write failed
// half way, or somebody else included it.
Task<void> RelayBundler::recover_strays() {
  std::vector<Bytes32> waiting, finished;
  for (const pool::UseropPtr& userop : d_.pool.under_way()) {
    const Bytes32& hash = userop->userop.hash;
    if (slot_of_.contains(hash)) continue;
    if (userop->status == pool::UseropStatus::bundled) {
      waiting.push_back(hash);
      continue;
    }
    if (!foreign_.contains(hash)) {
      const auto record = co_await d_.pool.record(hash);
      if (record && record->inclusion) foreign_[hash] = record->inclusion->block_number;
    }
    const auto found = foreign_.find(hash);
    if (found == foreign_.end()) continue;
    const std::uint64_t block = found->second;
    const bool is_final = head_ >= block + options_.limits.final_depth;
    // If its inclusion vanished it goes into a bundle again; if not, its nonce leads back to the inclusion.
    const bool may_have_vanished = block > recheck_above_.value_or(block);
    if (!is_final && !may_have_vanished) continue;
    (is_final ? finished : waiting).push_back(hash);
    foreign_.erase(found);
  }
  if (!waiting.empty()) co_await d_.pool.mark_waiting(std::move(waiting), false, pool::AlsoWrite());
  if (!finished.empty()) co_await d_.pool.forget(std::move(finished), pool::AlsoWrite());
}

Task<Result<void>> RelayBundler::load_executors() {
  if (!is_loaded_) {
    auto restored = co_await d_.pool.load();
    if (!restored) co_return fail(ErrorCode::storage, restored.error().message);
    auto attempts = co_await store_.load();
    if (!attempts) co_return tl::unexpected(std::move(attempts.error()));
    loaded_ = std::move(*attempts);
    is_loaded_ = true;
  }
  if (!executors_.empty()) co_return Result<void>{};
  auto keys = co_await d_.keys.executors(options_.chain_id);
  if (!keys) co_return fail(ErrorCode::keys_unavailable, keys.error().text());
  if (keys->empty()) co_return fail(ErrorCode::no_executor, "the trusted core has no executor key for this chain");
  for (const keys::KeyInfo& key : *keys) {
    Executor executor;
    executor.key = key.id;
    executor.address = key.address;
    for (const Attempt& attempt : loaded_)
      if (attempt.executor == key.address) executor.slots[attempt.nonce].attempts.push_back(attempt);
    executors_.push_back(std::move(executor));
  }
  assign_userops();
  loaded_.clear();
  started_ms_ = d_.clock.now_ms();
  keys_problem_.clear();
  block_seen_ = true;
  co_return Result<void>{};
}

// The newest transaction with an operation carries it, unless one with it is mined.
void RelayBundler::assign_userops() {
  const auto is_ours = [this](const Address& address) {
    return std::any_of(executors_.begin(), executors_.end(),
                       [&](const Executor& executor) { return executor.address == address; });
  };
  for (const bool mined : {false, true}) {
    for (const Attempt& attempt : loaded_) {
      if ((attempt.state == TransactionState::mined) != mined || !is_ours(attempt.executor)) continue;
      for (const Bytes32& userop : attempt.userops) slot_of_[userop] = {attempt.executor, attempt.nonce};
    }
  }
}

std::vector<ExecutorState> RelayBundler::executors() const {
  std::vector<ExecutorState> states;
  for (const Executor& executor : executors_) {
    ExecutorState state;
    state.address = executor.address;
    state.balance = executor.balance;
    state.nonce = executor.next_nonce;
    for (const auto& [nonce, slot] : executor.slots) {
      const auto is_mined = [](const Attempt& attempt) { return attempt.state == TransactionState::mined; };
      state.outstanding += std::none_of(slot.attempts.begin(), slot.attempts.end(), is_mined);
    }
    states.push_back(state);
  }
  return states;
}

Task<Result<core::json::object>> RelayBundler::transaction_receipt(Bytes32 transaction_hash) {
  auto text = co_await store_.receipt(transaction_hash);
  if (!text) co_return tl::unexpected(std::move(text.error()));
  core::JsonLimits limits;
  // 200 operations with a dozen logs of 600 bytes each are 1.5 MB.
  limits.max_bytes = 64u << 20;
  auto value = core::parse_json(*text, limits);
  if (!value || !value->is_object()) co_return fail(ErrorCode::storage, "the stored receipt is damaged");
  co_return std::move(value->get_object());
}

const chain::EntryPoint* RelayBundler::find_entry_point(const Address& address) const {
  for (const chain::EntryPoint* entry_point : options_.entry_points)
    if (entry_point->address() == address) return entry_point;
  return nullptr;
}

bool RelayBundler::is_followed(const Bytes32& transaction_hash) const {
  for (const Executor& executor : executors_)
    for (const auto& [nonce, slot] : executor.slots)
      for (const Attempt& attempt : slot.attempts)
        if (attempt.hash == transaction_hash) return true;
  return false;
}

std::set<Address> RelayBundler::busy_senders() const {
  std::set<Address> senders;
  for (const auto& [hash, slot] : slot_of_)
    if (const auto userop = d_.pool.find_live(hash); userop && userop->status == pool::UseropStatus::bundled)
      senders.insert(userop->userop.op.sender);
  return senders;
}

Task<bool> RelayBundler::send_next(Executor& executor) {
  for (const chain::EntryPoint* entry_point : options_.entry_points)
    if (co_await send_from(executor, *entry_point)) co_return true;
  co_return false;
}

Task<bool> RelayBundler::send_from(Executor& executor, const chain::EntryPoint& entry_point) {
  Selection selection;
  selection.candidates = d_.pool.waiting(entry_point.address());
  if (selection.candidates.empty()) co_return false;
  auto fees = co_await d_.fees.suggest();
  if (!fees) co_return false;
  const std::set<Address> busy = busy_senders();
  selection.base_fee = fees->base_fee;
  selection.busy_senders = &busy;
  selection.parked = &parked_;
  auto chosen = builder_.select(selection);
  if (chosen.empty()) {
    // Nothing fits, or nothing is ready; what can never fit must not wait for ever. Validation with the same limits has
    // refused such operations before; the limits may have changed since.
    for (const pool::UseropPtr& candidate : selection.candidates)
      if (!builder_.fits_alone(*candidate))
        co_await d_.pool.drop(candidate->userop.hash,
                              "it needs more gas or calldata than a bundle of this node may have");
    co_return false;
  }
  auto outcome = co_await builder_.prove(entry_point, std::move(chosen), executor.address);
  if (!outcome) {
    infra::log_warning("bundle was not simulated", {{"why", outcome.error().message}});
    co_return false;
  }
  co_await handle_misfits(entry_point, std::move(outcome->misfits));
  if (outcome->bundle.userops.empty()) {
    // What did not fit is set aside; nobody else waits for the next block because of it.
    wake_.set();
    co_return false;
  }
  const auto replaced = executor.slots.find(executor.next_nonce);
  const Slot* slot = replaced == executor.slots.end() ? nullptr : &replaced->second;
  const auto offer = choose_fees(*fees, outcome->bundle, slot);
  if (!offer) {
    fee_problem_ = "the chain asks for more than the highest fee that executors may offer";
    co_return false;
  }
  fee_problem_.clear();
  co_return co_await submit(executor, executor.next_nonce, outcome->bundle, *offer);
}

std::optional<chain::FeeOffer> RelayBundler::choose_fees(const chain::FeeSuggestion& suggestion, const Bundle& bundle,
                                                         const Slot* replaced) const {
  // Operations repay min(maxFee, base fee + priority): offering no more priority than the stingiest keeps every bundle
  // from costing more than it earns.
  chain::FeeOffer offer = suggestion.standard;
  for (const pool::UseropPtr& userop : bundle.userops) {
    const auto& op = userop->userop.op;
    const Uint256 above_base = base::subtract(op.max_fee_per_gas, suggestion.base_fee).value_or(Uint256());
    offer.max_priority_fee_per_gas =
        std::min({offer.max_priority_fee_per_gas, op.max_priority_fee_per_gas, above_base});
  }
  if (replaced != nullptr) {
    for (const Attempt& attempt : replaced->attempts) {
      offer.max_fee_per_gas =
          std::max(offer.max_fee_per_gas, chain::raised_fee(attempt.max_fee_per_gas, options_.limits.bump_permille));
      offer.max_priority_fee_per_gas =
          std::max(offer.max_priority_fee_per_gas,
                   chain::raised_fee(attempt.max_priority_fee_per_gas, options_.limits.bump_permille));
    }
  }
  const Uint256& cap = options_.limits.max_fee_per_gas;
  if (!cap.is_zero() && replaced == nullptr) offer.max_fee_per_gas = std::min(offer.max_fee_per_gas, cap);
  if (!cap.is_zero() && offer.max_fee_per_gas > cap) return std::nullopt;
  if (offer.max_fee_per_gas < suggestion.base_fee) return std::nullopt;
  offer.max_priority_fee_per_gas = std::min(offer.max_priority_fee_per_gas, offer.max_fee_per_gas);
  return offer;
}

Task<void> RelayBundler::handle_misfits(const chain::EntryPoint& entry_point, std::vector<Misfit> misfits) {
  for (Misfit& misfit : misfits) {
    parked_.insert(misfit.hash);
    if (!misfit.hopeless) continue;
    if (misfit.reason.starts_with("AA25") || is_deployed_already(misfit.reason)) {
      co_await resolve_nonce(entry_point, misfit.hash, std::move(misfit.reason));
    } else {
      co_await try_again_or_drop(misfit.hash, std::move(misfit.reason));
    }
  }
}

// It was valid when it was accepted: an endpoint that lags, or a block that is just being made, may speak against it
// once. It goes alone from now on.
Task<void> RelayBundler::try_again_or_drop(Bytes32 hash, std::string reason) {
  const auto userop = d_.pool.find_live(hash);
  if (!userop) co_return;
  const bool give_up = userop->failures + 1 >= options_.limits.max_failures;
  std::vector<Bytes32> hashes{hash};
  if (!give_up) {
    infra::log_info("operation does not fit and is tried again", {{"hash", core::to_hex(hash)}, {"why", reason}});
    co_await d_.pool.mark_waiting(std::move(hashes), true, pool::AlsoWrite());
    co_return;
  }
  auto dropped = co_await d_.pool.drop(hash, std::move(reason));
  if (!dropped) infra::log_warning("operation was not dropped", {{"why", dropped.error().message}});
}

// AA25 has three causes: the operation is included already, another one used its nonce, or an earlier one went missing.
// An operation that deploys its sender fails with AA10 before its nonce is looked at, for the first two as well, and
// when somebody deployed the account without it; then it can never be included as it is.
Task<void> RelayBundler::resolve_nonce(const chain::EntryPoint& entry_point, Bytes32 hash, std::string reason) {
  const auto userop = d_.pool.find_live(hash);
  if (!userop) co_return;
  const auto& op = userop->userop.op;
  core::Bytes32 key{};
  const core::Bytes32 nonce = op.nonce.to_be();
  std::copy_n(nonce.begin(), 24, key.begin() + 8);
  chain::CallRequest question;
  question.to = entry_point.address();
  question.data = entry_point.encode_get_nonce(op.sender, Uint256::from_be(key));
  auto answer = co_await d_.chain.call(std::move(question));
  const auto on_chain = answer ? chain::decode_word(*answer) : std::nullopt;
  if (!on_chain) co_return;
  // The nonce came to its turn since the simulation.
  if (*on_chain == op.nonce && !is_deployed_already(reason)) co_return;
  if (*on_chain <= op.nonce) {
    co_await try_again_or_drop(hash, std::move(reason));
    co_return;
  }
  chain::LogFilter filter;
  filter.from = chain::BlockRef::number(head_ > kSearchBlocks ? head_ - kSearchBlocks : 0);
  filter.addresses.push_back(entry_point.address());
  filter.topics = {{chain::entry_point_topics().user_operation}, {hash}};
  auto logs = co_await d_.chain.logs(std::move(filter));
  if (!logs) co_return;
  if (logs->empty()) {
    // A node may count a nonce before it shows the log.
    co_await try_again_or_drop(hash, reason + ": its nonce was used by another operation");
    co_return;
  }
  auto receipt = co_await d_.chain.receipt(logs->front().transaction_hash);
  if (!receipt || !*receipt) co_return;
  auto inclusions = read_inclusions(**receipt, entry_point);
  std::erase_if(inclusions, [&hash](const pool::Inclusion& inclusion) { return inclusion.hash != hash; });
  if (inclusions.empty()) co_return;
  auto done = co_await d_.pool.mark_included(std::move(inclusions), pool::AlsoWrite());
  if (!done) co_return;
  if (d_.on_included) d_.on_included(op.sender, op.nonce);
  if (is_followed((*receipt)->transaction_hash)) co_return;
  slot_of_.erase(hash);
  foreign_[hash] = (*receipt)->block_number;
}

Task<Result<Attempt>> RelayBundler::sign(const Executor& executor, std::uint64_t nonce, const Bundle& bundle,
                                         chain::FeeOffer fees) {
  const bool is_cancellation = bundle.userops.empty();
  core::Transaction transaction;
  transaction.chain_id = Uint256(options_.chain_id);
  transaction.nonce = nonce;
  transaction.max_fee_per_gas = fees.max_fee_per_gas;
  transaction.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
  transaction.gas_limit = Uint256(is_cancellation ? kCancelGas : bundle.gas_limit);
  transaction.to = is_cancellation ? executor.address : bundle.entry_point->address();
  transaction.data = bundle.call_data;
  auto signature = co_await d_.keys.sign_transaction(executor.key, transaction.unsigned_encoding());
  if (!signature) {
    const bool refused = signature.error().code == keys::ErrorCode::refused;
    co_return fail(refused ? ErrorCode::keys_refused : ErrorCode::keys_unavailable, signature.error().text());
  }
  transaction.signature = *signature;
  auto raw = transaction.signed_encoding();
  if (!raw) co_return fail(ErrorCode::keys_refused, raw.error().text());
  Attempt attempt;
  attempt.hash = base::keccak256(*raw);
  attempt.executor = executor.address;
  attempt.nonce = nonce;
  if (!is_cancellation) attempt.entry_point = bundle.entry_point->address();
  for (const pool::UseropPtr& userop : bundle.userops) attempt.userops.push_back(userop->userop.hash);
  attempt.raw = std::move(*raw);
  attempt.max_fee_per_gas = fees.max_fee_per_gas;
  attempt.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
  attempt.sent_at = head_;
  co_return attempt;
}

Task<bool> RelayBundler::submit(Executor& executor, std::uint64_t nonce, const Bundle& bundle, chain::FeeOffer fees) {
  auto attempt = co_await sign(executor, nonce, bundle, fees);
  if (!attempt) {
    keys_problem_ = attempt.error().message;
    infra::log_warning("bundle was not signed", {{"why", keys_problem_}});
    for (const pool::UseropPtr& userop : bundle.userops) parked_.insert(userop->userop.hash);
    co_return false;
  }
  keys_problem_.clear();
  const std::int64_t now = d_.clock.now_ms();
  Attempt row = *attempt;
  pool::AlsoWrite also = [row, now, chain = options_.chain_id](soci::session& sql) {
    insert_attempt(sql, chain, row, now);
  };
  std::vector<Bytes32> hashes = attempt->userops;
  auto stored = co_await d_.pool.mark_bundled(std::move(hashes), attempt->hash, std::move(also));
  if (!stored) {
    infra::log_warning("bundle was not stored", {{"why", stored.error().message}});
    // The queue changed under the bundle: another try follows at once.
    if (stored.error().code == pool::ErrorCode::not_found) d_.pool.arrivals().set();
    co_return false;
  }
  const Bytes32 hash = attempt->hash;
  for (const Bytes32& userop : attempt->userops) slot_of_[userop] = {executor.address, nonce};
  Slot& slot = executor.slots[nonce];
  slot.is_active = true;
  slot.attempts.push_back(std::move(*attempt));
  co_await broadcast(executor, nonce, hash);
  if (bundles_) bundles_->add();
  co_return true;
}

Task<void> RelayBundler::broadcast(const Executor& executor, std::uint64_t nonce, Bytes32 hash) {
  core::Bytes raw;
  for (const Attempt& attempt : executor.slots.at(nonce).attempts)
    if (attempt.hash == hash) raw = attempt.raw;
  if (raw.empty()) co_return;
  auto sent = co_await d_.chain.send_raw_transaction(std::move(raw));
  if (!sent) {
    // It is on disk and will be sent again with the next block; what its fate is, receipts tell.
    send_problem_ = sent.error().text();
    infra::log_warning("transaction was not taken", {{"hash", core::to_hex(hash)}, {"why", send_problem_}});
    co_return;
  }
  send_problem_.clear();
  d_.blocks.nudge();
}

infra::HealthReport RelayBundler::health() const {
  infra::HealthReport report;
  const auto say = [&report](infra::HealthState state, const std::string& words) {
    report.state = std::max(report.state, state);
    report.words += (report.words.empty() ? "" : "; ") + words;
  };
  using infra::HealthState;
  if (executors_.empty())
    say(HealthState::failed, "no executor yet: " + (keys_problem_.empty() ? "starting" : keys_problem_));
  else if (!keys_problem_.empty())
    say(HealthState::degraded, "the trusted core does not sign bundles: " + keys_problem_);
  if (!send_problem_.empty()) say(HealthState::degraded, "the chain does not take bundles: " + send_problem_);
  if (!fee_problem_.empty()) say(HealthState::degraded, fee_problem_);
  for (const Executor& executor : executors_)
    if (executor.is_known && executor.balance < options_.limits.low_balance)
      say(HealthState::degraded, "executor " + core::format_address(executor.address) + " has " +
                                     core::format_decimal(executor.balance) + " wei left; send it at least " +
                                     core::format_decimal(options_.limits.low_balance));
  return report;
}

std::unique_ptr<Bundler> make_bundler(BundlerDependencies dependencies, BundlerOptions options) {
  return std::make_unique<RelayBundler>(std::move(dependencies), std::move(options));
}

}  // namespace community::bundler
