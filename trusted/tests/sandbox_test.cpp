// SPDX-License-Identifier: Apache-2.0
// One test for each promise of the sandbox. That another user is kept out cannot be tried without a second user; the
// check of the peer's user id in the server is read, not run.
#include "trusted/process/sandbox.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "trusted/tests/support/enclave.hpp"

namespace community::trusted::testing {
namespace {

constexpr uid_t kNobody = 65'534;

int probe(const std::string& what) {
  return run_program({std::string(COMMUNITY_BINARY_DIR) + "/helpers/trusted_sandbox_probe", what}).status;
}

TEST(Sandbox, LeavesWhatTheCoreNeeds) {
  const int status = probe("allowed");
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

class ForbiddenCall : public ::testing::TestWithParam<const char*> {};

TEST_P(ForbiddenCall, EndsTheProcess) {
  const int status = probe(GetParam());
  ASSERT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
  EXPECT_FALSE(WCOREDUMP(status));
}

INSTANTIATE_TEST_SUITE_P(Sandbox, ForbiddenCall,
                         ::testing::Values("socket", "connect", "execve", "open", "openat", "fork", "clone", "ptrace",
                                           "mprotect", "mmap", "kill", "prctl", "ioctl", "sendmsg", "unlink"),
                         [](const auto& call) { return std::string(call.param); });

// A child of an ordinary user, in the sandbox or not, that waits until its pipe closes.
class Victim {
 public:
  explicit Victim(bool sandboxed) {
    int ready[2], end[2];
    if (pipe(ready) != 0 || pipe(end) != 0) std::abort();
    pid = fork();
    if (pid == 0) {
      close(end[1]);
      const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
      setrlimit(RLIMIT_MEMLOCK, &unlimited);
      char state = become_nobody() ? 'u' : 'x';
      if (state == 'u' && sandboxed && enter_sandbox() != SandboxError::none) state = 'x';
      if (write(ready[1], &state, 1) == 1) static_cast<void>(!read(end[0], &state, 1));
      _exit(0);
    }
    close(ready[1]);
    close(end[0]);
    char state = 'x';
    works = read(ready[0], &state, 1) == 1 && state == 'u';
    close(ready[0]);
    end_ = end[1];
  }
  ~Victim() {
    close(end_);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  // Gives up root, and is dumpable as any program an ordinary user starts.
  static bool become_nobody() {
    if (geteuid() == 0 && (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0))
      return false;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
  }
  pid_t pid = -1;
  bool works = false;

 private:
  int end_ = -1;
};

// Whether another process of the same ordinary user can attach a debugger.
bool can_attach(pid_t target) {
  const pid_t tracer = fork();
  if (tracer == 0) {
    if (!Victim::become_nobody() || ptrace(PTRACE_ATTACH, target, nullptr, nullptr) != 0) _exit(1);
    waitpid(target, nullptr, 0);
    ptrace(PTRACE_DETACH, target, nullptr, nullptr);
    _exit(0);
  }
  int status = -1;
  waitpid(tracer, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Sandbox, KeepsADebuggerOfTheSameUserOut) {
  const Victim open(false);
  ASSERT_TRUE(open.works);
  if (!can_attach(open.pid)) GTEST_SKIP() << "this machine lets nobody attach a debugger, so nothing would be shown";
  const Victim closed(true);
  if (!closed.works) GTEST_SKIP() << "this user may not lock the memory of the test program";
  EXPECT_FALSE(can_attach(closed.pid));
}

TEST(Sandbox, MakesItsProcFilesRoots) {
  const Victim closed(true);
  if (!closed.works) GTEST_SKIP() << "this user may not lock the memory of the test program";
  for (const char* name : {"/mem", "/maps", "/environ", "/fd"}) {
    struct stat info {};
    ASSERT_EQ(stat(("/proc/" + std::to_string(closed.pid) + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0u) << name;
  }
}

TEST(Sandbox, NamesItsFailures) {
  EXPECT_STREQ(name(SandboxError::none), "none");
  EXPECT_STREQ(name(SandboxError::dumpable), "dumpable");
  EXPECT_STREQ(name(SandboxError::memory_lock), "memory_lock");
  EXPECT_STREQ(name(SandboxError::no_new_privileges), "no_new_privileges");
  EXPECT_STREQ(name(SandboxError::filter), "filter");
}

}  // namespace
}  // namespace community::trusted::testing
