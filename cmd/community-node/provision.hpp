// SPDX-License-Identifier: Apache-2.0
// `community-node keys provision`: the trusted core's first hour, apart from a first start of the node.
#pragma once
#include "cmd/community-node/options.hpp"

namespace community::node {

// Makes the keys in the body that `options` choose, and the operator's key unless a public one is given. Prints what
// whoever wants to recognise this core later should write down. The exit code.
int provision_keys(const KeysOptions& options);

}  // namespace community::node
