// SPDX-License-Identifier: Apache-2.0
// The bundler's state and its steps. One transaction of an executor is under way at a time; several executors work side
// by side. Inside of the module.
#pragma once
#include <map>
#include <unordered_map>

#include "community/bundler/bundle_builder.hpp"
#include "community/bundler/factory.hpp"
#include "community/bundler/transaction_store.hpp"
#include "community/infra/api/log.hpp"

namespace community::bundler {

// All transactions signed for one nonce of one executor; at most one of them is mined.
struct Slot {
  std::vector<Attempt> attempts;
  // False once an inclusion vanished: it is still looked up, but the nonce is free for another bundle.
  bool is_active = true;
  // Looks in a row that found the nonce used and none of the attempts mined.
  unsigned missing = 0;

  Attempt* mined() {
    for (Attempt& attempt : attempts)
      if (attempt.state == TransactionState::mined) return &attempt;
    return nullptr;
  }
};

struct Executor {
  keys::RecordId key{};
  Address address{};
  // Whether nonce and balance were read from the chain.
  bool is_known = false;
  std::uint64_t next_nonce = 0;
  Uint256 balance;
  std::map<std::uint64_t, Slot> slots;

  bool is_free() {
    for (auto& [nonce, slot] : slots)
      if (slot.is_active && slot.mined() == nullptr) return false;
    return is_known;
  }
};

class RelayBundler final : public Bundler {
 public:
  RelayBundler(BundlerDependencies dependencies, BundlerOptions options);

  Task<void> run() override;
  void stop() override;
  std::vector<ExecutorState> executors() const override;
  Task<Result<core::json::object>> transaction_receipt(Bytes32 transaction_hash) override;

 private:
  struct HashOfBytes {
    std::size_t operator()(const Bytes32& bytes) const { return base::load_be<std::uint64_t>(bytes.data()); }
  };
  // What a batch about one executor answered.
  struct Look {
    std::uint64_t count = 0;
    std::map<Bytes32, chain::Receipt> receipts;
    // Hashes that were asked for.
    std::set<Bytes32> asked;
  };

  // Building and sending: relay_bundler.cpp.
  Task<void> watch_arrivals();
  Task<void> work(infra::TaskGroup& group);
  Task<void> step();
  Task<Result<void>> load_executors();
  // Which operation is in which slot, after a restart.
  void assign_userops();
  Task<void> drop_overdue();
  Task<void> recover_strays();
  Task<bool> send_next(Executor& executor);
  Task<bool> send_from(Executor& executor, const chain::EntryPoint& entry_point);
  Task<void> handle_misfits(const chain::EntryPoint& entry_point, std::vector<Misfit> misfits);
  Task<void> try_again_or_drop(Bytes32 hash, std::string reason);
  Task<void> resolve_nonce(const chain::EntryPoint& entry_point, Bytes32 hash, std::string reason);
  std::optional<chain::FeeOffer> choose_fees(const chain::FeeSuggestion& suggestion, const Bundle& bundle,
                                             const Slot* replaced) const;
  // True when the transaction is on disk and was sent.
  Task<bool> submit(Executor& executor, std::uint64_t nonce, const Bundle& bundle, chain::FeeOffer fees);
  Task<Result<Attempt>> sign(const Executor& executor, std::uint64_t nonce, const Bundle& bundle, chain::FeeOffer fees);
  Task<void> broadcast(const Executor& executor, std::uint64_t nonce, Bytes32 hash);
  std::set<Address> busy_senders() const;
  const chain::EntryPoint* find_entry_point(const Address& address) const;
  bool is_followed(const Bytes32& transaction_hash) const;

  // Following what was sent: follow.cpp.
  // False when the chain did not answer.
  Task<bool> follow(Executor& executor);
  Task<std::optional<Look>> look(Executor& executor);
  Task<void> follow_slot(Executor& executor, std::uint64_t nonce, const Look& seen);
  Task<void> follow_mined(Executor& executor, std::uint64_t nonce, const Look& seen);
  Task<void> on_mined(Executor& executor, std::uint64_t nonce, Bytes32 hash, const chain::Receipt& receipt);
  Task<void> on_reverted(Executor& executor, std::uint64_t nonce, Bytes32 hash, const chain::Receipt& receipt);
  Task<void> on_vanished(Executor& executor, std::uint64_t nonce);
  Task<void> release(Executor& executor, std::uint64_t nonce);
  Task<void> stand_down(Executor& executor);
  Task<void> bump(Executor& executor, std::uint64_t nonce);
  // The slot's operations that are still its own, but for those in `kept`.
  std::vector<Bytes32> take_userops(const Executor& executor, std::uint64_t nonce, const std::set<Bytes32>& kept);
  void account(const chain::Receipt& receipt, const std::vector<pool::Inclusion>& inclusions);

  infra::HealthReport health() const;

  BundlerDependencies d_;
  BundlerOptions options_;
  TransactionStore store_;
  BundleBuilder builder_;
  std::vector<Executor> executors_;
  bool is_stopped_ = false;
  bool is_loaded_ = false;
  std::vector<Attempt> loaded_;
  infra::Event wake_;
  // Set by the block watcher's events, taken by step().
  bool block_seen_ = true;
  std::uint64_t head_ = 0;
  // Inclusions in blocks above this number may have vanished: as events said, and as the step under way asks about.
  std::optional<std::uint64_t> ancestor_ = 0;
  std::optional<std::uint64_t> recheck_above_;
  // Set aside until the next block.
  std::set<Bytes32> parked_;
  // Which slot an operation is in: (executor, nonce).
  std::unordered_map<Bytes32, std::pair<Address, std::uint64_t>, HashOfBytes> slot_of_;
  // Operations that somebody else's transaction included, with its block, until that is final.
  std::unordered_map<Bytes32, std::uint64_t, HashOfBytes> foreign_;
  // When this run began to work: the time before does not count as waiting.
  std::int64_t started_ms_ = 0;
  // Words for health; empty when all is well.
  std::string keys_problem_, send_problem_, fee_problem_;
  std::uint64_t finished_ = 0;
  std::optional<infra::Counter> bundles_, userops_, reverted_, bumps_, vanished_;
  std::optional<infra::Gauge> margin_;
};

}  // namespace community::bundler
