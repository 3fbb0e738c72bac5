// SPDX-License-Identifier: Apache-2.0
// `community-node account`: what a person does with an account, from a terminal. Each command is a few lines over
// community/wallet; what they share is here.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <map>

#include "cmd/community-node/options.hpp"
#include "community/control/api/control.hpp"
#include "community/infra/api/clock.hpp"
#include "community/wallet/api/node_carrier.hpp"
#include "community/wallet/api/wallet.hpp"

namespace community::node {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

// What all commands take.
struct AccountOptions {
  std::filesystem::path data_dir;
  // Servers of chains; none: the configured one.
  std::vector<std::string> chains;
  std::string configured_chain;
  // Servers of the configuration's chains that have an id there.
  std::map<std::uint64_t, std::string> chains_by_id;
  // Which chain of the node a command without a server means; nothing: its first one.
  std::optional<std::uint64_t> node_chain;
  std::filesystem::path payer;
  bool unsponsored = false;
};

// Everything a command may need, made when it first asks: a command with recovery file, payer and chain never looks for
// a node.
class AccountContext {
 public:
  explicit AccountContext(const AccountOptions& options);
  ~AccountContext();

  const AccountOptions& options() const { return options_; }
  infra::Random& random() { return *random_; }
  infra::Clock& clock() { return *clock_; }
  // Seconds since 1970, on this machine.
  std::uint64_t now_s() const { return static_cast<std::uint64_t>(clock_->now_s()); }
  std::vector<std::string> chain_urls() const;

  // One chain of --chain, by its place.
  chain::ExecutionClient& chain(std::size_t index = 0) { return *chains_.at(index); }
  Task<wallet::Result<std::uint64_t>> chain_id();
  // Null without --payer.
  Task<wallet::Result<wallet::Payer*>> payer();
  Task<wallet::Result<control::ControlClient*>> node();
  // Tells of the running node; an error when there is none.
  Task<wallet::Result<control::NodeInfo>> node_info();
  // Who brings plain functions on chain: the payer, else the node.
  Task<wallet::Result<wallet::Carrier*>> carrier();
  // The account of these files, with whatever serves it: a node for account files, the payer before the node.
  Task<wallet::Result<wallet::Wallet>> open(std::vector<std::filesystem::path> files);

 private:
  const AccountOptions& options_;
  std::unique_ptr<infra::Random> random_;
  std::unique_ptr<infra::Clock> clock_;
  std::unique_ptr<infra::HttpClient> http_;
  std::vector<std::unique_ptr<chain::ExecutionClient>> chains_;
  std::unique_ptr<wallet::Payer> payer_;
  std::unique_ptr<control::ControlClient> node_;
  std::unique_ptr<wallet::Carrier> carrier_;
  std::unique_ptr<infra::RpcClient> relay_;
};

using AccountJob = std::function<Task<wallet::Result<void>>(AccountContext&)>;

// Adds the commands; `job` is what the parsed one does.
void add_account_commands(CLI::App& app, AccountOptions& options, AccountJob& job);
void add_recovery_commands(CLI::App& account, AccountJob& job);
void add_multisig_commands(CLI::App& account, AccountJob& job);
// `users`: the people of the running node, as its operator may see and lock them.
void add_user_commands(CLI::App& app, AccountOptions& options, AccountJob& job);
void add_alarm_commands(CLI::App& app, AccountOptions& options, AccountJob& job);
void add_treasury_commands(CLI::App& app, AccountOptions& options, AccountJob& job);
int run_account(const AccountOptions& options, const AccountJob& job);

// --- words on the terminal ---
void say(const std::string& line);
// "1.5" for 15 * 10^17 wei.
std::string ether_text(const Uint256& wei);
// "3 days 2 hours"
std::string span_text(std::uint64_t seconds);
std::string item_text(const accounts::StartedItem& item);
Task<wallet::Result<void>> show_account(AccountContext& context, std::vector<std::filesystem::path> files,
                                        std::vector<Address> tokens);
void say_acted(const wallet::Acted& acted, std::string_view what);
void say_operation(const wallet::OperationResult& done, std::string_view what);

// --- what people type ---
// Decimal digits with at most `decimals` behind the point.
wallet::Result<Uint256> parse_amount(const std::string& text, unsigned decimals);
wallet::Result<Address> read_address(const std::string& text, std::string_view what);
wallet::Result<Bytes32> read_hash(const std::string& text, std::string_view what);
// "0xa9059cbb" or "transfer(address,uint256)"
wallet::Result<std::array<std::uint8_t, 4>> read_selector(const std::string& text);
// A token's own decimals; 18 for the native currency.
Task<wallet::Result<unsigned>> decimals_of(AccountContext& context, Address token);
Bytes32 new_secret(infra::Random& random);

}  // namespace community::node
