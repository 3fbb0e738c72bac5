// SPDX-License-Identifier: Apache-2.0
// Programs that a test starts, the host's end of a socket, and a core that runs in such a program.
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

// A span of no meaning but that what comes after it comes at another moment.
void wait_some(std::uint64_t micros);

struct ProgramResult {
  int status = -1;
  std::string output, errors;
};
// A program that runs, and what it writes.
struct Child {
  pid_t pid = -1;
  // `input` is its standard input, for who writes there.
  int output = -1, errors = -1, input = -1;
};
// `environment` is added to that of this process: "NAME=value".
Child spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});
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
  // So many bytes; false when they do not come.
  bool receive_exactly(base::MutableByteView bytes);
  Bytes exchange(ByteView frame) { return send(frame) ? receive() : Bytes{}; }
  // Waits until the connection is over, reading what comes: the peer closed, or sent the length that no frame has.
  bool wait_for_end();

 private:
  int fd_ = -1;
  bool ended_ = false;
};

// A core in a program of its own, reached through a socket.
class ProgramBody : public RemoteBody {
 public:
  ~ProgramBody() override { kill(); }
  bool connect() override { return connection_.connect(socket_path()); }
  bool send(ByteView frame) override { return connection_.send(frame); }
  Bytes receive() override { return connection_.receive(); }
  bool wait_for_end() override { return connection_.wait_for_end(); }
  void crash() override { kill(); }

  // Ends the program at once, as a crash does.
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

 protected:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
  SocketConnection connection_;
};

}  // namespace community::trusted::testing
