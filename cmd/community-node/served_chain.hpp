// SPDX-License-Identifier: Apache-2.0
// Everything that belongs to one chain: its client and, for development, its process; the contracts; the relay from
// pool to bundler with its JSON-RPC; courier, treasury, sponsor; the watch over accounts. One object a chain.
//
// Start, in this order: start() reaches the chain; deploy() puts contracts and the node's keys there; the operator's
// configuration, which configuration() is a part of, comes into force; open() builds the rest from what is in force;
// spawn() lets it run once the doors are open. Going down: stop() ends the bundler's step, then the tasks of spawn()
// are joined, and after the trusted core those of start(), so that the chain goes last.
#pragma once
#include "cmd/community-node/configuration.hpp"
#include "cmd/community-node/development.hpp"
#include "cmd/community-node/people_services.hpp"
#include "community/alarms/factory.hpp"
#include "community/bundler/factory.hpp"
#include "community/chain/api/block_watcher.hpp"
#include "community/chain/api/fee_oracle.hpp"
#include "community/chain/factory.hpp"
#include "community/control/api/control.hpp"
#include "community/courier/factory.hpp"
#include "community/keys/factory.hpp"
#include "community/paymaster/factory.hpp"
#include "community/pool/factory.hpp"
#include "community/treasury/factory.hpp"
#include "community/validation/factory.hpp"

namespace community::node {

// What clients of the node are told.
inline constexpr std::string_view kVersion = "community-node/" COMMUNITY_VERSION;

// All outlive the chain.
struct ChainTools {
  infra::EventLoop& loop;
  infra::Clock& clock;
  infra::HttpClient& http;
  infra::Metrics& metrics;
  infra::Health& health;
  infra::Database& database;
  keys::ConnectedKeyService& keys;
  const devnet::ContractBundle& bundle;
  Step progress;
};

// What the operator signs about a chain.
struct ChainPart {
  protocol::ChainConfig chain;
  // Nothing without a budget.
  std::optional<protocol::TreasuryConfig> treasury;
};

class ServedChain {
 public:
  ServedChain(const RunOptions& options, ChainPlace place, ChainTools tools);

  // Uses the chain that answers, or starts a development chain, whose process `tasks` keeps.
  infra::Task<infra::Result<void>> start(infra::TaskGroup& tasks);
  infra::Task<infra::Result<void>> deploy();
  // What this database kept before a node served several chains is this one's. Before open().
  infra::Task<infra::Result<void>> claim_rows();
  ChainPart configuration() const;
  // With what is in force, in which budgets and caps may be larger than in configuration().
  infra::Task<infra::Result<void>> open(const protocol::ChainConfig& in_force);
  void spawn(const std::function<void(infra::Task<void>)>& spawn);
  // Of a start that failed, too.
  void stop();

  // From here on after open().
  gateway::Gateway& gateway() { return *gateway_; }
  const devnet::Deployment& deployment() const { return deployment_; }
  gateway::ChainFacts facts() const;
  // Without what only the whole node knows.
  control::NodeInfo control_info() const;
  courier::Courier& courier() { return *courier_; }
  alarms::Alarms& alarms() { return *alarms_; }
  // Null without a budget.
  treasury::Treasurer* treasurer() { return treasurer_.get(); }
  PeoplesChain for_people();

 private:
  // Nothing while nobody answers.
  infra::Task<std::optional<std::uint64_t>> answering_chain();
  infra::Task<infra::Result<void>> start_process(infra::TaskGroup& tasks);
  infra::Task<infra::Result<void>> make_keys(std::uint64_t chain_id);
  infra::Task<infra::Result<void>> open_courier();
  infra::Task<infra::Result<void>> open_treasurer();
  infra::Task<infra::Result<void>> open_watcher(std::vector<const chain::EntryPoint*> contracts);
  infra::Task<infra::Result<void>> open_sponsor();
  void open_validation(std::vector<const chain::EntryPoint*> contracts);
  void open_bundler(std::vector<const chain::EntryPoint*> contracts);
  // Fees of each block, before somebody who prepares or signs waits for them.
  infra::Task<void> ask_fees_ahead();
  void report_health();
  infra::HealthReport own_report() const;
  infra::HealthReport report_head() const;
  bool is_first() const { return place_.name.empty(); }
  infra::Metrics& metrics() { return is_first() ? t_.metrics : own_metrics_; }
  infra::Health& health() { return is_first() ? t_.health : own_health_; }
  std::optional<core::Address> paymaster_of_accounts() const;
  std::uint64_t bundle_gas() const;

  // With this chain's place in it.
  RunOptions options_;
  const ChainPlace place_;
  ChainTools t_;
  // Of a further chain: names of metrics and components are the same on every chain.
  infra::Metrics own_metrics_;
  infra::Health own_health_;
  protocol::ChainConfig in_force_;
  devnet::Deployment deployment_;
  std::unique_ptr<chain::ExecutionClient> chain_;
  std::unique_ptr<infra::Supervisor> process_;
  std::vector<std::unique_ptr<chain::EntryPoint>> entry_points_;
  std::unique_ptr<chain::FeeOracle> fees_;
  infra::Event block_came_;
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
  std::unique_ptr<treasury::Treasurer> treasurer_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace community::node
