// SPDX-License-Identifier: Apache-2.0
// From configuration file and environment to what the programs take; flags of the command line come last.
#pragma once
#include "cmd/community-node/options.hpp"
#include "community/infra/api/config.hpp"

namespace community::node {

// `file` empty: config.toml of the data folder when it is there.
infra::Result<infra::Config> load_configuration(const std::filesystem::path& file,
                                                const std::filesystem::path& data_dir);

RunOptions options_from(const infra::Config& config);

}  // namespace community::node
