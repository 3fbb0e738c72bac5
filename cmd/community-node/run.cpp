// SPDX-License-Identifier: Apache-2.0
// `community-node run`: builds every object of the node in the order it is needed, serves, and takes everything down in
// the reverse order.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>

#include "cmd/community-node/core_access.hpp"
#include "cmd/community-node/development.hpp"
#include "cmd/community-node/people_services.hpp"
#include "community/accounts/api/account_watcher.hpp"
#include "community/alarms/factory.hpp"
#include "community/apps/factory.hpp"
#include "community/audit/factory.hpp"
#include "community/backup/factory.hpp"
#include "community/bodies/factory.hpp"
#include "community/bundler/factory.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/factory.hpp"
#include "community/control/factory.hpp"
#include "community/courier/factory.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"
#include "community/keys/factory.hpp"
#include "community/notifications/factory.hpp"
#include "community/paymaster/factory.hpp"
#include "community/pool/factory.hpp"
#include "community/transactions/factory.hpp"
#include "community/treasury/factory.hpp"
#include "community/validation/factory.hpp"

namespace community::node {

namespace fs = std::filesystem;
using infra::Milliseconds;
using infra::Task;

namespace {

constexpr std::string_view kVersion = "community-node/" COMMUNITY_VERSION;
constexpr Milliseconds kPatience{10'000};
constexpr Milliseconds kStartPoll{20}, kBudgetPoll{5'000}, kProbe{2'000};
// A dozen contracts with their ABIs are 600 kB.
constexpr std::size_t kMaxContracts = 16u << 20;

// A fifth or less, when the alarm speaks.
bool is_low(const core::Uint256& left, const core::Uint256& limit) { return left <= divide(limit, 5).quotient; }

bool has_low(const protocol::BudgetStatus& budget) {
  const bool has_treasury = !budget.treasury_limit.is_zero();
  return is_low(budget.executor_left, budget.executor_limit) || is_low(budget.sponsor_left, budget.sponsor_limit) ||
         (has_treasury && is_low(budget.treasury_left, budget.treasury_limit));
}

core::Uint256 gwei(std::uint64_t amount) { return *multiply(core::Uint256(amount), core::Uint256(1'000'000'000)); }

// Prints what happens with the time since the start, one line a step.
class Progress {
 public:
  void operator()(const char* what, const std::string& text) const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    std::printf("  %6.2f s  %-9s %s\n", std::chrono::duration<double>(passed).count(), what, text.c_str());
    std::fflush(stdout);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Task<void> pass_on(infra::Event& event, std::shared_ptr<infra::Event> to) {
  co_await event.wait();
  to->set();
}

// Waits for whichever comes first; false when the time passed before both.
Task<bool> first_of(infra::Event& one, infra::Event& other, Milliseconds patience) {
  infra::TaskGroup waiting(co_await boost::asio::this_coro::executor);
  const auto either = std::make_shared<infra::Event>();
  waiting.spawn(pass_on(one, either));
  waiting.spawn(pass_on(other, either));
  const bool in_time = co_await either->wait_for(patience);
  waiting.cancel();
  co_await waiting.join();
  co_return in_time;
}

class Node {
 public:
  Node(const RunOptions& options, infra::EventLoop& loop) : options_(options), loop_(loop) {}

  Task<int> run();

 private:
  Task<infra::Result<void>> start();
  Task<void> start_and_tell();
  Task<bool> started();
  infra::Result<void> open_storage();
  infra::Result<void> load_operator();
  Task<infra::Result<void>> start_keys();
  Task<bool> chain_answers();
  Task<infra::Result<void>> start_chain();
  infra::Result<void> load_contracts();
  Task<infra::Result<void>> deploy();
  Task<infra::Result<void>> deploy_and_configure();
  Task<infra::Result<void>> node_keys(std::uint64_t chain_id);
  Task<infra::Result<void>> start_relay();
  Task<infra::Result<void>> start_courier();
  Task<infra::Result<void>> start_treasurer();
  Task<infra::Result<void>> watch_accounts(std::vector<const chain::EntryPoint*> contracts);
  infra::Result<void> open_control();
  infra::Result<void> open_people();
  gateway::NodeFacts facts() const;
  infra::Result<void> open_backup();
  Task<infra::Result<void>> serve();
  void report_health();
  Task<void> watch_keys();
  Task<void> watch_budgets();
  void show_budgets(const keys::CoreStatus& status);
  Task<void> main_job();
  std::string page_line() const;
  Task<void> wait_for_signal();
  Task<void> stop();

  const RunOptions& options_;
  infra::EventLoop& loop_;
  Progress progress_;
  infra::Metrics metrics_;
  infra::Health health_;
  std::unique_ptr<infra::Clock> clock_ = infra::make_system_clock();
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  std::unique_ptr<infra::HttpClient> http_ = infra::make_http_client({});
  std::unique_ptr<infra::DirectoryLock> lock_;
  PeoplesParty party_;
  // Before the database, whose writer may still be at a write of theirs when everything goes.
  PeopleServices people_{options_, party_, {*clock_, *random_, *http_, loop_.executor(), metrics_, health_}};
  std::unique_ptr<infra::Database> database_;
  std::optional<keys::Operator> operator_;
  std::unique_ptr<keys::ConnectedKeyService> keys_;
  std::unique_ptr<bodies::Supervisor> body_;
  std::unique_ptr<chain::ExecutionClient> chain_;
  std::unique_ptr<infra::Supervisor> chain_process_;
  devnet::ContractBundle bundle_;
  devnet::Deployment deployment_;
  // What the operator signs for the core, and what the relay must stay within.
  protocol::Configuration configuration_;
  std::vector<std::unique_ptr<chain::EntryPoint>> entry_points_;
  std::unique_ptr<chain::FeeOracle> fees_;
  std::unique_ptr<chain::BlockWatcher> blocks_;
  std::unique_ptr<validation::Simulator> simulator_;
  std::unique_ptr<validation::Rules> rules_;
  std::unique_ptr<validation::Validator> validator_;
  std::unique_ptr<validation::Estimator> estimator_;
  std::unique_ptr<pool::Pool> pool_;
  std::unique_ptr<alarms::AlarmBook> alarm_book_;
  std::unique_ptr<accounts::EventJournal> key_journal_;
  std::unique_ptr<accounts::AccountWatcher> watcher_;
  // The book's, once the watcher is there.
  alarms::Alarms* alarms_ = nullptr;
  std::unique_ptr<paymaster::Sponsor> sponsor_;
  std::unique_ptr<bundler::Bundler> bundler_;
  // The executors that send bundles; the first of all is the courier's, whatever their number is.
  std::unique_ptr<keys::ExecutorKeys> bundle_keys_;
  std::unique_ptr<courier::Courier> courier_;
  // Null without a budget.
  std::unique_ptr<treasury::Treasurer> treasurer_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::AttestationDoor> attestation_;
  std::unique_ptr<gateway::PageDoor> page_;
  std::unique_ptr<backup::BackupDoor> backup_door_;
  std::unique_ptr<backup::Keeper> keeper_;
  std::unique_ptr<control::ControlDoor> control_;
  std::unique_ptr<infra::HttpServer> rpc_server_, http_server_;
  std::optional<keys::CoreStatus> core_status_;
  std::unique_ptr<infra::TaskGroup> tasks_, background_, chain_tasks_;
  int status_ = 0;
  // The outcome of start(), once start_over_ is set.
  infra::Result<void> start_outcome_;
  infra::Event start_over_;
  // A signal asked for the end.
  bool interrupted_ = false;
  std::string fatal_;
  infra::Event ended_;
};

infra::Result<void> Node::open_storage() {
  if (auto made = infra::ensure_private_directory(options_.data_dir); !made) return made;
  auto locked = infra::DirectoryLock::take(options_.data_dir);
  if (!locked)
    return infra::fail(locked.error().code, locked.error().message + "; stop it, or choose another folder: --data-dir");
  lock_ = std::make_unique<infra::DirectoryLock>(std::move(*locked));
  if (auto finished = finish_reset(options_.data_dir, options_.places); !finished) return finished;
  auto opened = infra::Database::open(
      options_.database,
      {keys::key_migrations(), pool::pool_migrations(), bundler::bundler_migrations(), courier::courier_migrations(),
       treasury::treasury_migrations(), accounts::account_migrations(), alarms::alarm_migrations(),
       audit::audit_migrations(), notifications::notification_migrations(), users::user_migrations(),
       transactions::transaction_migrations(), apps::app_migrations(), multisigs::multisigs_migrations(),
       arrivals::arrivals_migrations()},
      &metrics_);
  if (!opened) return tl::unexpected(opened.error());
  database_ = std::move(*opened);
  progress_("data", options_.data_dir.string());
  return {};
}

// Made at the first start, together with the core that obeys it. Afterwards the operator may keep it elsewhere: the
// node needs it only while the configuration changes.
infra::Result<void> Node::load_operator() {
  const fs::path file = options_.data_dir / "operator.key";
  if (!exists(file) && exists(options_.data_dir / "keys/channel.key")) return {};
  const auto secret = secret_file(file, *random_);
  if (!secret) return tl::unexpected(secret.error());
  operator_ = keys::Operator::from_secret(*secret);
  if (!operator_) return infra::fail(infra::ErrorCode::io, "operator.key is no key");
  return {};
}

Task<infra::Result<void>> Node::start_keys() {
  bodies::Places places = options_.places;
  places.folder = options_.data_dir / "keys";
  if (auto made = infra::ensure_private_directory(places.folder); !made) co_return made;
  const auto choice = bodies::choose(options_.body, places);
  if (!choice) co_return tl::unexpected(choice.error());
  // A board is a rare thing to miss; that there is no TEE at all is said aloud.
  if (choice->body == protocol::Body::process)
    for (const std::string& reason : choice->weaker_because) progress_("keys", "NO TEE: " + reason);
  progress_("keys", "starting the trusted core in the body " + bodies::name(choice->body));
  keys_ = keys::make_key_service({*database_, *random_, &metrics_});
  body_ = std::make_unique<bodies::Supervisor>(loop_, choice->body, places, *keys_, options_.key_calls);
  std::array<std::uint8_t, 64> operator_key{};
  if (operator_) operator_key = operator_->public_key();
  const auto told = [this](const std::string& step) { progress_("keys", step); };
  const auto provisioned = co_await body_->provision(operator_key, told);
  if (!provisioned) co_return tl::unexpected(provisioned.error());
  background_->spawn(watch_keys());
  if (!co_await first_of(keys_->connected(), ended_, body_->start_patience()) || !keys_->is_connected())
    co_return infra::fail(infra::ErrorCode::process,
                          fatal_.empty() ? "the trusted core did not start: " + body_->trouble() : fatal_);
  const auto status = co_await keys_->status();
  if (!status) co_return infra::fail(infra::ErrorCode::process, status.error().text());
  core_status_ = *status;
  progress_("keys", std::string(*provisioned ? "trusted core provisioned; " : "trusted core found again; ") +
                        keys::describe_protection(status->body, status->protection));
  co_return infra::Result<void>{};
}

void Node::report_health() {
  health_.add("database", [this]() -> infra::HealthReport {
    if (const auto trouble = database_->trouble()) return {infra::HealthState::failed, trouble->message};
    return {};
  });
  health_.add("trusted core", [this]() -> infra::HealthReport {
    if (!keys_->is_connected() || !core_status_)
      return {infra::HealthState::degraded, "not connected, being started again: " + body_->trouble()};
    const std::string protection = keys::describe_protection(core_status_->body, core_status_->protection);
    for (const protocol::BudgetStatus& budget : core_status_->budgets)
      if (has_low(budget))
        return {infra::HealthState::degraded,
                "a budget has less than a fifth left; the operator signs a larger one. " + protection};
    return {infra::HealthState::ok, protection};
  });
  health_.add("chain", [this]() -> infra::HealthReport {
    if (blocks_->last_error()) return {infra::HealthState::failed, blocks_->last_error()->text()};
    if (!blocks_->head()) return {infra::HealthState::failed, "no block was seen yet"};
    return {};
  });
}

void Node::show_budgets(const keys::CoreStatus& status) {
  auto show = [this](std::uint64_t chain_id, const char* kind, const core::Uint256& left) {
    metrics_
        .gauge("community_keys_budget_left_wei", "Signed maximum cost that the trusted core still allows.",
               {{"chain", std::to_string(chain_id)}, {"kind", kind}})
        .set(std::strtod(core::format_decimal(left).c_str(), nullptr));
  };
  for (const protocol::BudgetStatus& budget : status.budgets) {
    show(budget.chain_id, "executor", budget.executor_left);
    show(budget.chain_id, "sponsor", budget.sponsor_left);
    if (!budget.treasury_limit.is_zero()) show(budget.chain_id, "treasury", budget.treasury_left);
  }
}

Task<void> Node::watch_budgets() {
  for (;;) {
    if (const auto status = co_await keys_->status(); status) {
      core_status_ = *status;
      show_budgets(*status);
    }
    co_await clock_->sleep_for(kBudgetPoll);
  }
}

Task<void> Node::watch_keys() {
  fatal_ = co_await body_->run();
  ended_.set();
}

// Asks once, without the chain client, which would rest the endpoint and warn.
Task<bool> Node::chain_answers() {
  infra::RpcClientOptions options;
  options.url = options_.chain_url;
  options.timeout = kProbe;
  infra::RpcClient probe(*http_, std::move(options));
  const auto answer = co_await probe.call("eth_chainId", boost::json::array());
  co_return answer.has_value() && answer->has_value();
}

Task<infra::Result<void>> Node::start_chain() {
  chain::JsonRpcChainOptions chain;
  chain.urls = options_.fallback_urls;
  chain.urls.insert(chain.urls.begin(), options_.chain_url);
  chain.chain_id = options_.chain_id;
  chain.timeout = options_.chain_timeout;
  chain_ = chain::make_json_rpc_chain(*http_, *clock_, chain, &metrics_);
  if (co_await chain_answers()) {
    progress_("chain", "using the chain that answers at " + options_.chain_url);
    co_return infra::Result<void>{};
  }
  // A chain that was killed may have lost its last blocks, the contracts among them.
  auto deploy_again = [this]() -> Task<infra::Result<void>> { return deploy(); };
  auto answers = [this]() -> Task<bool> { return chain_answers(); };
  const auto state = std::make_shared<devnet::ChainStateFile>(options_.data_dir / "chain.json");
  chain_process_ = supervise_development_chain(loop_, *clock_, options_, state, answers, deploy_again);
  chain_tasks_->spawn(chain_process_->run());
  chain_tasks_->spawn(keep_chain_state(state));
  while (!chain_process_->is_ready()) {
    if (!chain_process_->trouble().empty())
      co_return infra::fail(infra::ErrorCode::process,
                            "the development chain does not start: " + chain_process_->trouble());
    co_await infra::sleep_real(kStartPoll);
  }
  progress_("chain", "development chain started at " + options_.chain_url);
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::node_keys(std::uint64_t chain_id) {
  auto executors = co_await keys_->executors(chain_id);
  auto sponsors = co_await keys_->sponsors(chain_id);
  if (!executors || !sponsors) co_return infra::fail(infra::ErrorCode::process, "the trusted core names no keys");
  for (std::size_t i = executors->size(); i < options_.executors + 1; i++) {
    const auto made = co_await keys_->create_key(protocol::Purpose::executor, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  if (sponsors->empty()) {
    const auto made = co_await keys_->create_key(protocol::Purpose::paymaster, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  const auto treasuries = co_await keys_->treasuries(chain_id);
  if (options_.treasury.budget != 0 && treasuries->empty()) {
    const auto made = co_await keys_->create_key(protocol::Purpose::treasury, chain_id);
    if (!made) co_return infra::fail(infra::ErrorCode::process, made.error().text());
  }
  co_return infra::Result<void>{};
}

infra::Result<void> Node::load_contracts() {
  const auto text = infra::read_file(options_.contracts, kMaxContracts);
  if (!text) return tl::unexpected(text.error());
  auto bundle = devnet::ContractBundle::parse(*text);
  if (!bundle) return infra::fail(infra::ErrorCode::io, options_.contracts.string() + ": " + bundle.error().message);
  bundle_ = std::move(*bundle);
  return {};
}

Task<infra::Result<void>> Node::deploy() {
  // Before the first deployment there is nothing to put back.
  if (bundle_.entry_points.empty()) co_return infra::Result<void>{};
  const auto chain_id = co_await chain_->chain_id();
  if (!chain_id) co_return infra::fail(infra::ErrorCode::transport, chain_id.error().text());
  if (auto made = co_await node_keys(*chain_id); !made) co_return made;
  devnet::DeployInput input;
  const auto executors = co_await keys_->executors(*chain_id);
  for (const keys::KeyInfo& key : *executors) input.executors.push_back(key.address);
  const auto sponsors = co_await keys_->sponsors(*chain_id);
  input.paymaster_signer = sponsors->front().address;
  const auto treasuries = co_await keys_->treasuries(*chain_id);
  if (options_.treasury.budget != 0) input.treasury = treasuries->front().address;
  devnet::DevelopmentChain development(*chain_);
  auto deployment = co_await development.deploy(bundle_, std::move(input));
  if (!deployment) co_return infra::fail(infra::ErrorCode::process, deployment.error().message);
  deployment_ = std::move(*deployment);
  configuration_ = development_configuration(deployment_, party_.relying_party.id, party_.origin);
  if (options_.treasury.budget != 0) {
    configuration_.treasury_count = 1;
    configuration_.treasuries[0] = {*chain_id, gwei(options_.treasury.payment_cap), gwei(options_.treasury.budget)};
  }
  configuration_.chains[0].server_freeze = options_.alarm_rules.any_freezes() ? 1 : 0;
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::deploy_and_configure() {
  if (auto loaded = load_contracts(); !loaded) co_return loaded;
  if (auto deployed = co_await deploy(); !deployed) co_return deployed;
  progress_("contracts", std::to_string(deployment_.deployed) +
                             " deployed now; EntryPoint 0.7 and 0.8, factories, paymasters staked and funded");
  const protocol::Configuration wanted = configuration_;
  // What the operator signed for spending stays when something else changes.
  if (const auto core = co_await keys_->status(); core) keep_budgets(*core, configuration_);
  const auto configured = co_await ensure_configuration(*keys_, operator_ ? &*operator_ : nullptr, configuration_);
  if (!configured) co_return infra::fail(infra::ErrorCode::process, configured.error().text());
  progress_("keys", "configuration signed by the operator is in force: " + core::to_hex(*configured));
  if (options_.renew_budgets) {
    if (!operator_)
      co_return infra::fail(infra::ErrorCode::config_value,
                            "--renew-budgets needs the operator's key: put operator.key back into the data folder for "
                            "this start");
    const auto renewed = co_await renew_budgets(*keys_, *operator_, wanted);
    if (!renewed) co_return infra::fail(infra::ErrorCode::process, renewed.error().text());
    progress_("keys", "the operator signed new budgets");
  }
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::start_relay() {
  entry_points_.push_back(chain::v0_7::make_entry_point());
  entry_points_.push_back(chain::v0_8::make_entry_point());
  std::vector<const chain::EntryPoint*> contracts;
  validation::ValidationOptions validation;
  validation.chain_id = deployment_.chain_id;
  for (const auto& entry_point : entry_points_) {
    contracts.push_back(entry_point.get());
    validation.entry_points.push_back(
        {entry_point.get(), bundle_.simulations.at(std::string(entry_point->version_text()))});
  }
  const protocol::ChainConfig& caps = configuration_.chains[0];
  // What fits no bundle of this node is refused before it is accepted.
  validation.limits.bundle_gas = std::min(options_.bundle_gas, caps.bundle_gas_cap);
  chain::BlockWatcherOptions watching;
  watching.poll = options_.chain_poll;
  fees_ = std::make_unique<chain::FeeOracle>(*chain_, *clock_);
  blocks_ = std::make_unique<chain::BlockWatcher>(*chain_, *clock_, watching, &metrics_);
  simulator_ = validation::make_call_simulator(*chain_, validation);
  rules_ = validation::make_rules();
  validator_ = validation::make_validator(*fees_, *simulator_, *rules_, validation);
  estimator_ = validation::make_estimator(*chain_, *blocks_, validation);
  pool::PoolLimits limits;
  limits.total = options_.pool_size;
  pool_ = pool::make_pool(*database_, *clock_, &metrics_, limits);

  if (auto started = co_await start_courier(); !started) co_return started;
  if (auto started = co_await start_treasurer(); !started) co_return started;
  if (auto started = co_await watch_accounts(contracts); !started) co_return started;

  paymaster::SponsorOptions sponsor;
  sponsor.chain_id = deployment_.chain_id;
  const auto sponsors = co_await keys_->sponsors(deployment_.chain_id);
  sponsor.key = sponsors->front().id;
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    sponsor.contracts.push_back({paymaster.entry_point, paymaster.paymaster});
  sponsor.policy.enabled = options_.sponsoring;
  sponsor.policy.name = options_.sponsor_name;
  sponsor.policy.validity_minutes = options_.sponsor_minutes;
  sponsor.policy.max_cost = caps.sponsorship_cost_cap;
  sponsor.chain_time_s = [this]() -> std::int64_t {
    return blocks_->head() ? static_cast<std::int64_t>(blocks_->head()->timestamp) : 0;
  };
  sponsor_ = paymaster::make_sponsor(*keys_, *clock_, &metrics_, std::move(sponsor));

  bundler::BundlerOptions bundler;
  bundler.chain_id = deployment_.chain_id;
  bundler.entry_points = contracts;
  bundler.limits.gas = validation.limits.bundle_gas;
  bundler.limits.batch_size = options_.batch_size;
  bundler.limits.gather = options_.batch_timeout;
  bundler.limits.low_balance = gwei(options_.min_balance_gwei);
  bundler.limits.max_fee_per_gas = caps.fee_cap;
  auto settle = [this](const core::Address& sender, const core::Uint256& nonce) { sponsor_->settle(sender, nonce); };
  bundler_ = bundler::make_bundler(
      {*database_, *clock_, *chain_, *blocks_, *fees_, *bundle_keys_, *pool_, *simulator_, &metrics_, &health_, settle},
      std::move(bundler));
  gateway_ = gateway::make_gateway(
      {*chain_, *fees_, *validator_, *estimator_, *pool_, *bundler_, sponsor_.get(), &metrics_, &health_},
      {std::string(kVersion), deployment_.chain_id, contracts});
  report_health();
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::start_courier() {
  const auto executors = co_await keys_->executors(deployment_.chain_id);
  if (!executors || executors->empty())
    co_return infra::fail(infra::ErrorCode::process, "the trusted core names no executor for the courier");
  const keys::KeyInfo& own = executors->front();
  bundle_keys_ = keys::executors_without(*keys_, own.id);
  courier::CourierLimits limits;
  limits.max_fee_per_gas = configuration_.chains[0].fee_cap;
  courier_ = courier::make_courier({*database_, *clock_, *chain_, *blocks_, *fees_, *keys_, &metrics_},
                                   deployment_.chain_id, own, limits);
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::start_treasurer() {
  if (options_.treasury.budget == 0) co_return infra::Result<void>{};
  const auto treasuries = co_await keys_->treasuries(deployment_.chain_id);
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
  wanted.limits.max_fee_per_gas = configuration_.chains[0].fee_cap;
  wanted.limits.min_balance = gwei(options_.treasury.min_balance);
  wanted.limits.target_balance = gwei(options_.treasury.target_balance);
  wanted.limits.min_deposit = gwei(options_.treasury.min_deposit);
  wanted.limits.target_deposit = gwei(options_.treasury.target_deposit);
  treasurer_ = treasury::make_treasurer(
      {*database_, *clock_, *chain_, *blocks_, *fees_, *keys_, *keys_, &metrics_, &health_}, std::move(wanted));
  progress_("treasury", core::format_address(treasuries->front().address) + " fills up executors and deposits");
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::watch_accounts(std::vector<const chain::EntryPoint*> contracts) {
  alarm_book_ = alarms::make_alarms({*database_, *clock_, *chain_, *blocks_, *keys_, courier_.get(), &metrics_},
                                    deployment_.chain_id, options_.alarm_rules);
  accounts::AccountWatcherDependencies watching{*database_, *clock_, *chain_, *blocks_, {}, {}, &metrics_};
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

// On the HTTP server's port, for who reads the data folder.
infra::Result<void> Node::open_control() {
  control::NodeInfo info;
  info.chain_id = deployment_.chain_id;
  info.rpc_url = "http://localhost:" + std::to_string(rpc_server_->port());
  info.entry_point = deployment_.entry_point_v0_8;
  info.factory = deployment_.account_factory;
  info.proxy_init_code_hash = deployment_.proxy_init_code_hash;
  info.multisig_factory = deployment_.multisig_factory;
  info.multisig_proxy_init_code_hash = deployment_.multisig_proxy_init_code_hash;
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    if (options_.sponsoring && paymaster.entry_point == info.entry_point) info.paymaster = paymaster.paymaster;
  info.rp_id = party_.relying_party.id;
  info.web_origin = party_.origin;
  const std::string token = random_->hex(32);
  control_ = control::make_control_door(
      {*keys_, *keys_, *courier_, *alarms_, *keys_, *keys_, treasurer_.get(), &people_.users_operator()},
      std::move(info), token);
  gateway_->http_router().add("POST", "/control", control_->handler());
  const control::ControlPlace place{"http://localhost:" + std::to_string(http_server_->port()) + "/control", token};
  if (auto written = control::write_control_place(options_.data_dir, place); !written)
    return infra::fail(infra::ErrorCode::io, written.error().text());
  return {};
}

gateway::NodeFacts Node::facts() const {
  gateway::NodeFacts facts;
  facts.version = kVersion;
  facts.relying_party = party_.relying_party;
  facts.origin = party_.origin;
  gateway::ChainFacts chain{deployment_.chain_id,
                            deployment_.account_factory,
                            deployment_.entry_point_v0_8,
                            deployment_.proxy_init_code_hash,
                            {}};
  chain.multisig_factory = deployment_.multisig_factory;
  chain.multisig_proxy_init_code_hash = deployment_.multisig_proxy_init_code_hash;
  for (const devnet::PaymasterDeployment& paymaster : deployment_.paymasters)
    if (options_.sponsoring && paymaster.entry_point == chain.entry_point) chain.paymaster = paymaster.paymaster;
  facts.chains.push_back(std::move(chain));
  if (core_status_) {
    facts.body = core_status_->body;
    facts.protection = core_status_->protection;
  }
  facts.core_connected = keys_->is_connected();
  facts.mail_by_smtp = people_.mail_by_smtp();
  facts.development = options_.development;
  facts.daily_limit = gwei(options_.people.daily_limit);
  facts.gas_cap = gwei(options_.people.gas_cap);
  facts.recovery_delay_s = static_cast<std::uint32_t>(options_.people.recovery_delay.count() / 1'000);
  return facts;
}

// The accounts service: people, over everything that is there by now.
infra::Result<void> Node::open_people() {
  const auto entry_point = std::find_if(entry_points_.begin(), entry_points_.end(), [this](const auto& one) {
    return one->address() == deployment_.entry_point_v0_8;
  });
  const PeopleWorld world{
      *database_,
      *keys_,
      *keys_,
      *keys_,
      *alarms_,
      {deployment_.chain_id, deployment_.account_factory, deployment_.entry_point_v0_8,
       deployment_.proxy_init_code_hash},
      {deployment_.chain_id, *chain_, *fees_, *blocks_, **entry_point, *validator_, *estimator_, *pool_, *courier_,
       sponsor_.get(), options_.development},
      {deployment_.multisig_factory, deployment_.multisig_proxy_init_code_hash, deployment_.passkey_verifier},
      [this] { return facts(); }};
  return people_.open(world, gateway_->http_router());
}

// Shares of other cores come in here, and this core's checkpoints go out to its holders.
infra::Result<void> Node::open_backup() {
  const backup::BackupFiles files{options_.data_dir / "backup"};
  if (auto made = infra::ensure_private_directory(files.folder); !made) return made;
  backup_door_ = backup::make_backup_door({*keys_, *keys_, *clock_, files, &metrics_});
  backup_door_->add_to(gateway_->http_router());
  keeper_ = backup::make_keeper({*keys_, *keys_, *http_, *clock_, &metrics_},
                                {files, options_.backup_interval, options_.backup_holders});
  health_.add("backup", [this] { return keeper_->report(); });
  return {};
}

Task<infra::Result<void>> Node::serve() {
  infra::HttpServerOptions rpc;
  rpc.allowed_origins = options_.allowed_origins;
  rpc.allowed_hosts = options_.allowed_hosts;
  rpc.limits.body_bytes = options_.http_body_bytes;
  rpc.limits.connections = options_.http_connections;
  rpc.limits.idle = options_.http_idle;
  infra::HttpServerOptions http = rpc;
  rpc.bind = options_.rpc_bind;
  rpc.name = "rpc";
  http.bind = options_.http_bind;
  http.name = "api";
  // What web apps of others call and include.
  http.paths_of_any_origin = {"/api/v1/apps/", "/provider.js"};
  // The file with everything that another node has of a person.
  http.large_bodies = {{"/api/v1/imports", arrivals::kMaxFileBytes}};
  rpc_server_ = std::make_unique<infra::HttpServer>(loop_, rpc, gateway_->rpc_handler(), &metrics_);
  http_server_ = std::make_unique<infra::HttpServer>(loop_, http, gateway_->http_handler(), &metrics_);
  attestation_ = gateway::make_attestation_door(*keys_, *clock_);
  gateway_->http_router().add("GET", "/api/v1/attestation", attestation_->handler());
  page_ = gateway::open_page_door(options_.page);
  gateway_->http_router().otherwise(page_->handler());
  if (auto opened = open_people(); !opened) co_return opened;
  if (auto loaded = co_await people_.load(); !loaded) co_return loaded;
  if (auto opened = open_backup(); !opened) co_return opened;
  if (auto started = rpc_server_->start(); !started) co_return started;
  if (auto started = http_server_->start(); !started) co_return started;
  if (auto opened = open_control(); !opened) co_return opened;
  tasks_->spawn(blocks_->run());
  tasks_->spawn(courier_->run());
  if (treasurer_) tasks_->spawn(treasurer_->run());
  tasks_->spawn(bundler_->run());
  tasks_->spawn(alarms_->run());
  tasks_->spawn(watch_budgets());
  tasks_->spawn(keeper_->run());
  people_.spawn(*tasks_);
  progress_("serving", "JSON-RPC http://localhost:" + std::to_string(rpc_server_->port()) +
                           "   HTTP API http://localhost:" + std::to_string(http_server_->port()));
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::start() {
  if (!options_.development)
    co_return infra::fail(
        infra::ErrorCode::config_value,
        "this version serves development chains only: contracts on other chains are not deployed yet. "
        "Say `run --dev`");
  auto party = relying_party(options_);
  if (!party) co_return tl::unexpected(party.error());
  party_ = std::move(*party);
  if (auto done = open_storage(); !done) co_return done;
  if (auto done = load_operator(); !done) co_return done;
  if (auto done = co_await start_keys(); !done) co_return done;
  if (auto done = co_await start_chain(); !done) co_return done;
  if (auto done = co_await deploy_and_configure(); !done) co_return done;
  if (auto done = co_await start_relay(); !done) co_return done;
  co_return co_await serve();
}

Task<void> Node::main_job() {
  const MainJobServices services{*http_, *random_, party_.relying_party.id, party_.origin, people_.outbox()};
  const std::string url = "http://localhost:" + std::to_string(http_server_->port());
  const Step step = [this](const char* what, const std::string& text) { progress_(what, text); };
  const auto result = co_await run_main_job(options_, services, deployment_, url, step);
  if (!result) {
    progress_("failed", result.error().message);
    if (options_.once) status_ = 1;
  } else {
    progress_("receipt", std::string(result->deployed ? "account deployed and " : "") + "transfer done in block " +
                             std::to_string(result->block_number) + ", for " +
                             core::format_decimal(divide(result->cost, 1'000'000'000).quotient) +
                             " gwei that the node paid");
    progress_("receipt", "transaction " + core::to_hex(result->transaction_hash));
  }
  if (!options_.once) {
    progress_("ready", "Ctrl-C stops everything that was started here");
    progress_("page", page_line());
  }
  // A node goes on serving whatever became of the demonstration.
  if (options_.once) ended_.set();
}

// The last line of a start: where a person goes from here.
std::string Node::page_line() const {
  std::string line = "register, log in, pay: " + party_.origin;
  if (!page_->has_page()) line = "no page is built here (make page); its address would be " + party_.origin;
  if (!people_.outbox().empty()) line += "   codes are mailed into " + people_.outbox().string();
  return line;
}

Task<void> Node::wait_for_signal() {
  boost::asio::signal_set signals(loop_.executor(), SIGINT, SIGTERM);
  boost::system::error_code error;
  co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
  if (error) co_return;
  interrupted_ = true;
  ended_.set();
}

// Doors first, so that nothing new comes in; then what works on the chain, the keys, the chain itself.
Task<void> Node::stop() {
  if (control_) control::remove_control_place(options_.data_dir);
  // Open streams would keep their server waiting.
  people_.end_streams();
  if (rpc_server_) co_await rpc_server_->stop();
  if (http_server_) co_await http_server_->stop();
  if (bundler_) bundler_->stop();
  tasks_->cancel();
  co_await tasks_->join();
  if (body_) co_await body_->stop();
  background_->cancel();
  co_await background_->join();
  chain_tasks_->cancel();
  co_await chain_tasks_->join();
}

Task<void> Node::start_and_tell() {
  start_outcome_ = co_await start();
  start_over_.set();
}

// A start may wait minutes for a device or a chain; a signal ends it within the moment that its steps need to unwind.
Task<bool> Node::started() {
  infra::TaskGroup starting(loop_.executor());
  starting.spawn(start_and_tell());
  while (!start_over_.is_set() && !ended_.is_set()) co_await first_of(start_over_, ended_, kPatience);
  starting.cancel();
  co_await starting.join();
  if (interrupted_) {
    status_ = options_.once ? 1 : 0;
    co_return false;
  }
  const bool done = start_over_.is_set() && start_outcome_;
  if (!done) progress_("failed", fatal_.empty() ? start_outcome_.error().message : fatal_);
  if (!done) status_ = 1;
  co_return done;
}

Task<int> Node::run() {
  tasks_ = std::make_unique<infra::TaskGroup>(loop_.executor());
  background_ = std::make_unique<infra::TaskGroup>(loop_.executor());
  chain_tasks_ = std::make_unique<infra::TaskGroup>(loop_.executor());
  background_->spawn(wait_for_signal());
  const bool serving = co_await started();
  if (serving) {
    tasks_->spawn(main_job());
    co_await ended_.wait();
    if (!fatal_.empty()) progress_("failed", fatal_);
  }
  co_await stop();
  progress_("stopped", "state is kept in " + options_.data_dir.string());
  co_return status_;
}

}  // namespace

int run_node(const RunOptions& options) {
  infra::LogOptions log;
  log.file = options.log_file;
  if (!infra::parse_log_level(options.log_level, log.level)) log.level = infra::LogLevel::warning;
  infra::configure_log(log);
  infra::EventLoop loop;
  Node node(options, loop);
  return loop.block_on(node.run());
}

}  // namespace community::node
