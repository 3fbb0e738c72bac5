// SPDX-License-Identifier: Apache-2.0
// `community-node keys generic`: the founders' interface from a terminal, to a running node or to the trusted core
// alone.
#pragma once
#include <CLI/CLI.hpp>

#include "cmd/community-node/options.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/operator.hpp"

namespace community::node {

bool is_generic(KeysAction action);

void add_generic_commands(CLI::App& keys_command, KeysOptions& options);

// What options.action says; the exit code. The operator is there for orders.
infra::Task<int> use_generic_keys(const KeysOptions& options, keys::RootKeys& core, keys::GenericKeys& keys,
                                  const std::optional<keys::Operator>& op);

}  // namespace community::node
