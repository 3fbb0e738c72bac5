// SPDX-License-Identifier: Apache-2.0
// Coroutines of the whole program: one alias, one loop per thread, and joins that never leave a child behind. Every
// object here belongs to the thread of one loop; only EventLoop::post, spawn and stop may be called from others.
//
// Warning for every coroutine of this program: g++ 12.2 destroys twice the members of a temporary that is made inside a
// co_await expression by braces or as a lambda with captures. Name it first:
//   auto insert = [row](soci::session& sql) { … };      HttpCall call{…};
//   co_await database.write(insert);                    co_await client.send(std::move(call));
// Captures that are references or numbers are safe, and so are values returned by functions or made by constructors.
// Put no co_await into ?: and none into the condition of a loop with an empty body.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "community/infra/api/error.hpp"

namespace community::infra {

template <class T = void>
using Task = boost::asio::awaitable<T>;
using AnyExecutor = boost::asio::any_io_executor;
using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

// True for the exception that a cancelled coroutine unwinds with.
bool is_cancellation(const std::exception& error);

// One thread runs it. Destroying a loop destroys the coroutines that still wait on it.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Returns after stop() or when no work is left.
  void run();
  // Runs what is ready without waiting for more; the number of handlers run.
  std::size_t poll();
  void stop();
  AnyExecutor executor();
  void post(std::function<void()> work);
  // Starts a task nobody joins. An exception that reaches its edge is a bug: it is logged with `name`.
  void spawn(std::string name, Task<void> task);

  // For main() and tests: runs the loop until `task` is done and returns its value or throws its exception.
  template <class T>
  T block_on(Task<T> task);

 private:
  void block_on_erased(Task<void> task);
  struct Body;
  std::unique_ptr<Body> body_;
};

// Level-triggered: wait() returns at once while it is set.
class Event {
 public:
  Event();
  ~Event();
  Event(Event&&) noexcept;
  Event& operator=(Event&&) noexcept;

  void set();
  void reset();
  bool is_set() const;
  Task<void> wait();
  // Waits on when the task is cancelled, which is noticed at its next wait.
  Task<void> wait_uncancelled();
  // False when the time passed first.
  Task<bool> wait_for(Milliseconds timeout);
  std::size_t waiters() const;

 private:
  struct State;
  Task<bool> wait_until(SteadyTime time, bool is_cancellable);
  std::shared_ptr<State> state_;
};

// Children that are joined before their owner goes on. Cancelling asks every child to stop at its next wait.
class TaskGroup {
 public:
  explicit TaskGroup(AnyExecutor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(Task<void> child);
  void cancel();
  std::size_t size() const;
  // Waits for all children. The first exception of a child (cancellation aside) cancels the others and is thrown here.
  // When the waiting task is itself cancelled, the children are cancelled and awaited first.
  Task<void> join();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Lets other ready work of this loop run first.
Task<void> reschedule();
// On the steady clock of the operating system; code whose time a test must control uses Clock instead.
Task<void> sleep_real(Milliseconds duration);

// Runs `make` on another loop's thread and comes back.
Task<void> run_on(EventLoop& other, std::function<Task<void>()>& make);

namespace detail {
// See the warning above: a temporary closure is safe inside co_await only when destroying it twice does nothing.
template <class F>
inline constexpr bool kSafeInAwait =
    std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<std::remove_cvref_t<F>>;

// Copies a named closure; moves one that cannot be copied.
template <class F>
std::remove_cvref_t<F> take_closure(F& f) {
  if constexpr (std::is_copy_constructible_v<std::remove_cvref_t<F>>) {
    return f;
  } else {
    return std::move(f);
  }
}

Task<bool> finish_within(Milliseconds timeout, Task<void> task);

template <class T>
Task<void> store(Task<T> task, std::optional<T>& slot) {
  slot.emplace(co_await std::move(task));
}
template <class T>
Task<void> store_in(std::vector<std::optional<T>>& slots, std::size_t index, Task<T> task) {
  slots[index].emplace(co_await std::move(task));
}
}  // namespace detail

template <class T>
T EventLoop::block_on(Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    block_on_erased(std::move(task));
  } else {
    std::optional<T> slot;
    block_on_erased(detail::store(std::move(task), slot));
    return std::move(*slot);
  }
}

// The task's value, or timeout after it was cancelled and has unwound. A task that ignores cancellation (a job on a
// worker pool) is awaited: nothing is left behind.
template <class T>
Task<Result<T>> with_timeout(Milliseconds timeout, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    const bool done = co_await detail::finish_within(timeout, std::move(task));
    if (!done) co_return fail(ErrorCode::timeout, "no result in " + std::to_string(timeout.count()) + " ms");
    co_return Result<void>{};
  } else {
    std::optional<T> slot;
    const bool done = co_await detail::finish_within(timeout, detail::store(std::move(task), slot));
    if (!done || !slot) co_return fail(ErrorCode::timeout, "no result in " + std::to_string(timeout.count()) + " ms");
    co_return Result<T>{std::move(*slot)};
  }
}

// Runs both at the same time; the values when both are done.
template <class A, class B>
Task<std::pair<A, B>> both(Task<A> a, Task<B> b) {
  std::optional<A> first;
  std::optional<B> second;
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(detail::store(std::move(a), first));
  group.spawn(detail::store(std::move(b), second));
  co_await group.join();
  co_return std::pair<A, B>(std::move(*first), std::move(*second));
}

// Runs all at the same time; the values in the order of the tasks.
template <class T>
Task<std::vector<T>> all(std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> slots(tasks.size());
  TaskGroup group(co_await boost::asio::this_coro::executor);
  for (std::size_t i = 0; i < tasks.size(); i++) group.spawn(detail::store_in(slots, i, std::move(tasks[i])));
  co_await group.join();
  std::vector<T> values;
  values.reserve(slots.size());
  for (auto& slot : slots) values.push_back(std::move(*slot));
  co_return values;
}

// work(0) … work(count - 1), never more than `limit` of them at the same time.
Task<void> for_each_bounded(std::size_t count, std::size_t limit, std::function<Task<void>(std::size_t)>& work);

}  // namespace community::infra
