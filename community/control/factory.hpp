// SPDX-License-Identifier: Apache-2.0
// The node's side of the door. Only programs (cmd/) and tests include this header.
#pragma once
#include <memory>
#include <vector>

#include "community/alarms/api/alarms.hpp"
#include "community/control/api/control.hpp"
#include "community/infra/api/http.hpp"
#include "community/treasury/api/treasurer.hpp"

namespace community::control {

// All outlive the door.
struct ControlDependencies {
  keys::WalletKeys& wallets;
  keys::RootKeys& root_keys;
  courier::Courier& courier;
  // They follow an account from the moment it is bound or taken in.
  alarms::Alarms& alarms;
  keys::GenericKeys& generic_keys;
  keys::BackupKeys& backup;
  // Null: the configuration gives the treasury nothing.
  treasury::Treasurer* treasurer = nullptr;
  // Null: this node serves no people.
  users::UsersOperator* users = nullptr;
};

class ControlDoor {
 public:
  virtual ~ControlDoor() = default;
  // POST only.
  virtual infra::HttpHandler handler() = 0;
};

// 401 without the token, whatever is asked.
std::unique_ptr<ControlDoor> make_control_door(ControlDependencies dependencies, NodeInfo info, std::string token);

struct DoorOfChain {
  std::uint64_t chain_id = 0;
  infra::HttpHandler handler;
};
// One path for all of them, so that a proxy that keeps it inside keeps all inside: by `chain` of the query, the first
// one without it, 404 for a chain that is none of them.
infra::HttpHandler door_by_chain(std::vector<DoorOfChain> doors);

}  // namespace community::control
