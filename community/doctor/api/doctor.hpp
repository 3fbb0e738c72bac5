// SPDX-License-Identifier: Apache-2.0
// Looks at this machine and says, in plain words, whether the node could run here and what would protect its keys.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "community/bodies/api/choice.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/task.hpp"

namespace community::doctor {

enum class Level : std::uint8_t {
  good,
  // Worth knowing; the node runs all the same.
  note,
  // The node cannot run like this; the words say what to do.
  problem,
};

struct Finding {
  Level level = Level::good;
  // "trusted core", "port 3000" …
  std::string subject;
  std::string words;
};

struct Hardware {
  bool sgx = false, sev = false, tdx = false, op_tee = false, tpm = false, kvm = false;
};
// Reads device nodes and CPU flags below `root`, "/" for this machine.
Hardware find_hardware(const std::filesystem::path& root);

struct Input {
  std::filesystem::path root = "/";
  std::filesystem::path data_dir, contracts;
  infra::DatabaseOptions database;
  // "auto" or the name of a body, and where bodies are.
  std::string body = "auto";
  bodies::Places places;
  // host:port
  std::vector<std::string> binds;
  std::string chain_url;
  // `run --dev` starts its own chain, so that none answering is no problem then.
  bool development = false;
  // backup.interval, and the present in milliseconds since 1970.
  infra::Milliseconds backup_interval{};
  std::int64_t now_ms = 0;
  std::string version;
};

infra::Task<std::vector<Finding>> examine(Input input, chain::ExecutionClient& chain);

bool could_run(const std::vector<Finding>& findings);
// One line a finding, aligned, for a terminal.
std::string to_text(const std::vector<Finding>& findings);

}  // namespace community::doctor
