// SPDX-License-Identifier: Apache-2.0
// The real key-enclave program in a folder of its own.
#pragma once
#include "trusted/tests/support/programs.hpp"

namespace community::trusted::testing {

class Enclave : public ProgramBody {
 public:
  Error provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) override;
  // Starts the program and waits until it says that it is ready; store_failed when it ends instead.
  Error start() override;
  Error stop(bool clean) override;

  static std::string program();
};

}  // namespace community::trusted::testing
