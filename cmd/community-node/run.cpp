// SPDX-License-Identifier: Apache-2.0
// `community-node run`: builds every object of the node in the order it is needed, serves, and takes everything down in
// the reverse order.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>

#include "cmd/community-node/configuration.hpp"
#include "cmd/community-node/core_access.hpp"
#include "cmd/community-node/development.hpp"
#include "cmd/community-node/served_chain.hpp"
#include "community/apps/factory.hpp"
#include "community/audit/factory.hpp"
#include "community/backup/factory.hpp"
#include "community/bodies/factory.hpp"
#include "community/control/factory.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"
#include "community/keys/factory.hpp"
#include "community/notifications/factory.hpp"
#include "community/transactions/factory.hpp"

namespace community::node {

namespace fs = std::filesystem;
using infra::Milliseconds;
using infra::Task;

namespace {

constexpr Milliseconds kPatience{10'000}, kBudgetPoll{5'000};
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
  infra::Result<void> load_contracts();
  Task<infra::Result<void>> start_chains();
  Task<infra::Result<void>> configure();
  Task<infra::Result<void>> open_chains();
  infra::Result<void> open_control();
  infra::Result<void> open_people();
  // What people, commands and tests that name no chain mean; its gateway has the router that everything is added to.
  ServedChain& first_chain() { return *chains_.front(); }
  gateway::Gateway& gateway() { return first_chain().gateway(); }
  gateway::NodeFacts facts() const;
  infra::Result<void> open_backup();
  void add_rpc_of(ServedChain& chain);
  Task<infra::Result<void>> serve();
  void report_health();
  Task<void> watch_keys();
  Task<void> end_with(Task<void> part);
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
  devnet::ContractBundle bundle_;
  // What the operator signs for the core, and what the relay must stay within.
  protocol::Configuration configuration_;
  std::vector<ChainPlace> places_;
  // In the order of the places.
  std::vector<std::unique_ptr<ServedChain>> chains_;
  std::unique_ptr<gateway::AttestationDoor> attestation_;
  std::unique_ptr<gateway::PageDoor> page_;
  std::unique_ptr<backup::BackupDoor> backup_door_;
  std::unique_ptr<backup::Keeper> keeper_;
  // Of each chain, in their order.
  std::vector<std::unique_ptr<control::ControlDoor>> control_;
  infra::HttpRouter rpc_router_;
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

infra::Result<void> Node::load_contracts() {
  const auto text = infra::read_file(options_.contracts, kMaxContracts);
  if (!text) return tl::unexpected(text.error());
  auto bundle = devnet::ContractBundle::parse(*text);
  if (!bundle) return infra::fail(infra::ErrorCode::io, options_.contracts.string() + ": " + bundle.error().message);
  bundle_ = std::move(*bundle);
  return {};
}

Task<infra::Result<void>> Node::start_chains() {
  if (auto loaded = load_contracts(); !loaded) co_return loaded;
  const Step step = [this](const char* what, const std::string& text) { progress_(what, text); };
  const ChainTools tools{loop_, *clock_, *http_, metrics_, health_, *database_, *keys_, bundle_, step};
  for (const ChainPlace& place : places_) chains_.push_back(std::make_unique<ServedChain>(options_, place, tools));
  for (const auto& chain : chains_) {
    if (auto started = co_await chain->start(*chain_tasks_); !started) co_return started;
    if (auto deployed = co_await chain->deploy(); !deployed) co_return deployed;
    progress_("contracts", std::to_string(chain->deployment().deployed) +
                               " deployed now; EntryPoint 0.7 and 0.8, factories, paymasters staked and funded");
    for (const auto& other : chains_)
      if (other != chain && other->deployment().chain_id == chain->deployment().chain_id)
        co_return infra::fail(infra::ErrorCode::config_value, "[chain] and one of [chains.*] are the same chain " +
                                                                  std::to_string(chain->deployment().chain_id));
  }
  co_return infra::Result<void>{};
}

Task<infra::Result<void>> Node::configure() {
  configuration_.relying_party_count = 1;
  configuration_.relying_parties[0] = {base::sha256(base::view(party_.relying_party.id)), base::view(party_.origin)};
  for (const auto& chain : chains_) {
    const ChainPart part = chain->configuration();
    configuration_.chains[configuration_.chain_count++] = part.chain;
    if (part.treasury) configuration_.treasuries[configuration_.treasury_count++] = *part.treasury;
  }
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

Task<infra::Result<void>> Node::open_chains() {
  if (auto claimed = co_await first_chain().claim_rows(); !claimed) co_return claimed;
  for (std::size_t i = 0; i < chains_.size(); i++)
    if (auto opened = co_await chains_[i]->open(configuration_.chains[i]); !opened) co_return opened;
  report_health();
  co_return infra::Result<void>{};
}

// On the HTTP server's port, for who reads the data folder.
infra::Result<void> Node::open_control() {
  const std::string token = random_->hex(32);
  std::vector<control::DoorOfChain> doors;
  for (const auto& chain : chains_) {
    const std::uint64_t id = chain->deployment().chain_id;
    control::NodeInfo info = chain->control_info();
    info.rpc_url = "http://localhost:" + std::to_string(rpc_server_->port()) +
                   (doors.empty() ? "" : "/chains/" + std::to_string(id));
    info.rp_id = party_.relying_party.id;
    info.web_origin = party_.origin;
    control_.push_back(control::make_control_door({*keys_, *keys_, chain->courier(), chain->alarms(), *keys_, *keys_,
                                                   chain->treasurer(), &people_.users_operator()},
                                                  std::move(info), token));
    doors.push_back({id, control_.back()->handler()});
  }
  gateway().http_router().add("POST", "/control", control::door_by_chain(std::move(doors)));
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
  for (const auto& chain : chains_) facts.chains.push_back(chain->facts());
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
  PeopleWorld world{*database_, *keys_, *keys_, *keys_, {}, [this] { return facts(); }};
  for (const auto& chain : chains_) world.chains.push_back(chain->for_people());
  return people_.open(world, gateway().http_router());
}

// Shares of other cores come in here, and this core's checkpoints go out to its holders.
infra::Result<void> Node::open_backup() {
  const backup::BackupFiles files{options_.data_dir / "backup"};
  if (auto made = infra::ensure_private_directory(files.folder); !made) return made;
  backup_door_ = backup::make_backup_door({*keys_, *keys_, *clock_, files, &metrics_});
  backup_door_->add_to(gateway().http_router());
  keeper_ = backup::make_keeper({*keys_, *keys_, *http_, *clock_, &metrics_},
                                {files, options_.backup_interval, options_.backup_holders});
  health_.add("backup", [this] { return keeper_->report(); });
  return {};
}

// Everything that the first chain has at the RPC port, below the path of a further one.
void Node::add_rpc_of(ServedChain& chain) {
  const std::string path = "/chains/" + std::to_string(chain.deployment().chain_id);
  const auto pass_on = [this, handler = chain.gateway().rpc_handler()](const char* method, const std::string& from,
                                                                       const char* to) {
    const infra::HttpHandler passing = [handler, to](infra::HttpRequest request) {
      request.target = to;
      return handler(std::move(request));
    };
    rpc_router_.add(method, from, passing);
  };
  pass_on("POST", path, "/");
  pass_on("POST", path + "/rpc", "/rpc");
  pass_on("GET", path + "/metrics", "/metrics");
  pass_on("GET", path + "/health", "/health");
  pass_on("GET", path + "/ready", "/ready");
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
  attestation_ = gateway::make_attestation_door(*keys_, *clock_);
  gateway().http_router().add("GET", "/api/v1/attestation", attestation_->handler());
  page_ = gateway::open_page_door(options_.page);
  gateway().http_router().otherwise(page_->handler());
  if (auto opened = open_people(); !opened) co_return opened;
  if (auto loaded = co_await people_.load(); !loaded) co_return loaded;
  if (auto opened = open_backup(); !opened) co_return opened;
  http.large_bodies = people_.large_bodies();
  for (std::size_t i = 1; i < chains_.size(); i++) add_rpc_of(*chains_[i]);
  rpc_router_.otherwise(gateway().rpc_handler());
  rpc_server_ = std::make_unique<infra::HttpServer>(loop_, rpc, rpc_router_.handler(), &metrics_);
  http_server_ = std::make_unique<infra::HttpServer>(loop_, http, gateway().http_handler(), &metrics_);
  if (auto started = rpc_server_->start(); !started) co_return started;
  if (auto started = http_server_->start(); !started) co_return started;
  if (auto opened = open_control(); !opened) co_return opened;
  const auto spawn = [this](Task<void> part) { tasks_->spawn(end_with(std::move(part))); };
  for (const auto& chain : chains_) chain->spawn(spawn);
  spawn(watch_budgets());
  spawn(keeper_->run());
  people_.spawn(spawn);
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
  auto places = chain_places(options_);
  if (!places) co_return tl::unexpected(places.error());
  places_ = std::move(*places);
  auto party = relying_party(options_);
  if (!party) co_return tl::unexpected(party.error());
  party_ = std::move(*party);
  if (auto done = open_storage(); !done) co_return done;
  if (auto done = load_operator(); !done) co_return done;
  if (auto done = co_await start_keys(); !done) co_return done;
  if (auto done = co_await start_chains(); !done) co_return done;
  if (auto done = co_await configure(); !done) co_return done;
  if (auto done = co_await open_chains(); !done) co_return done;
  co_return co_await serve();
}

Task<void> Node::main_job() {
  const MainJobServices services{*http_, *random_, party_.relying_party.id, party_.origin, people_.outbox()};
  const std::string url = "http://localhost:" + std::to_string(http_server_->port());
  const Step step = [this](const char* what, const std::string& text) { progress_(what, text); };
  const auto result = co_await run_main_job(options_, services, first_chain().deployment(), url, step);
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
  if (!control_.empty()) control::remove_control_place(options_.data_dir);
  // Open streams would keep their server waiting.
  people_.end_streams();
  if (rpc_server_) co_await rpc_server_->stop();
  if (http_server_) co_await http_server_->stop();
  for (const auto& chain : chains_) chain->stop();
  tasks_->cancel();
  co_await tasks_->join();
  if (body_) co_await body_->stop();
  background_->cancel();
  co_await background_->join();
  chain_tasks_->cancel();
  co_await chain_tasks_->join();
}

// The parts of a node stand on each other: a node without one of them would look alive and follow nothing.
Task<void> Node::end_with(Task<void> part) {
  std::string why;
  try {
    co_await std::move(part);
    co_return;
  } catch (const std::exception& e) {
    if (infra::is_cancellation(e)) throw;
    why = e.what();
  }
  infra::log_error("a part of the node failed, and the node ends", {{"why", why}});
  fatal_ = "a part of the node failed: " + why + ". Start it again; what was accepted is kept";
  status_ = 1;
  ended_.set();
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
