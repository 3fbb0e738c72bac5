// SPDX-License-Identifier: Apache-2.0
#include "community/doctor/api/doctor.hpp"

#include <cstdio>

#include "cmd/community-node/options.hpp"
#include "community/chain/factory.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"

namespace community::node {

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
  const auto findings = loop.block_on(doctor::examine(std::move(input), *chain));
  std::fputs(doctor::to_text(findings).c_str(), stdout);
  return doctor::could_run(findings) ? 0 : 1;
}

}  // namespace community::node
