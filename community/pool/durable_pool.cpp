// SPDX-License-Identifier: Apache-2.0
// The pool over the database. Memory holds what is live and what is included but not final; every other answer comes
// from the table. Memory changes first and is put back when the write fails, so that no second task sees an operation
// as free while its change is on the way to the disk.
#include <algorithm>
#include <deque>
#include <map>
#include <queue>
#include <unordered_map>

#include "community/infra/api/log.hpp"
#include "community/pool/factory.hpp"
#include "community/pool/userop_store.hpp"

namespace community::pool {
namespace {

using EntryPtr = std::shared_ptr<PooledUserop>;
using Place = std::pair<Address, Address>;

struct HashOfBytes {
  template <std::size_t N>
  std::size_t operator()(const std::array<std::uint8_t, N>& bytes) const {
    return base::load_be<std::uint64_t>(bytes.data());
  }
};

// The upper 192 bits of a nonce name a queue, the lower 64 count in it (ERC-4337, semi-abstracted nonce).
Bytes32 key_of(const Uint256& nonce) {
  Bytes32 bytes = nonce.to_be();
  std::fill(bytes.begin() + 24, bytes.end(), std::uint8_t{0});
  return bytes;
}

// Finished rows are removed after this many more have finished.
constexpr std::size_t kTrimEvery = 4'096;

std::string text(const Uint256& value) { return core::format_decimal(value); }

class DurablePool final : public Pool {
 public:
  DurablePool(infra::Database& database, infra::Clock& clock, std::uint64_t chain_id, infra::Metrics* metrics,
              PoolLimits limits)
      : store_(database, chain_id), clock_(clock), limits_(limits) {
    if (metrics == nullptr) return;
    accepted_.emplace(metrics->counter("community_pool_accepted_total", "Operations kept"));
    dropped_.emplace(metrics->counter("community_pool_dropped_total", "Operations given up"));
    waiting_gauge_.emplace(metrics->gauge("community_pool_userops", "Live operations", {{"status", "waiting"}}));
    bundled_gauge_.emplace(metrics->gauge("community_pool_userops", "Live operations", {{"status", "bundled"}}));
  }

  Task<Result<void>> load() override {
    while (is_loading_) co_await load_ended_.wait();
    if (is_loaded_) co_return Result<void>{};
    is_loading_ = true;
    load_ended_.reset();
    auto loaded = co_await store_.load();
    is_loading_ = false;
    load_ended_.set();
    if (!loaded) co_return tl::unexpected(std::move(loaded.error()));
    is_loaded_ = true;
    sequence_ = loaded->last_sequence;
    for (PooledUserop& userop : loaded->userops) {
      auto entry = std::make_shared<PooledUserop>(std::move(userop));
      entries_[entry->userop.hash] = entry;
      if (is_live(entry->status)) link(entry);
    }
    show();
    arrivals_.set();
    co_return Result<void>{};
  }

  Result<void> check(const Bytes32& hash, const EntryPointId& entry_point, const UserOperation& op) const override {
    if (const auto known = entries_.find(hash); known != entries_.end())
      return fail(ErrorCode::already_known, "this operation is already known");
    if (writing_.contains(hash)) return fail(ErrorCode::already_known, "this operation is already known");
    if (const auto entry = at(entry_point.address, op.sender, op.nonce)) {
      if (auto replaces = check_replacement(*entry, op); !replaces) return replaces;
      return check_entities(op);
    }
    if (live_ >= limits_.total || bytes_ >= limits_.total_bytes)
      return fail(ErrorCode::pool_full, "the pool holds " + std::to_string(live_) + " operations; try again later");
    const auto of_sender = by_sender_.find({entry_point.address, op.sender});
    if (of_sender != by_sender_.end() && of_sender->second.size() >= limits_.per_sender)
      return fail(ErrorCode::sender_limit, "the sender has " + std::to_string(of_sender->second.size()) +
                                               " operations waiting, the limit is " +
                                               std::to_string(limits_.per_sender));
    return check_entities(op);
  }

  Task<Result<AdmissionPtr>> admit(ValidatedUserop userop, std::optional<Uint256> paymaster_deposit) override {
    if (auto loaded = co_await load(); !loaded) co_return tl::unexpected(std::move(loaded.error()));
    if (auto checked = check(userop.hash, userop.entry_point, userop.op); !checked)
      co_return tl::unexpected(std::move(checked.error()));
    EntryPtr replaced = at(userop.entry_point.address, userop.op.sender, userop.op.nonce);
    if (auto covered = check_paymaster(userop, replaced, paymaster_deposit); !covered)
      co_return tl::unexpected(std::move(covered.error()));
    // A replacement takes no further place, but it may be larger than what it replaces.
    if (replaced && userop.calldata.bytes > replaced->userop.calldata.bytes &&
        bytes_ - replaced->userop.calldata.bytes + userop.calldata.bytes > limits_.total_bytes)
      co_return fail(ErrorCode::pool_full, "the pool has no room for a replacement of this size; try again later");
    auto entry = std::make_shared<PooledUserop>();
    entry->userop = std::move(userop);
    entry->status = UseropStatus::validated;
    entry->received_ms = clock_.now_ms();
    entry->sequence = ++sequence_;
    writing_[entry->userop.hash] = entry;
    // The place is taken until the write has ended: limits hold for what arrives meanwhile.
    if (replaced) unlink(replaced);
    link(entry);
    co_return std::make_unique<Taken>(*this, std::move(entry), std::move(replaced));
  }

  Task<Result<Bytes32>> keep(AdmissionPtr admission, AlsoWrite also, Survives survives) override {
    auto& taken = static_cast<Taken&>(*admission);
    const EntryPtr entry = taken.entry, replaced = taken.replaced;
    const Bytes32 hash = entry->userop.hash;
    std::optional<Bytes32> replaced_hash;
    if (replaced) replaced_hash = replaced->userop.hash;
    PooledUserop row = *entry;
    auto written = co_await store_.insert(std::move(row), replaced_hash, std::move(also), survives);
    if (!written) {
      admission.reset();
      co_return tl::unexpected(std::move(written.error()));
    }
    taken.is_kept = true;
    writing_.erase(hash);
    // An earlier transaction with the replaced one may have been mined meanwhile: it is then included, not replaced.
    if (replaced && is_live(replaced->status)) {
      replaced->status = UseropStatus::replaced;
      entries_.erase(replaced->userop.hash);
      finished_++;
    }
    entry->status = UseropStatus::pooled;
    entries_[hash] = entry;
    if (accepted_) accepted_->add();
    show();
    arrivals_.set();
    co_return hash;
  }

  std::vector<UseropPtr> predecessors(const Address& entry_point, const Address& sender,
                                      const Uint256& nonce) const override {
    std::vector<UseropPtr> result;
    const auto of_sender = by_sender_.find({entry_point, sender});
    if (of_sender == by_sender_.end()) return result;
    const auto& queue = of_sender->second;
    for (auto it = queue.lower_bound(Uint256::from_be(key_of(nonce))); it != queue.end() && it->first < nonce; ++it)
      result.push_back(it->second);
    return result;
  }

  std::optional<Uint256> next_nonce(const Address& entry_point, const Address& sender,
                                    const Uint256& nonce_key) const override {
    const auto of_sender = by_sender_.find({entry_point, sender});
    if (of_sender == by_sender_.end()) return std::nullopt;
    std::optional<Uint256> next;
    for (const auto& [nonce, entry] : of_sender->second)
      if (key_of(nonce) == key_of(nonce_key)) next = base::add(nonce, Uint256(1));
    return next;
  }

  std::vector<UseropPtr> waiting(const Address& entry_point) const override {
    // One queue for each nonce key; the queue whose first operation pays most goes first.
    struct Queue {
      std::vector<UseropPtr> userops;
      std::size_t next = 0;
      const PooledUserop& head() const { return *userops[next]; }
    };
    const auto pays_less = [](const Queue* a, const Queue* b) {
      const Uint256& fee_a = a->head().userop.op.max_priority_fee_per_gas;
      const Uint256& fee_b = b->head().userop.op.max_priority_fee_per_gas;
      return fee_a != fee_b ? fee_a < fee_b : a->head().sequence > b->head().sequence;
    };
    std::deque<Queue> queues;
    for (const auto& [place, of_sender] : by_sender_) {
      if (place.first != entry_point) continue;
      std::optional<Bytes32> key;
      bool blocked = false;
      for (const auto& [nonce, entry] : of_sender) {
        if (key != key_of(nonce)) {
          key = key_of(nonce);
          blocked = false;
          queues.emplace_back();
        }
        // What follows an operation that is on its way, or is just being written, has to wait for it.
        blocked = blocked || entry->status != UseropStatus::pooled;
        if (!blocked) queues.back().userops.push_back(entry);
      }
    }
    std::priority_queue<Queue*, std::vector<Queue*>, decltype(pays_less)> order(pays_less);
    for (Queue& queue : queues)
      if (!queue.userops.empty()) order.push(&queue);
    std::vector<UseropPtr> result;
    while (!order.empty()) {
      Queue* queue = order.top();
      order.pop();
      result.push_back(queue->userops[queue->next++]);
      if (queue->next < queue->userops.size()) order.push(queue);
    }
    return result;
  }

  UseropPtr find_live(const Bytes32& hash) const override {
    const auto found = entries_.find(hash);
    return found != entries_.end() && is_live(found->second->status) ? found->second : nullptr;
  }

  Uint256 liability(const Address& entry_point, const Address& paymaster) const override {
    const auto found = paymasters_.find({entry_point, paymaster});
    return found == paymasters_.end() ? Uint256() : found->second.liability;
  }

  std::vector<UseropPtr> under_way() const override {
    std::vector<UseropPtr> result;
    for (const auto& [hash, entry] : entries_)
      if (entry->status != UseropStatus::pooled) result.push_back(entry);
    return result;
  }

  PoolStatistics statistics() const override { return {live_ - bundled_, bundled_, bytes_}; }

  Task<Result<void>> mark_bundled(std::vector<Bytes32> hashes, Bytes32 transaction_hash, AlsoWrite also) override {
    std::vector<StatusChange> changes;
    std::vector<std::pair<EntryPtr, UseropStatus>> before;
    for (const Bytes32& hash : hashes)
      if (!find_linked(hash)) co_return fail(ErrorCode::not_found, "an operation of the bundle was replaced meanwhile");
    for (const Bytes32& hash : hashes) {
      const EntryPtr entry = find_linked(hash);
      before.emplace_back(entry, entry->status);
      set_status(entry, UseropStatus::bundled);
      StatusChange change = change_of(*entry);
      change.transaction_hash = transaction_hash;
      changes.push_back(std::move(change));
    }
    co_return co_await apply(std::move(changes), std::move(before), std::move(also));
  }

  Task<Result<void>> mark_included(std::vector<Inclusion> inclusions, AlsoWrite also) override {
    std::vector<StatusChange> changes;
    std::vector<std::pair<EntryPtr, UseropStatus>> before;
    for (Inclusion& inclusion : inclusions) {
      const auto status = inclusion.success ? UseropStatus::included : UseropStatus::failed;
      StatusChange change;
      const auto found = entries_.find(inclusion.hash);
      if (found != entries_.end()) {
        before.emplace_back(found->second, found->second->status);
        set_status(found->second, status);
        change = change_of(*found->second);
      } else {
        // It was given up, and an earlier transaction that held it was mined after all.
        change.hash = inclusion.hash;
        change.status = status;
        change.is_final = true;
      }
      change.transaction_hash = inclusion.transaction_hash;
      change.inclusion = std::move(inclusion);
      changes.push_back(std::move(change));
    }
    co_return co_await apply(std::move(changes), std::move(before), std::move(also));
  }

  Task<Result<void>> mark_waiting(std::vector<Bytes32> hashes, bool failed, AlsoWrite also) override {
    std::vector<StatusChange> changes;
    std::vector<std::pair<EntryPtr, UseropStatus>> before;
    for (const Bytes32& hash : hashes) {
      const auto found = entries_.find(hash);
      if (found == entries_.end()) continue;
      // A newer operation may have taken its nonce, or is about to.
      const EntryPtr holder = holder_of(*found->second);
      if (holder && holder != found->second) continue;
      before.emplace_back(found->second, found->second->status);
      if (failed) found->second->failures++;
      set_status(found->second, UseropStatus::pooled);
      changes.push_back(change_of(*found->second));
    }
    auto done = co_await apply(std::move(changes), std::move(before), std::move(also));
    if (done) arrivals_.set();
    co_return done;
  }

  Task<Result<void>> drop(Bytes32 hash, std::string reason) override {
    const EntryPtr dropped = find_linked(hash);
    if (!dropped) co_return fail(ErrorCode::not_found, "no such live operation");
    std::vector<StatusChange> changes;
    for (const EntryPtr& entry : with_successors(dropped)) {
      const bool first = entry->userop.hash == hash;
      infra::log_info("operation dropped", {{"hash", core::to_hex(entry->userop.hash)}, {"why", reason}});
      set_status(entry, UseropStatus::dropped);
      entries_.erase(entry->userop.hash);
      StatusChange change = change_of(*entry);
      change.is_final = true;
      change.reason = first ? reason : "an earlier operation of its nonce key was dropped: " + reason;
      changes.push_back(std::move(change));
      if (dropped_) dropped_->add();
    }
    finished_ += changes.size();
    show();
    // Not put back when the write fails: it stays dropped for this run and is tried again by the next one.
    auto written = co_await store_.change(std::move(changes), clock_.now_ms(), AlsoWrite());
    if (!written) co_return written;
    co_return co_await trim();
  }

  Task<Result<void>> forget(std::vector<Bytes32> hashes, AlsoWrite also) override {
    // What waits or is on its way again has no inclusion that could be final.
    std::erase_if(hashes, [this](const Bytes32& hash) { return find_live(hash) != nullptr; });
    for (const Bytes32& hash : hashes) entries_.erase(hash);
    finished_ += hashes.size();
    auto written = co_await store_.finalize(std::move(hashes), std::move(also));
    if (!written) co_return written;
    co_return co_await trim();
  }

  Task<Result<UseropRecord>> record(Bytes32 hash) override { return store_.record(hash); }

  infra::Event& arrivals() override { return arrivals_; }

 private:
  struct Taken final : Admission {
    Taken(DurablePool& pool, EntryPtr taken, EntryPtr other)
        : owner(pool), entry(std::move(taken)), replaced(std::move(other)) {}
    ~Taken() override {
      if (is_kept) return;
      owner.writing_.erase(entry->userop.hash);
      owner.unlink(entry);
      if (replaced && is_live(replaced->status)) owner.link(replaced);
    }
    DurablePool& owner;
    const EntryPtr entry, replaced;
    bool is_kept = false;
  };

  struct PaymasterLoad {
    Uint256 liability;
    std::size_t count = 0;
  };

  EntryPtr at(const Address& entry_point, const Address& sender, const Uint256& nonce) const {
    const auto of_sender = by_sender_.find({entry_point, sender});
    if (of_sender == by_sender_.end()) return nullptr;
    const auto found = of_sender->second.find(nonce);
    return found == of_sender->second.end() ? nullptr : found->second;
  }
  // Who has the place of this operation's nonce.
  EntryPtr holder_of(const PooledUserop& entry) const {
    return at(entry.userop.entry_point.address, entry.userop.op.sender, entry.userop.op.nonce);
  }
  // The live operation, unless another one is replacing it.
  EntryPtr find_linked(const Bytes32& hash) const {
    const auto found = entries_.find(hash);
    if (found == entries_.end() || holder_of(*found->second) != found->second) return nullptr;
    return found->second;
  }

  Result<void> check_replacement(const PooledUserop& old, const UserOperation& op) const {
    if (old.status == UseropStatus::validated)
      return fail(ErrorCode::replacement_in_progress, "another operation with this nonce is just being accepted");
    if (old.status == UseropStatus::bundled)
      return fail(ErrorCode::replacement_too_late, "the operation with this nonce is already in a transaction");
    const auto enough = [this](const Uint256& fee, const Uint256& old_fee) {
      // fee >= old * (100 + percent) / 100, rounded up; fees have 128 bits.
      const auto wanted = base::multiply(old_fee, Uint256(100 + limits_.replacement_percent));
      const auto offered = base::multiply(fee, Uint256(100));
      return wanted && offered && *offered >= *wanted;
    };
    if (enough(op.max_fee_per_gas, old.userop.op.max_fee_per_gas) &&
        enough(op.max_priority_fee_per_gas, old.userop.op.max_priority_fee_per_gas))
      return {};
    return fail(ErrorCode::replacement_underpriced,
                "an operation with this nonce waits; a replacement needs " +
                    std::to_string(limits_.replacement_percent) + " % more of both fees: maxFeePerGas " +
                    text(old.userop.op.max_fee_per_gas) + ", maxPriorityFeePerGas " +
                    text(old.userop.op.max_priority_fee_per_gas) + " are waiting");
  }

  // ERC-7562, STO-040.
  Result<void> check_entities(const UserOperation& op) const {
    if (entities_.contains(op.sender))
      return fail(ErrorCode::sender_is_entity, "the sender address " + core::format_address(op.sender) +
                                                   " is used as a different entity in another UserOperation currently "
                                                   "in mempool");
    const auto used = [this](const std::optional<Address>& entity) { return entity && senders_.contains(*entity); };
    const bool paymaster = used(op.paymaster);
    if (!paymaster && !used(op.factory)) return {};
    const Address entity = paymaster ? *op.paymaster : *op.factory;
    return fail(ErrorCode::entity_is_sender, std::string(paymaster ? "paymaster " : "factory ") +
                                                 core::format_address(entity) +
                                                 " is used as a sender entity in another UserOperation currently in "
                                                 "mempool");
  }

  Result<void> check_paymaster(const ValidatedUserop& userop, const EntryPtr& replaced,
                               const std::optional<Uint256>& deposit) const {
    if (!userop.op.paymaster) return {};
    PaymasterLoad load;
    const auto found = paymasters_.find({userop.entry_point.address, *userop.op.paymaster});
    if (found != paymasters_.end()) load = found->second;
    if (replaced && replaced->userop.op.paymaster == userop.op.paymaster) {
      load.count--;
      load.liability = base::subtract(load.liability, replaced->userop.max_cost).value_or(Uint256());
    }
    if (load.count >= limits_.per_paymaster)
      return fail(ErrorCode::paymaster_limit, "the paymaster has " + std::to_string(load.count) +
                                                  " operations waiting, the limit is " +
                                                  std::to_string(limits_.per_paymaster));
    const auto total = base::add(load.liability, userop.max_cost);
    if (!deposit || (total && *total <= *deposit)) return {};
    return fail(ErrorCode::paymaster_deposit, "paymaster deposit too low for all pending UserOperations: deposit " +
                                                  text(*deposit) + ", liable for " + text(load.liability) +
                                                  ", this one may cost " + text(userop.max_cost));
  }

  static void count_down(std::unordered_map<Address, std::size_t, HashOfBytes>& counts, const Address& address) {
    const auto found = counts.find(address);
    if (found != counts.end() && --found->second == 0) counts.erase(found);
  }

  // Enters the operation into everything that is derived from what is live.
  void link(const EntryPtr& entry) {
    const ValidatedUserop& userop = entry->userop;
    by_sender_[{userop.entry_point.address, userop.op.sender}][userop.op.nonce] = entry;
    senders_[userop.op.sender]++;
    if (userop.op.factory) entities_[*userop.op.factory]++;
    live_++;
    bundled_ += entry->status == UseropStatus::bundled;
    bytes_ += userop.calldata.bytes;
    if (!userop.op.paymaster) return;
    entities_[*userop.op.paymaster]++;
    PaymasterLoad& load = paymasters_[{userop.entry_point.address, *userop.op.paymaster}];
    load.count++;
    load.liability = base::add(load.liability, userop.max_cost).value_or(Uint256::max());
  }

  // Nothing when another operation has its place.
  void unlink(const EntryPtr& entry) {
    if (holder_of(*entry) != entry) return;
    const ValidatedUserop& userop = entry->userop;
    const auto of_sender = by_sender_.find({userop.entry_point.address, userop.op.sender});
    of_sender->second.erase(userop.op.nonce);
    if (of_sender->second.empty()) by_sender_.erase(of_sender);
    count_down(senders_, userop.op.sender);
    if (userop.op.factory) count_down(entities_, *userop.op.factory);
    live_--;
    bundled_ -= entry->status == UseropStatus::bundled;
    bytes_ -= userop.calldata.bytes;
    if (!userop.op.paymaster) return;
    count_down(entities_, *userop.op.paymaster);
    const auto load = paymasters_.find({userop.entry_point.address, *userop.op.paymaster});
    load->second.liability = base::subtract(load->second.liability, userop.max_cost).value_or(Uint256());
    if (--load->second.count == 0) paymasters_.erase(load);
  }

  void set_status(const EntryPtr& entry, UseropStatus status) {
    if (is_live(entry->status)) unlink(entry);
    entry->status = status;
    if (is_live(status) && !holder_of(*entry)) link(entry);
  }

  static StatusChange change_of(const PooledUserop& entry) {
    StatusChange change;
    change.hash = entry.userop.hash;
    change.status = entry.status;
    change.failures = entry.failures;
    return change;
  }

  std::vector<EntryPtr> with_successors(const EntryPtr& entry) const {
    std::vector<EntryPtr> result{entry};
    const ValidatedUserop& userop = entry->userop;
    const auto of_sender = by_sender_.find({userop.entry_point.address, userop.op.sender});
    if (of_sender == by_sender_.end()) return result;
    for (auto it = of_sender->second.upper_bound(userop.op.nonce); it != of_sender->second.end(); ++it)
      if (key_of(it->first) == key_of(userop.op.nonce) && it->second->status == UseropStatus::pooled)
        result.push_back(it->second);
    return result;
  }

  // Removes old rows from time to time.
  Task<Result<void>> trim() {
    if (finished_ < kTrimEvery) co_return Result<void>{};
    finished_ = 0;
    co_return co_await store_.trim(limits_.history);
  }

  Task<Result<void>> apply(std::vector<StatusChange> changes, std::vector<std::pair<EntryPtr, UseropStatus>> before,
                           AlsoWrite also) {
    show();
    auto written = co_await store_.change(std::move(changes), clock_.now_ms(), std::move(also));
    if (!written)
      for (const auto& [entry, status] : before)
        if (entry->status != status) set_status(entry, status);
    show();
    co_return written;
  }

  void show() {
    if (!waiting_gauge_) return;
    waiting_gauge_->set(static_cast<double>(live_ - bundled_));
    bundled_gauge_->set(static_cast<double>(bundled_));
  }

  UseropStore store_;
  infra::Clock& clock_;
  PoolLimits limits_;
  bool is_loaded_ = false, is_loading_ = false;
  infra::Event load_ended_;
  std::uint64_t sequence_ = 0;
  std::unordered_map<Bytes32, EntryPtr, HashOfBytes> entries_;
  std::unordered_map<Bytes32, EntryPtr, HashOfBytes> writing_;
  // (EntryPoint, sender) to live operations by nonce.
  std::map<Place, std::map<Uint256, EntryPtr>> by_sender_;
  std::map<Place, PaymasterLoad> paymasters_;
  std::unordered_map<Address, std::size_t, HashOfBytes> senders_;
  // Factories and paymasters of live operations.
  std::unordered_map<Address, std::size_t, HashOfBytes> entities_;
  std::size_t live_ = 0, bundled_ = 0, bytes_ = 0;
  // Rows that finished since old ones were removed. Nobody knows how many the last run left: the first to finish
  // removes them.
  std::size_t finished_ = kTrimEvery;
  infra::Event arrivals_;
  std::optional<infra::Counter> accepted_, dropped_;
  std::optional<infra::Gauge> waiting_gauge_, bundled_gauge_;
};

}  // namespace

std::string_view status_text(UseropStatus status) {
  constexpr std::string_view kTexts[] = {"received", "validated", "pooled",  "bundled",
                                         "included", "failed",    "dropped", "replaced"};
  const auto i = static_cast<std::size_t>(status);
  return i < std::size(kTexts) ? kTexts[i] : "unknown";
}

Task<Result<Bytes32>> Pool::add(ValidatedUserop userop, std::optional<Uint256> paymaster_deposit, AlsoWrite also) {
  auto admitted = co_await admit(std::move(userop), std::move(paymaster_deposit));
  if (!admitted) co_return tl::unexpected(std::move(admitted.error()));
  co_return co_await keep(std::move(*admitted), std::move(also), Survives::power_failure);
}

std::unique_ptr<Pool> make_pool(infra::Database& database, infra::Clock& clock, std::uint64_t chain_id,
                                infra::Metrics* metrics, PoolLimits limits) {
  return std::make_unique<DurablePool>(database, clock, chain_id, metrics, limits);
}

}  // namespace community::pool
