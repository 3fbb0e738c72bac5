// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/programs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace community::trusted::testing {

Child spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  int output[2], errors[2], input[2];
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 || pipe2(input, O_CLOEXEC) != 0) std::abort();
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    // A test that is killed leaves nothing behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input[0], 0);
    dup2(output[1], 1);
    dup2(errors[1], 2);
    for (const std::string& setting : environment) putenv(const_cast<char*>(setting.c_str()));
    execv(argv[0], argv.data());
    _exit(127);
  }
  ::close(output[1]);
  ::close(errors[1]);
  ::close(input[0]);
  return {pid, output[0], errors[0], input[1]};
}

namespace {

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  ::close(fd);
  return text;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / ("community-test-" + std::string(6, 'X'))).string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void wait_some(std::uint64_t micros) {
  const timespec span{static_cast<time_t>(micros / 1'000'000), static_cast<long>(micros % 1'000'000 * 1'000)};
  ppoll(nullptr, 0, &span, nullptr);
}

ProgramResult run_program(const std::vector<std::string>& arguments) {
  const Child child = spawn(arguments);
  ::close(child.input);
  ProgramResult result;
  // The programs run here write far less than a pipe holds.
  result.output = read_to_end(child.output);
  result.errors = read_to_end(child.errors);
  waitpid(child.pid, &result.status, 0);
  return result;
}

bool SocketConnection::connect(const std::string& path) {
  close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ended_ = false;
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{30, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void SocketConnection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool SocketConnection::send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

std::size_t SocketConnection::send_some(ByteView bytes) {
  const ssize_t put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return put > 0 ? static_cast<std::size_t>(put) : 0;
}

Bytes SocketConnection::receive() {
  Bytes frame(protocol::kLengthBytes);
  std::size_t have = 0;
  while (have < frame.size()) {
    const ssize_t got = recv(fd_, frame.data() + have, frame.size() - have, 0);
    if (got <= 0) {
      ended_ = got == 0 || errno == ECONNRESET;
      return {};
    }
    have += static_cast<std::size_t>(got);
    if (have == protocol::kLengthBytes && frame.size() == have) {
      const std::size_t size = protocol::frame_size(frame);
      ended_ = base::is_zero(frame);
      if (size > protocol::kMaxReplyFrame) return {};
      frame.resize(size);
    }
  }
  return frame;
}

bool SocketConnection::receive_exactly(base::MutableByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool SocketConnection::wait_for_end() {
  while (!receive().empty()) continue;
  return ended_;
}

int ProgramBody::wait() {
  int status = -1;
  if (pid_ > 0) waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

void ProgramBody::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  wait();
  connection_.close();
}

double ProgramBody::cpu_micros() const {
  double sum = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
    std::ifstream file(thread.path() / "schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    sum += nanoseconds;
  }
  return sum / 1'000;
}

std::string ProgramBody::proc_status(const std::string& key) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(key + ":", 0) == 0) {
      const std::size_t begin = line.find_first_not_of(" \t", key.size() + 1);
      return begin == std::string::npos ? "" : line.substr(begin);
    }
  return "";
}

}  // namespace community::trusted::testing
