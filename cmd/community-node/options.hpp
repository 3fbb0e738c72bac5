// SPDX-License-Identifier: Apache-2.0
// What the command line asks for.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "community/alarms/api/alarm_rules.hpp"
#include "community/bodies/api/choice.hpp"
#include "community/infra/api/config.hpp"
#include "community/infra/api/database.hpp"
#include "community/infra/api/task.hpp"
#include "community/keys/api/connected_key_service.hpp"

namespace community::node {

// Defaults of what the configuration knows are in community/infra/config_schema.cpp alone.
struct RunOptions {
  std::filesystem::path data_dir;
  // Starts a development chain, deploys and funds everything, does the main job once.
  bool development = false;
  // Ends after the main job: for tests and first looks.
  bool once = false;
  std::filesystem::path contracts;
  std::filesystem::path anvil;
  std::string log_level, log_file;
  // Folder of the built page.
  std::filesystem::path page;

  std::string rpc_bind, http_bind;
  std::vector<std::string> allowed_origins, allowed_hosts;
  std::uint64_t http_body_bytes = 0;
  std::size_t http_connections = 0;
  infra::Milliseconds http_idle{};

  // "auto" or the name of a body.
  std::string body;
  // Its folder is data_dir/keys.
  bodies::Places places;
  keys::CallOptions key_calls;

  std::string chain_url;
  std::vector<std::string> fallback_urls;
  // 0: whichever answers.
  std::uint64_t chain_id = 0;
  infra::Milliseconds chain_poll{}, chain_timeout{}, chain_stale_after{};

  std::size_t executors = 0;
  std::uint64_t bundle_gas = 0;
  std::size_t batch_size = 0;
  infra::Milliseconds batch_timeout{};
  std::size_t pool_size = 0;
  std::uint64_t min_balance_gwei = 0;

  // The treasury; a budget of zero: none. All in gwei.
  struct Treasury {
    std::uint64_t budget = 0, payment_cap = 0;
    std::uint64_t min_balance = 0, target_balance = 0, min_deposit = 0, target_deposit = 0;
  };
  Treasury treasury;

  bool sponsoring = false;
  std::string sponsor_name;
  unsigned sponsor_minutes = 0;

  // People: passkeys, sessions, new accounts, and what strangers may ask.
  struct People {
    // Empty: of the development chain.
    std::string rp_id, origin;
    std::string rp_name;
    infra::Milliseconds session_duration{}, recovery_delay{};
    // gwei
    std::uint64_t daily_limit = 0, gas_cap = 0;
    std::uint64_t requests_per_minute = 0, registrations_per_hour = 0, attempts_per_minute = 0;
    std::uint64_t person_requests_per_minute = 0;
    // Of transactions; gwei, 0: none.
    std::uint64_t person_daily_limit = 0;
    std::size_t prepared_per_minute = 0, signed_per_minute = 0;
    std::vector<std::string> trusted_proxies;
    struct Key {
      std::string name, sha256;
      std::uint64_t requests_per_minute = 0;
    };
    std::vector<Key> api_keys;
  };
  People people;
  // For modules that read their own section.
  std::optional<infra::Config> config;

  // Checkpoints of this core for the holders of its shares.
  infra::Milliseconds backup_interval{};
  std::vector<std::string> backup_holders;
  // The operator signs budgets of which as much is left as in the beginning.
  bool renew_budgets = false;

  // Which events of an account are only logged, and which freeze it.
  alarms::AlarmRules alarm_rules;

  // Once the command line was read.
  infra::DatabaseOptions database;
};

enum class KeysAction {
  status,
  provision,
  recover,
  rotate,
  retire,
  reset,
  generic_list,
  generic_create,
  generic_import,
  generic_sign,
  generic_public_key,
  generic_delete
};

// Of `keys generic`.
struct GenericKeyOptions {
  // secp256k1 or ed25519
  std::string type = "secp256k1";
  // Of create and import: a secp256k1 key that signs digests.
  bool signs_digests = false;
  // Of import: a file with the 32 bytes in hexadecimal.
  std::filesystem::path secret;
  // Of sign, public-key and delete: the key's id in hexadecimal.
  std::string id;
  // Of sign: keccak256, sha256 or none; the message in hexadecimal, or the file that it is.
  std::string hash = "none";
  std::string message;
  std::filesystem::path file;
};

struct KeysOptions {
  std::filesystem::path data_dir;
  infra::DatabaseOptions database;
  std::string body;
  bodies::Places places;
  KeysAction action = KeysAction::status;
  // Of provision: whose secret key is elsewhere. Empty: operator.key of the data folder, made when missing.
  std::string operator_public_key;
  // Of recover: do it.
  bool yes = false;
  // Of rotate: retire the older root keys as soon as no record needs them.
  bool then_retire = false;
  GenericKeyOptions generic;
  // Of reset: the node's database too.
  bool with_database = false;
  // Of status: what of a backup is fresh.
  infra::Milliseconds backup_interval{};
};

// The user's state folder (XDG base directory specification): $XDG_STATE_HOME/community-node.
std::filesystem::path default_data_dir();
// Programs beside this one, and the image where `make optee` puts it.
bodies::Places default_places();
// Beside this program when installed; in a build folder, where `make page` puts it.
std::filesystem::path default_page();

int run_node(const RunOptions& options);
// 0 when the node could run.
int run_doctor(const RunOptions& options);
int run_keys(const KeysOptions& options);

}  // namespace community::node
