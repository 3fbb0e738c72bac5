// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

namespace community::node {

namespace asio = boost::asio;
using infra::Task;

struct Child::Body {
  Body(infra::AnyExecutor executor, pid_t child, int pidfd) : pid(child), descriptor(executor, pidfd) {}
  pid_t pid;
  asio::posix::stream_descriptor descriptor;
  bool reaped = false;
  int status = 0;

  void reap(int flags) {
    if (!reaped && waitpid(pid, &status, flags) == pid) reaped = true;
  }
};

Child::Child(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Child::~Child() {
  if (body_->reaped) return;
  kill(body_->pid, SIGKILL);
  body_->reap(0);
}

infra::Result<std::unique_ptr<Child>> Child::start(infra::AnyExecutor executor, std::filesystem::path program,
                                                   std::vector<std::string> arguments, std::filesystem::path log) {
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) return infra::fail(infra::ErrorCode::io, "cannot write " + log.string());
  std::vector<char*> argv{program.string().data()};
  std::string name = program.string();
  argv[0] = name.data();
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    // Only calls that are safe between fork and exec.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(126);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(output);
  if (child < 0) return infra::fail(infra::ErrorCode::process, "cannot start " + name);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (pidfd < 0) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return infra::fail(infra::ErrorCode::process, "cannot watch " + name);
  }
  return std::unique_ptr<Child>(new Child(std::make_unique<Body>(executor, child, pidfd)));
}

int Child::pid() const { return body_->pid; }

Task<std::string> Child::ended() {
  boost::system::error_code error;
  while (!body_->reaped) {
    co_await body_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                          asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "not watched any more";
    body_->reap(WNOHANG);
  }
  if (WIFSIGNALED(body_->status)) co_return "killed by signal " + std::to_string(WTERMSIG(body_->status));
  co_return "ended with status " + std::to_string(WEXITSTATUS(body_->status));
}

Task<void> Child::stop(infra::Milliseconds patience) {
  if (body_->reaped) co_return;
  kill(body_->pid, SIGTERM);
  const auto done = co_await infra::with_timeout(patience, ended());
  if (done) co_return;
  kill(body_->pid, SIGKILL);
  body_->reap(0);
}

}  // namespace community::node
