// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when a test says so. Sleepers wake in the order of their times.
#pragma once
#include <map>

#include "community/infra/api/clock.hpp"

namespace community::infra {

class FakeClock final : public Clock {
 public:
  // 2026-01-01T00:00:00Z unless told otherwise.
  explicit FakeClock(std::int64_t start_ms = 1'767'225'600'000) : start_ms_(start_ms) {}

  std::int64_t now_ms() const override { return start_ms_ + elapsed_.count(); }
  SteadyTime steady() const override { return SteadyTime{} + elapsed_; }

  Task<void> sleep_until(SteadyTime when) override {
    if (when <= steady()) {
      co_await reschedule();
      co_return;
    }
    Event woken;
    struct Place {
      std::multimap<SteadyTime, Event*>& sleepers;
      std::multimap<SteadyTime, Event*>::iterator it;
      ~Place() { sleepers.erase(it); }
    } place{sleepers_, sleepers_.emplace(when, &woken)};
    asleep_.set();
    co_await woken.wait();
  }

  // Moves both times on and wakes whoever is due; they run when the loop does.
  void advance(Milliseconds duration) {
    elapsed_ += duration;
    for (auto& [when, event] : sleepers_)
      if (when <= steady()) event->set();
  }
  // Sets the wall time alone, as an administrator might.
  void jump_wall(Milliseconds by) { start_ms_ += by.count(); }

  std::size_t sleepers() const {
    std::size_t count = 0;
    for (const auto& [when, event] : sleepers_) count += event->is_set() ? 0 : 1;
    return count;
  }
  // Returns when at least `count` tasks sleep: only then does advancing mean what the test thinks it means.
  Task<void> wait_for_sleepers(std::size_t count) {
    while (sleepers() < count) {
      asleep_.reset();
      co_await asleep_.wait();
    }
  }

 private:
  std::int64_t start_ms_;
  Milliseconds elapsed_{0};
  std::multimap<SteadyTime, Event*> sleepers_;
  Event asleep_;
};

}  // namespace community::infra
