// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

int code_of(validation::ErrorCode code) {
  using enum validation::ErrorCode;
  switch (code) {
    case account_rejected:
    case nonce_invalid:
      return kRpcAccount;
    case paymaster_rejected:
      return kRpcPaymaster;
    case opcode_or_storage:
      return kRpcOpcode;
    case outside_time_range:
      return kRpcTimeRange;
    case reputation:
      return kRpcReputation;
    case stake:
      return kRpcStake;
    case aggregator_unsupported:
      return kRpcAggregator;
    case signature_invalid:
      return kRpcSignature;
    case paymaster_deposit_too_low:
      return kRpcDeposit;
    case execution_reverted:
    case estimation_failed:
      return kRpcExecution;
    case bundle_reverted:
      return kRpcAccount;
    case chain_unavailable:
      return infra::kRpcInternalError;
    default:
      return infra::kRpcInvalidParams;
  }
}

int code_of(pool::ErrorCode code) {
  using enum pool::ErrorCode;
  switch (code) {
    case paymaster_deposit:
      return kRpcDeposit;
    case sender_is_entity:
    case entity_is_sender:
      return kRpcOpcode;
    case sender_limit:
    case paymaster_limit:
    case pool_full:
      return infra::kRpcLimitExceeded;
    case storage:
      return infra::kRpcInternalError;
    default:
      return infra::kRpcInvalidParams;
  }
}

int code_of(paymaster::ErrorCode code) {
  using enum paymaster::ErrorCode;
  switch (code) {
    case cost_over_limit:
    case budget_exhausted:
    case refused_by_core:
      return kRpcPaymaster;
    case sender_limit:
    case approvals_limit:
      return infra::kRpcLimitExceeded;
    case keys_unavailable:
      return infra::kRpcInternalError;
    default:
      return infra::kRpcInvalidParams;
  }
}

tl::unexpected<RpcError> invalid(std::string message) {
  return infra::rpc_fail(infra::kRpcInvalidParams, std::move(message));
}

}  // namespace

RpcError to_rpc(const validation::Error& error) {
  RpcError rpc;
  rpc.code = code_of(error.code);
  rpc.message = error.message;
  json::object data;
  data["reason"] = validation::name(error.code);
  if (!error.rule.empty()) data["rule"] = error.rule;
  if (!error.revert.empty()) data["revert"] = core::to_hex(error.revert);
  // Clients decode the data of -32521 with their ABIs, so it is the bytes themselves.
  if (error.code == validation::ErrorCode::execution_reverted)
    rpc.data = json::value(core::to_hex(error.revert));
  else
    rpc.data = json::value(std::move(data));
  return rpc;
}

RpcError to_rpc(const pool::Error& error) {
  RpcError rpc;
  rpc.code = code_of(error.code);
  rpc.message = error.message;
  json::object data;
  data["reason"] = pool::name(error.code);
  rpc.data = json::value(std::move(data));
  return rpc;
}

RpcError to_rpc(const paymaster::Error& error) {
  RpcError rpc;
  rpc.code = code_of(error.code);
  rpc.message = error.message;
  json::object data;
  data["reason"] = paymaster::name(error.code);
  rpc.data = json::value(std::move(data));
  return rpc;
}

RpcError to_rpc(const chain::ChainError& error) {
  RpcError rpc;
  if (error.kind != chain::ChainErrorKind::rpc) {
    rpc.message = "the execution client does not answer: " + std::string(chain::name(error.kind));
    return rpc;
  }
  rpc.code = error.code;
  rpc.message = error.message;
  if (!error.data.empty()) rpc.data = json::value(core::to_hex(error.data));
  return rpc;
}

tl::unexpected<RpcError> busy(std::string_view what) {
  return infra::rpc_fail(infra::kRpcLimitExceeded, "too many " + std::string(what) + " at the same time; try again");
}

RpcExpected<Params> Params::of(const json::value& params, std::size_t least, std::size_t most) {
  static const json::array kNone;
  if (params.is_null() && least == 0) return Params(kNone);
  if (!params.is_array()) return invalid("params must be an array");
  const json::array& values = params.get_array();
  std::size_t count = values.size();
  while (count > 0 && values[count - 1].is_null()) count--;
  if (count < least || count > most)
    return invalid(
        "params has " + std::to_string(count) + " entries, expected " +
        (least == most ? std::to_string(least) : "between " + std::to_string(least) + " and " + std::to_string(most)));
  return Params(values);
}

RpcExpected<core::UserOperation> Params::userop(std::size_t i, core::UserOpParse mode) const {
  if (!has(i)) return invalid("the user operation is missing");
  auto op = core::userop_from_json(values_[i], mode);
  if (!op) return invalid("user operation: " + op.error().text());
  return std::move(*op);
}

RpcExpected<Address> Params::address(std::size_t i, std::string_view name) const {
  if (!has(i) || !values_[i].is_string()) return invalid(std::string(name) + " must be an address");
  auto address = core::parse_address(values_[i].get_string());
  if (!address) return invalid(std::string(name) + ": " + address.error().text());
  return *address;
}

RpcExpected<Bytes32> Params::hash(std::size_t i, std::string_view name) const {
  if (!has(i) || !values_[i].is_string()) return invalid("Missing/invalid " + std::string(name));
  auto hash = core::parse_bytes32(values_[i].get_string());
  if (!hash) return invalid("Missing/invalid " + std::string(name) + ": " + hash.error().text());
  return *hash;
}

RpcExpected<Uint256> Params::number(std::size_t i, std::string_view name) const {
  if (!has(i)) return invalid(std::string(name) + " is missing");
  auto number = core::number_value(values_[i]);
  if (!number) return invalid(std::string(name) + ": " + number.error().text());
  return *number;
}

RpcExpected<json::object> Params::object(std::size_t i, std::string_view name) const {
  if (!has(i)) return json::object();
  if (!values_[i].is_object()) return invalid(std::string(name) + " must be an object");
  return values_[i].get_object();
}

}  // namespace community::gateway
