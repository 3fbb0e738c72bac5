// SPDX-License-Identifier: Apache-2.0
// `community-node backup`: the operator's part of backup between trusted cores (docs/backup.md).
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "cmd/community-node/options.hpp"

namespace community::node {

// `job` is set when one of them was asked for. `run` is what the command line says of places, filled in by then.
CLI::App* add_backup_commands(CLI::App& app, const RunOptions& run, std::function<int()>& job);

}  // namespace community::node
