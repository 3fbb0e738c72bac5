// SPDX-License-Identifier: Apache-2.0
// The real bodies. Only programs (cmd/) and tests include this header.
#pragma once
#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/metrics.hpp"

namespace community::chain {

struct JsonRpcChainOptions {
  // In the order of preference; at least one.
  std::vector<std::string> urls;
  // Compared with eth_chainId of every endpoint before it is used; 0 takes the first answer as the truth.
  std::uint64_t chain_id = 0;
  Milliseconds timeout{10'000};
  // HTTP requests under way at the same time; further calls gather and travel together.
  std::size_t concurrency = 16;
  // Calls in one batch. Public services refuse more than 100.
  std::size_t max_batch = 100;
  // Calls waiting; overloaded beyond. 4,096 calls of 1 kB are 4 MB.
  std::size_t max_queued = 4'096;
  // A failed endpoint rests this long, doubling up to the maximum.
  Milliseconds rest{500}, max_rest{30'000};
};

// `http`, `clock` and `metrics` outlive the client; `metrics` may be null.
std::unique_ptr<ExecutionClient> make_json_rpc_chain(infra::HttpClient& http, infra::Clock& clock,
                                                     JsonRpcChainOptions options, infra::Metrics* metrics = nullptr);

}  // namespace community::chain
