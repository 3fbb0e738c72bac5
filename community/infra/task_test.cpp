// SPDX-License-Identifier: Apache-2.0
// Structured concurrency: nothing is left behind, whatever ends first.
#include "community/infra/api/task.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "community/infra/api/channel.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/infra/fake/clock.hpp"

namespace community::infra {
namespace {

struct CountAlive {
  explicit CountAlive(int& c) : count(c) { count++; }
  ~CountAlive() { count--; }
  int& count;
};

Task<void> wait_forever(int& alive) {
  const CountAlive guard(alive);
  Event never;
  co_await never.wait();
}

Task<int> value_after(Event& event, int value) {
  co_await event.wait();
  co_return value;
}

TEST(task_test, BlockOnReturnsTheValueAndThrowsTheException) {
  EventLoop loop;
  auto seven = []() -> Task<int> { co_return 7; };
  EXPECT_EQ(loop.block_on(seven()), 7);
  auto bad = []() -> Task<void> {
    throw std::runtime_error("broken");
    co_return;
  };
  EXPECT_THROW(loop.block_on(bad()), std::runtime_error);
}

TEST(task_test, BothRunAtTheSameTime) {
  EventLoop loop;
  auto test = []() -> Task<void> {
    Event first, second;
    auto a = [](Event& mine, Event& other) -> Task<int> {
      other.set();
      co_await mine.wait();
      co_return 1;
    };
    const auto [x, y] = co_await both(a(first, second), a(second, first));
    EXPECT_EQ(x + y, 2);
  };
  loop.block_on(test());
}

TEST(task_test, AFailingChildCancelsItsSiblingsAndReachesTheParent) {
  EventLoop loop;
  int alive = 0;
  auto fail_now = []() -> Task<void> {
    throw std::runtime_error("child");
    co_return;
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(wait_forever(alive));
    group.spawn(wait_forever(alive));
    group.spawn(fail_now());
    co_await group.join();
  };
  EXPECT_THROW(loop.block_on(test()), std::runtime_error);
  EXPECT_EQ(alive, 0);
}

TEST(task_test, TimeoutCancelsAndAwaitsTheTask) {
  EventLoop loop;
  int alive = 0;
  const auto result = loop.block_on(with_timeout(Milliseconds(1), wait_forever(alive)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_EQ(alive, 0);
}

TEST(task_test, TimeoutLetsAQuickTaskThrough) {
  EventLoop loop;
  Event ready;
  ready.set();
  const auto result = loop.block_on(with_timeout(Milliseconds(60'000), value_after(ready, 5)));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, 5);
}

TEST(task_test, CancellingAParentWaitsForWhatItsTimeoutGuards) {
  EventLoop loop;
  bool child_ended = false, parent_waited = false;
  auto child = [&]() -> Task<void> {
    struct AtEnd {
      bool& ended;
      ~AtEnd() { ended = true; }
    } at_end{child_ended};
    Event never;
    co_await never.wait();
  };
  auto parent = [&]() -> Task<void> {
    struct AtEnd {
      bool& child_ended;
      bool& waited;
      ~AtEnd() { waited = child_ended; }
    } at_end{child_ended, parent_waited};
    co_await with_timeout(Milliseconds(60'000), child());
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(parent());
    for (int turn = 0; turn < 10; turn++) co_await reschedule();
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_TRUE(child_ended);
  EXPECT_TRUE(parent_waited);
}

TEST(task_test, CancellingAParentReachesNestedChildrenBeforeItEnds) {
  EventLoop loop;
  int alive = 0;
  auto parent = [&]() -> Task<void> {
    TaskGroup inner(co_await boost::asio::this_coro::executor);
    inner.spawn(wait_forever(alive));
    inner.spawn(wait_forever(alive));
    co_await inner.join();
  };
  auto test = [&]() -> Task<void> {
    TaskGroup outer(co_await boost::asio::this_coro::executor);
    outer.spawn(parent());
    while (alive < 2) co_await reschedule();
    outer.cancel();
    co_await outer.join();
    EXPECT_EQ(alive, 0);
  };
  loop.block_on(test());
}

TEST(task_test, ForEachBoundedNeverExceedsItsLimitAndVisitsAll) {
  EventLoop loop;
  int running = 0, most = 0, done = 0;
  std::function<Task<void>(std::size_t)> work = [&](std::size_t) -> Task<void> {
    most = std::max(most, ++running);
    co_await reschedule();
    running--;
    done++;
  };
  loop.block_on(for_each_bounded(50, 4, work));
  EXPECT_EQ(done, 50);
  EXPECT_EQ(most, 4);
}

TEST(task_test, AFullChannelHoldsItsProducerBack) {
  EventLoop loop;
  Channel<int> channel(2);
  int pushed = 0;
  auto produce = [&]() -> Task<void> {
    for (int i = 0; i < 5; i++) {
      if (!co_await channel.push(i)) co_return;
      pushed++;
    }
    channel.close();
  };
  auto consume = [&]() -> Task<void> {
    for (int i = 0; i < 10; i++) co_await reschedule();
    EXPECT_EQ(pushed, 2);
    for (int i = 0; i < 5; i++) {
      const auto value = co_await channel.pop();
      EXPECT_EQ(value.value_or(-1), i);
    }
    const auto end = co_await channel.pop();
    EXPECT_FALSE(end.has_value());
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(produce());
    group.spawn(consume());
    co_await group.join();
  };
  loop.block_on(test());
}

TEST(task_test, AClosedChannelRefusesAndWakesItsProducer) {
  EventLoop loop;
  Channel<int> channel(1);
  auto test = [&]() -> Task<void> {
    EXPECT_TRUE(co_await channel.push(1));
    TaskGroup group(co_await boost::asio::this_coro::executor);
    bool refused = false;
    auto producer = [&]() -> Task<void> { refused = !co_await channel.push(2); };
    group.spawn(producer());
    co_await reschedule();
    channel.close();
    co_await group.join();
    EXPECT_TRUE(refused);
  };
  loop.block_on(test());
}

TEST(worker_pool_test, AJobRunsElsewhereAndItsCallerComesBack) {
  EventLoop loop;
  WorkerPool pool({"test", 2, 16});
  auto test = [&]() -> Task<void> {
    const auto home = std::this_thread::get_id();
    const auto away = co_await pool.run([] { return std::this_thread::get_id(); });
    EXPECT_TRUE(away.has_value());
    EXPECT_NE(*away, home);
    EXPECT_EQ(std::this_thread::get_id(), home);
  };
  loop.block_on(test());
}

TEST(worker_pool_test, AFullQueueRefusesByType) {
  EventLoop loop;
  WorkerPool pool({"test", 1, 1});
  std::atomic<bool> running = false;
  std::promise<void> release;
  auto gate = release.get_future().share();
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    auto block = [&]() -> Task<void> {
      auto job = [gate, &running] {
        running = true;
        gate.wait();
      };
      const auto done = co_await pool.run(job);
      EXPECT_TRUE(done.has_value());
    };
    group.spawn(block());
    while (!running) co_await reschedule();
    group.spawn(block());
    while (pool.queued() != 1) co_await reschedule();
    const auto third = co_await pool.run([] {});
    EXPECT_FALSE(third.has_value());
    EXPECT_EQ(third.error().code, ErrorCode::queue_full);
    release.set_value();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST(worker_pool_test, AnExceptionOfAJobIsThrownAtItsCaller) {
  EventLoop loop;
  WorkerPool pool({"test", 1, 16});
  auto test = [&]() -> Task<void> { co_await pool.run([]() -> int { throw std::logic_error("bug"); }); };
  EXPECT_THROW(loop.block_on(test()), std::logic_error);
}

TEST(clock_test, AFakeClockWakesOnlyThoseWhoAreDue) {
  EventLoop loop;
  FakeClock clock;
  int woken = 0;
  auto sleeper = [&](Milliseconds time) -> Task<void> {
    co_await clock.sleep_for(time);
    woken++;
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(sleeper(Milliseconds(100)));
    group.spawn(sleeper(Milliseconds(300)));
    co_await clock.wait_for_sleepers(2);
    clock.advance(Milliseconds(100));
    while (woken < 1) co_await reschedule();
    EXPECT_EQ(clock.sleepers(), 1u);
    clock.advance(Milliseconds(199));
    co_await reschedule();
    EXPECT_EQ(woken, 1);
    clock.advance(Milliseconds(1));
    co_await group.join();
    EXPECT_EQ(woken, 2);
  };
  loop.block_on(test());
}

}  // namespace
}  // namespace community::infra
