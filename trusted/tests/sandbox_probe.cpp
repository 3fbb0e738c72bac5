// SPDX-License-Identifier: Apache-2.0
// Enters the sandbox of the process body and tries one thing: the exit status tells how it ended. A program of its own,
// small and static like key-enclave, so that locking its memory works within an ordinary user's limit.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "trusted/process/sandbox.hpp"

namespace {

// Everything that is prepared before the sandbox closes.
int open_socket = -1;
void* page = nullptr;

void try_call(const char* what) {
  auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  if (is("socket")) static_cast<void>(socket(AF_INET, SOCK_STREAM, 0));
  if (is("connect")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    static_cast<void>(connect(open_socket, reinterpret_cast<sockaddr*>(&address), sizeof address));
  }
  if (is("execve")) {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    execve(program, arguments, nullptr);
  }
  if (is("open")) syscall(SYS_open, "/etc/passwd", O_RDONLY);
  if (is("openat")) syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
  if (is("fork")) syscall(SYS_fork);
  if (is("clone")) syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (is("ptrace")) ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (is("mprotect")) mprotect(page, 4096, PROT_READ | PROT_EXEC);
  if (is("mmap")) mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is("kill")) kill(getppid(), 0);
  if (is("prctl")) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (is("ioctl")) syscall(SYS_ioctl, 0, 0, 0);
  if (is("sendmsg")) syscall(SYS_sendmsg, open_socket, nullptr, 0);
  if (is("unlink")) syscall(SYS_unlink, "/nothing");
  // What the core needs goes on working.
  if (is("allowed")) {
    char byte = 0;
    void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool works = memory != MAP_FAILED && mprotect(memory, 4096, PROT_READ) == 0 && munmap(memory, 4096) == 0 &&
                       getrandom(&byte, 1, 0) == 1;
    _exit(works ? 0 : 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  open_socket = socket(AF_INET, SOCK_DGRAM, 0);
  page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (community::trusted::enter_sandbox() != community::trusted::SandboxError::none) return 3;
  try_call(argv[1]);
  return 4;
}
