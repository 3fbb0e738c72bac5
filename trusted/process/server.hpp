// SPDX-License-Identifier: Apache-2.0
// Serves the trusted core on a unix socket: one thread, a few connections, bounded buffers.
#pragma once
#include "trusted/core/core.hpp"

namespace community::trusted {

// The host keeps one connection; the others let it come back before the kernel has told us that the old one is gone.
inline constexpr std::size_t kMaxConnections = 3;

// Opens the listening socket at `path` (mode 0600), replacing a socket nobody listens on any more. -1 on failure.
int listen_on(const char* path);

// Answers frames until `*stop` turns true (the handler of SIGTERM or SIGINT sets it) or the core stopped itself because
// its store failed. False when the socket failed.
bool serve(Core& core, int listener, const volatile bool* stop);

}  // namespace community::trusted
