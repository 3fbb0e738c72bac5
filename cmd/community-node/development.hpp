// SPDX-License-Identifier: Apache-2.0
// What `run --dev` does beyond `run`: a chain of its own, contracts, funds, and the main job.
#pragma once
#include <functional>

#include "cmd/community-node/options.hpp"
#include "community/devnet/api/chain_state.hpp"
#include "community/devnet/api/main_job.hpp"
#include "community/infra/api/child_process.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/operator.hpp"

namespace community::node {

using Step = std::function<void(const char* what, const std::string& text)>;

// anvil as a child, started again when it dies, from a state that is whole. `ready` is called after each start, once it
// answers.
std::unique_ptr<infra::Supervisor> supervise_development_chain(infra::EventLoop& loop, infra::Clock& clock,
                                                               const RunOptions& options,
                                                               std::shared_ptr<devnet::ChainStateFile> state,
                                                               std::function<infra::Task<bool>()> answers,
                                                               std::function<infra::Task<infra::Result<void>>()> ready);

// Keeps the copy that a torn state is repaired from, until cancelled.
infra::Task<void> keep_chain_state(std::shared_ptr<devnet::ChainStateFile> state);

// What the operator signs about a development chain.
protocol::ChainConfig development_configuration(const devnet::Deployment& deployment);

struct MainJobServices {
  infra::HttpClient& http;
  infra::Random& random;
  // Of the software passkey.
  std::string rp_id, origin;
  // Where mails become files; empty when they leave by SMTP, and then nobody here reads the person's code.
  std::filesystem::path outbox;
};

// 32 secret bytes in a file of the data folder, made by the first call.
infra::Result<core::Bytes32> secret_file(const std::filesystem::path& path, infra::Random& random);

// `api_url` is the node's own, "http://localhost:9000".
infra::Task<wallet::Result<devnet::MainJobResult>> run_main_job(const RunOptions& options, MainJobServices services,
                                                                const devnet::Deployment& deployment,
                                                                std::string api_url, Step step);

}  // namespace community::node
