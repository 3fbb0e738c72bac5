// SPDX-License-Identifier: Apache-2.0
// Asio behind the task types, so that the rest of the program compiles without its implementation.
#include "community/infra/api/task.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <list>

#include "community/infra/api/log.hpp"

namespace community::infra {
namespace asio = boost::asio;

bool is_cancellation(const std::exception& error) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system != nullptr && system->code() == asio::error::operation_aborted;
}

namespace {

[[noreturn]] void throw_cancelled() { throw boost::system::system_error(asio::error::operation_aborted); }

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return infra::is_cancellation(e);
  } catch (...) {
    return false;
  }
}

std::string words(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

struct EventLoop::Body {
  // One thread runs the loop: the hint lets Asio skip locks on its fast path but keeps post() from other threads.
  asio::io_context context{1};
};

EventLoop::EventLoop() : body_(std::make_unique<Body>()) {}
EventLoop::~EventLoop() = default;

// A stop() that came before is honoured; the restart afterwards is for the next run.
void EventLoop::run() {
  body_->context.run();
  body_->context.restart();
}

std::size_t EventLoop::poll() {
  const std::size_t handlers = body_->context.poll();
  body_->context.restart();
  return handlers;
}

void EventLoop::stop() { body_->context.stop(); }
AnyExecutor EventLoop::executor() { return body_->context.get_executor(); }
void EventLoop::post(std::function<void()> work) { asio::post(body_->context, std::move(work)); }

void EventLoop::spawn(std::string name, Task<void> task) {
  asio::co_spawn(body_->context, std::move(task), [name = std::move(name)](std::exception_ptr error) {
    if (error && !is_cancellation(error)) log_error("task failed", {{"task", name}, {"why", words(error)}});
  });
}

void EventLoop::block_on_erased(Task<void> task) {
  std::exception_ptr failure;
  bool done = false;
  asio::co_spawn(body_->context, std::move(task), [&](std::exception_ptr error) {
    failure = error;
    done = true;
    body_->context.stop();
  });
  // stop() may also come from elsewhere, and the task's completion handler refers to this frame.
  while (!done) {
    const bool had_work = body_->context.run() > 0 || body_->context.stopped();
    body_->context.restart();
    assert(had_work);
    static_cast<void>(had_work);
  }
  if (failure) std::rethrow_exception(failure);
}

struct Event::State {
  struct Waiter {
    asio::steady_timer* timer;
    bool woken = false;
  };
  bool is_set = false;
  std::list<Waiter> waiters;
};

Event::Event() : state_(std::make_shared<State>()) {}
Event::~Event() = default;
Event::Event(Event&&) noexcept = default;
Event& Event::operator=(Event&&) noexcept = default;

void Event::set() {
  state_->is_set = true;
  for (auto& waiter : state_->waiters) {
    waiter.woken = true;
    waiter.timer->cancel();
  }
}
void Event::reset() { state_->is_set = false; }
bool Event::is_set() const { return state_->is_set; }
std::size_t Event::waiters() const { return state_->waiters.size(); }

Task<void> Event::wait() {
  bool woken = false;
  while (!woken) woken = co_await wait_until(SteadyTime::max(), true);
}

Task<void> Event::wait_uncancelled() {
  bool woken = false;
  while (!woken) woken = co_await wait_until(SteadyTime::max(), false);
}

Task<bool> Event::wait_for(Milliseconds timeout) {
  const bool is_endless = timeout == Milliseconds::max();
  return wait_until(is_endless ? SteadyTime::max() : std::chrono::steady_clock::now() + timeout, true);
}

Task<bool> Event::wait_until(SteadyTime time, bool is_cancellable) {
  // Cancellation is noticed all the same: Asio checks it when the caller awaits this.
  if (state_->is_set) co_return true;
  struct Registration {
    std::shared_ptr<State> state;
    std::list<State::Waiter>::iterator place;
    ~Registration() { state->waiters.erase(place); }
  };
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  auto state = state_;
  Registration registration{state, state->waiters.insert(state->waiters.end(), State::Waiter{&timer})};
  boost::system::error_code error;
  if (is_cancellable) {
    std::tie(error) = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  } else {
    // A slot that nobody emits to, in place of the task's own.
    const asio::cancellation_slot nobody;
    std::tie(error) =
        co_await timer.async_wait(asio::bind_cancellation_slot(nobody, asio::as_tuple(asio::use_awaitable)));
  }
  if (registration.place->woken) co_return true;
  if (error) throw_cancelled();
  co_return false;
}

struct TaskGroup::State {
  explicit State(AnyExecutor e) : executor(std::move(e)) {}
  AnyExecutor executor;
  std::list<asio::cancellation_signal> children;
  std::exception_ptr failure;
  Event empty;

  void cancel() {
    // Emitting may finish a child, which removes its signal: step on before emitting.
    for (auto it = children.begin(); it != children.end();) (it++)->emit(asio::cancellation_type::terminal);
  }
};

TaskGroup::TaskGroup(AnyExecutor executor) : state_(std::make_shared<State>(std::move(executor))) {
  state_->empty.set();
}
TaskGroup::~TaskGroup() { state_->cancel(); }

void TaskGroup::spawn(Task<void> child) {
  auto place = state_->children.emplace(state_->children.end());
  state_->empty.reset();
  auto finished = [state = state_, place](std::exception_ptr error) {
    state->children.erase(place);
    if (error && !is_cancellation(error) && !state->failure) {
      state->failure = error;
      state->cancel();
    }
    if (state->children.empty()) state->empty.set();
  };
  asio::co_spawn(state_->executor, std::move(child), asio::bind_cancellation_slot(place->slot(), std::move(finished)));
}

void TaskGroup::cancel() { state_->cancel(); }
std::size_t TaskGroup::size() const { return state_->children.size(); }

Task<void> TaskGroup::join() {
  auto state = state_;
  bool cancelled = false;
  try {
    co_await state->empty.wait();
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    state->cancel();
    co_await state->empty.wait();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    throw_cancelled();
  }
  if (state->failure) std::rethrow_exception(std::exchange(state->failure, nullptr));
}

Task<void> reschedule() { co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); }

Task<void> sleep_real(Milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> run_on(EventLoop& other, std::function<Task<void>()>& make) {
  co_await asio::co_spawn(other.executor(), make(), asio::use_awaitable);
}

namespace detail {

namespace {
Task<void> run_and_set(Task<void> task, Event& done) {
  // The event is set however the task ends; its exception goes on to the group.
  struct SetAtEnd {
    Event& event;
    ~SetAtEnd() { event.set(); }
  } at_end{done};
  co_await std::move(task);
}
}  // namespace

Task<bool> finish_within(Milliseconds timeout, Task<void> task) {
  Event done;
  TaskGroup group(co_await asio::this_coro::executor);
  group.spawn(run_and_set(std::move(task), done));
  bool in_time = false;
  bool cancelled = false;
  try {
    in_time = co_await done.wait_for(timeout);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (!in_time || cancelled) group.cancel();
  // What a cancelled task awaits throws before it begins, so the wait for the child, which refers to `done`, needs a
  // state that is not cancelled.
  if (cancelled) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await group.join();
  if (cancelled) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    throw_cancelled();
  }
  co_return in_time;
}

}  // namespace detail

namespace {
Task<void> take_turns(std::size_t& next, std::size_t count, std::function<Task<void>(std::size_t)>& work) {
  while (next < count) {
    const std::size_t index = next++;
    co_await work(index);
  }
}
}  // namespace

Task<void> for_each_bounded(std::size_t count, std::size_t limit, std::function<Task<void>(std::size_t)>& work) {
  assert(limit > 0);
  std::size_t next = 0;
  TaskGroup group(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < std::min(count, limit); i++) group.spawn(take_turns(next, count, work));
  co_await group.join();
}

}  // namespace community::infra
