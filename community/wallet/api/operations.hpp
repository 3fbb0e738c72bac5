// SPDX-License-Identifier: Apache-2.0
// One user operation of an account from its calls to its receipt: through a node's relay as any wallet does it
// (ERC-4337, ERC-7677), or put into the EntryPoint by whoever pays when there is no relay.
#pragma once
#include <functional>

#include "community/core/userop.hpp"
#include "community/infra/api/json_rpc.hpp"
#include "community/wallet/api/payer.hpp"

namespace community::wallet {

struct OperationOrder {
  Address sender{};
  Bytes call_data;
  // Init data of an account that is not deployed yet: the operation deploys it.
  Bytes init_data;
  Address factory{};
  // Another one than that of operations under way, or they wait for each other. 192 bits.
  Uint256 nonce_key;
  // By the node's paymaster; else the account pays, within its gas cap and daily limit.
  bool sponsored = true;
};

struct OperationResult {
  Bytes32 userop_hash{}, transaction_hash{};
  std::uint64_t block_number = 0;
  Uint256 gas_used;
};

// Signs what it is shown; it computes nothing from what others say.
class OperationSigner {
 public:
  virtual ~OperationSigner() = default;
  // As long as the real one. `day` as in accounts::encode_dual_signature.
  virtual Bytes dummy(std::uint32_t day) const = 0;
  virtual Task<Result<Bytes>> sign(core::UserOperation op, Bytes32 hash, std::uint32_t day) = 0;
};

// Hears of each step, in words.
using Step = std::function<void(std::string)>;

// JSON-RPC of a node, and the contracts it serves. `rpc` and `clock` outlive it.
struct RelayClient {
  infra::RpcClient& rpc;
  std::uint64_t chain_id = 0;
  Address entry_point{};
};

Task<Result<OperationResult>> send_through_relay(RelayClient relay, OperationOrder order, OperationSigner& signer,
                                                 Step step);

// Of an account that is deployed. The operation offers no fees: the payer's transaction pays for everything, the
// account for nothing but what it moves.
Task<Result<OperationResult>> send_directly(Payer& payer, Address entry_point, OperationOrder order,
                                            OperationSigner& signer, Step step);

}  // namespace community::wallet
