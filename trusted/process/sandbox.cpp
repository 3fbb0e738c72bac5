// SPDX-License-Identifier: Apache-2.0
#include "trusted/process/sandbox.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <initializer_list>
#include <memory>

namespace community::trusted {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

bool load_filter() {
  const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) return false;
  int failed = 0;
  for (const int call :
       {SCMP_SYS(read),         SCMP_SYS(write),          SCMP_SYS(readv),           SCMP_SYS(writev),
        SCMP_SYS(pread64),      SCMP_SYS(pwrite64),       SCMP_SYS(fdatasync),       SCMP_SYS(close),
        SCMP_SYS(poll),         SCMP_SYS(ppoll),          SCMP_SYS(accept4),         SCMP_SYS(recvfrom),
        SCMP_SYS(sendto),       SCMP_SYS(getsockopt),     SCMP_SYS(getrandom),       SCMP_SYS(futex),
        SCMP_SYS(brk),          SCMP_SYS(munmap),         SCMP_SYS(madvise),         SCMP_SYS(clock_gettime),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
        SCMP_SYS(exit_group)})
    failed |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  // Memory, but never memory that can be executed.
  failed |=
      seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  failed |=
      seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  return failed == 0 && seccomp_load(filter.get()) == 0;
}

}  // namespace

SandboxError enter_sandbox() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return SandboxError::dumpable;
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return SandboxError::memory_lock;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return SandboxError::no_new_privileges;
  return load_filter() ? SandboxError::none : SandboxError::filter;
}

const char* name(SandboxError error) {
  switch (error) {
    case SandboxError::none:
      return "none";
    case SandboxError::dumpable:
      return "dumpable";
    case SandboxError::memory_lock:
      return "memory_lock";
    case SandboxError::no_new_privileges:
      return "no_new_privileges";
    case SandboxError::filter:
      return "filter";
  }
  return "unknown";
}

}  // namespace community::trusted
