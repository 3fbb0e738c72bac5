// SPDX-License-Identifier: Apache-2.0
// `community-node audit`: the operator's look at the audit log, also while the node runs.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "cmd/community-node/options.hpp"

namespace community::node {

// Adds the commands; `job` is what the parsed one does and answers the exit status: 0, 1 or 2.
CLI::App* add_audit_commands(CLI::App& app, const RunOptions& run, std::function<int()>& job);

}  // namespace community::node
