// SPDX-License-Identifier: Apache-2.0
// Programs this one starts and answers for: they die with it even on kill -9, their output goes to the log, and a
// policy decides when they are started again.
#pragma once
#include <sys/types.h>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/task.hpp"

namespace community::infra {

struct ChildOptions {
  // For log lines.
  std::string name;
  // An absolute path, or a path with a slash: PATH is not searched.
  std::string executable;
  std::vector<std::string> arguments;
  // Added to the environment of this process; "NAME=value".
  std::vector<std::string> environment;
  // Empty: this process' own.
  std::string directory;
  // In a process group of its own a terminal's Ctrl-C does not reach it: this process stops it in order.
  bool own_group = true;
  // Called for each line of standard output and standard error; without it they are logged. A line longer than 4 KiB
  // is cut there.
  std::function<void(std::string_view line)> on_line;
  // Of a supervised child: called before each start.
  std::function<void()> before_start;
};

struct ChildExit {
  // The exit status, or -1 when a signal ended it.
  int status = -1;
  int signal = 0;
  // "exited with 2", "killed by signal 9".
  std::string text() const;
};

// Start it from the thread that runs its loop, and keep that thread as long as the child: the kernel ends the child
// when the thread that started it ends.
class ChildProcess {
 public:
  // process when the executable cannot be started.
  static Result<std::unique_ptr<ChildProcess>> start(EventLoop& loop, ChildOptions options);
  // Kills it when it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const;
  const std::optional<ChildExit>& exit() const;
  // Returns when it has ended; any number of tasks may wait.
  Task<ChildExit> wait();
  // SIGTERM, then SIGKILL when it has not ended in time.
  Task<ChildExit> terminate(Milliseconds patience);
  void signal(int number);

 private:
  struct Body;
  explicit ChildProcess(std::shared_ptr<Body> body);
  std::shared_ptr<Body> body_;
};

struct RestartPolicy {
  Milliseconds first_pause{200};
  Milliseconds max_pause{30'000};
  // A run of at least this length counts as a success: the pause starts small again.
  Milliseconds healthy_after{10'000};
  // Between SIGTERM and SIGKILL.
  Milliseconds patience{5'000};
};

// Keeps a child running until cancelled, then stops it.
class Supervisor {
 public:
  // Called after each start; returns when the child serves. An error counts as a failed start.
  using Ready = std::function<Task<Result<void>>(ChildProcess&)>;

  Supervisor(EventLoop& loop, Clock& clock, ChildOptions options, RestartPolicy policy, Ready ready);

  Task<void> run();
  bool is_ready() const { return ready_; }
  std::uint64_t restarts() const { return restarts_; }
  // Words about the last end or failed start; empty while all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  Task<bool> run_once();
  Task<bool> serve(ChildProcess& child);

  EventLoop& loop_;
  Clock& clock_;
  ChildOptions options_;
  RestartPolicy policy_;
  Ready wait_ready_;
  bool ready_ = false;
  std::uint64_t restarts_ = 0;
  std::string trouble_;
};

}  // namespace community::infra
