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

  // Whoever has a conversation, by address: libpq closes its socket itself when the server hangs up, and another
  // connection may have its number a moment later.
  using Owner = const void*;

  // Shuts the owner's socket down after `limit`, unless released before: whoever waits at it sees a lost connection. An
  // owner who is watched already gets the new limit and socket.
  void watch(Owner owner, int descriptor, Milliseconds limit);
  // The new limit, for an owner who is watched; nothing otherwise.
  void extend(Owner owner, Milliseconds limit);
  // At the end of a conversation, however it ended.
  void release(Owner owner);

 private:
  struct Conversation {
    int descriptor = -1;
    std::chrono::steady_clock::time_point deadline;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<Owner, Conversation> conversations_;
  // When the thread looks next by itself: nearly all conversations end long before, and then nobody wakes it.
  std::chrono::steady_clock::time_point next_look_ = std::chrono::steady_clock::time_point::max();
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace community::infra
