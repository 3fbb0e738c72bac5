// SPDX-License-Identifier: Apache-2.0
// Follows the head of the chain and tells, in order, which blocks came and which went. Keeps a bounded window of what
// it has seen; whatever the node does (restart, reset, reorganisation, lag), the events stay consistent with each
// other.
#pragma once
#include <deque>

#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/metrics.hpp"

namespace community::chain {

struct BlockWatcherOptions {
  Milliseconds poll{500};
  // Blocks remembered, and the deepest reorganisation that is resolved block by block. 128 is what execution clients
  // keep state for; 128 blocks of 0.4 to 20 kB are at most 2.5 MB.
  std::size_t window = 128;
  // A head that is behind ours on the same chain may come from a lagging endpoint: only after this many polls in a row
  // is it taken as the truth.
  std::size_t lag_polls = 3;
  // After failed polls the pause doubles up to this.
  Milliseconds max_pause{8'000};
};

struct ChainEvent {
  enum class Kind : std::uint8_t {
    // `block` extends the chain by one.
    block,
    // `removed` (newest first) are no longer part of the chain; block events for their successors follow.
    reorg,
    // The connection to what was known is lost (the chain was reset, the reorganisation is deeper than the window, or
    // more blocks were missed than it holds): forget everything derived from blocks above `ancestor`; a block event
    // with the new start follows.
    reset,
  };
  Kind kind = Kind::block;
  Block block;
  std::vector<Block> removed;
  // The last block both chains share; for reset the last number that may still be valid, 0 for none.
  std::uint64_t ancestor = 0;
  std::string reason;
};

class BlockWatcher {
 public:
  // Called in the order of registration and awaited, so that a slow listener slows the watcher and misses nothing.
  using Listener = std::function<Task<void>(const ChainEvent&)>;

  BlockWatcher(ExecutionClient& client, infra::Clock& clock, BlockWatcherOptions options = {},
               infra::Metrics* metrics = nullptr);
  ~BlockWatcher();

  // Before run().
  void listen(Listener listener);
  // Polls until cancelled.
  Task<void> run();
  // One look at the head, with the events that follow from it. An error leaves everything as it was.
  Task<ChainResult<void>> poll();
  // Makes run() look at once: a transaction was sent, a test mined.
  void nudge();

  // Nothing before the first successful poll.
  const std::optional<Block>& head() const;
  // Since the head became another one; a chain that makes blocks steadily never shows more than a few of its intervals.
  // Zero before the first successful poll. Goes on while polls fail or hang.
  Milliseconds head_unchanged_for() const;
  // Blocks of the window with this number.
  const Block* find(std::uint64_t number) const;
  // Words when the last poll failed, for /health.
  const std::optional<ChainError>& last_error() const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace community::chain
