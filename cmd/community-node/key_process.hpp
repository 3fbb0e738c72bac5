// SPDX-License-Identifier: Apache-2.0
// Keeps the process body of the trusted core running and connected: provisions it once, restarts it when it dies or
// hangs, with growing pauses.
#pragma once
#include <filesystem>

#include "community/infra/api/child_process.hpp"
#include "community/keys/factory.hpp"

namespace community::node {

struct KeyProcessOptions {
  std::filesystem::path program;
  // Holds core/ (the core's own state), channel.key and the socket.
  std::filesystem::path folder;
  infra::Milliseconds call_timeout{10'000};
};

class KeyProcess {
 public:
  KeyProcess(infra::EventLoop& loop, KeyProcessOptions options, keys::ConnectedKeyService& service)
      : loop_(loop), options_(std::move(options)), service_(service) {}

  // Makes the core's keys when there are none yet. True when it did.
  infra::Task<infra::Result<bool>> provision(std::array<std::uint8_t, 64> operator_public_key);
  // Runs and serves until stop(), or until database and core cannot be reconciled; then says why.
  infra::Task<std::string> run();
  // Starts the core and connects for administration alone, without comparing epochs.
  infra::Task<infra::Result<void>> attach();
  // Clean stop: the core returns its leases.
  infra::Task<void> stop();
  // Words about the last trouble; empty while the core serves.
  const std::string& trouble() const { return trouble_; }

 private:
  infra::Result<keys::ChannelOptions> channel_options() const;
  infra::Task<infra::Result<void>> start();

  infra::EventLoop& loop_;
  KeyProcessOptions options_;
  keys::ConnectedKeyService& service_;
  std::unique_ptr<infra::ChildProcess> child_;
  std::string trouble_ = "not started yet";
  bool stopping_ = false;
};

}  // namespace community::node
