// SPDX-License-Identifier: Apache-2.0
// The sandbox of the process body: what a bug in the trusted core could reach. No new files, no network, no programs,
// no other process's eyes.
#pragma once

namespace community::trusted {

enum class SandboxError { none, dumpable, memory_lock, no_new_privileges, filter };

// Not dumpable (no core file, no ptrace by the same user, /proc entries owned by root), memory locked (nothing of it in
// swap), no new privileges, and a seccomp filter that ends the process at the first system call outside the list: reads
// and writes on what is open already, accepting on the socket that listens already, memory without execution, time,
// randomness. Called once, after everything is open and every library has loaded what it needs.
SandboxError enter_sandbox();

const char* name(SandboxError error);

}  // namespace community::trusted
