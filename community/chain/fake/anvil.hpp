// SPDX-License-Identifier: Apache-2.0
// A real development chain for integration tests: anvil, as the contracts folder installs it, on a free port.
#pragma once
#include "community/chain/factory.hpp"
#include "community/infra/api/child_process.hpp"

namespace community::chain {

// The program, or nothing when it is not installed. COMMUNITY_ANVIL names another one.
std::optional<std::string> find_anvil();

class Anvil {
 public:
  // `arguments` beside host and port. Port 0 takes a free one. process or timeout when it does not come up.
  static infra::Task<infra::Result<std::unique_ptr<Anvil>>> start(infra::EventLoop& loop,
                                                                  std::vector<std::string> arguments,
                                                                  std::uint16_t port = 0);
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  infra::Task<void> stop();

 private:
  std::unique_ptr<infra::ChildProcess> child_;
  std::uint16_t port_ = 0;
};

}  // namespace community::chain
