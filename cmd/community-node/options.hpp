// SPDX-License-Identifier: Apache-2.0
// What the command line asks for.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace community::node {

struct RunOptions {
  std::filesystem::path data_dir;
  // Starts a development chain, deploys and funds everything, does the main job once.
  bool development = false;
  std::string rpc_bind = "localhost:3000";
  std::string http_bind = "localhost:9000";
  std::string chain_url = "http://127.0.0.1:8545";
  std::filesystem::path contracts;
  std::filesystem::path anvil;
  std::filesystem::path key_enclave;
  // Ends after the main job: for tests and first looks.
  bool once = false;
  std::string log_level = "warning";
};

struct KeysOptions {
  std::filesystem::path data_dir;
  std::filesystem::path key_enclave;
  // Else the status is shown.
  bool recover = false;
  bool yes = false;
};

// The user's state folder (XDG base directory specification): $XDG_STATE_HOME/community-node.
std::filesystem::path default_data_dir();
// Beside this program.
std::filesystem::path default_key_enclave();

int run_node(const RunOptions& options);
// 0 when the node could run.
int run_doctor(const RunOptions& options);
int run_keys(const KeysOptions& options);

}  // namespace community::node
