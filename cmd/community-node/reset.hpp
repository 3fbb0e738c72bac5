// SPDX-License-Identifier: Apache-2.0
// `community-node keys reset`: the factory reset of a data folder.
#pragma once
#include "cmd/community-node/options.hpp"

namespace community::node {

// Asks for the word unless `options` say not to, then erases. The exit code.
int reset_keys(const KeysOptions& options);

}  // namespace community::node
