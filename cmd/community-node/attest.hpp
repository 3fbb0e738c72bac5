// SPDX-License-Identifier: Apache-2.0
// `community-node attest`: a client's own check of the core behind a node (spec/attestation.md). Needs no data folder
// and no node's good will: `verify` reads files alone.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace community::node {

// Adds the commands; `job` is what the parsed one does and answers the exit status: 0, 1 or 2.
void add_attest_commands(CLI::App& app, std::function<int()>& job);

}  // namespace community::node
