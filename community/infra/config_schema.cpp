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

// What files of the product's founders carry and this version has no use for yet: they load, and say so.
constexpr const char* kUnused = "Accepted so that existing files load; nothing in this version uses it.";

void add_node(ConfigSchema& schema) {
  schema.section("node", "Where the node keeps its state and where it listens.");
  schema.add(text("node.data_dir", "",
                  "Folder with all state of this node. Empty: community-node in the user's state folder "
                  "(XDG_STATE_HOME, or ~/.local/state)."));
  schema.add(text("node.network", "dev", kUnused));
  schema.add(text("node.http_api", "localhost:9000",
                  "Address of the HTTP API and the page, as host:port. localhost means both 127.0.0.1 and ::1."));
  schema.add(text("node.rpc", "localhost:3000", "Address of JSON-RPC for wallets and libraries, as host:port."));
  schema.add(list("node.allowed_origins", "",
                  "Web pages that may call, as https://app.example, besides pages of localhost and of this node; * for "
                  "all."));
  schema.add(list("node.allowed_hosts", "",
                  "Names under which this node may be called, besides localhost and literal addresses; * for all."));
  schema.add(
      text("node.page", "",
           "Folder of the built page (make page), read at start. Empty: page beside this program, or build/page. "
           "Without it the HTTP API works alone."));
  schema.add(list("node.trusted_proxies", "",
                  "Addresses or ranges, as 10.0.0.0/8, of proxies in front of this node. From them X-Forwarded-For is "
                  "believed; without any, the address that connects is the client's."));
  schema.add(choice("node.log_level", "warning", {"debug", "info", "warning", "error", "off"},
                    "The least important lines that are logged."));
  schema.add(text("node.log_file", "", "File for log lines. Empty: standard error."));
}

void add_keys(ConfigSchema& schema) {
  schema.section("keys", "The trusted core: where root keys live and signatures are made.");
  schema.add(
      choice("keys.body", "auto", {"auto", "optee-device", "optee-qemu", "process"},
             "Where the trusted core runs: in OP-TEE on a board, in OP-TEE in an emulator, or as a sandboxed process. "
             "Only a board's hardware keeps keys from whoever controls the machine. auto takes the strongest that can "
             "run here. The first start decides for good: keys do not move between bodies.",
             "paymaster_relay.kms_backend"));
  schema.add(text("keys.executable", "", "The process body's program. Empty: key-enclave beside this program."));
  schema.add(
      text("keys.optee_image", "",
           "Folder of the OP-TEE image (make optee). Empty: optee-image beside this program, or build/optee/image."));
  schema.add(text("keys.qemu", "", "The emulator of optee-qemu. Empty: qemu-system-aarch64 where Debian puts it."));
  schema.add(text("keys.tee_device", "/dev/tee0", "The driver of optee-device.", "optee_kms.device_path"));
  schema.add(duration("keys.request_timeout", "10s", 100, 10 * kMinute,
                      "How long one request to the core may take before it is ended and started again."));
  schema.add(integer("keys.batch_size", "10", 1, 256,
                     "Requests gather while the core is busy; a batch of this many is sent at once.",
                     "optee_kms.performance.batch_size"));
  schema.add(duration("keys.batch_timeout", "50ms", 0, 10'000,
                      "The longest that a request gathers. Nothing waits for an idle core.",
                      "optee_kms.performance.batch_timeout"));
}

void add_chain(ConfigSchema& schema) {
  schema.section("chain", "The execution client.");
  schema.add(text("chain.rpc_url", "http://127.0.0.1:8545", "JSON-RPC of the execution client.", "node.node_http"));
  schema.add(list("chain.fallback_urls", "", "Asked in this order while the first does not answer."));
  schema.add(integer("chain.chain_id", "0", 0, INT64_MAX,
                     "The chain that is expected; a client of another chain is not used. 0 takes the first answer."));
  schema.add(duration("chain.poll", "500ms", 10, kMinute, "How often the head of the chain is looked at."));
  schema.add(duration("chain.stale_after", "5m", 0, 24 * 60 * kMinute,
                      "When the newest block is older than this, the node's health is degraded: the execution client "
                      "stands still or is behind. 0s for a chain that makes blocks with transactions alone."));
  schema.add(duration("chain.timeout", "10s", 100, 5 * kMinute, "How long one question may take."));
  schema.section(
      "chains.*",
      "Further chains that accounts of this node live on, one table each, as [chains.polygon]; [chain] is the "
      "first. At most seven more. JSON-RPC of a further chain is at /chains/ and its chain_id.");
  schema.add(text("chains.*.rpc_url", "", "JSON-RPC of its execution client."));
  schema.add(list("chains.*.fallback_urls", "", "Asked in this order while the first does not answer."));
  schema.add(integer("chains.*.chain_id", "0", 0, INT64_MAX, "Which chain it is; never 0."));
}

void add_relay(ConfigSchema& schema) {
  schema.section("relay", "The bundler.");
  schema.add(integer("relay.executors", "2", 1, 64, "Keys that send bundles at the same time."));
  schema.add(integer("relay.max_bundle_gas", "16777216", 100'000, 16'777'216,
                     "Gas of one bundle; a transaction has at most 16,777,216 (EIP-7825)."));
  schema.add(integer("relay.batch_size", "10", 1, 1'000, "A bundle is sent when this many operations wait."));
  schema.add(duration("relay.batch_timeout", "50ms", 0, 10'000, "The longest an operation waits for company."));
  schema.add(integer("relay.pool_size", "4096", 1, 1'000'000, "Operations in the pool; about 2 kB each."));
  schema.add(integer("relay.min_balance_gwei", "100000000", 0, INT64_MAX,
                     "An executor below this balance, in gwei, makes the node's health degraded."));
}

void add_treasury(ConfigSchema& schema) {
  schema.section(
      "treasury",
      "Refilling executors and paymasters' deposits from a key of the trusted core that can pay nobody else. "
      "Budget and cap are part of the configuration that the operator signs; with a budget of 0 there is no "
      "treasury.");
  schema.add(integer("treasury.budget_gwei", "0", 0, INT64_MAX,
                     "What the treasury may pay in all, gas included, counted since the trusted core was made. 1 ether "
                     "is 1,000,000,000 gwei."));
  schema.add(integer("treasury.payment_cap_gwei", "1000000000", 1, INT64_MAX, "The most that one payment moves."));
  schema.add(integer("treasury.min_balance_gwei", "200000000", 0, INT64_MAX,
                     "An executor below this is filled up to target_balance_gwei. 0: never by itself."));
  schema.add(integer("treasury.target_balance_gwei", "500000000", 0, INT64_MAX,
                     "What an executor has after a refill, unless the cap of a payment comes first."));
  schema.add(
      integer("treasury.min_deposit_gwei", "200000000", 0, INT64_MAX,
              "A paymaster whose deposit is below this gets one up to target_deposit_gwei. 0: never by itself."));
  schema.add(integer("treasury.target_deposit_gwei", "1000000000", 0, INT64_MAX,
                     "What a deposit is after a refill, unless the cap of a payment comes first."));
}

void add_paymaster(ConfigSchema& schema) {
  schema.section("paymaster", "Who pays for operations.");
  schema.add(integer("paymaster.validity_minutes", "10", 1, 1'440, "How long a signed approval is good for."));
  schema.add(text("paymaster.name", "Community Node", "Who sponsors, as wallets show it."));
  schema.section("paymaster_relay", "The founders' switch for sponsoring.");
  schema.add(flag("paymaster_relay.enabled", "true", "Serves pm_* methods and signs approvals."));
}

void add_storage(ConfigSchema& schema) {
  schema.section("database",
                 "Where operations, journals and sealed records are kept: in a file of the data folder, or on "
                 "PostgreSQL 15 or newer. Records do not move from one database to another.");
  schema.add(text("database.url", "",
                  "Empty: SQLite, the file node.db of the data folder. PostgreSQL as libpq has it: "
                  "postgresql://user@host:5432/name, or postgresql:///name?host=/run/postgresql for a socket folder. "
                  "Without a password. To another machine sslmode=verify-full, unless the URL says otherwise."));
  schema.add(text("database.host", "",
                  "Instead of database.url: PostgreSQL on this host, or in this socket folder. The user is PGUSER, or "
                  "whoever runs the node."));
  schema.add(text("database.name", "", "Instead of database.url: the database's name on PostgreSQL."));
  schema.add(text("database.password_file", "",
                  "File with PostgreSQL's password alone. Empty: what libpq finds (PGPASSWORD, ~/.pgpass), or none."));
  schema.add(
      integer("database.readers", "2", 1, 32, "Connections that read; one more writes.", "database.max_connections"));
}

// The classes of community/alarms/api/alarm_rules.hpp, whose test compares them with these rows.
void add_alarms(ConfigSchema& schema) {
  schema.section(
      "alarms",
      "What happens to an account of this node, through whomever it came: log writes a line; alarm keeps it "
      "until it is acknowledged; freeze also has the server key freeze the account for 7 days, at most once in "
      "37. freeze works only where the trusted core's configuration of the chain allows server freezes.");
  const std::vector<std::string> with_freeze{"log", "alarm", "freeze"}, without{"log", "alarm"};
  const auto add = [&](const char* name, const char* help) {
    schema.add(choice(std::string("alarms.") + name, "alarm", with_freeze, help));
  };
  add("unknown_submitter", "An operation of the account that this node never took.");
  add("escape_started", "A vote wants all passkeys and the server key new, in 3 days.");
  add("recovery_started", "The guardians want all keys new, after the recovery delay.");
  add("key_change_queued", "A change of passkeys, server or escape key waits 3 days.");
  add("keys_changed", "Passkeys, server or escape key are others now.");
  add("rules_change_queued", "A change of guardians, recovery delay or modes waits 3 days.");
  add("rules_changed", "Guardians, recovery delay, strict mode or unlisted tokens are others now.");
  add("upgrade_queued", "New code for the account waits 7 days.");
  add("upgraded", "The account runs other code now.");
  add("spend_queued", "A spend over the day's limit waits 24 hours.");
  add("limit_queued", "A higher limit or gas cap waits 24 hours.");
  add("limit_changed", "A limit or the gas cap is another now, higher or lower.");
  add("domain_queued", "An application whose messages the account would sign waits 24 hours.");
  add("domain_listed", "The account signs messages of another application now.");
  add("call_queued", "A call for the allow-list of strict mode waits 24 hours.");
  add("call_allowed", "Strict mode allows another call now.");
  add("queue_confirmed", "Something that was queued was carried out.");
  add("grant_created", "A session grant was made: the server key may act alone within it.");
  add("unfreeze_started", "One vote wants to end the freeze, in 3 days.");
  schema.add(choice("alarms.unfrozen", "alarm", without, "The freeze is over."));
  schema.add(choice("alarms.frozen", "alarm", without, "A vote froze the account."));
  schema.add(choice("alarms.server_frozen", "alarm", without, "The server key froze the account."));
}

void add_backup(ConfigSchema& schema) {
  schema.section(
      "backup",
      "Checkpoints of this node's trusted core for the holders of its shares (docs/backup.md). Without a backup "
      "nothing happens.");
  schema.add(
      duration("backup.interval", "1h", 1'000, 7 * kDay,
               "A checkpoint is made this often while something changes, and soon after a rotation, configuration "
               "or recovery. What came after the last one is lost with the device."));
  schema.add(
      list("backup.holders", "",
           "Base URLs of the holders' HTTP APIs, as https://holder.example:9000. Empty: those that `backup create` "
           "noted."));
}

void add_notifications(ConfigSchema& schema) {
  schema.section("mail", "Mails to people: codes, and what happened to their accounts.");
  schema.add(choice("mail.delivery", "outbox", {"outbox", "smtp"},
                    "smtp sends by the server below; outbox writes files into the folder outbox of the data folder."));
  schema.add(text("mail.from", "node@community.invalid", "The sender's address; replies to it are not read."));
  schema.add(text("mail.name", "Community Node", "The sender's name, in every mail."));
  schema.add(
      text("mail.smtp_url", "", "The server that takes mails: smtp://host:587, with STARTTLS, or smtps://host:465."));
  schema.add(choice("mail.starttls", "required", {"required", "off"},
                    "off sends in clear, to a server of this machine alone, and without a user."));
  schema.add(text("mail.user", "", "Who the node is for that server. Empty: without AUTH."));
  schema.add(text("mail.password_file", "", "File with the user's password, readable by the node alone."));
  schema.add(text("mail.ca_file", "",
                  "PEM file with the certification authorities of that server. Empty: those of the system."));
  schema.add(duration("mail.timeout", "60s", 1'000, 10 * kMinute, "How long sending one mail may take."));
  schema.section("push", "Web push (RFC 8030): short notices to browsers that asked for them.");
  schema.add(text("push.contact", "",
                  "How a push service reaches the operator: mailto:operator@example.org or an https address. Empty: no "
                  "web push."));
  schema.add(list("push.services",
                  "fcm.googleapis.com,updates.push.services.mozilla.com,notify.windows.com,push.apple.com",
                  "Hosts that notices are sent to, with every name below them: the push services of Chrome, Firefox, "
                  "Edge and Safari. A browser that names another one is refused."));
}

void add_security(ConfigSchema& schema) {
  schema.section("security",
                 "Passkeys, sessions and what a new account allows. Whoever changes rp_id loses every passkey.");
  schema.add(text("security.rp_id", "",
                  "Relying party of passkeys: the page's domain or a parent of it. Needed, with the origin, to serve "
                  "people; a development chain takes localhost."));
  schema.add(text("security.origin", "",
                  "The page's origin as browsers write it: https://example.org, with a port where it is not 443. A "
                  "development chain takes http://localhost and the port of node.http_api."));
  schema.add(text("security.rp_name", "Community Node", "The node's name, as devices show it beside a passkey."));
  schema.add(duration("security.session_duration", "24h", kMinute, 30 * kDay,
                      "How long a log-in lasts, whether it is used or not."));
  schema.add(integer("security.transaction_daily_limit", "1000000000", 0, INT64_MAX,
                     "Of a new account, in gwei of the chain's own currency: what it spends a day at once. The owner "
                     "changes it later."));
  schema.add(integer("security.gas_cap", "100000000", 0, INT64_MAX,
                     "Of a new account, in gwei: what one operation may cost when no paymaster pays."));
  schema.add(duration("security.recovery_delay", "7d", kDay, 365 * kDay,
                      "Of a new account: how long a recovery by guardians waits."));
  schema.add(integer("security.person_daily_limit", "0", 0, INT64_MAX,
                     "What one person may sign away in a UTC day on one chain, over all wallets, in gwei; 0: no bound "
                     "but the accounts' own."));
  schema.add(text("security.biometric_threshold", "",
                  "Accepted so that existing files load: the device's own verifier decides, and is always asked."));
}

void add_api_keys(ConfigSchema& schema) {
  schema.section("api_keys.*",
                 "Programs with a bucket of their own, one table each, as [api_keys.shop]. They send their key as "
                 "Authorization: Bearer; it logs nobody in.");
  schema.add(text("api_keys.*.sha256", "", "SHA-256 of the key in hexadecimal: printf %s KEY | sha256sum."));
  schema.add(integer("api_keys.*.requests_per_minute", "600", 1, 10'000'000, "Requests of this program."));
}

void add_limits(ConfigSchema& schema) {
  schema.section("limits", "What strangers can make the node hold or do.");
  schema.add(integer("limits.http_body_bytes", "1048576", 1'024, 67'108'864, "Bytes of one request."));
  schema.add(integer("limits.http_connections", "1024", 1, 65'536, "Open connections of each port; about 6 kB each."));
  schema.add(duration("limits.http_idle", "60s", 1'000, kHour, "An idle connection is closed after this time."));
  schema.add(integer("limits.requests_per_minute", "600", 1, 10'000'000,
                     "Requests to the HTTP API from one network address (IPv6: one /64)."));
  schema.add(integer("limits.registrations_per_hour", "20", 1, 10'000'000,
                     "Codes that one network address may ask for. An e-mail address gets three in 15 minutes in any "
                     "case."));
  schema.add(integer("limits.attempts_per_minute", "60", 1, 10'000'000,
                     "Codes, passkeys and log-ins that one network address may try."));
  schema.add(
      integer("limits.person_requests_per_minute", "600", 1, 10'000'000, "Requests of one person, from wherever."));
  schema.add(integer("limits.prepared_per_minute", "60", 1, 1'000'000,
                     "Transactions that one person may have prepared; a sponsored one costs the sponsor's budget."));
  schema.add(integer("limits.signed_per_minute", "30", 1, 1'000'000, "Transactions that one person may sign."));
}

void add_founders(ConfigSchema& schema) {
  schema.section("optee_kms", "The founders' section for OP-TEE.");
  schema.add(text("optee_kms.ta_uuid", "", kUnused, "tee.uuid"));
  schema.section("optee_kms.keys", "Names for keys in the trusted core.");
  schema.add(text("optee_kms.keys.*", "", kUnused));
  schema.section("optee_kms.security", "Sessions with the trusted core.");
  schema.add(duration("optee_kms.security.session_timeout", "30m", 1'000, kDay, kUnused, "tee.session_timeout"));
  schema.add(integer("optee_kms.security.max_retries", "3", 0, 100, kUnused));
  schema.add(flag("optee_kms.security.audit_logging", "true", kUnused));
  schema.add(flag("optee_kms.security.tamper_detection", "true", kUnused));
  schema.section("optee_kms.performance", "How signing requests gather.");
  schema.add(integer("optee_kms.performance.connection_pool_size", "1", 1, 64, kUnused, "tee.max_sessions"));
}

}  // namespace

ConfigSchema standard_config_schema() {
  ConfigSchema schema;
  add_node(schema);
  add_keys(schema);
  add_chain(schema);
  add_relay(schema);
  add_treasury(schema);
  add_paymaster(schema);
  add_alarms(schema);
  add_storage(schema);
  add_backup(schema);
  add_notifications(schema);
  add_security(schema);
  add_limits(schema);
  add_api_keys(schema);
  add_founders(schema);
  return schema;
}

}  // namespace community::infra
