// SPDX-License-Identifier: Apache-2.0
// Keeps a body of the trusted core running and connected. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/bodies/api/choice.hpp"
#include "community/infra/api/child_process.hpp"
#include "community/keys/api/connected_key_service.hpp"

namespace community::bodies {

class Launcher;

class Supervisor {
 public:
  // `service` outlives the supervisor. A call that takes longer than `calls.timeout` ends the body.
  Supervisor(infra::EventLoop& loop, protocol::Body body, Places places, keys::ConnectedKeyService& service,
             keys::CallOptions calls);
  ~Supervisor();

  // Makes keys when the node has none yet, and with them the attestation key of a body that quotes. True when it did.
  // `step` is told what takes seconds, in words.
  infra::Task<infra::Result<bool>> provision(std::array<std::uint8_t, 64> operator_public_key,
                                             std::function<void(const std::string&)> step);
  // Runs and serves until stop(), or until database and core cannot be reconciled or the core was fenced; then says
  // why. A body that ends, hangs or cannot be reached is started again after a growing pause.
  infra::Task<std::string> run();
  // Starts the core and connects for administration alone, without comparing epochs.
  infra::Task<infra::Result<void>> attach();
  // Clean stop: the core returns its leases.
  infra::Task<void> stop();
  // Words about the last trouble; empty while the core serves.
  const std::string& trouble() const { return trouble_; }
  infra::Milliseconds start_patience() const;

 private:
  infra::Result<void> clear_place() const;
  infra::Result<void> remove_mark() const;
  infra::Result<keys::ChannelOptions> channel_options() const;
  infra::Task<infra::Result<void>> start();
  infra::Task<void> keep_tidy();
  infra::Task<infra::Result<core::Bytes32>> ask_for_keys(std::array<std::uint8_t, 64> operator_public_key);
  std::filesystem::path path(const char* name) const { return places_.folder / name; }

  infra::EventLoop& loop_;
  Places places_;
  protocol::Body kind_;
  std::unique_ptr<Launcher> launcher_;
  keys::ConnectedKeyService& service_;
  keys::CallOptions calls_;
  std::unique_ptr<infra::ChildProcess> child_;
  std::string trouble_ = "not started yet";
  bool stopping_ = false;
};

// Factory reset: removes what this data folder has of keys, whatever body they are in, and the database if that is
// wanted. Durable when it returns; what was cut off is finished by the next call of either. Whoever holds the folder's
// lock may call it. A board's keys are on the board and stay.
infra::Result<void> erase_keys(const Places& places, const std::filesystem::path& database, bool with_database);
// To be called at each start, before anything looks for keys. True when there was something to finish.
infra::Result<bool> finish_erasing(const Places& places, const std::filesystem::path& database);

}  // namespace community::bodies
