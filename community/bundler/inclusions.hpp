// SPDX-License-Identifier: Apache-2.0
// From the receipt of a bundle to what became of each operation. Inside of the module.
#pragma once
#include "community/chain/api/entry_point.hpp"
#include "community/pool/api/pool.hpp"

namespace community::bundler {

// One for each UserOperationEvent of this EntryPoint. The logs of an operation's execution lie between the event before
// (BeforeExecution or another operation's) and its own, which does not belong to them.
std::vector<pool::Inclusion> read_inclusions(const chain::Receipt& receipt, const chain::EntryPoint& entry_point);

}  // namespace community::bundler
