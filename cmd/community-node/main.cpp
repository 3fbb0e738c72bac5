// SPDX-License-Identifier: Apache-2.0
// community-node: reads the command line and calls what was asked for.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cmd/community-node/options.hpp"
#include "community/tool/api/tool.hpp"

namespace community::node {

namespace fs = std::filesystem;

fs::path default_data_dir() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return fs::path(state) / "community-node";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/tmp" : home) / ".local/state/community-node";
}

fs::path default_key_enclave() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("key-enclave") : self.parent_path() / "key-enclave";
}

}  // namespace community::node

int main(int argc, char** argv) {
  using namespace community;
  CLI::App app("Community Node: accounts of two keys, a bundler and paymaster whose keys stay in the trusted core");
  app.require_subcommand(1);

  node::RunOptions run;
  run.data_dir = node::default_data_dir();
  run.key_enclave = node::default_key_enclave();
  run.contracts = "build/contracts.json";
  run.anvil = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
  CLI::App* run_command = app.add_subcommand("run", "start the node and serve until Ctrl-C");
  run_command->add_option("--data-dir", run.data_dir, "folder with all state of this node")->capture_default_str();
  run_command->add_flag("--dev", run.development, "start a development chain too, deploy and fund everything");
  run_command->add_flag("--once", run.once, "end after the main job");
  run_command->add_option("--rpc", run.rpc_bind, "where JSON-RPC listens")->capture_default_str();
  run_command->add_option("--http", run.http_bind, "where the HTTP API listens")->capture_default_str();
  run_command->add_option("--chain", run.chain_url, "JSON-RPC of the execution client")->capture_default_str();
  run_command->add_option("--contracts", run.contracts, "deployment file of the contracts")->capture_default_str();
  run_command->add_option("--anvil", run.anvil, "program of the development chain")->capture_default_str();
  run_command->add_option("--key-enclave", run.key_enclave, "program of the trusted core's process body");
  run_command->add_option("--log-level", run.log_level, "debug, info, warning, error, off")->capture_default_str();

  node::KeysOptions keys;
  keys.data_dir = run.data_dir;
  keys.key_enclave = run.key_enclave;
  CLI::App* keys_command = app.add_subcommand("keys", "the trusted core and its operator");
  keys_command->require_subcommand(1);
  keys_command->add_option("--data-dir", keys.data_dir, "folder with all state of this node")->capture_default_str();
  keys_command->add_option("--key-enclave", keys.key_enclave, "program of the trusted core's process body");
  keys_command->add_subcommand("status", "protection, epoch, configuration and budgets");
  CLI::App* recover_command =
      keys_command->add_subcommand("recover", "accept the node's database after data was lost (operator-signed)");
  recover_command->add_flag("--yes", keys.yes, "do it");

  CLI::App* tool_command = app.add_subcommand("tool", "codecs and checks as JSON lines on standard input and output");
  CLI::App* doctor_command = app.add_subcommand("doctor", "say whether the node could run on this machine");
  doctor_command->add_option("--data-dir", run.data_dir, "folder with all state of this node")->capture_default_str();
  doctor_command->add_flag("--dev", run.development, "as `run --dev` would");
  doctor_command->add_option("--rpc", run.rpc_bind, "where JSON-RPC would listen")->capture_default_str();
  doctor_command->add_option("--http", run.http_bind, "where the HTTP API would listen")->capture_default_str();
  doctor_command->add_option("--chain", run.chain_url, "JSON-RPC of the execution client")->capture_default_str();
  doctor_command->add_option("--contracts", run.contracts, "deployment file of the contracts")->capture_default_str();
  doctor_command->add_option("--key-enclave", run.key_enclave, "program of the trusted core's process body");
  CLI::App* version_command = app.add_subcommand("version", "print the version");

  CLI11_PARSE(app, argc, argv);
  if (run_command->parsed()) return node::run_node(run);
  keys.recover = recover_command->parsed();
  if (keys_command->parsed()) return node::run_keys(keys);
  if (doctor_command->parsed()) return node::run_doctor(run);
  if (tool_command->parsed()) {
    std::ios::sync_with_stdio(false);
    return tool::run_tool(std::cin, std::cout);
  }
  if (version_command->parsed()) std::cout << "community-node " COMMUNITY_VERSION "\n";
  return 0;
}
