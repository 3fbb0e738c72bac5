// SPDX-License-Identifier: Apache-2.0
// The trusted core of a data folder for a command: through the control door of the node that runs there, or alone.
#pragma once
#include <functional>

#include "cmd/community-node/options.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/operator.hpp"

namespace community::node {

struct CoreAccess {
  keys::RootKeys& core;
  keys::BackupKeys& backup;
  // Null while a node runs.
  keys::RestorableCore* alone = nullptr;
  infra::HttpClient& http;
  infra::Clock& clock;
  infra::Random& random;
};

// The exit code of `work`, or 1 when the core is not reached. The core that is started for it is stopped after it.
int with_core_access(const KeysOptions& options, const std::function<infra::Task<int>(CoreAccess&)>& work);

// The operator's key in `file`.
infra::Result<keys::Operator> read_operator_key(const std::filesystem::path& file);

// Finishes a factory reset that was cut off, and says so. Whoever holds the folder's lock calls it before anything
// looks for keys.
infra::Result<void> finish_reset(const std::filesystem::path& data_dir, bodies::Places places);

}  // namespace community::node
