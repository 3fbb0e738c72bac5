// SPDX-License-Identifier: Apache-2.0
// `community-node keys rotate` and `keys retire`: the operator's orders about root keys, to a running node or to the
// trusted core alone, with the progress of the re-sealing that follows.
#pragma once
#include "community/infra/api/task.hpp"
#include "community/keys/api/operator.hpp"

namespace community::node {

// Makes the next root key and waits until every record is under it; then, if `retire`, drops the older ones. The exit
// code: 0 when all of that was done. Cancelling it is safe at any point.
infra::Task<int> rotate_root_key(keys::RootKeys& keys, const keys::Operator& op, bool retire);
// Waits until every record is under the newest root key, and drops the older ones.
infra::Task<int> retire_root_keys(keys::RootKeys& keys, const keys::Operator& op);

// The lines of `keys status` about root keys.
void print_root_keys(const keys::CoreStatus& status, const keys::ResealProgress& progress);

}  // namespace community::node
