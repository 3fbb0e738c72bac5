// SPDX-License-Identifier: Apache-2.0
// The accounts service of a running node: audit log, mail, live events, push, people and what they do, with the HTTP
// API over them. What belongs to it goes after the database, whose writer may still be at a write of it.
#pragma once
#include "cmd/community-node/people.hpp"
#include "community/apps/factory.hpp"
#include "community/infra/api/health.hpp"

namespace community::node {

// All outlive the services.
struct PeopleTools {
  infra::Clock& clock;
  infra::Random& random;
  infra::HttpClient& http;
  infra::AnyExecutor executor;
  infra::Metrics& metrics;
  infra::Health& health;
};

struct MultisigContracts {
  core::Address factory{};
  core::Bytes32 proxy_init_code_hash{};
  core::Address passkey_verifier{};
};

// A chain that people have accounts on; all of it lives until the loop's work is done.
struct PeoplesChain {
  users::AccountChain accounts;
  transactions::ServedChain served;
  MultisigContracts multisig;
  alarms::Alarms& alarms;
};

// What a start makes before people are served; all of it lives until the loop's work is done.
struct PeopleWorld {
  infra::Database& database;
  keys::WalletKeys& wallets;
  keys::TaggedWallets& tagged_wallets;
  keys::PhraseKeys& phrases;
  std::vector<PeoplesChain> chains;
  std::function<gateway::NodeFacts()> facts;
};

class PeopleServices {
 public:
  // Options and party outlive the services; the party is read when they open.
  PeopleServices(const RunOptions& options, const PeoplesParty& party, PeopleTools tools)
      : options_(options), party_(party), t_(std::move(tools)) {}

  // Once; adds the routes of the API. config_value for a section that means nothing, io for a key file.
  infra::Result<void> open(const PeopleWorld& world, infra::HttpRouter& router);
  // What a former run left; before the block watcher runs.
  infra::Task<infra::Result<void>> load();
  void spawn(const std::function<void(infra::Task<void>)>& spawn);
  // Of the API, for the server that it is behind; once it is open.
  std::vector<infra::HttpServerOptions::LargeBody> large_bodies() { return api_->large_bodies(); }
  // Open streams would keep their server waiting for its end.
  void end_streams();

  // For the operator's door; once it is open.
  users::UsersOperator& users_operator() { return *operator_; }

  bool mail_by_smtp() const { return outbox_.empty(); }
  // Where mails become files; empty when they leave by SMTP.
  const std::filesystem::path& outbox() const { return outbox_; }

 private:
  infra::Result<void> open_notifications(infra::Database& database);
  void open_transactions(const PeopleWorld& world);
  void open_multisigs(const PeopleWorld& world);
  void open_arrivals(const PeopleWorld& world);

  const RunOptions& options_;
  const PeoplesParty& party_;
  PeopleTools t_;
  std::filesystem::path outbox_;
  std::unique_ptr<notifications::Hub> hub_;
  std::unique_ptr<audit::AuditLog> audit_;
  std::unique_ptr<AuditJournal> journal_;
  std::unique_ptr<notifications::Mailer> mailer_;
  std::unique_ptr<CodeMailer> code_mailer_;
  // Null without push.contact.
  std::unique_ptr<notifications::Push> push_;
  std::unique_ptr<users::Users> users_;
  std::unique_ptr<users::UsersOperator> operator_;
  std::unique_ptr<transactions::People> owners_;
  std::unique_ptr<transactions::Transactions> transactions_;
  std::unique_ptr<apps::People> app_owners_;
  std::unique_ptr<apps::Apps> apps_;
  // One a chain.
  std::vector<std::unique_ptr<transactions::CallDescriber>> describers_;
  std::unique_ptr<multisigs::People> members_;
  std::unique_ptr<multisigs::Multisigs> multisigs_;
  std::unique_ptr<arrivals::People> bringers_;
  std::unique_ptr<arrivals::Arrivals> arrivals_;
  std::unique_ptr<arrivals::Imports> imports_;
  std::unique_ptr<privacy::Privacy> privacy_;
  std::unique_ptr<gateway::PeopleApi> api_;
};

}  // namespace community::node
