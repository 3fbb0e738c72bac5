// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/enclave.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace community::trusted::testing {

std::string Enclave::program() { return std::string(COMMUNITY_BINARY_DIR) + "/bin/key-enclave"; }

Error Enclave::provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) {
  const ProgramResult result =
      run_program({program(), "provision", "--state", folder(), "--operator-key", to_hex(operator_key)});
  if (result.status != 0 || result.output.size() != 65) return Error::not_provisioned;
  base::copy(channel_key, unhex(std::string_view(result.output).substr(0, 64)));
  return Error::ok;
}

Error Enclave::start() {
  const Child child = spawn({program(), "serve", "--state", folder(), "--socket", socket_path()});
  ::close(child.output);
  ::close(child.input);
  pid_ = child.pid;
  std::string line;
  char c = 0;
  while (read(child.errors, &c, 1) == 1 && c != '\n') line += c;
  // Later messages go nowhere; the program ignores SIGPIPE.
  ::close(child.errors);
  if (line.find("ready") != std::string::npos) return Error::ok;
  wait();
  return Error::store_failed;
}

Error Enclave::stop(bool clean) {
  if (!clean) {
    kill();
    return Error::ok;
  }
  if (pid_ <= 0) return Error::store_failed;
  ::kill(pid_, SIGTERM);
  const int status = wait();
  connection_.close();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Error::ok : Error::store_failed;
}

}  // namespace community::trusted::testing
