// SPDX-License-Identifier: Apache-2.0
// The eth_* methods of ERC-7769.
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

// Each estimate traces up to 40 million gas twice, each send simulates once: strangers may keep the execution client
// busy only so far, the bundler's own questions go on beside them.
constexpr std::size_t kMaxEstimates = 64;
constexpr std::size_t kMaxSends = 512;

struct Running {
  std::size_t estimates = 0;
  std::size_t sends = 0;
};

struct UseropMethods {
  const GatewayDependencies& d;
  std::shared_ptr<Running> running;

  struct Target {
    core::UserOperation op;
    validation::EntryPointId entry_point;
  };

  RpcExpected<Target> target(const Params& params, core::UserOpParse mode) const {
    Target result;
    auto op = params.userop(0, mode);
    if (!op) return tl::unexpected(std::move(op.error()));
    result.op = std::move(*op);
    auto address = params.address(1, "entryPoint");
    if (!address) return tl::unexpected(std::move(address.error()));
    auto entry_point = d.validator.find_entry_point(*address);
    if (!entry_point) return refuse(entry_point.error());
    result.entry_point = *entry_point;
    return result;
  }

  // The payer's deposit; nothing without a paymaster.
  Task<chain::ChainResult<std::optional<Uint256>>> deposit(std::optional<Address> paymaster,
                                                           validation::EntryPointId entry_point,
                                                           const chain::EntryPoint* contract) const {
    if (!paymaster) co_return std::optional<Uint256>();
    chain::CallRequest call;
    call.to = entry_point.address;
    call.data = contract->encode_balance_of(*paymaster);
    auto answer = co_await d.chain.call(std::move(call));
    if (!answer) co_return tl::unexpected(std::move(answer.error()));
    const auto word = chain::decode_word(*answer);
    // Without a number the pool would take the deposit for unlimited.
    if (!word) co_return chain::chain_fail(chain::ChainErrorKind::malformed, "balanceOf returned no number");
    co_return std::optional<Uint256>(*word);
  }

  Task<RpcResult> send(Target input, const chain::EntryPoint* contract) const {
    auto hash = d.validator.hash(input.op, input.entry_point);
    if (!hash) co_return refuse(hash.error());
    auto checked = d.pool.check(*hash, input.entry_point, input.op);
    if (!checked) {
      // Sending the same operation again is how clients recover from a lost answer.
      if (checked.error().code == pool::ErrorCode::already_known) co_return json::value(core::to_hex(*hash));
      co_return refuse(checked.error());
    }
    if (running->sends >= kMaxSends) co_return busy("operations");
    const Place place(running->sends);
    const auto before = d.pool.predecessors(input.entry_point.address, input.op.sender, input.op.nonce);
    std::vector<const core::UserOperation*> predecessors;
    for (const pool::UseropPtr& userop : before) predecessors.push_back(&userop->userop.op);
    const std::optional<Address> paymaster = input.op.paymaster;
    // Both questions travel to the chain together.
    auto [validated, balance] =
        co_await infra::both(d.validator.validate(std::move(input.op), input.entry_point, std::move(predecessors)),
                             deposit(paymaster, input.entry_point, contract));
    if (!validated) co_return refuse(validated.error());
    if (!balance) co_return refuse(balance.error());
    auto added = co_await d.pool.add(std::move(*validated), *balance);
    if (!added && added.error().code == pool::ErrorCode::already_known) co_return json::value(core::to_hex(*hash));
    if (!added) co_return refuse(added.error());
    co_return json::value(core::to_hex(*added));
  }

  Task<RpcResult> estimate(Target input, json::object overrides) const {
    if (running->estimates >= kMaxEstimates) co_return busy("estimates");
    const Place place(running->estimates);
    const core::Bytes32 nonce = input.op.nonce.to_be();
    const bool is_pending =
        d.pool.next_nonce(input.entry_point.address, input.op.sender, Uint256::from_be(nonce)) == input.op.nonce;
    auto result =
        co_await d.estimator.estimate(std::move(input.op), input.entry_point, std::move(overrides), is_pending);
    if (!result) co_return refuse(result.error());
    json::object output;
    output["preVerificationGas"] = core::format_quantity(result->pre_verification_gas);
    output["verificationGasLimit"] = core::format_quantity(result->verification_gas_limit);
    output["callGasLimit"] = core::format_quantity(result->call_gas_limit);
    if (result->paymaster_verification_gas_limit)
      output["paymasterVerificationGasLimit"] = core::format_quantity(*result->paymaster_verification_gas_limit);
    if (result->paymaster_post_op_gas_limit)
      output["paymasterPostOpGasLimit"] = core::format_quantity(*result->paymaster_post_op_gas_limit);
    co_return json::value(std::move(output));
  }

  // The record of an included operation; nothing while it is not.
  Task<RpcExpected<std::optional<pool::UseropRecord>>> included(Bytes32 hash) const {
    auto record = co_await d.pool.record(hash);
    if (!record && record.error().code == pool::ErrorCode::not_found) co_return std::optional<pool::UseropRecord>();
    if (!record) co_return refuse(record.error());
    if (!record->inclusion) co_return std::optional<pool::UseropRecord>();
    co_return std::move(*record);
  }

  // As the execution client gave it: stored with the bundle, or asked for when somebody else sent it.
  Task<RpcExpected<json::object>> transaction_receipt(Bytes32 hash) const {
    auto stored = co_await d.bundler.transaction_receipt(hash);
    if (stored) co_return std::move(*stored);
    auto receipt = co_await d.chain.receipt(hash);
    if (!receipt) co_return refuse(receipt.error());
    if (!*receipt)
      co_return infra::rpc_fail(infra::kRpcInternalError, "the transaction's receipt is not available now");
    co_return std::move((*receipt)->raw);
  }

  Task<RpcResult> receipt(Bytes32 hash) const {
    auto record = co_await included(hash);
    if (!record) co_return tl::unexpected(std::move(record.error()));
    if (!*record) co_return json::value(nullptr);
    const pool::UseropRecord& known = **record;
    const pool::Inclusion& inclusion = *known.inclusion;
    auto transaction = co_await transaction_receipt(inclusion.transaction_hash);
    if (!transaction) co_return tl::unexpected(std::move(transaction.error()));
    json::object output;
    output["userOpHash"] = core::to_hex(known.hash);
    output["entryPoint"] = core::format_address(known.entry_point.address);
    output["sender"] = core::format_address(known.op.sender);
    output["nonce"] = core::format_quantity(known.op.nonce);
    if (known.op.paymaster) output["paymaster"] = core::format_address(*known.op.paymaster);
    output["actualGasCost"] = core::format_quantity(inclusion.actual_gas_cost);
    output["actualGasUsed"] = core::format_quantity(inclusion.actual_gas_used);
    output["success"] = inclusion.success;
    if (!inclusion.reason.empty()) output["reason"] = core::to_hex(inclusion.reason);
    json::array own;
    const json::value* logs = core::find_member(*transaction, "logs");
    if (logs != nullptr && logs->is_array())
      for (std::size_t i = inclusion.first_log; i < inclusion.end_log && i < logs->get_array().size(); i++)
        own.push_back(logs->get_array()[i]);
    output["logs"] = std::move(own);
    output["receipt"] = std::move(*transaction);
    co_return json::value(std::move(output));
  }

  Task<RpcResult> by_hash(Bytes32 hash) const {
    auto record = co_await included(hash);
    if (!record) co_return tl::unexpected(std::move(record.error()));
    if (!*record) co_return json::value(nullptr);
    const pool::Inclusion& inclusion = *(*record)->inclusion;
    json::object output;
    output["userOperation"] = core::to_json((*record)->op);
    output["entryPoint"] = core::format_address((*record)->entry_point.address);
    output["blockNumber"] = core::format_quantity(Uint256(inclusion.block_number));
    output["blockHash"] = core::to_hex(inclusion.block_hash);
    output["transactionHash"] = core::to_hex(inclusion.transaction_hash);
    co_return json::value(std::move(output));
  }
};

const chain::EntryPoint* contract_at(const GatewayOptions& options, const Address& address) {
  for (const chain::EntryPoint* contract : options.entry_points)
    if (contract->address() == address) return contract;
  return nullptr;
}

}  // namespace

void add_userop_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies,
                        const GatewayOptions& options) {
  const UseropMethods methods{dependencies, std::make_shared<Running>()};
  rpc.add("eth_sendUserOperation", [methods, &options](RpcCall call) -> Task<RpcResult> {
    auto params = Params::of(call.params, 2, 2);
    if (!params) co_return tl::unexpected(std::move(params.error()));
    auto input = methods.target(*params, core::UserOpParse::complete);
    if (!input) co_return tl::unexpected(std::move(input.error()));
    const chain::EntryPoint* contract = contract_at(options, input->entry_point.address);
    if (contract == nullptr) co_return infra::rpc_fail(infra::kRpcInternalError, "the entry point is not configured");
    co_return co_await methods.send(std::move(*input), contract);
  });
  rpc.add("eth_estimateUserOperationGas", [methods](RpcCall call) -> Task<RpcResult> {
    auto params = Params::of(call.params, 2, 3);
    if (!params) co_return tl::unexpected(std::move(params.error()));
    auto input = methods.target(*params, core::UserOpParse::estimate);
    if (!input) co_return tl::unexpected(std::move(input.error()));
    auto overrides = params->object(2, "state overrides");
    if (!overrides) co_return tl::unexpected(std::move(overrides.error()));
    co_return co_await methods.estimate(std::move(*input), std::move(*overrides));
  });
  rpc.add("eth_getUserOperationReceipt", [methods](RpcCall call) -> Task<RpcResult> {
    auto params = Params::of(call.params, 0, 1);
    if (!params) co_return tl::unexpected(std::move(params.error()));
    auto hash = params->hash(0, "userOpHash");
    if (!hash) co_return tl::unexpected(std::move(hash.error()));
    co_return co_await methods.receipt(*hash);
  });
  rpc.add("eth_getUserOperationByHash", [methods](RpcCall call) -> Task<RpcResult> {
    auto params = Params::of(call.params, 0, 1);
    if (!params) co_return tl::unexpected(std::move(params.error()));
    auto hash = params->hash(0, "userOpHash");
    if (!hash) co_return tl::unexpected(std::move(hash.error()));
    co_return co_await methods.by_hash(*hash);
  });
  rpc.add("eth_supportedEntryPoints", [methods](RpcCall) -> Task<RpcResult> {
    json::array output;
    for (const validation::EntryPointId& id : methods.d.validator.entry_points())
      output.push_back(json::value(core::format_address(id.address)));
    co_return json::value(std::move(output));
  });
}

}  // namespace community::gateway
