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

// Where a chain is reached.
struct ChainPlace {
  // Of its section [chains.NAME]; empty for the first.
  std::string name;
  std::string url;
  std::vector<std::string> fallback_urls;
  // 0: whichever answers; of the first alone.
  std::uint64_t chain_id = 0;
};

// The first chain and the further ones. config_value for a further one without its id or URL, for two that are the
// same, and for more than the trusted core's configuration holds.
infra::Result<std::vector<ChainPlace>> chain_places(const RunOptions& options);

}  // namespace community::node
