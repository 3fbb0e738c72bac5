// SPDX-License-Identifier: Apache-2.0
// Threads that work for an event loop.
#pragma once
#include <pthread.h>
#include <sched.h>

namespace community::infra {

// Called by the thread itself. Name: 15 characters at most. A worker that is woken lets the loop finish its turn
// instead of taking the processor that the loop runs on (SCHED_BATCH, sched(7)): what the loop still does is what the
// person who waits sees. Whether that is granted makes no difference to what is done.
inline void begin_worker_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
  const sched_param normal{};
  (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &normal);
}

}  // namespace community::infra
