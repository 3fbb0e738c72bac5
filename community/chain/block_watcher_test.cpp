// SPDX-License-Identifier: Apache-2.0
// Whatever the chain does, a listener that applies the events holds the node's chain.
#include "community/chain/api/block_watcher.hpp"

#include <gtest/gtest.h>

#include <random>

#include "community/chain/api/fee_oracle.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/infra/fake/clock.hpp"

namespace community::chain {
namespace {

using Kind = ChainEvent::Kind;

class block_watcher_test : public testing::Test {
 protected:
  block_watcher_test() {
    options.window = 16;
    watcher = std::make_unique<BlockWatcher>(chain, clock, options);
    watcher->listen([this](const ChainEvent& event) -> Task<void> {
      apply(event);
      co_return;
    });
  }

  // Keeps the chain that the events describe and checks that each fits the state before.
  void apply(const ChainEvent& event) {
    kinds.push_back(event.kind);
    if (event.kind == Kind::block) {
      if (!told.empty()) {
        EXPECT_EQ(event.block.parent_hash, told.back().hash);
        EXPECT_EQ(event.block.number, told.back().number + 1);
      }
      told.push_back(event.block);
    } else if (event.kind == Kind::reorg) {
      for (const auto& removed : event.removed) {
        ASSERT_FALSE(told.empty());
        EXPECT_EQ(removed.hash, told.back().hash);
        told.pop_back();
      }
      ASSERT_FALSE(told.empty());
      EXPECT_EQ(told.back().number, event.ancestor);
    } else {
      told.clear();
    }
  }
  ChainResult<void> poll() {
    kinds.clear();
    return loop.block_on(watcher->poll());
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeChain chain;
  BlockWatcherOptions options;
  std::unique_ptr<BlockWatcher> watcher;
  std::vector<Block> told;
  std::vector<Kind> kinds;
};

TEST_F(block_watcher_test, TheFirstLookTellsTheHeadAndNothingNewIsSilent) {
  chain.mine(5);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().number, 5u);
  EXPECT_EQ(kinds.size(), 1u);
  ASSERT_TRUE(poll().has_value());
  EXPECT_TRUE(kinds.empty());
}

TEST_F(block_watcher_test, MissedBlocksAreFetchedInOneQuestionAndToldInOrder) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(7);
  const std::size_t before = chain.requests();
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(kinds, std::vector<Kind>(7, Kind::block));
  EXPECT_EQ(chain.requests() - before, 2u);
}

TEST_F(block_watcher_test, AHeadThatStandsStillShowsWhetherPollsAreAnsweredOrNot) {
  EXPECT_EQ(watcher->head_unchanged_for(), Milliseconds(0));
  ASSERT_TRUE(poll().has_value());
  clock.advance(Milliseconds(3'000));
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(watcher->head_unchanged_for(), Milliseconds(3'000));
  chain.fail_next({ChainErrorKind::transport, "no answer", 0, {}, false});
  EXPECT_FALSE(poll().has_value());
  clock.advance(Milliseconds(2'000));
  EXPECT_EQ(watcher->head_unchanged_for(), Milliseconds(5'000));
  chain.mine(1);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(watcher->head_unchanged_for(), Milliseconds(0));
  clock.advance(Milliseconds(1'000));
  chain.reorg(1, 1);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(watcher->head_unchanged_for(), Milliseconds(0));
}

TEST_F(block_watcher_test, AReorganisationNamesWhatItRemoves) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(6);
  ASSERT_TRUE(poll().has_value());
  chain.reorg(3, 4);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::reorg, Kind::block, Kind::block, Kind::block, Kind::block}));
  EXPECT_EQ(told.back().hash, chain.head().hash);
}

TEST_F(block_watcher_test, AReorganisationToTheSameOrALowerHeightIsSeen) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(6);
  ASSERT_TRUE(poll().has_value());
  chain.reorg(2, 2);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().hash, chain.head().hash);
  chain.reorg(4, 2);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().hash, chain.head().hash);
}

TEST_F(block_watcher_test, ALaggingEndpointIsNotBelievedAtOnce) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(6);
  ASSERT_TRUE(poll().has_value());
  chain.rewind(2);
  ASSERT_TRUE(poll().has_value());
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().number, 6u);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(kinds, std::vector<Kind>{Kind::reorg});
  EXPECT_EQ(told.back().number, 4u);
}

TEST_F(block_watcher_test, AnotherChainIsAReset) {
  chain.mine(40);
  ASSERT_TRUE(poll().has_value());
  chain.mine(10);
  ASSERT_TRUE(poll().has_value());
  chain.reset();
  chain.mine(3);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::reset, Kind::block}));
  EXPECT_EQ(told.back().hash, chain.head().hash);
  chain.reset();
  chain.mine(3);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().hash, chain.head().hash);
}

TEST_F(block_watcher_test, ALongAbsenceIsAReset) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(17);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::reset, Kind::block}));
}

TEST_F(block_watcher_test, AFailedPollChangesNothing) {
  ASSERT_TRUE(poll().has_value());
  chain.mine(3);
  chain.fail_next({ChainErrorKind::transport, "gone", 0, {}, false});
  EXPECT_EQ(poll().error().kind, ChainErrorKind::transport);
  EXPECT_TRUE(watcher->last_error().has_value());
  EXPECT_EQ(told.back().number, 0u);
  ASSERT_TRUE(poll().has_value());
  EXPECT_EQ(told.back().number, 3u);
  EXPECT_FALSE(watcher->last_error().has_value());
}

TEST_F(block_watcher_test, TheWindowStaysBounded) {
  ASSERT_TRUE(poll().has_value());
  for (int i = 0; i < 50; i++) {
    chain.mine();
    ASSERT_TRUE(poll().has_value());
  }
  EXPECT_EQ(watcher->find(34), nullptr);
  ASSERT_NE(watcher->find(35), nullptr);
  EXPECT_EQ(watcher->find(35)->number, 35u);
  EXPECT_EQ(watcher->find(51), nullptr);
}

TEST_F(block_watcher_test, RandomChainsAreFollowedFromAnySeed) {
  for (std::uint64_t seed = 1; seed <= 20; seed++) {
    std::mt19937_64 engine(seed);
    for (int i = 0; i < 100; i++) {
      switch (engine() % 6) {
        case 0:
          chain.reorg(engine() % 10, engine() % 12);
          break;
        case 1:
          chain.mine(engine() % 20);
          break;
        case 2:
          chain.fail_next({ChainErrorKind::timeout, "", 0, {}, false});
          break;
        default:
          chain.mine();
          break;
      }
      static_cast<void>(poll());
    }
    for (std::size_t i = 0; i <= options.lag_polls + 3; i++) static_cast<void>(poll());
    ASSERT_EQ(told.back().hash, chain.head().hash) << "seed " << seed;
  }
}

TEST_F(block_watcher_test, RunPollsByTheClockAndAtANudge) {
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(watcher->run());
    co_await clock.wait_for_sleepers(1);
    chain.mine();
    clock.advance(options.poll);
    while (told.back().number < 1) co_await infra::reschedule();
    co_await clock.wait_for_sleepers(1);
    chain.mine();
    watcher->nudge();
    while (told.back().number < 2) co_await infra::reschedule();
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST(fee_oracle_test, OffersRiseWithUrgencyAndCoverTheBaseFee) {
  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeChain chain;
  chain.set_base_fee(1'000);
  chain.set_priority_fee(5'000'000);
  chain.mine(3);
  FeeOracle oracle(chain, clock);
  const auto fees = loop.block_on(oracle.suggest());
  ASSERT_TRUE(fees.has_value()) << fees.error().text();
  EXPECT_EQ(fees->base_fee, Uint256(1'000));
  EXPECT_EQ(fees->standard.max_priority_fee_per_gas, Uint256(5'000'000));
  EXPECT_EQ(fees->standard.max_fee_per_gas, Uint256(5'001'500));
  EXPECT_LE(fees->slow.max_fee_per_gas, fees->standard.max_fee_per_gas);
  EXPECT_LE(fees->standard.max_fee_per_gas, fees->fast.max_fee_per_gas);
}

TEST(fee_oracle_test, OneQuestionServesAllWhoAskAtTheSameTime) {
  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeChain chain;
  FeeOracle oracle(chain, clock);
  std::function<Task<void>(std::size_t)> ask = [&](std::size_t) -> Task<void> {
    const auto fees = co_await oracle.suggest();
    EXPECT_TRUE(fees.has_value());
  };
  loop.block_on(infra::for_each_bounded(20, 20, ask));
  EXPECT_EQ(chain.count("eth_feeHistory"), 1u);
  oracle.invalidate();
  loop.block_on(infra::for_each_bounded(2, 1, ask));
  EXPECT_EQ(chain.count("eth_feeHistory"), 2u);
  // Where no block comes, for a while.
  clock.advance(FeeOracleOptions().keep);
  loop.block_on(infra::for_each_bounded(2, 1, ask));
  EXPECT_EQ(chain.count("eth_feeHistory"), 3u);
}

TEST(fee_oracle_test, ANodeWithoutHistoryIsAskedForItsSuggestion) {
  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeChain chain;
  chain.set_priority_fee(10'000'000);
  chain.on("eth_feeHistory", [](const json::array&) -> ChainResult<json::value> {
    return tl::unexpected(ChainError{ChainErrorKind::rpc, "no such method", -32'601, {}, false});
  });
  FeeOracle oracle(chain, clock);
  const auto fees = loop.block_on(oracle.suggest());
  ASSERT_TRUE(fees.has_value());
  EXPECT_EQ(fees->standard.max_priority_fee_per_gas, Uint256(10'000'000));
}

TEST(fee_oracle_test, WhoWaitsForAQuestionSharesItsFailure) {
  infra::EventLoop loop;
  infra::FakeClock clock;
  FakeChain chain;
  ChainError error;
  error.kind = ChainErrorKind::timeout;
  chain.fail_next(error);
  FeeOracle oracle(chain, clock);
  std::size_t failed = 0;
  std::function<Task<void>(std::size_t)> ask = [&](std::size_t) -> Task<void> {
    const auto fees = co_await oracle.suggest();
    failed += !fees.has_value();
  };
  loop.block_on(infra::for_each_bounded(20, 20, ask));
  EXPECT_EQ(failed, 20u);
  EXPECT_EQ(chain.count("eth_feeHistory"), 1u);
  // Who comes later asks anew.
  loop.block_on(infra::for_each_bounded(1, 1, ask));
  EXPECT_EQ(failed, 20u);
}

}  // namespace
}  // namespace community::chain
