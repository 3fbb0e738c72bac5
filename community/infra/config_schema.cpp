// SPDX-License-Identifier: Apache-2.0
// The table of keys. Names that the product's founders use are accepted beside ours, so that their files keep working.
#include "community/infra/api/config.hpp"

namespace community::infra {
namespace {

using T = ConfigType;

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

ConfigKey text(std::string path, std::string standard, std::string help, std::string also = {}) {
  return {std::move(path), T::text, std::move(standard), std::move(help), {}, 0, INT64_MAX, std::move(also)};
}
ConfigKey choice(std::string path, std::string standard, std::vector<std::string> choices, std::string help,
                 std::string also = {}) {
  return {std::move(path),    T::text, std::move(standard), std::move(help),
          std::move(choices), 0,       INT64_MAX,           std::move(also)};
}
ConfigKey secret(std::string path, std::string help) {
  return {std::move(path), T::text, "", std::move(help), {}, 0, INT64_MAX, {}, true};
}
ConfigKey integer(std::string path, std::string standard, std::int64_t least, std::int64_t most, std::string help,
                  std::string also = {}) {
  return {std::move(path), T::integer, std::move(standard), std::move(help), {}, least, most, std::move(also)};
}
ConfigKey flag(std::string path, std::string standard, std::string help) {
  return {std::move(path), T::boolean, std::move(standard), std::move(help), {}};
}
ConfigKey duration(std::string path, std::string standard, std::int64_t least_ms, std::int64_t most_ms,
                   std::string help, std::string also = {}) {
  return {std::move(path), T::duration, std::move(standard), std::move(help), {}, least_ms, most_ms, std::move(also)};
}
ConfigKey list(std::string path, std::string standard, std::string help) {
  return {std::move(path), T::list, std::move(standard), std::move(help), {}};
}

void add_node(ConfigSchema& schema) {
  schema.section("node", "Where the node keeps its state and where it listens.");
  schema.add(text("node.data_dir", "",
                  "Folder with all state of this node. Empty: community-node in the user's state folder "
                  "(XDG_STATE_HOME, or ~/.local/state)."));
  schema.add(choice("node.network", "dev", {"dev", "mainnet", "sepolia", "custom"},
                    "Which chain the node belongs to; dev starts from nothing on this machine."));
  schema.add(text("node.http_api", "localhost:9000",
                  "Address of the HTTP API and the page, as host:port. localhost means both 127.0.0.1 and ::1."));
  schema.add(text("node.rpc", "localhost:3000", "Address of JSON-RPC for wallets and libraries, as host:port."));
  schema.add(list("node.allowed_origins", "",
                  "Web pages that may call, as https://app.example, besides pages of localhost and of this node; * for "
                  "all."));
  schema.add(list("node.allowed_hosts", "",
                  "Names under which this node may be called, besides localhost and literal addresses; * for all."));
  schema.add(choice("node.log_level", "info", {"debug", "info", "warning", "error", "off"},
                    "The least important lines that are logged."));
  schema.add(text("node.log_file", "", "File for log lines. Empty: standard error."));
}

void add_keys(ConfigSchema& schema) {
  schema.section("keys", "The trusted core: where root keys live and signatures are made.");
  schema.add(choice("keys.body", "auto", {"auto", "process", "optee"},
                    "Where the trusted core runs. auto takes OP-TEE when its device is there, otherwise a sandboxed "
                    "process, which has no hardware protection.",
                    "paymaster_relay.kms_backend"));
  schema.add(text("keys.executable", "", "The process body's program. Empty: key-enclave beside this program."));
  schema.add(text("keys.state_dir", "", "Folder of the process body's sealed state. Empty: keys in the data folder."));
  schema.add(text("keys.socket", "", "Unix socket of the trusted core. Empty: keys.sock in the data folder."));
  schema.add(text("keys.optee_device", "/dev/tee0", "Device of OP-TEE.", "optee_kms.device_path"));
  schema.add(text("keys.ta_uuid", "", "Identity of the trusted application. Empty: the one this program was built for.",
                  "optee_kms.ta_uuid"));
  schema.add(duration("keys.request_timeout", "5s", 100, 10 * kMinute, "How long one request to the core may take."));
  schema.section("optee_kms.keys", "Names for keys in the trusted core: any name, the key's path or address.");
  schema.add(text("optee_kms.keys.*", "", "A key under a name of your choice."));
  schema.section("optee_kms.security", "Sessions with the trusted core.");
  schema.add(duration("optee_kms.security.session_timeout", "30m", 1'000, kDay, "An idle session ends after this time.",
                      "tee.session_timeout"));
  schema.add(integer("optee_kms.security.max_retries", "3", 0, 100, "Attempts after a failed request."));
  schema.add(flag("optee_kms.security.audit_logging", "true", "Writes every use of a key to the audit log."));
  schema.add(flag("optee_kms.security.tamper_detection", "true",
                  "Stops signing when sealed state does not verify. It cannot be weaker than the core itself."));
  schema.section("optee_kms.performance", "How signing requests gather.");
  schema.add(integer("optee_kms.performance.batch_size", "10", 1, 1'000, "Signatures asked for in one request."));
  schema.add(duration("optee_kms.performance.batch_timeout", "50ms", 0, 10'000,
                      "The longest a signature waits for others to join it."));
  schema.add(integer("optee_kms.performance.connection_pool_size", "4", 1, 64, "Open sessions with the core.",
                     "tee.max_sessions"));
}

void add_chain(ConfigSchema& schema) {
  schema.section("chain", "The execution client.");
  schema.add(text("chain.rpc_url", "http://127.0.0.1:8545", "JSON-RPC of the execution client.", "node.node_http"));
  schema.add(list("chain.fallback_urls", "", "Asked in this order while the first does not answer."));
  schema.add(integer("chain.chain_id", "0", 0, INT64_MAX,
                     "The chain that is expected; a client of another chain is not used. 0 takes the first answer."));
  schema.add(duration("chain.poll", "500ms", 10, kMinute, "How often the head of the chain is looked at."));
  schema.add(duration("chain.timeout", "10s", 100, 5 * kMinute, "How long one question may take."));
  schema.add(integer("chain.concurrency", "16", 1, 1'000, "Requests to the client under way at the same time."));
  schema.add(flag("chain.debug", "true", "The client offers debug_traceCall."));
  schema.section("chains.*", "Further chains for wallets, under a name of your choice.");
  schema.add(text("chains.*.rpc_url", "", "JSON-RPC of this chain."));
  schema.add(integer("chains.*.chain_id", "0", 0, INT64_MAX, "Its chain id."));
}

void add_relay(ConfigSchema& schema) {
  schema.section("relay", "The bundler.");
  schema.add(flag("relay.enabled", "true", "Accepts user operations and sends bundles."));
  schema.add(list("relay.entry_points", "0.7,0.8", "Versions of the EntryPoint contract that are served."));
  schema.add(integer("relay.executors", "4", 1, 64, "Keys that send bundles at the same time."));
  schema.add(text("relay.beneficiary", "", "Who receives the fees of bundles. Empty: the executor itself."));
  schema.add(integer("relay.max_bundle_gas", "16000000", 100'000, 16'777'216,
                     "Gas of one bundle; a transaction has at most 16,777,216 (EIP-7825)."));
  schema.add(integer("relay.max_bundle_bytes", "262144", 1'024, 1'048'576, "Bytes of one bundle."));
  schema.add(duration("relay.bundle_interval", "200ms", 0, kMinute, "The longest an operation waits for company."));
  schema.add(integer("relay.max_verification_gas", "10000000", 10'000, 100'000'000,
                     "Gas an operation may use to be validated."));
  schema.add(integer("relay.pool_size", "10000", 1, 1'000'000, "Operations in the pool; about 2 kB each."));
  schema.add(text("relay.min_stake_wei", "1000000000000000000", "Stake that makes an entity staked (ERC-7562)."));
  schema.add(duration("relay.min_unstake_delay", "1d", 0, 365 * kDay, "Its unstake delay (ERC-7562)."));
  schema.add(text("relay.min_balance_wei", "100000000000000000", "An executor below this balance raises an alarm."));
  schema.add(text("relay.private_url", "", "Sends bundles here instead of to the execution client. Empty: off."));
  schema.add(flag("relay.debug_api", "false", "Serves debug_bundler_* (ERC-7769). Only for tests."));
  schema.add(choice("relay.reputation_format", "words", {"words", "numbers"},
                    "How debug_bundler_dumpReputation writes a status: the ERC's words, or numbers."));
}

void add_paymaster(ConfigSchema& schema) {
  schema.section("paymaster", "Who pays for operations.");
  schema.add(text("paymaster.address", "", "The paymaster contract. Empty: the one of the deployment."));
  schema.add(text("paymaster.policies", "",
                  "TOML file with sponsorship policies. Empty: policies.toml in the data "
                  "folder when it is there."));
  schema.add(duration("paymaster.validity", "10m", 1'000, kDay, "How long a signed approval is good for."));
  schema.add(flag("paymaster.require_key", "false", "pm_* methods need an API key."));
  schema.section("paymaster_relay", "The founders' switch for sponsoring.");
  schema.add(flag("paymaster_relay.enabled", "true", "Serves pm_* methods and signs approvals."));
}

void add_storage(ConfigSchema& schema) {
  schema.section("database", "Where accounts, operations and journals are kept.");
  schema.add(text("database.url", "", "sqlite:PATH. Empty: node.db in the data folder."));
  schema.add(integer("database.readers", "2", 1, 32, "Connections that read.", "database.max_connections"));
  schema.add(text("database.host", "", "For PostgreSQL, which this build does not have: leave it empty."));
  schema.add(text("database.name", "", "For PostgreSQL, which this build does not have: leave it empty."));
  schema.add(secret("database.password", "For PostgreSQL, which this build does not have: leave it empty."));
  schema.section("tee", "The founders' name for the trusted core.");
  schema.add(text("tee.uuid", "", "The same as keys.ta_uuid."));
}

void add_security(ConfigSchema& schema) {
  schema.section("security", "Sessions and limits of people's accounts.");
  schema.add(duration("security.session_duration", "24h", kMinute, 30 * kDay, "A log-in ends after this time."));
  schema.add(text("security.transaction_daily_limit", "",
                  "Wei an account moves in a day without a second vote. Empty: "
                  "the account's own limit alone."));
  schema.add(
      duration("security.recovery_delay", "7d", kHour, 90 * kDay, "Between the start of a recovery and its end."));
  schema.add(text("security.biometric_threshold", "",
                  "Accepted for compatibility and not used: the device verifies its user, and that is required."));
  schema.section("limits", "What strangers can make the node hold or do.");
  schema.add(integer("limits.http_body_bytes", "1048576", 1'024, 67'108'864, "Bytes of one request."));
  schema.add(integer("limits.http_connections", "1024", 1, 65'536, "Open connections of each port; about 6 kB each."));
  schema.add(integer("limits.rpc_batch", "100", 1, 10'000, "Calls in one JSON-RPC batch."));
  schema.add(integer("limits.requests_per_minute", "6000", 1, 100'000'000, "Requests from one address."));
  schema.add(duration("limits.http_idle", "60s", 1'000, kHour, "An idle connection is closed after this time."));
}

}  // namespace

ConfigSchema standard_config_schema() {
  ConfigSchema schema;
  add_node(schema);
  add_keys(schema);
  add_chain(schema);
  add_relay(schema);
  add_paymaster(schema);
  add_storage(schema);
  add_security(schema);
  return schema;
}

}  // namespace community::infra
