// SPDX-License-Identifier: Apache-2.0
// The real key-enclave program in a folder of its own, and the host's end of its socket.
#pragma once
#include <sys/types.h>

#include "trusted/tests/support/test_host.hpp"

namespace community::trusted::testing {

// A new folder of mode 0700, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct ProgramResult {
  int status = -1;
  std::string output, errors;
};
// Runs a program to its end.
ProgramResult run_program(const std::vector<std::string>& arguments);

// One connection of the socket. Waits give up after half a minute, so that a hanging core fails the test.
class SocketConnection {
 public:
  SocketConnection() = default;
  ~SocketConnection() { close(); }
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  bool connect(const std::string& path);
  void close();
  bool send(ByteView bytes);
  // Sends what the socket takes without waiting; the number of bytes.
  std::size_t send_some(ByteView bytes);
  // The next whole frame; empty when the peer closed.
  Bytes receive();
  Bytes exchange(ByteView frame) { return send(frame) ? receive() : Bytes{}; }
  // Waits until the peer closed, reading what comes.
  bool wait_for_end();

 private:
  int fd_ = -1;
};

class Enclave : public RemoteBody {
 public:
  Enclave() = default;
  ~Enclave() override { kill(); }

  Error provision(const std::array<std::uint8_t, 64>& operator_key, Bytes32& channel_key) override;
  // Starts the program and waits until it says that it is ready; store_failed when it ends instead.
  Error start() override;
  Error stop(bool clean) override;
  bool connect() override { return connection_.connect(socket_path()); }
  Bytes exchange(ByteView frame) override { return connection_.exchange(frame); }

  // Ends the process at once, as a crash does.
  void kill();
  // Waits for its end; the status as waitpid() gives it.
  int wait();
  pid_t pid() const { return pid_; }
  SocketConnection& connection() { return connection_; }
  const std::string& folder() const { return folder_.path(); }
  std::string socket_path() const { return folder_.path() + "/socket"; }
  // The value of a line of /proc/PID/status, "VmRSS" for example.
  std::string proc_status(const std::string& key) const;
  long proc_kilobytes(const std::string& key) const { return std::atol(proc_status(key).c_str()); }

  // Processor time the process has used so far.
  double cpu_micros() const;

  static std::string program();

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
  SocketConnection connection_;
};

}  // namespace community::trusted::testing
