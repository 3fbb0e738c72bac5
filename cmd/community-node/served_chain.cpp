// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/served_chain.hpp"

#include <algorithm>

#include "community/accounts/factory.hpp"
#include "community/core/uint256.hpp"
#include "community/transactions/factory.hpp"

namespace community::node {

using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kStartPoll{20}, kProbe{2'000};

core::Uint256 gwei(std::uint64_t amount) { return *multiply(core::Uint256(amount), core::Uint256(1'000'000'000)); }

}  // namespace

ServedChain::ServedChain(const RunOptions& options, ChainPlace place, ChainTools tools)
    : options_(options), place_(std::move(place)), t_(std::move(tools)) {
  options_.chain_url = place_.url;
  options_.fallback_urls = place_.fallback_urls;
  options_.chain_id = place_.chain_id;
}

// Asks once, without the chain client, which would rest the endpoint and warn.
Task<std::optional<std::uint64_t>> ServedChain::answering_chain() {
  infra::RpcClientOptions options;
  options.url = place_.url;
  options.timeout = kProbe;
  infra::RpcClient probe(t_.http, std::move(options));
  const auto answer = co_await probe.call("eth_chainId", boost::json::array());
  if (!answer || !answer->has_value()) co_return std::nullopt;
  const auto* text = (*answer)->if_string();
  const auto id = core::parse_quantity(text == nullptr ? std::string_view() : std::string_view(*text));
  co_return id ? id->to_u64() : std::nullopt;
}

Task<infra::Result<void>> ServedChain::start_process(infra::TaskGroup& tasks) {
  // A chain that was killed may have lost its last blocks, the contracts among them; before the first deployment there
  // is nothing to put back.
  auto deploy_again = [this]() -> Task<infra::Result<void>> {
    if (deployment_.chain_id == 0) co_return infra::Result<void>{};
    co_return co_await deploy();
  };
  auto answers = [this]() -> Task<bool> { co_return (co_await answering_chain()).has_value(); };
  const std::string file = place_.name.empty() ? "chain.json" : "chain-" + std::to_string(place_.chain_id) + ".json";
  const auto state = std::make_shared<devnet::ChainStateFile>(options_.data_dir / file);
  process_ = supervise_development_chain(t_.loop, t_.clock, options_, state, answers, deploy_again);
  tasks.spawn(process_->run());
  tasks.spawn(keep_chain_state(state));
  while (!process_->is_ready()) {
    if (!process_->trouble().empty())
      co_return infra::fail(infra::ErrorCode::process, "the development chain does not start: " + process_->trouble());
    co_await infra::sleep_real(kStartPoll);
  }
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::start(infra::TaskGroup& tasks) {
  auto answering = co_await answering_chain();
  if (answering) {
    t_.progress("chain", "using the chain that answers at " + place_.url);
  } else {
    if (auto started = co_await start_process(tasks); !started) co_return started;
    t_.progress("chain", "development chain started at " + place_.url);
    answering = co_await answering_chain();
  }
  // The chain client compares every endpoint with this; an endpoint of another chain is not used.
  const std::uint64_t chain_id = place_.chain_id != 0 ? place_.chain_id : answering.value_or(0);
  if (answering && *answering != chain_id && place_.fallback_urls.empty())
    co_return infra::fail(infra::ErrorCode::config_value, place_.url + " is chain " + std::to_string(*answering) +
                                                              ", and the configuration expects chain " +
                                                              std::to_string(chain_id));
  chain::JsonRpcChainOptions chain;
  chain.urls = place_.fallback_urls;
  chain.urls.insert(chain.urls.begin(), place_.url);
  chain.chain_id = chain_id;
  chain.timeout = options_.chain_timeout;
  chain_ = chain::make_json_rpc_chain(t_.http, t_.clock, chain, &metrics());
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::claim_rows() {
  auto claim = [chain_id = deployment_.chain_id](soci::session& sql) {
    pool::claim_rows(sql, chain_id);
    bundler::claim_rows(sql, chain_id);
    courier::claim_rows(sql, chain_id);
    treasury::claim_rows(sql, chain_id);
    accounts::claim_rows(sql, chain_id);
    alarms::claim_rows(sql, chain_id);
  };
  const auto claimed = co_await t_.database.write(claim);
  if (!claimed) co_return tl::unexpected(claimed.error());
  co_return infra::Result<void>{};
}

// The courier has an executor of its own beside those that send bundles.
Task<infra::Result<void>> ServedChain::make_keys(std::uint64_t chain_id) {
  auto executors = co_await t_.keys.executors(chain_id);
  auto sponsors = co_await t_.keys.sponsors(chain_id);
  if (!executors || !sponsors) co_return infra::fail(infra::ErrorCode::process, "the trusted core names no keys");
  for (std::size_t i = executors->size(); i < options_.executors + 1; i++) {
    const auto made = co_await t_.keys.create_key(protocol::Purpose::executor, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  if (sponsors->empty()) {
    const auto made = co_await t_.keys.create_key(protocol::Purpose::paymaster, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  const auto treasuries = co_await t_.keys.treasuries(chain_id);
  if (options_.treasury.budget != 0 && treasuries->empty()) {
    const auto made = co_await t_.keys.create_key(protocol::Purpose::treasury, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::deploy() {
  const auto chain_id = co_await chain_->chain_id();
  if (!chain_id) co_return infra::fail(infra::ErrorCode::transport, chain_id.error().text());
  if (auto made = co_await make_keys(*chain_id); !made) co_return made;
  devnet::DeployInput input;
  const auto executors = co_await t_.keys.executors(*chain_id);
  for (const keys::KeyInfo& key : *executors) input.executors.push_back(key.address);
  const auto sponsors = co_await t_.keys.sponsors(*chain_id);
  input.paymaster_signer = sponsors->front().address;
  const auto treasuries = co_await t_.keys.treasuries(*chain_id);
  if (options_.treasury.budget != 0) input.treasury = treasuries->front().address;
  devnet::DevelopmentChain development(*chain_);
  auto deployment = co_await development.deploy(t_.bundle, std::move(input));
  if (!deployment) co_return infra::fail(infra::ErrorCode::process, deployment.error().message);
  deployment_ = std::move(*deployment);
  co_return infra::Result<void>{};
}

ChainPart ServedChain::configuration() const {
  ChainPart part;
  part.chain = development_configuration(deployment_);
  part.chain.server_freeze = options_.alarm_rules.any_freezes() ? 1 : 0;
  if (options_.treasury.budget != 0)
    part.treasury = {deployment_.chain_id, gwei(options_.treasury.payment_cap), gwei(options_.treasury.budget)};
  return part;
}

Task<infra::Result<void>> ServedChain::open(const protocol::ChainConfig& in_force) {
  in_force_ = in_force;
  entry_points_.push_back(chain::v0_7::make_entry_point());
  entry_points_.push_back(chain::v0_8::make_entry_point());
  std::vector<const chain::EntryPoint*> contracts;
  for (const auto& entry_point : entry_points_) contracts.push_back(entry_point.get());
  chain::BlockWatcherOptions watching;
  watching.poll = options_.chain_poll;
  fees_ = std::make_unique<chain::FeeOracle>(*chain_, t_.clock);
  blocks_ = std::make_unique<chain::BlockWatcher>(*chain_, t_.clock, watching, &metrics());
  open_validation(contracts);
  pool::PoolLimits limits;
  limits.total = options_.pool_size;
  pool_ = pool::make_pool(t_.database, t_.clock, deployment_.chain_id, &metrics(), limits);

  if (auto opened = co_await open_courier(); !opened) co_return opened;
  if (auto opened = co_await open_treasurer(); !opened) co_return opened;
  if (auto opened = co_await open_watcher(contracts); !opened) co_return opened;
  if (auto opened = co_await open_sponsor(); !opened) co_return opened;
  open_bundler(contracts);
  gateway_ = gateway::make_gateway(
      {*chain_, *fees_, *validator_, *estimator_, *pool_, *bundler_, sponsor_.get(), &metrics(), &health()},
      {std::string(kVersion), deployment_.chain_id, contracts});
  // The bundler, before, had the oracle forget the last block's.
  blocks_->listen([this](const chain::ChainEvent&) -> Task<void> {
    block_came_.set();
    co_return;
  });
  report_health();
  co_return infra::Result<void>{};
}

Task<void> ServedChain::ask_fees_ahead() {
  for (;;) {
    co_await block_came_.wait();
    block_came_.reset();
    const auto asked = co_await fees_->suggest();
    static_cast<void>(asked);
  }
}

// What fits no bundle of this node is refused before it is accepted.
std::uint64_t ServedChain::bundle_gas() const { return std::min(options_.bundle_gas, in_force_.bundle_gas_cap); }

void ServedChain::open_validation(std::vector<const chain::EntryPoint*> contracts) {
  validation::ValidationOptions validation;
  validation.chain_id = deployment_.chain_id;
  for (const chain::EntryPoint* entry_point : contracts)
    validation.entry_points.push_back(
        {entry_point, t_.bundle.simulations.at(std::string(entry_point->version_text()))});
  validation.limits.bundle_gas = bundle_gas();
  simulator_ = validation::make_call_simulator(*chain_, validation);
  rules_ = validation::make_rules();
  validator_ = validation::make_validator(*fees_, *simulator_, *rules_, validation);
  estimator_ = validation::make_estimator(*chain_, *blocks_, validation);
}

Task<infra::Result<void>> ServedChain::open_courier() {
  const auto executors = co_await t_.keys.executors(deployment_.chain_id);
  if (!executors || executors->empty())
    co_return infra::fail(infra::ErrorCode::process, "the trusted core names no executor for the courier");
  const keys::KeyInfo& own = executors->front();
  bundle_keys_ = keys::executors_without(t_.keys, own.id);
  courier::CourierLimits limits;
  limits.max_fee_per_gas = in_force_.fee_cap;
  courier_ = courier::make_courier({t_.database, t_.clock, *chain_, *blocks_, *fees_, t_.keys, &metrics()},
                                   deployment_.chain_id, own, limits);
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::open_treasurer() {
  if (options_.treasury.budget == 0) co_return infra::Result<void>{};
  const auto treasuries = co_await t_.keys.treasuries(deployment_.chain_id);
  if (!treasuries || treasuries->empty())
    co_return infra::fail(infra::ErrorCode::process, "the trusted core names no treasury key");
  treasury::TreasurerOptions wanted;
  wanted.chain_id = deployment_.chain_id;
  wanted.key = treasuries->front();
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    for (const auto& entry_point : entry_points_)
      if (entry_point->address() == paymaster.entry_point)
        wanted.paymasters.push_back({entry_point.get(), paymaster.paymaster});
  wanted.limits.value_cap = gwei(options_.treasury.payment_cap);
  wanted.limits.max_fee_per_gas = in_force_.fee_cap;
  wanted.limits.min_balance = gwei(options_.treasury.min_balance);
  wanted.limits.target_balance = gwei(options_.treasury.target_balance);
  wanted.limits.min_deposit = gwei(options_.treasury.min_deposit);
  wanted.limits.target_deposit = gwei(options_.treasury.target_deposit);
  treasurer_ = treasury::make_treasurer(
      {t_.database, t_.clock, *chain_, *blocks_, *fees_, t_.keys, t_.keys, &metrics(), &health()}, std::move(wanted));
  t_.progress("treasury", core::format_address(treasuries->front().address) + " fills up executors and deposits");
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::open_watcher(std::vector<const chain::EntryPoint*> contracts) {
  alarm_book_ = alarms::make_alarms({t_.database, t_.clock, *chain_, *blocks_, t_.keys, courier_.get(), &metrics()},
                                    deployment_.chain_id, options_.alarm_rules);
  accounts::AccountWatcherDependencies watching{t_.database, t_.clock, *chain_, *blocks_, {}, {}, &metrics()};
  watching.entry_points = std::move(contracts);
  watching.is_known_userop = [this](core::Bytes32 hash) -> Task<bool> {
    co_return (co_await pool_->record(hash)).has_value();
  };
  key_journal_ = transactions::make_key_journal(deployment_.chain_id);
  watching.journals = {&alarm_book_->journal(), key_journal_.get()};
  watcher_ = accounts::make_account_watcher(std::move(watching));
  if (auto loaded = co_await watcher_->load(); !loaded)
    co_return infra::fail(infra::ErrorCode::database, loaded.error().text());
  alarms_ = &alarm_book_->open(*watcher_);
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> ServedChain::open_sponsor() {
  paymaster::SponsorOptions sponsor;
  sponsor.chain_id = deployment_.chain_id;
  const auto sponsors = co_await t_.keys.sponsors(deployment_.chain_id);
  if (!sponsors || sponsors->empty())
    co_return infra::fail(infra::ErrorCode::process, "the trusted core names no key that sponsors");
  sponsor.key = sponsors->front().id;
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    sponsor.contracts.push_back({paymaster.entry_point, paymaster.paymaster});
  sponsor.policy.enabled = options_.sponsoring;
  sponsor.policy.name = options_.sponsor_name;
  sponsor.policy.validity_minutes = options_.sponsor_minutes;
  sponsor.policy.max_cost = in_force_.sponsorship_cost_cap;
  sponsor.chain_time_s = [this]() -> std::int64_t {
    return blocks_->head() ? static_cast<std::int64_t>(blocks_->head()->timestamp) : 0;
  };
  sponsor_ = paymaster::make_sponsor(t_.keys, t_.clock, &metrics(), std::move(sponsor));
  co_return infra::Result<void>{};
}

void ServedChain::open_bundler(std::vector<const chain::EntryPoint*> contracts) {
  bundler::BundlerOptions bundler;
  bundler.chain_id = deployment_.chain_id;
  bundler.entry_points = std::move(contracts);
  bundler.limits.gas = bundle_gas();
  bundler.limits.batch_size = options_.batch_size;
  bundler.limits.gather = options_.batch_timeout;
  bundler.limits.low_balance = gwei(options_.min_balance_gwei);
  bundler.limits.max_fee_per_gas = in_force_.fee_cap;
  auto settle = [this](const core::Address& sender, const core::Uint256& nonce) { sponsor_->settle(sender, nonce); };
  bundler_ = bundler::make_bundler({t_.database, t_.clock, *chain_, *blocks_, *fees_, *bundle_keys_, *pool_,
                                    *simulator_, &metrics(), &health(), settle},
                                   std::move(bundler));
}

// What the parts of a further chain report is one component of the node.
infra::HealthReport ServedChain::own_report() const {
  infra::HealthReport report;
  for (const infra::Health::Entry& part : own_health_.report()) {
    report.state = std::max(report.state, part.report.state);
    if (!part.report.words.empty())
      report.words += (report.words.empty() ? "" : "; ") + part.component + ": " + part.report.words;
  }
  return report;
}

// An execution client without peers, or one that is still catching up, answers everything, from the past.
infra::HealthReport ServedChain::report_head() const {
  const infra::Milliseconds bound = options_.chain_stale_after;
  if (bound.count() == 0) return {};
  const chain::Block& head = *blocks_->head();
  const std::int64_t unchanged_s = blocks_->head_unchanged_for().count() / 1'000;
  // The time in a block is the chain's own; one that runs ahead, as of a test, says nothing.
  const std::int64_t behind_s = t_.clock.now_s() - static_cast<std::int64_t>(head.timestamp);
  const std::string block = "the newest block, " + std::to_string(head.number) + ", ";
  if (unchanged_s * 1'000 >= bound.count())
    return {infra::HealthState::degraded, block + "has been the newest for " + std::to_string(unchanged_s) +
                                              " s: does the execution client have peers?"};
  if (behind_s * 1'000 >= bound.count())
    return {infra::HealthState::degraded,
            block + "is " + std::to_string(behind_s) + " s old: the execution client is behind the chain"};
  return {};
}

void ServedChain::report_health() {
  if (!is_first()) t_.health.add("chain " + std::to_string(deployment_.chain_id), [this] { return own_report(); });
  health().add("chain", [this]() -> infra::HealthReport {
    if (blocks_->last_error()) return {infra::HealthState::failed, blocks_->last_error()->text()};
    if (!blocks_->head()) return {infra::HealthState::failed, "no block was seen yet"};
    return report_head();
  });
}

void ServedChain::spawn(const std::function<void(infra::Task<void>)>& spawn) {
  spawn(blocks_->run());
  spawn(ask_fees_ahead());
  spawn(courier_->run());
  if (treasurer_) spawn(treasurer_->run());
  spawn(bundler_->run());
  spawn(alarms_->run());
}

void ServedChain::stop() {
  if (bundler_) bundler_->stop();
}

std::optional<core::Address> ServedChain::paymaster_of_accounts() const {
  if (!options_.sponsoring) return std::nullopt;
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    if (paymaster.entry_point == deployment_.entry_point_v0_8) return paymaster.paymaster;
  return std::nullopt;
}

gateway::ChainFacts ServedChain::facts() const {
  gateway::ChainFacts facts;
  facts.chain_id = deployment_.chain_id;
  facts.factory = deployment_.account_factory;
  facts.entry_point = deployment_.entry_point_v0_8;
  facts.proxy_init_code_hash = deployment_.proxy_init_code_hash;
  facts.paymaster = paymaster_of_accounts();
  facts.multisig_factory = deployment_.multisig_factory;
  facts.multisig_proxy_init_code_hash = deployment_.multisig_proxy_init_code_hash;
  return facts;
}

control::NodeInfo ServedChain::control_info() const {
  // People and operators are told the same.
  const gateway::ChainFacts told = facts();
  control::NodeInfo info;
  info.chain_id = told.chain_id;
  info.entry_point = told.entry_point;
  info.factory = told.factory;
  info.proxy_init_code_hash = told.proxy_init_code_hash;
  info.multisig_factory = told.multisig_factory;
  info.multisig_proxy_init_code_hash = told.multisig_proxy_init_code_hash;
  info.paymaster = told.paymaster.value_or(core::Address());
  return info;
}

PeoplesChain ServedChain::for_people() {
  const auto entry_point = std::find_if(entry_points_.begin(), entry_points_.end(), [this](const auto& one) {
    return one->address() == deployment_.entry_point_v0_8;
  });
  return {{deployment_.chain_id, deployment_.account_factory, deployment_.entry_point_v0_8,
           deployment_.proxy_init_code_hash},
          {deployment_.chain_id, *chain_, *fees_, *blocks_, **entry_point, *validator_, *estimator_, *pool_, *courier_,
           sponsor_.get(), options_.development},
          {deployment_.multisig_factory, deployment_.multisig_proxy_init_code_hash, deployment_.passkey_verifier},
          *alarms_};
}

}  // namespace community::node
