// SPDX-License-Identifier: Apache-2.0
// The node's side of the door. Only programs (cmd/) and tests include this header.
#pragma once
#include <functional>
#include <memory>

#include "community/control/api/control.hpp"
#include "community/infra/api/http.hpp"

namespace community::control {

// All outlive the door.
struct ControlDependencies {
  keys::WalletKeys& wallets;
  courier::Courier& courier;
  // Called once an account is bound: the node follows its events from then on.
  std::function<Task<void>(Address)> watch;
};

class ControlDoor {
 public:
  virtual ~ControlDoor() = default;
  // POST only.
  virtual infra::HttpHandler handler() = 0;
};

// 401 without the token, whatever is asked.
std::unique_ptr<ControlDoor> make_control_door(ControlDependencies dependencies, NodeInfo info, std::string token);

}  // namespace community::control
