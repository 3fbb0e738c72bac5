// SPDX-License-Identifier: Apache-2.0
// Follows what happens to the node's accounts on chain, through whomever it came, and tells it within one block: a
// person has three days to answer a change of keys, and a day to answer a queued spend.
#pragma once
#include <functional>

#include "community/accounts/api/events.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/infra/api/database.hpp"

namespace community::accounts {

// Name of the event that the watcher makes itself: an operation of an account that did not go through this node. Its
// fields are userOpHash, entryPoint and nonce.
inline constexpr std::string_view kUnknownSubmitter = "UnknownSubmitter";

// Tables of this module. Pass it to Database::open.
infra::MigrationSet account_migrations();

// What another module writes about events, in the one write that keeps the events and moves the cursor: a crash loses
// or repeats neither. Called on the database's writer thread.
class EventJournal {
 public:
  virtual ~EventJournal() = default;
  // Of one write, in the order of the chain. `is_new` is false for what a reorganisation took and brought again, and
  // after a reset of the chain.
  virtual void came(soci::session& session, const AccountEvent& event, bool is_new, std::int64_t now_ms) = 0;
  // Blocks above this one are no longer part of the chain.
  virtual void went(soci::session& session, std::uint64_t above_block) = 0;
};

struct AccountWatcherLimits {
  // Accounts a log filter names; more accounts make more questions a block.
  std::size_t accounts_per_question = 256;
  // Blocks asked for at once when there is something to catch up with.
  std::uint64_t blocks_per_question = 1'000;
};

// All outlive the watcher.
struct AccountWatcherDependencies {
  infra::Database& database;
  infra::Clock& clock;
  chain::ExecutionClient& chain;
  // The watcher listens to it; its owner runs it.
  chain::BlockWatcher& blocks;
  std::vector<const chain::EntryPoint*> entry_points;
  // Whether this node took the operation.
  std::function<infra::Task<bool>(Bytes32 userop_hash)> is_known_userop;
  infra::Metrics* metrics = nullptr;
  std::vector<EventJournal*> journals{};
};

class AccountWatcher {
 public:
  // Called once for each event, after it is on disk, in the order of the chain.
  using Listener = std::function<infra::Task<void>(const AccountEvent&)>;

  virtual ~AccountWatcher() = default;
  // Reads what was watched before. Call it before the block watcher runs.
  virtual infra::Task<Result<void>> load() = 0;
  virtual void listen(Listener listener) = 0;
  // From the next block on, and after every restart. Watching it already is a success.
  virtual infra::Task<Result<void>> watch(Address account) = 0;
  // What the chain still has of an account's events, latest first.
  virtual infra::Task<Result<std::vector<core::json::object>>> recent(Address account, std::size_t limit) = 0;
  // Block up to which everything was seen; nothing before the first.
  virtual std::optional<std::uint64_t> seen_block() const = 0;
};

std::unique_ptr<AccountWatcher> make_account_watcher(AccountWatcherDependencies dependencies,
                                                     AccountWatcherLimits limits = {});

}  // namespace community::accounts
