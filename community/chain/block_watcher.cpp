// SPDX-License-Identifier: Apache-2.0
// The head as a list of blocks whose ends are compared with the node's. What was read during one poll is told only
// when it fits together: a chain that changes between two questions is looked at again.
#include "community/chain/api/block_watcher.hpp"

#include <algorithm>

#include "community/infra/api/log.hpp"

namespace community::chain {

namespace {
using Kind = ChainEvent::Kind;
constexpr Milliseconds kWarnEvery{10'000};
// Answers that do not fit together are asked for again this often within one poll.
constexpr int kMaxLooks = 3;
}  // namespace

struct BlockWatcher::Body {
  Body(ExecutionClient& c, infra::Clock& k, BlockWatcherOptions o)
      : client(c), clock(k), options(o), warning(k, kWarnEvery) {}

  ExecutionClient& client;
  infra::Clock& clock;
  BlockWatcherOptions options;
  infra::RateLimitedWarning warning;
  std::vector<Listener> listeners;
  // Oldest first, each the parent of the next.
  std::deque<Block> window;
  std::optional<Block> head;
  infra::SteadyTime head_since{};
  std::optional<ChainError> last_error;
  std::size_t behind = 0;
  infra::Event nudged;
  std::optional<infra::Gauge> height, head_time;
  std::optional<infra::Counter> reorgs;

  const Block* find(std::uint64_t number) const {
    if (window.empty() || number < window.front().number || number > window.back().number) return nullptr;
    return &window[number - window.front().number];
  }

  Task<void> tell(ChainEvent event) {
    for (auto& listener : listeners) co_await listener(event);
  }

  void take_head(const Block& block) {
    head = block;
    head_since = clock.steady();
    if (!height) return;
    height->set(static_cast<double>(block.number));
    head_time->set(static_cast<double>(block.timestamp));
  }

  Task<void> append(Block block) {
    window.push_back(block);
    if (window.size() > options.window) window.pop_front();
    take_head(block);
    ChainEvent event;
    event.block = std::move(block);
    co_await tell(std::move(event));
  }

  Task<void> reset(Block start, std::uint64_t ancestor, std::string reason) {
    infra::log_warning("chain was reset", {{"why", reason}, {"head", start.number}});
    ChainEvent event;
    event.kind = Kind::reset;
    event.removed.assign(window.rbegin(), window.rend());
    event.ancestor = ancestor;
    event.reason = std::move(reason);
    window.clear();
    head.reset();
    if (reorgs) reorgs->add();
    co_await tell(std::move(event));
    co_await append(std::move(start));
  }

  // Goes back to `ancestor`, which is in the window.
  Task<void> unwind(std::uint64_t ancestor, std::string reason) {
    ChainEvent event;
    event.kind = Kind::reorg;
    event.ancestor = ancestor;
    event.reason = std::move(reason);
    while (window.back().number > ancestor) {
      event.removed.push_back(std::move(window.back()));
      window.pop_back();
    }
    take_head(window.back());
    if (reorgs) reorgs->add();
    infra::log_info("chain reorganised", {{"depth", event.removed.size()}, {"ancestor", ancestor}});
    co_await tell(std::move(event));
  }

  Task<ChainResult<std::optional<Block>>> fetch(std::uint64_t number) {
    co_return co_await client.block(BlockRef::number(number));
  }

  // Blocks first … last in one question. Shorter when the node does not have them all.
  Task<ChainResult<std::vector<Block>>> fetch_range(std::uint64_t first, std::uint64_t last) {
    std::vector<ChainCall> calls;
    for (std::uint64_t number = first; number <= last; number++) {
      ChainCall call{"eth_getBlockByNumber", {}};
      call.params.push_back(json::value(core::format_quantity(number)));
      call.params.push_back(false);
      calls.push_back(std::move(call));
    }
    auto answers = co_await client.batch(std::move(calls), ChainCallOptions());
    if (!answers) co_return tl::unexpected(std::move(answers.error()));
    std::vector<Block> blocks;
    for (auto& answer : *answers) {
      if (!answer) co_return tl::unexpected(std::move(answer.error()));
      if (answer->is_null()) break;
      auto block = block_from_json(*answer);
      if (!block) co_return tl::unexpected(std::move(block.error()));
      blocks.push_back(std::move(*block));
    }
    co_return blocks;
  }

  // True when the state after this look is the node's; false to look again.
  Task<ChainResult<bool>> look() {
    auto latest = co_await client.block(BlockRef::latest());
    if (!latest) co_return tl::unexpected(std::move(latest.error()));
    if (!*latest) co_return chain_fail(ChainErrorKind::malformed, "the node knows no latest block");
    Block tip = std::move(**latest);
    if (window.empty()) {
      co_await append(std::move(tip));
      co_return true;
    }
    if (tip.hash == window.back().hash) {
      behind = 0;
      co_return true;
    }
    if (tip.number > window.back().number) co_return co_await look_forward(std::move(tip));
    co_return co_await look_back(std::move(tip));
  }

  Task<ChainResult<bool>> look_forward(Block tip) {
    behind = 0;
    const std::uint64_t known = window.back().number;
    if (tip.number - known > options.window) {
      co_await reset(std::move(tip), known, "more blocks were missed than the window holds");
      co_return true;
    }
    std::vector<Block> fresh;
    if (tip.number > known + 1) {
      auto fetched = co_await fetch_range(known + 1, tip.number - 1);
      if (!fetched) co_return tl::unexpected(std::move(fetched.error()));
      fresh = std::move(*fetched);
    }
    fresh.push_back(std::move(tip));
    for (std::size_t i = 0; i < fresh.size(); i++)
      if (fresh[i].number != known + 1 + i || (i > 0 && fresh[i].parent_hash != fresh[i - 1].hash)) co_return false;
    if (fresh.front().parent_hash != window.back().hash) co_return co_await resolve(known);
    for (auto& block : fresh) co_await append(std::move(block));
    co_return true;
  }

  Task<ChainResult<bool>> look_back(Block tip) {
    const Block* ours = find(tip.number);
    if (ours == nullptr) {
      co_await reset(std::move(tip), 0, "the head went back beyond the window");
      co_return true;
    }
    if (ours->hash == tip.hash) {
      // The same chain, but shorter.
      if (++behind < options.lag_polls) co_return true;
      behind = 0;
      co_await unwind(tip.number, "the head went back");
      co_return true;
    }
    behind = 0;
    co_return co_await resolve(tip.number);
  }

  // Finds the last common block at or below `from`, unwinds to it, and asks for another look, which then goes forward.
  Task<ChainResult<bool>> resolve(std::uint64_t from) {
    const std::uint64_t oldest = window.front().number;
    for (std::uint64_t number = std::min(from, window.back().number);; number--) {
      auto theirs = co_await fetch(number);
      if (!theirs) co_return tl::unexpected(std::move(theirs.error()));
      const Block* ours = find(number);
      if (*theirs && ours != nullptr && (*theirs)->hash == ours->hash) {
        // Nothing to remove: the node changed its mind between two answers.
        if (number < window.back().number) co_await unwind(number, "another branch became longer");
        co_return false;
      }
      if (number == oldest) break;
    }
    auto latest = co_await client.block(BlockRef::latest());
    if (!latest) co_return tl::unexpected(std::move(latest.error()));
    if (!*latest) co_return chain_fail(ChainErrorKind::malformed, "the node knows no latest block");
    co_await reset(std::move(**latest), 0, "no block of the window is part of the chain any more");
    co_return true;
  }
};

BlockWatcher::BlockWatcher(ExecutionClient& client, infra::Clock& clock, BlockWatcherOptions options,
                           infra::Metrics* metrics)
    : body_(std::make_unique<Body>(client, clock, options)) {
  if (metrics == nullptr) return;
  body_->height = metrics->gauge("community_chain_head", "Number of the newest block seen");
  body_->head_time = metrics->gauge("community_chain_head_timestamp_seconds", "Time of the newest block seen");
  body_->reorgs = metrics->counter("community_chain_reorgs_total", "Reorganisations and resets seen");
}
BlockWatcher::~BlockWatcher() = default;

void BlockWatcher::listen(Listener listener) { body_->listeners.push_back(std::move(listener)); }
void BlockWatcher::nudge() { body_->nudged.set(); }
const std::optional<Block>& BlockWatcher::head() const { return body_->head; }
Milliseconds BlockWatcher::head_unchanged_for() const {
  if (!body_->head) return Milliseconds(0);
  return std::chrono::duration_cast<Milliseconds>(body_->clock.steady() - body_->head_since);
}
const Block* BlockWatcher::find(std::uint64_t number) const { return body_->find(number); }
const std::optional<ChainError>& BlockWatcher::last_error() const { return body_->last_error; }

Task<ChainResult<void>> BlockWatcher::poll() {
  for (int i = 0; i < kMaxLooks; i++) {
    auto settled = co_await body_->look();
    if (!settled) {
      body_->last_error = settled.error();
      co_return tl::unexpected(std::move(settled.error()));
    }
    if (*settled) break;
  }
  body_->last_error.reset();
  co_return ChainResult<void>();
}

namespace {
Task<void> sleep_then_set(infra::Clock& clock, Milliseconds pause, infra::Event& done) {
  co_await clock.sleep_for(pause);
  done.set();
}
}  // namespace

Task<void> BlockWatcher::run() {
  Milliseconds pause = body_->options.poll;
  for (;;) {
    auto polled = co_await poll();
    if (polled) {
      pause = body_->options.poll;
    } else {
      body_->warning.warn("cannot follow the chain", {{"why", polled.error().text()}});
      pause = std::min(pause * 2, body_->options.max_pause);
    }
    // Ends by the clock or by a nudge, whichever comes first.
    infra::TaskGroup sleep(co_await boost::asio::this_coro::executor);
    sleep.spawn(sleep_then_set(body_->clock, pause, body_->nudged));
    std::exception_ptr stopped;
    try {
      co_await body_->nudged.wait();
    } catch (const std::exception&) {
      stopped = std::current_exception();
    }
    body_->nudged.reset();
    sleep.cancel();
    co_await sleep.join();
    if (stopped) std::rethrow_exception(stopped);
  }
}

}  // namespace community::chain
