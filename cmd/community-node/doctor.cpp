// SPDX-License-Identifier: Apache-2.0
#include "community/doctor/api/doctor.hpp"

#include <cstdio>

#include "cmd/community-node/options.hpp"
#include "cmd/community-node/people.hpp"
#include "community/chain/factory.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"

namespace community::node {
namespace {

// Whom passkeys are for, and how codes leave.
doctor::Finding people(const RunOptions& options) {
  constexpr const char* kSubject = "people";
  if (options.people.rp_id.empty() && options.people.origin.empty() && !options.development)
    return {doctor::Level::note, kSubject,
            "security.rp_id and security.origin are not set; `run --dev` takes localhost"};
  const auto party = relying_party(options);
  if (!party) return {doctor::Level::problem, kSubject, party.error().message};
  if (const auto api = api_options(options, *party); !api)
    return {doctor::Level::problem, kSubject, api.error().message};
  const auto mail = notifications::mailer_options(*options.config, party->origin, options.data_dir);
  if (!mail) return {doctor::Level::problem, kSubject, "[mail]: " + mail.error().text()};
  const std::string way = mail->smtp ? "by " + mail->smtp->url : "as files in " + mail->outbox.string();
  return {doctor::Level::good, kSubject,
          "passkeys of " + party->relying_party.id + " at " + party->origin + "; codes leave " + way};
}

}  // namespace

int run_doctor(const RunOptions& options) {
  infra::LogOptions log;
  log.level = infra::LogLevel::off;
  infra::configure_log(log);
  infra::EventLoop loop;
  const auto clock = infra::make_system_clock();
  const auto http = infra::make_http_client({});
  chain::JsonRpcChainOptions chain_options;
  chain_options.urls.push_back(options.chain_url);
  // A person waits for the answer.
  chain_options.timeout = infra::Milliseconds(3'000);
  const auto chain = chain::make_json_rpc_chain(*http, *clock, chain_options);
  doctor::Input input;
  input.data_dir = options.data_dir;
  input.database = options.database;
  input.places = options.places;
  input.places.folder = options.data_dir / "keys";
  input.contracts = options.contracts;
  input.binds = {options.rpc_bind, options.http_bind};
  input.chain_url = options.chain_url;
  input.body = options.body;
  input.development = options.development;
  input.backup_interval = options.backup_interval;
  input.now_ms = clock->now_ms();
  input.version = "community-node " COMMUNITY_VERSION;
  auto findings = loop.block_on(doctor::examine(std::move(input), *chain));
  findings.push_back(people(options));
  std::fputs(doctor::to_text(findings).c_str(), stdout);
  return doctor::could_run(findings) ? 0 : 1;
}

}  // namespace community::node
