// SPDX-License-Identifier: Apache-2.0
// What every method handler needs: positional parameters with errors in words, and the codes of ERC-7769 for the errors
// of the modules. Inside of the module.
#pragma once
#include "community/core/userop.hpp"
#include "community/gateway/factory.hpp"
#include "community/infra/api/json_rpc.hpp"

namespace community::gateway {

namespace json = core::json;
using core::Address;
using core::Bytes32;
using core::Uint256;
using infra::RpcCall;
using infra::RpcError;
using infra::RpcResult;
using infra::Task;
template <class T>
using RpcExpected = tl::expected<T, RpcError>;

// ERC-7769 (JSON-RPC of ERC-4337).
inline constexpr int kRpcAccount = -32'500;
inline constexpr int kRpcPaymaster = -32'501;
inline constexpr int kRpcOpcode = -32'502;
inline constexpr int kRpcTimeRange = -32'503;
inline constexpr int kRpcReputation = -32'504;
inline constexpr int kRpcStake = -32'505;
inline constexpr int kRpcAggregator = -32'506;
inline constexpr int kRpcSignature = -32'507;
inline constexpr int kRpcDeposit = -32'508;
inline constexpr int kRpcExecution = -32'521;

RpcError to_rpc(const validation::Error& error);
RpcError to_rpc(const pool::Error& error);
RpcError to_rpc(const paymaster::Error& error);
RpcError to_rpc(const chain::ChainError& error);

template <class E>
tl::unexpected<RpcError> refuse(const E& error) {
  return tl::unexpected<RpcError>(to_rpc(error));
}

// Parameters by position; trailing nulls count as absent. Every error is -32602 and names the parameter.
class Params {
 public:
  static RpcExpected<Params> of(const json::value& params, std::size_t least, std::size_t most);
  bool has(std::size_t i) const { return i < values_.size() && !values_[i].is_null(); }
  RpcExpected<core::UserOperation> userop(std::size_t i, core::UserOpParse mode) const;
  RpcExpected<Address> address(std::size_t i, std::string_view name) const;
  RpcExpected<Bytes32> hash(std::size_t i, std::string_view name) const;
  RpcExpected<Uint256> number(std::size_t i, std::string_view name) const;
  // Empty when absent.
  RpcExpected<json::object> object(std::size_t i, std::string_view name) const;

 private:
  explicit Params(const json::array& values) : values_(values) {}
  const json::array& values_;
};

// One running request of a kind, for as long as it lives.
class Place {
 public:
  explicit Place(std::size_t& count) : count_(count) { count_++; }
  ~Place() { count_--; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::size_t& count_;
};

// The answer when a kind has no place left; `what` are requests of the kind.
tl::unexpected<RpcError> busy(std::string_view what);

// Adds the handlers of one group of methods; `dependencies` and `options` outlive the dispatcher.
void add_userop_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies,
                        const GatewayOptions& options);
void add_paymaster_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies);
void add_pimlico_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies);
void add_chain_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies,
                       const GatewayOptions& options);

}  // namespace community::gateway
