// SPDX-License-Identifier: Apache-2.0
// Plain reads for clients that have no execution client of their own. An explicit list: nothing that signs, sends or
// changes the node's chain is reachable here.
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

constexpr std::string_view kReads[] = {
    "eth_blockNumber",
    "eth_call",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_getProof",
    "eth_getStorageAt",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_syncing",
};

// The client takes 4,096 calls (JsonRpcChainOptions) and then refuses the node's own too: strangers' reads get a
// sixteenth of them.
constexpr std::size_t kMaxReads = 256;

}  // namespace

void add_chain_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies,
                       const GatewayOptions& options) {
  chain::ExecutionClient* chain = &dependencies.chain;
  const auto reads = std::make_shared<std::size_t>(0);
  for (const std::string_view name : kReads) {
    rpc.add(std::string(name), [chain, reads](RpcCall call) -> Task<RpcResult> {
      chain::ChainCall question;
      question.method = std::move(call.method);
      if (call.params.is_array())
        question.params = std::move(call.params.get_array());
      else if (!call.params.is_null())
        co_return infra::rpc_fail(infra::kRpcInvalidParams, "params must be an array");
      if (*reads >= kMaxReads) co_return busy("reads of the chain");
      const Place place(*reads);
      // A stranger's slow question must not hold up the node's own.
      chain::ChainCallOptions call_options;
      call_options.coalesce = false;
      auto answer = co_await chain->request(std::move(question), call_options);
      if (!answer) co_return refuse(answer.error());
      co_return std::move(*answer);
    });
  }
  const std::uint64_t chain_id = options.chain_id;
  rpc.add("eth_chainId",
          [chain_id](RpcCall) -> Task<RpcResult> { co_return json::value(core::format_quantity(Uint256(chain_id))); });
  rpc.add("net_version", [chain_id](RpcCall) -> Task<RpcResult> { co_return json::value(std::to_string(chain_id)); });
  const std::string version = options.version;
  rpc.add("web3_clientVersion", [version](RpcCall) -> Task<RpcResult> { co_return json::value(version); });
}

}  // namespace community::gateway
