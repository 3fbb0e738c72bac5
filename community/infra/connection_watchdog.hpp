// SPDX-License-Identifier: Apache-2.0
// Ends conversations with a server that neither answers nor hangs up: libpq's calls wait without end. Inside of the
// module.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "community/infra/api/task.hpp"

namespace community::infra {

class ConnectionWatchdog {
 public:
  ConnectionWatchdog();
  ~ConnectionWatchdog();
  ConnectionWatchdog(const ConnectionWatchdog&) = delete;
  ConnectionWatchdog& operator=(const ConnectionWatchdog&) = delete;

  // Shuts the socket down after `limit`, unless released before: whoever waits at it sees a lost connection. A socket
  // that is watched already gets the new limit.
  void watch(int descriptor, Milliseconds limit);
  // The new limit, for a socket that is watched; nothing otherwise.
  void extend(int descriptor, Milliseconds limit);
  // Before the socket is closed.
  void release(int descriptor);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<int, std::chrono::steady_clock::time_point> deadlines_;
  // When the thread looks next by itself: nearly all conversations end long before, and then nobody wakes it.
  std::chrono::steady_clock::time_point next_look_ = std::chrono::steady_clock::time_point::max();
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace community::infra
