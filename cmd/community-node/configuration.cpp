// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/configuration.hpp"

#include <map>

#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "trusted/protocol/protocol.hpp"

namespace community::node {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxConfigurationFile = 1u << 20;

fs::path or_else(const std::string& text, const fs::path& fallback) { return text.empty() ? fallback : fs::path(text); }

// The founders' files name the supplicant's device, which clients do not use.
fs::path tee_device(const std::string& text) {
  if (text != "/dev/teepriv0") return text;
  infra::log_warning("keys.tee_device: /dev/teepriv0 is tee-supplicant's device; /dev/tee0 is used");
  return "/dev/tee0";
}

// The schema has a row for each class and accepts no action that the class does not have.
alarms::AlarmRules alarm_rules(const infra::Config& config) {
  alarms::AlarmRules rules;
  for (std::size_t i = 0; i < alarms::kAlarmClasses; i++) {
    const auto what = static_cast<alarms::AlarmClass>(i);
    rules.set(what, alarms::parse_alarm_action(config.text("alarms." + std::string(name(what)))).value());
  }
  return rules;
}

RunOptions::People people_options(const infra::Config& config) {
  const auto number = [&config](const std::string& key) { return static_cast<std::uint64_t>(config.integer(key)); };
  RunOptions::People people;
  people.rp_id = config.text("security.rp_id");
  people.origin = config.text("security.origin");
  people.rp_name = config.text("security.rp_name");
  people.session_duration = config.duration("security.session_duration");
  people.recovery_delay = config.duration("security.recovery_delay");
  people.daily_limit = number("security.transaction_daily_limit");
  people.gas_cap = number("security.gas_cap");
  people.requests_per_minute = number("limits.requests_per_minute");
  people.registrations_per_hour = number("limits.registrations_per_hour");
  people.attempts_per_minute = number("limits.attempts_per_minute");
  people.person_requests_per_minute = number("limits.person_requests_per_minute");
  people.person_daily_limit = number("security.person_daily_limit");
  people.prepared_per_minute = static_cast<std::size_t>(number("limits.prepared_per_minute"));
  people.signed_per_minute = static_cast<std::size_t>(number("limits.signed_per_minute"));
  people.trusted_proxies = config.list("node.trusted_proxies");
  for (const std::string& name : config.names("api_keys"))
    people.api_keys.push_back(
        {name, config.text("api_keys." + name + ".sha256"), number("api_keys." + name + ".requests_per_minute")});
  return people;
}

}  // namespace

infra::Result<infra::Config> load_configuration(const fs::path& file, const fs::path& data_dir) {
  std::string text;
  const fs::path standard = data_dir / "config.toml";
  std::error_code ignored;
  if (!file.empty() || fs::exists(standard, ignored)) {
    auto read = infra::read_file(file.empty() ? standard : file, kMaxConfigurationFile);
    if (!read) return tl::unexpected(read.error());
    text = std::move(*read);
  }
  return infra::Config::load(infra::standard_config_schema(), text, infra::Config::process_environment());
}

RunOptions options_from(const infra::Config& config) {
  RunOptions options;
  options.data_dir = or_else(config.text("node.data_dir"), default_data_dir());
  options.rpc_bind = config.text("node.rpc");
  options.http_bind = config.text("node.http_api");
  options.allowed_origins = config.list("node.allowed_origins");
  options.allowed_hosts = config.list("node.allowed_hosts");
  options.page = or_else(config.text("node.page"), default_page());
  options.log_level = config.text("node.log_level");
  options.log_file = config.text("node.log_file");
  options.body = config.text("keys.body");
  const bodies::Places places = default_places();
  options.places.key_enclave = or_else(config.text("keys.executable"), places.key_enclave);
  options.places.optee_image = or_else(config.text("keys.optee_image"), places.optee_image);
  options.places.qemu = config.text("keys.qemu");
  options.places.tee_bridge = places.tee_bridge;
  options.places.tee_device = tee_device(config.text("keys.tee_device"));
  options.key_calls.timeout = config.duration("keys.request_timeout");
  options.key_calls.batch_size = static_cast<std::size_t>(config.integer("keys.batch_size"));
  options.key_calls.batch_timeout = config.duration("keys.batch_timeout");
  options.chain_url = config.text("chain.rpc_url");
  options.fallback_urls = config.list("chain.fallback_urls");
  options.chain_id = static_cast<std::uint64_t>(config.integer("chain.chain_id"));
  options.chain_poll = config.duration("chain.poll");
  options.chain_stale_after = config.duration("chain.stale_after");
  options.chain_timeout = config.duration("chain.timeout");
  options.executors = static_cast<std::size_t>(config.integer("relay.executors"));
  options.bundle_gas = static_cast<std::uint64_t>(config.integer("relay.max_bundle_gas"));
  options.batch_size = static_cast<std::size_t>(config.integer("relay.batch_size"));
  options.batch_timeout = config.duration("relay.batch_timeout");
  options.pool_size = static_cast<std::size_t>(config.integer("relay.pool_size"));
  options.min_balance_gwei = static_cast<std::uint64_t>(config.integer("relay.min_balance_gwei"));
  const auto gwei = [&config](const char* key) { return static_cast<std::uint64_t>(config.integer(key)); };
  options.treasury.budget = gwei("treasury.budget_gwei");
  options.treasury.payment_cap = gwei("treasury.payment_cap_gwei");
  options.treasury.min_balance = gwei("treasury.min_balance_gwei");
  options.treasury.target_balance = gwei("treasury.target_balance_gwei");
  options.treasury.min_deposit = gwei("treasury.min_deposit_gwei");
  options.treasury.target_deposit = gwei("treasury.target_deposit_gwei");
  options.sponsoring = config.boolean("paymaster_relay.enabled");
  options.sponsor_name = config.text("paymaster.name");
  options.sponsor_minutes = static_cast<unsigned>(config.integer("paymaster.validity_minutes"));
  options.backup_interval = config.duration("backup.interval");
  options.backup_holders = config.list("backup.holders");
  options.config = config;
  options.people = people_options(config);
  options.alarm_rules = alarm_rules(config);
  options.http_body_bytes = static_cast<std::uint64_t>(config.integer("limits.http_body_bytes"));
  options.http_connections = static_cast<std::size_t>(config.integer("limits.http_connections"));
  options.http_idle = config.duration("limits.http_idle");
  return options;
}

infra::Result<std::vector<ChainPlace>> chain_places(const RunOptions& options) {
  const auto wrong = [](std::string words) { return infra::fail(infra::ErrorCode::config_value, std::move(words)); };
  std::vector<ChainPlace> places{{"", options.chain_url, options.fallback_urls, options.chain_id}};
  const infra::Config& config = *options.config;
  std::map<std::uint64_t, std::string> sections;
  std::map<std::string, std::string> urls{{options.chain_url, "chain"}};
  if (options.chain_id != 0) sections[options.chain_id] = "chain";
  for (const std::string& name : config.names("chains")) {
    const std::string section = "chains." + name;
    ChainPlace place{name, config.text(section + ".rpc_url"), config.list(section + ".fallback_urls"),
                     static_cast<std::uint64_t>(config.integer(section + ".chain_id"))};
    if (place.chain_id == 0) return wrong(section + ".chain_id is missing");
    if (place.url.empty()) return wrong(section + ".rpc_url is missing");
    const auto [same, is_new] = sections.emplace(place.chain_id, section);
    if (!is_new)
      return wrong(section + " and " + same->second + " are the same chain " + std::to_string(place.chain_id));
    const auto [there, is_other] = urls.emplace(place.url, section);
    if (!is_other) return wrong(section + " and " + there->second + " have the same rpc_url");
    places.push_back(std::move(place));
  }
  if (places.size() > protocol::kMaxChains)
    return wrong("[chain] and " + std::to_string(places.size() - 1) + " of [chains.*] are more chains than the " +
                 std::to_string(protocol::kMaxChains) + " that the trusted core serves");
  return places;
}

}  // namespace community::node
