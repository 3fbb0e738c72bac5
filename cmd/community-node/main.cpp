// SPDX-License-Identifier: Apache-2.0
// community-node: reads the command line and calls what was asked for.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cmd/community-node/account.hpp"
#include "cmd/community-node/attest.hpp"
#include "cmd/community-node/audit.hpp"
#include "cmd/community-node/backup.hpp"
#include "cmd/community-node/configuration.hpp"
#include "cmd/community-node/generic_keys.hpp"
#include "community/infra/api/database_config.hpp"
#include "community/tool/api/tool.hpp"

namespace community::node {

namespace fs = std::filesystem;

fs::path default_data_dir() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return fs::path(state) / "community-node";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/tmp" : home) / ".local/state/community-node";
}

namespace {

fs::path program_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : self.parent_path();
}

// Installed, what the program needs is beside it; in a build folder, beside all builds.
fs::path beside(std::string_view installed, std::string_view built) {
  const fs::path folder = program_folder();
  std::error_code error;
  return fs::exists(folder / installed, error) ? folder / installed : folder.parent_path().parent_path() / built;
}

}  // namespace

fs::path default_page() { return beside("page", "page"); }

bodies::Places default_places() {
  const fs::path folder = program_folder();
  bodies::Places places;
  places.key_enclave = folder / "key-enclave";
  places.tee_bridge = folder / "tee-bridge";
  places.optee_image = beside("optee-image", "optee/image");
  return places;
}

}  // namespace community::node

namespace {

using namespace community;

// The flags that decide where the configuration is, looked for before all others.
std::string value_of(int argc, char** argv, std::string_view flag) {
  for (int i = 1; i + 1 < argc; i++)
    if (argv[i] == flag) return argv[i + 1];
  return {};
}

void add_place_options(CLI::App& command, node::RunOptions& run, std::string& configuration) {
  command.add_option("--config", configuration, "configuration file; else config.toml in the data folder, if there");
  command.add_option("--data-dir", run.data_dir, "folder with all state of this node")->capture_default_str();
  command.add_option("--body", run.body, "where the trusted core runs: auto, optee-device, optee-qemu, process")
      ->capture_default_str();
  command.add_option("--key-enclave", run.places.key_enclave, "program of the trusted core's process body");
  command.add_option("--optee-image", run.places.optee_image, "what `make optee` built")->capture_default_str();
}

void add_run_options(CLI::App& command, node::RunOptions& run) {
  command.add_flag("--dev", run.development, "with a development chain: deploy and fund everything");
  command.add_option("--rpc", run.rpc_bind, "where JSON-RPC listens")->capture_default_str();
  command.add_option("--http", run.http_bind, "where the HTTP API listens")->capture_default_str();
  command.add_option("--chain", run.chain_url, "JSON-RPC of the execution client")->capture_default_str();
  command.add_option("--contracts", run.contracts, "deployment file of the contracts")->capture_default_str();
}

// Exit status of a wrong command line, apart from that of a command that failed.
constexpr int kUsage = 2;

// The exit status when the command line was wrong, or asked for help.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return std::nullopt;
}

CLI::App* add_keys_commands(CLI::App& app, node::KeysOptions& keys) {
  using node::KeysAction;
  CLI::App* command = app.add_subcommand("keys", "the trusted core and its operator");
  command->require_subcommand(1);
  const auto add = [&keys, command](const char* name, const char* words, KeysAction action) {
    CLI::App* made = command->add_subcommand(name, words);
    // Options of `keys` may stand behind the word too.
    made->fallthrough();
    made->callback([&keys, action] { keys.action = action; });
    return made;
  };
  add("status", "protection, epoch, configuration, root keys and budgets", KeysAction::status);
  add("provision", "make the trusted core's keys before the first start, and say what to recognise them by",
      KeysAction::provision)
      ->add_option("--operator-public-key", keys.operator_public_key,
                   "x and y of the operator's secp256k1 key in hexadecimal; its secret stays elsewhere");
  CLI::App* recover =
      add("recover", "accept the node's database after data was lost (operator-signed)", KeysAction::recover);
  recover->add_flag("--yes", keys.yes, "do it");
  CLI::App* rotate =
      add("rotate", "a new root key, and every record sealed under it while the node serves (operator-signed)",
          KeysAction::rotate);
  rotate->add_flag("--retire", keys.then_retire, "drop the older root keys when no record needs them any more");
  CLI::App* reset = add("reset", "factory reset: erase this data folder's keys for good", KeysAction::reset);
  reset->add_flag("--database", keys.with_database, "the node's database too");
  reset->add_flag("--yes", keys.yes, "do not ask for the word");
  add("retire", "drop the root keys that no record needs; backups of before open nowhere then (operator-signed)",
      KeysAction::retire);
  node::add_generic_commands(*command, keys);
  return command;
}

// Of `run` alone.
void add_start_options(CLI::App& command, node::RunOptions& run) {
  command.add_flag("--renew-budgets", run.renew_budgets,
                   "sign larger budgets, of which as much is left as in the beginning");
  command.add_flag("--once", run.once, "end after the main job");
  command.add_option("--anvil", run.anvil, "program of the development chain")->capture_default_str();
  command.add_option("--log-level", run.log_level, "debug, info, warning, error, off")->capture_default_str();
}

int fail(const infra::Error& error) {
  std::cerr << "community-node: " << error.text() << "\n";
  return 1;
}

void name_chains(const node::RunOptions& run, node::AccountOptions& account) {
  account.data_dir = run.data_dir;
  account.configured_chain = run.chain_url;
  // A configuration that is wrong about its chains is refused by `run`.
  if (const auto places = node::chain_places(run))
    for (const node::ChainPlace& place : *places)
      if (place.chain_id != 0) account.chains_by_id[place.chain_id] = place.url;
}

// Only for commands that open it: a password file that cannot be read is no trouble of `version`.
infra::Result<void> name_database(const infra::Config& configuration, bool is_wanted, node::RunOptions& run) {
  if (!is_wanted) return {};
  auto database = infra::database_options(configuration, run.data_dir);
  if (!database) return tl::unexpected(database.error());
  run.database = std::move(*database);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data_flag = value_of(argc, argv, "--data-dir");
  std::string configuration_file = value_of(argc, argv, "--config");
  const auto configuration = node::load_configuration(
      configuration_file, data_flag.empty() ? node::default_data_dir() : std::filesystem::path(data_flag));
  if (!configuration) return fail(configuration.error());
  node::RunOptions run = node::options_from(*configuration);
  run.contracts = "build/contracts.json";
  run.anvil = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

  CLI::App app("Community Node: accounts of two keys, a bundler and paymaster whose keys stay in the trusted core");
  app.require_subcommand(1);
  CLI::App* run_command = app.add_subcommand("run", "start the node and serve until Ctrl-C");
  add_place_options(*run_command, run, configuration_file);
  add_run_options(*run_command, run);
  add_start_options(*run_command, run);

  node::KeysOptions keys;
  CLI::App* keys_command = add_keys_commands(app, keys);
  add_place_options(*keys_command, run, configuration_file);

  node::AccountOptions account;
  node::AccountJob account_job;
  name_chains(run, account);
  node::add_account_commands(app, account, account_job);
  node::add_alarm_commands(app, account, account_job);
  node::add_user_commands(app, account, account_job);
  node::add_treasury_commands(app, account, account_job);
  std::function<int()> command_job;
  node::add_attest_commands(app, command_job);
  add_place_options(*node::add_audit_commands(app, run, command_job), run, configuration_file);
  add_place_options(*node::add_backup_commands(app, run, command_job), run, configuration_file);

  CLI::App* tool_command = app.add_subcommand("tool", "codecs and checks as JSON lines on standard input and output");
  CLI::App* doctor_command = app.add_subcommand("doctor", "say whether the node could run on this machine");
  add_place_options(*doctor_command, run, configuration_file);
  add_run_options(*doctor_command, run);
  CLI::App* config_command = app.add_subcommand("config", "the configuration: `config print`");
  CLI::App* print_command = config_command->add_subcommand("print", "every key with its value and where it came from");
  bool print_defaults = false;
  print_command->add_flag("--default", print_defaults, "a complete file with every key at its default, explained");
  add_place_options(*print_command, run, configuration_file);
  config_command->require_subcommand(1);
  CLI::App* version_command = app.add_subcommand("version", "print the version");

  if (const auto ended = parse(app, argc, argv)) return *ended;
  const bool opens_database =
      run_command->parsed() || keys_command->parsed() || doctor_command->parsed() || command_job != nullptr;
  if (auto named = name_database(*configuration, opens_database, run); !named) return fail(named.error());
  if (run_command->parsed()) return node::run_node(run);
  if (account_job) return node::run_account(account, account_job);
  if (command_job) return command_job();
  keys.data_dir = run.data_dir;
  keys.database = run.database;
  keys.body = run.body;
  keys.backup_interval = run.backup_interval;
  keys.places = run.places;
  keys.places.folder = run.data_dir / "keys";
  if (keys_command->parsed()) return node::run_keys(keys);
  if (doctor_command->parsed()) return node::run_doctor(run);
  if (print_command->parsed())
    std::cout << (print_defaults ? infra::standard_config_schema().print() : configuration->print());
  if (tool_command->parsed()) {
    std::ios::sync_with_stdio(false);
    return tool::run_tool(std::cin, std::cout);
  }
  if (version_command->parsed()) std::cout << "community-node " COMMUNITY_VERSION "\n";
  return 0;
}
