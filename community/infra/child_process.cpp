// SPDX-License-Identifier: Apache-2.0
// fork and exec instead of posix_spawn, because only between the two can the child ask to die with its parent
// (PR_SET_PDEATHSIG). A pidfd tells the loop about the end without signal handlers. A child gets standard input, output
// and error and no other descriptor: Asio and libraries open theirs without close-on-exec, and a connection of a client
// that a child held as well would not end when this program ends it.
#include "community/infra/api/child_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "community/infra/api/log.hpp"

extern char** environ;

namespace community::infra {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxLineBytes = 4'096;

// Everything the child needs between fork and exec, prepared before: nothing may be allocated there.
struct Launch {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* executable;
  const char* directory;
  bool own_group;
  pid_t parent;
  int output;
  int failure;
  // The first number that no descriptor has.
  int descriptors;
};

// Where the kernel is older than the call (5.11), one by one.
bool close_the_rest_on_exec(int descriptors) {
  if (::syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return true;
  if (errno != ENOSYS && errno != EINVAL) return false;
  for (int one = STDERR_FILENO + 1; one < descriptors; one++)
    if (::fcntl(one, F_SETFD, FD_CLOEXEC) != 0 && errno != EBADF) return false;
  return true;
}

[[noreturn]] void report_and_leave(int descriptor) {
  const int error = errno;
  const ssize_t ignored = ::write(descriptor, &error, sizeof error);
  static_cast<void>(ignored);
  ::_exit(127);
}

// Runs in the child: only async-signal-safe calls.
[[noreturn]] void become(const Launch& launch) {
  if (launch.own_group && ::setpgid(0, 0) != 0) report_and_leave(launch.failure);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) report_and_leave(launch.failure);
  // The parent may have died before the line above.
  if (::getppid() != launch.parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int empty = ::open("/dev/null", O_RDONLY);
  if (empty < 0 || ::dup2(empty, STDIN_FILENO) < 0) report_and_leave(launch.failure);
  if (::dup2(launch.output, STDOUT_FILENO) < 0 || ::dup2(launch.output, STDERR_FILENO) < 0)
    report_and_leave(launch.failure);
  if (!close_the_rest_on_exec(launch.descriptors)) report_and_leave(launch.failure);
  if (launch.directory != nullptr && ::chdir(launch.directory) != 0) report_and_leave(launch.failure);
  ::execve(launch.executable, launch.arguments.data(), launch.environment.data());
  report_and_leave(launch.failure);
}

ChildExit to_exit(int status) {
  ChildExit exit;
  if (WIFEXITED(status)) exit.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  return exit;
}

}  // namespace

std::string ChildExit::text() const {
  if (signal != 0) return "killed by signal " + std::to_string(signal);
  return "exited with " + std::to_string(status);
}

struct ChildProcess::Body : std::enable_shared_from_this<ChildProcess::Body> {
  Body(EventLoop& loop, ChildOptions o, pid_t p, int pidfd, int output)
      : options(std::move(o)), pid(p), end(loop.executor(), pidfd), lines(loop.executor(), output) {}

  ChildOptions options;
  pid_t pid;
  asio::posix::stream_descriptor end;
  asio::posix::stream_descriptor lines;
  std::optional<ChildExit> exit;
  Event ended;
  std::string partial;

  void reap(int flags) {
    int status = 0;
    if (exit || ::waitpid(pid, &status, flags) != pid) return;
    exit = to_exit(status);
    ended.set();
  }

  Task<void> watch() {
    const auto self = shared_from_this();
    const auto [error] =
        co_await end.async_wait(asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable));
    if (!error) reap(WNOHANG);
  }

  Task<void> read_lines() {
    const auto self = shared_from_this();
    char buffer[1'024];
    for (;;) {
      const auto [error, size] =
          co_await lines.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
      if (error) break;
      for (const char c : std::string_view(buffer, size)) {
        if (c != '\n') partial += c;
        if (c == '\n' || partial.size() >= kMaxLineBytes) line();
      }
    }
    if (!partial.empty()) line();
  }

  void line() {
    const std::string text = std::exchange(partial, {});
    if (options.on_line) {
      options.on_line(text);
    } else {
      log_info("child says", {{"child", options.name}, {"line", text}});
    }
  }
};

ChildProcess::ChildProcess(std::shared_ptr<Body> body) : body_(std::move(body)) {}

ChildProcess::~ChildProcess() {
  if (!body_->exit) {
    ::kill(body_->pid, SIGKILL);
    body_->reap(0);
  }
  boost::system::error_code ignored;
  body_->end.close(ignored);
  body_->lines.close(ignored);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(EventLoop& loop, ChildOptions options) {
  int output[2], failure[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return fail(ErrorCode::process, std::strerror(errno));
  if (::pipe2(failure, O_CLOEXEC) != 0) {
    ::close(output[0]);
    ::close(output[1]);
    return fail(ErrorCode::process, std::strerror(errno));
  }
  Launch launch;
  launch.executable = options.executable.c_str();
  launch.directory = options.directory.empty() ? nullptr : options.directory.c_str();
  launch.own_group = options.own_group;
  launch.parent = ::getpid();
  launch.output = output[1];
  launch.failure = failure[1];
  launch.descriptors = ::getdtablesize();
  launch.arguments.push_back(options.executable.data());
  for (auto& argument : options.arguments) launch.arguments.push_back(argument.data());
  launch.arguments.push_back(nullptr);
  for (auto& variable : options.environment) launch.environment.push_back(variable.data());
  for (char** variable = environ; *variable != nullptr; variable++) launch.environment.push_back(*variable);
  launch.environment.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid == 0) become(launch);
  ::close(output[1]);
  ::close(failure[1]);
  int problem = pid < 0 ? errno : 0;
  // Ends without a byte when exec succeeded: the pipe closes itself.
  if (pid > 0 && ::read(failure[0], &problem, sizeof problem) < 0) problem = errno;
  ::close(failure[0]);
  const int pidfd = problem == 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1;
  if (problem == 0 && pidfd < 0) problem = errno;
  if (problem != 0) {
    ::close(output[0]);
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    return fail(ErrorCode::process, "cannot start " + options.executable + ": " + std::strerror(problem));
  }
  auto body = std::make_shared<Body>(loop, std::move(options), pid, pidfd, output[0]);
  loop.spawn("child " + body->options.name, body->watch());
  loop.spawn("child " + body->options.name, body->read_lines());
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(body)));
}

pid_t ChildProcess::pid() const { return body_->pid; }
const std::optional<ChildExit>& ChildProcess::exit() const { return body_->exit; }

void ChildProcess::signal(int number) {
  // Not reaped yet: the number still belongs to this child.
  if (!body_->exit) ::kill(body_->pid, number);
}

Task<ChildExit> ChildProcess::wait() {
  const auto body = body_;
  co_await body->ended.wait();
  co_return *body->exit;
}

Task<ChildExit> ChildProcess::terminate(Milliseconds patience) {
  const auto body = body_;
  signal(SIGTERM);
  const bool ended = co_await body->ended.wait_for(patience);
  if (!ended) {
    log_warning("child did not stop in time", {{"child", body->options.name}});
    signal(SIGKILL);
    co_await body->ended.wait();
  }
  co_return *body->exit;
}

Supervisor::Supervisor(EventLoop& loop, Clock& clock, ChildOptions options, RestartPolicy policy, Ready ready)
    : loop_(loop), clock_(clock), options_(std::move(options)), policy_(policy), wait_ready_(std::move(ready)) {}

// True when the child was ready and ran long enough. When cancelled, the child is stopped in order before this ends.
Task<bool> Supervisor::run_once() {
  if (options_.before_start) options_.before_start();
  auto started = ChildProcess::start(loop_, options_);
  if (!started) {
    trouble_ = started.error().message;
    co_return false;
  }
  auto child = std::move(*started);
  const SteadyTime since = clock_.steady();
  log_info("child started", {{"child", options_.name}, {"pid", child->pid()}});
  std::exception_ptr stopped;
  bool served = false;
  try {
    served = co_await serve(*child);
  } catch (const std::exception&) {
    stopped = std::current_exception();
  }
  ready_ = false;
  if (!child->exit()) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await child->terminate(policy_.patience);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  }
  if (stopped) std::rethrow_exception(stopped);
  co_return served&& clock_.steady() - since >= policy_.healthy_after;
}

Task<bool> Supervisor::serve(ChildProcess& child) {
  if (wait_ready_) {
    auto ready = co_await wait_ready_(child);
    if (!ready) {
      trouble_ = "not ready: " + ready.error().message;
      co_return false;
    }
  }
  ready_ = true;
  trouble_.clear();
  const ChildExit exit = co_await child.wait();
  trouble_ = exit.text();
  co_return true;
}

Task<void> Supervisor::run() {
  Milliseconds pause = policy_.first_pause;
  for (;;) {
    const bool healthy = co_await run_once();
    if (healthy) pause = policy_.first_pause;
    log_warning("child ended", {{"child", options_.name}, {"why", trouble_}, {"restart_in_ms", pause.count()}});
    co_await clock_.sleep_for(pause);
    pause = std::min(pause * 2, policy_.max_pause);
    restarts_++;
  }
}

}  // namespace community::infra
