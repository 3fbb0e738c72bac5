// SPDX-License-Identifier: Apache-2.0
// Wakes a task about what a write leaves in the database, once that write is on disk: how work that belongs behind a
// commit (sending, telling) begins at once without being lost when the process dies in between.
#pragma once
#include "community/infra/api/clock.hpp"
#include "community/infra/api/database.hpp"

namespace community::infra {

class WriteSignal {
 public:
  // `executor` is that of the loop whose task waits; both outlive this object.
  WriteSignal(Database& database, AnyExecutor executor);

  // Called inside of a write, on the writer's thread, or from anywhere else. Cheap when repeated.
  void raise();

  // Returns when somebody raised since the last wait and the write that did is on disk, or was undone: what is there is
  // then found by a read. One task waits at a time. The table is the truth: look at it before the first wait.
  Task<void> wait();
  // The same, or when `when` has passed.
  Task<void> wait_until(Clock& clock, SteadyTime when);

 private:
  struct State;
  Task<void> settle();

  Database& database_;
  AnyExecutor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace community::infra
