// SPDX-License-Identifier: Apache-2.0
// The product's main job, performed once over the HTTP API that the page uses: an address proven, a passkey, an
// account, a payment and its receipt. The person's passkey is a software one: nothing but a file's mode protects it.
#pragma once
#include <functional>

#include "community/devnet/api/deployment.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/random.hpp"
#include "community/wallet/api/creation.hpp"

namespace community::devnet {

struct MainJobInput {
  infra::HttpClient& http;
  infra::Random& random;
  // The node's HTTP API, "http://localhost:9000".
  std::string api_url;
  const Deployment& deployment;
  // The person's page: relying party and origin of the passkey.
  std::string rp_id, web_origin;
  // UTC, for the files.
  std::string created_at;
  // From an earlier start; nothing on the first.
  std::optional<wallet::AccountFile> account;
  Address recipient{};
  // Wei to transfer.
  Uint256 amount;
  // The code that was mailed to an address, once it is there. node: it does not come.
  std::function<Task<wallet::Result<std::string>>(std::string address)> read_code;
  // Called after each step, with what was done.
  std::function<void(std::string)> step;
  // Called as soon as the account is known, so that its keys are kept.
  std::function<wallet::Result<void>(const wallet::CreatedAccount&)> keep;
};

struct MainJobResult {
  Address account{};
  // Of the transfer.
  Bytes32 transaction_hash{};
  std::uint64_t block_number = 0;
  // Wei, as the EntryPoint counted it.
  Uint256 cost;
  bool deployed = false;
};

// node: a refusal of the API by its rule; hash_differs: the node shows another account, call or hash than this program
// computes, and nothing was signed; not_included: no block took the transfer in time.
Task<wallet::Result<MainJobResult>> perform_main_job(MainJobInput input);

}  // namespace community::devnet
