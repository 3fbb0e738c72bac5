// SPDX-License-Identifier: Apache-2.0
// What the keeper writes down of holders and their checkpoints.
#pragma once
#include "community/backup/api/keeper.hpp"

namespace community::backup {

std::string format_state(const BackupState& state);

}  // namespace community::backup
