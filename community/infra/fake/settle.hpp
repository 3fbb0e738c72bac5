// SPDX-License-Identifier: Apache-2.0
// For tests that look at what tasks have done: the database answers on threads of its own, so that turning the loop is
// not enough, and how often it has to be turned depends on the machine.
#pragma once
#include <soci/soci.h>

#include "community/infra/api/database.hpp"

namespace community::infra {

// Lets tasks on the loop go through at least this many questions to the database, one after the other. The database has
// one reader, so that what is asked here is answered after what was asked before.
inline void settle(EventLoop& loop, Database& database, int questions = 12) {
  constexpr int kTurnsBetween = 50;
  auto nothing = [](soci::session& session) {
    int one = 0;
    session << "SELECT 1", soci::into(one);
    return one;
  };
  for (int i = 0; i < questions; i++) {
    for (int turn = 0; turn < kTurnsBetween; turn++) loop.block_on(reschedule());
    (void)loop.block_on(database.write(nothing));
    (void)loop.block_on(database.read(nothing));
  }
}

}  // namespace community::infra
