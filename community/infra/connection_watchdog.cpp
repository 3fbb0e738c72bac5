// SPDX-License-Identifier: Apache-2.0
#include "community/infra/connection_watchdog.hpp"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>

#include "community/infra/api/log.hpp"

namespace community::infra {

ConnectionWatchdog::ConnectionWatchdog() : thread_([this] { run(); }) {}

ConnectionWatchdog::~ConnectionWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ConnectionWatchdog::watch(Owner owner, int descriptor, Milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const std::lock_guard lock(mutex_);
  conversations_[owner] = {descriptor, deadline};
  if (deadline < next_look_) wake_.notify_all();
}

void ConnectionWatchdog::extend(Owner owner, Milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const std::lock_guard lock(mutex_);
  if (const auto found = conversations_.find(owner); found != conversations_.end()) found->second.deadline = deadline;
}

void ConnectionWatchdog::release(Owner owner) {
  const std::lock_guard lock(mutex_);
  conversations_.erase(owner);
}

void ConnectionWatchdog::run() {
  pthread_setname_np(pthread_self(), "database-watch");
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const auto by_time = [](const auto& a, const auto& b) { return a.second.deadline < b.second.deadline; };
    const auto next = std::min_element(conversations_.begin(), conversations_.end(), by_time);
    if (next == conversations_.end()) {
      next_look_ = std::chrono::steady_clock::time_point::max();
      wake_.wait(lock);
    } else if (next->second.deadline > std::chrono::steady_clock::now()) {
      next_look_ = next->second.deadline;
      // A copy: the entry may go while this thread waits.
      const auto deadline = next->second.deadline;
      wake_.wait_until(lock, deadline);
    } else {
      log_error("the database did not answer in time; the connection is given up");
      ::shutdown(next->second.descriptor, SHUT_RDWR);
      conversations_.erase(next);
    }
  }
}

}  // namespace community::infra
