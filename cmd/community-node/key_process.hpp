// SPDX-License-Identifier: Apache-2.0
// Keeps the process body of the trusted core running and connected: provisions it once, restarts it when it dies or
// hangs, with growing pauses.
#pragma once
#include "cmd/community-node/child.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"

namespace community::node {

struct KeyProcessOptions {
  std::filesystem::path program;
  // Holds core/ (the core's own state), channel.key and the log.
  std::filesystem::path folder;
};

class KeyProcess {
 public:
  KeyProcess(KeyProcessOptions options, keys::ConnectedKeyService& service) : options_(options), service_(service) {}

  // Makes the core's keys when there are none yet. True when it did.
  infra::Result<bool> provision(const std::array<std::uint8_t, 64>& operator_public_key);
  // Runs and serves until cancelled, or until database and core cannot be reconciled; then says why.
  infra::Task<std::string> run();
  // Clean stop: the core returns its leases.
  infra::Task<void> stop();

 private:
  infra::Result<keys::ChannelOptions> channel_options() const;
  infra::Task<infra::Result<void>> start();

  KeyProcessOptions options_;
  keys::ConnectedKeyService& service_;
  std::unique_ptr<Child> child_;
  bool stopping_ = false;
};

}  // namespace community::node
