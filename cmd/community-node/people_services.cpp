// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/people_services.hpp"

#include "cmd/community-node/core_access.hpp"
#include "cmd/community-node/development.hpp"
#include "community/audit/factory.hpp"

namespace community::node {

namespace {

AlarmsByChain alarms_by_chain(const PeopleWorld& world) {
  AlarmsByChain alarms;
  for (const PeoplesChain& chain : world.chains) alarms[chain.served.chain_id] = &chain.alarms;
  return alarms;
}

}  // namespace

infra::Result<void> PeopleServices::open(const PeopleWorld& world, infra::HttpRouter& router) {
  auto api = api_options(options_, party_);
  if (!api) return tl::unexpected(api.error());
  const auto key = secret_file(options_.data_dir / "people.key", t_.random);
  if (!key) return tl::unexpected(key.error());
  audit_ = audit::make_audit_log({world.database, t_.random, t_.clock, t_.executor});
  journal_ = std::make_unique<AuditJournal>(*audit_);
  if (auto opened = open_notifications(world.database); !opened) return opened;
  std::vector<users::AccountChain> account_chains;
  for (const PeoplesChain& chain : world.chains) account_chains.push_back(chain.accounts);
  users_ = users::make_users({world.database, t_.clock, t_.random, world.wallets, world.tagged_wallets, *journal_,
                              *code_mailer_, *key, &t_.metrics},
                             users_options(options_, party_, std::move(account_chains)));
  operator_ = users::make_users_operator(world.database, t_.clock, *journal_);
  open_transactions(world);
  open_multisigs(world);
  open_arrivals(world);
  // Pages first: they hear at once, whatever the database takes for the rest.
  audit_->listen({}, notifications::live_listener(*hub_));
  audit_->listen(notifications::kMailListener,
                 notifications::mail_listener(world.database, t_.clock, *mailer_, find_recipient(*users_)));
  if (push_) audit_->listen(notifications::kPushListener, notifications::push_listener(world.database, *push_));
  const auto forget = [this](const std::string& user_id) { transactions_->forget(user_id); };
  privacy_ = privacy::make_privacy({world.database, t_.clock, *audit_, forget, party_.origin});
  api_ = gateway::make_people_api(
      {*users_, *audit_, t_.clock, world.facts, transactions_.get(), hub_.get(), push_.get(), privacy_.get(),
       &t_.metrics, apps_.get(), multisigs_.get(), arrivals_.get(), imports_.get()},
      std::move(*api));
  api_->add_to(router);
  t_.health.add("people", [this] { return users_->report(); });
  t_.health.add("mail", [this] { return mailer_->report(); });
  return {};
}

// The ways to tell people something. Who is told what follows from the audit log.
infra::Result<void> PeopleServices::open_notifications(infra::Database& database) {
  const auto wrong = [](const char* section, const notifications::Error& error) {
    return infra::fail(infra::ErrorCode::config_value, std::string(section) + ": " + error.text());
  };
  notifications::HubLimits limits;
  // The other half is for everything else.
  limits.streams = std::min(limits.streams, std::max<std::size_t>(1, options_.http_connections / 2));
  hub_ = std::make_unique<notifications::Hub>(t_.clock, limits, &t_.metrics);
  auto mail = notifications::mailer_options(*options_.config, party_.origin, options_.data_dir);
  if (!mail) return wrong("[mail]", mail.error());
  if (!mail->smtp) outbox_ = mail->outbox;
  auto mailer = notifications::make_mailer({database, t_.clock, t_.random, t_.executor, &t_.metrics}, std::move(*mail));
  if (!mailer) return wrong("[mail]", mailer.error());
  mailer_ = std::move(*mailer);
  code_mailer_ = std::make_unique<CodeMailer>(*mailer_, t_.clock);
  auto push = notifications::push_options(*options_.config, options_.data_dir);
  if (!push) return wrong("[push]", push.error());
  if (!*push) return {};
  auto made = notifications::make_push({database, t_.clock, t_.random, t_.http, t_.executor, &t_.metrics}, **push);
  if (!made) return wrong("[push]", made.error());
  push_ = std::move(*made);
  return {};
}

// What people do with their accounts, on every chain that is served.
void PeopleServices::open_transactions(const PeopleWorld& world) {
  owners_ = transactions::make_people(*users_);
  transactions::TransactionsDependencies wanted{world.database, t_.clock, t_.random, world.wallets,
                                                world.phrases,  *audit_,  *owners_,  {}};
  wanted.metrics = &t_.metrics;
  for (const PeoplesChain& chain : world.chains) wanted.chains.push_back(chain.served);
  transactions_ = transactions::make_transactions(std::move(wanted), transactions_options(options_, party_));
  transactions_->listen(watch_deployed(alarms_by_chain(world)));
  transactions_->listen(tell_pages(*hub_));
  app_owners_ = apps::make_people(*users_, t_.clock);
  apps_ = apps::make_apps({world.database, t_.clock, t_.random, *audit_, *app_owners_, *transactions_, &t_.metrics});
}

void PeopleServices::open_multisigs(const PeopleWorld& world) {
  members_ = multisigs::make_people(*users_);
  std::vector<multisigs::ServedChain> chains;
  for (const PeoplesChain& chain : world.chains) {
    describers_.push_back(transactions::make_call_describer(chain.served.chain, t_.clock));
    chains.push_back({chain.served.chain_id, chain.served.chain, *describers_.back(), chain.multisig.factory,
                      chain.multisig.proxy_init_code_hash, chain.multisig.passkey_verifier});
  }
  multisigs_ = multisigs::make_multisigs({world.database, t_.clock, t_.random, *audit_, *members_, std::move(chains)});
}

void PeopleServices::open_arrivals(const PeopleWorld& world) {
  bringers_ = arrivals::make_people(*users_);
  std::vector<arrivals::ServedChain> chains;
  for (const PeoplesChain& chain : world.chains) {
    const transactions::ServedChain& served = chain.served;
    chains.push_back(
        {served.chain_id, served.chain, served.blocks, served.courier, served.entry_point, served.final_depth});
  }
  arrivals_ = arrivals::make_arrivals({world.database, t_.clock, t_.random, world.wallets, *audit_, *bringers_, chains,
                                       follow_arrived(alarms_by_chain(world)), &t_.metrics},
                                      {party_.relying_party.id});
  imports_ = arrivals::make_imports({world.database, t_.clock, t_.random, *audit_, std::move(chains), &t_.metrics});
}

infra::Task<infra::Result<void>> PeopleServices::load() {
  const auto loaded = co_await transactions_->load();
  if (!loaded) co_return infra::fail(infra::ErrorCode::database, loaded.error().message);
  co_return infra::Result<void>{};
}

void PeopleServices::spawn(const std::function<void(infra::Task<void>)>& spawn) {
  spawn(audit_->run());
  spawn(mailer_->run());
  if (push_) spawn(push_->run());
  spawn(users_->run());
  spawn(transactions_->run());
  spawn(arrivals_->run());
}

void PeopleServices::end_streams() {
  if (hub_) hub_->end_all();
}

}  // namespace community::node
