// SPDX-License-Identifier: Apache-2.0
// The door for other nodes' hosts. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/backup/api/keeper.hpp"
#include "community/infra/api/http.hpp"

namespace community::backup {

struct DoorLimits {
  // Requests that run or wait; 503 beyond. Each takes the core for some milliseconds, one that is accepted for two
  // durable writes.
  std::size_t queue = 8;
  // The core rests this many times as long as the last request took before the next begins: strangers without end take
  // a quarter of its time.
  int rest = 3;
  // Shares kept of one source, which makes as many generations as its operator orders, and of all sources. A record
  // takes 4 kB, and all of them are described when one is looked for first: 64 requests of a millisecond.
  std::size_t shares_of_source = 8;
  std::size_t shares = 64;
};

// All outlive the door.
struct DoorDependencies {
  keys::BackupKeys& core;
  keys::ShareKeys& shares;
  infra::Clock& clock;
  // Where the operator's keep orders are.
  BackupFiles files;
  infra::Metrics* metrics = nullptr;
};

// /api/v1/backup: challenge, shares, checkpoints, release, fence (spec/backup.md, section 9). Anybody may ask; the core
// judges who is served. Errors are {"error": rule, "message": words}.
class BackupDoor {
 public:
  virtual ~BackupDoor() = default;
  // The router does not outlive the door.
  virtual void add_to(infra::HttpRouter& router) = 0;
};

std::unique_ptr<BackupDoor> make_backup_door(DoorDependencies dependencies, DoorLimits limits = {});

}  // namespace community::backup
