// SPDX-License-Identifier: Apache-2.0
// The product's main job, performed once with a software passkey over the same interfaces that people's wallets use:
// wallet in the trusted core, account, sponsored first operation, receipt.
#pragma once
#include <functional>

#include "community/devnet/api/deployment.hpp"
#include "community/devnet/api/passkey.hpp"
#include "community/infra/api/json_rpc.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::devnet {

// What is kept between starts, beside the passkey's secret.
struct DemoWallet {
  protocol::RecordId wallet{};
  Bytes init_data;
  Address account{};
};

struct MainJobInput {
  keys::WalletKeys& wallets;
  DevelopmentChain& chain;
  // The node's own JSON-RPC.
  infra::RpcClient& relay;
  const SoftwarePasskey& passkey;
  const Deployment& deployment;
  // Address of the escape key in the person's recovery file.
  Address escape_key{};
  // From an earlier start; nothing on the first.
  std::optional<DemoWallet> wallet;
  Address recipient{};
  // Wei to transfer.
  Uint256 amount;
  // ERC-4337 nonce key of the operation, 192 bits: a fresh one, so that an earlier operation that still waits does not
  // stand in the way.
  Uint256 nonce_key;
  // Called after each step, with what was done.
  std::function<void(std::string)> step;
  // Called as soon as the wallet exists, so that it is kept.
  std::function<Result<void>(const DemoWallet&)> keep;
};

struct MainJobResult {
  DemoWallet wallet;
  Bytes32 userop_hash{};
  Bytes32 transaction_hash{};
  std::uint64_t block_number = 0;
  Uint256 gas_used;
  bool deployed = false;
};

Task<Result<MainJobResult>> perform_main_job(MainJobInput input);

}  // namespace community::devnet
