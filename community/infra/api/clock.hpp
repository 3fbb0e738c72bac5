// SPDX-License-Identifier: Apache-2.0
// Time as a dependency. Wall time is for records and deadlines that people or the chain see; steady time is for
// waiting.
#pragma once
#include <cstdint>

#include "community/infra/api/task.hpp"

namespace community::infra {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970, UTC; may jump when the system's clock is set.
  virtual std::int64_t now_ms() const = 0;
  std::int64_t now_s() const { return now_ms() / 1'000; }
  // Never goes back.
  virtual SteadyTime steady() const = 0;
  // Returns at once when the time has passed. Cancellable.
  virtual Task<void> sleep_until(SteadyTime when) = 0;
  Task<void> sleep_for(Milliseconds duration) { return sleep_until(steady() + duration); }
};

}  // namespace community::infra
