// SPDX-License-Identifier: Apache-2.0
// The product's main job, performed once with a software passkey over the same interfaces that people's wallets use:
// wallet in the trusted core, account, sponsored first operation, receipt.
#pragma once
#include <functional>

#include "community/devnet/api/deployment.hpp"
#include "community/wallet/api/creation.hpp"
#include "community/wallet/api/wallet.hpp"

namespace community::devnet {

struct MainJobInput {
  keys::WalletKeys& wallets;
  chain::ExecutionClient& client;
  DevelopmentChain& chain;
  // The node's own JSON-RPC.
  infra::RpcClient& relay;
  infra::Random& random;
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
  // Called after each step, with what was done.
  std::function<void(std::string)> step;
  // Called as soon as the wallet exists, so that it is kept.
  std::function<wallet::Result<void>(const wallet::CreatedAccount&)> keep;
};

struct MainJobResult {
  Address account{};
  protocol::RecordId wallet{};
  wallet::OperationResult operation;
  bool deployed = false;
};

Task<wallet::Result<MainJobResult>> perform_main_job(MainJobInput input);

}  // namespace community::devnet
