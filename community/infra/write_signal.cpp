// SPDX-License-Identifier: Apache-2.0
// The signal is raised before the commit. An empty write behind it ends when the group of that write has ended: the
// writer takes writes in their order. It asks for no sync, or what shares its group would wait for the disk with it.
#include "community/infra/api/write_signal.hpp"

#include <atomic>
#include <boost/asio/post.hpp>

namespace community::infra {

struct WriteSignal::State {
  std::atomic<bool> posted = false;
  Event raised;
};

WriteSignal::WriteSignal(Database& database, AnyExecutor executor)
    : database_(database), executor_(std::move(executor)), state_(std::make_shared<State>()) {}

void WriteSignal::raise() {
  if (state_->posted.exchange(true)) return;
  boost::asio::post(executor_, [state = state_] {
    // Before the event is set: what is raised from here on is posted anew.
    state->posted = false;
    state->raised.set();
  });
}

Task<void> WriteSignal::settle() {
  state_->raised.reset();
  // Also when it fails: then nothing was committed that the next look would miss.
  const auto done = co_await database_.write_unsynced([](soci::session&) {});
  static_cast<void>(done);
}

Task<void> WriteSignal::wait() {
  co_await state_->raised.wait();
  co_await settle();
}

namespace {

Task<void> ring(Clock& clock, SteadyTime when, Event& event) {
  co_await clock.sleep_until(when);
  event.set();
}

}  // namespace

Task<void> WriteSignal::wait_until(Clock& clock, SteadyTime when) {
  if (!state_->raised.is_set()) {
    TaskGroup timer(co_await boost::asio::this_coro::executor);
    timer.spawn(ring(clock, when, state_->raised));
    co_await state_->raised.wait();
    timer.cancel();
    co_await timer.join();
  }
  co_await settle();
}

}  // namespace community::infra
