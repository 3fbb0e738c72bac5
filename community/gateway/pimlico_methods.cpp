// SPDX-License-Identifier: Apache-2.0
// The two pimlico_* methods that permissionless and many scripts rely on.
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

json::object to_output(const chain::FeeOffer& offer) {
  json::object output;
  output["maxFeePerGas"] = core::format_quantity(offer.max_fee_per_gas);
  output["maxPriorityFeePerGas"] = core::format_quantity(offer.max_priority_fee_per_gas);
  return output;
}

std::string_view to_pimlico(pool::UseropStatus status) {
  using enum pool::UseropStatus;
  switch (status) {
    case received:
    case validated:
    case pooled:
      return "not_submitted";
    case bundled:
      return "submitted";
    case included:
      return "included";
    case failed:
      return "reverted";
    case dropped:
    case replaced:
      return "rejected";
  }
  return "not_found";
}

}  // namespace

void add_pimlico_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies) {
  chain::FeeOracle* fees = &dependencies.fees;
  rpc.add("pimlico_getUserOperationGasPrice", [fees](RpcCall) -> Task<RpcResult> {
    auto suggestion = co_await fees->suggest();
    if (!suggestion) co_return refuse(suggestion.error());
    json::object output;
    output["slow"] = to_output(suggestion->slow);
    output["standard"] = to_output(suggestion->standard);
    output["fast"] = to_output(suggestion->fast);
    co_return json::value(std::move(output));
  });
  pool::Pool* pool = &dependencies.pool;
  rpc.add("pimlico_getUserOperationStatus", [pool](RpcCall call) -> Task<RpcResult> {
    auto params = Params::of(call.params, 0, 1);
    if (!params) co_return tl::unexpected(std::move(params.error()));
    auto hash = params->hash(0, "userOpHash");
    if (!hash) co_return tl::unexpected(std::move(hash.error()));
    json::object output;
    auto record = co_await pool->record(*hash);
    if (!record && record.error().code != pool::ErrorCode::not_found) co_return refuse(record.error());
    output["status"] = record ? to_pimlico(record->status) : std::string_view("not_found");
    output["transactionHash"] = nullptr;
    if (record && record->transaction_hash) output["transactionHash"] = core::to_hex(*record->transaction_hash);
    // Beyond what permissionless reads: this node's own words.
    if (record) output["state"] = pool::status_text(record->status);
    if (record && !record->reason.empty()) output["reason"] = record->reason;
    co_return json::value(std::move(output));
  });
}

}  // namespace community::gateway
