// SPDX-License-Identifier: Apache-2.0
// ERC-7677: sponsorship as a web service.
#include "community/gateway/rpc_support.hpp"

namespace community::gateway {
namespace {

// The trusted core signs one after the other, about a millisecond each, and bundles wait in the same line.
constexpr std::size_t kMaxSignings = 64;

struct Input {
  core::UserOperation op;
  Address entry_point{};
  Uint256 chain_id;
};

// [userOp, entryPoint, chainId, context?]. The context is the client's own affair: no policy reads it yet.
RpcExpected<Input> read(const json::value& value) {
  auto params = Params::of(value, 3, 4);
  if (!params) return tl::unexpected(std::move(params.error()));
  Input input;
  auto op = params->userop(0, core::UserOpParse::estimate);
  if (!op) return tl::unexpected(std::move(op.error()));
  input.op = std::move(*op);
  auto entry_point = params->address(1, "entryPoint");
  if (!entry_point) return tl::unexpected(std::move(entry_point.error()));
  input.entry_point = *entry_point;
  auto chain_id = params->number(2, "chainId");
  if (!chain_id) return tl::unexpected(std::move(chain_id.error()));
  input.chain_id = *chain_id;
  return input;
}

json::object to_output(const paymaster::SponsorData& data) {
  json::object output;
  output["paymaster"] = core::format_address(data.paymaster);
  output["paymasterData"] = core::to_hex(data.data);
  output["paymasterVerificationGasLimit"] = core::format_quantity(data.verification_gas_limit);
  output["paymasterPostOpGasLimit"] = core::format_quantity(data.post_op_gas_limit);
  return output;
}

}  // namespace

void add_paymaster_methods(infra::RpcDispatcher& rpc, const GatewayDependencies& dependencies) {
  paymaster::Sponsor* sponsor = dependencies.sponsor;
  if (sponsor == nullptr) return;
  rpc.add("pm_getPaymasterStubData", [sponsor](RpcCall call) -> Task<RpcResult> {
    auto input = read(call.params);
    if (!input) co_return tl::unexpected(std::move(input.error()));
    auto data = co_await sponsor->stub(std::move(input->op), input->entry_point, input->chain_id);
    if (!data) co_return refuse(data.error());
    json::object output = to_output(*data);
    json::object name;
    name["name"] = data->name;
    output["sponsor"] = std::move(name);
    // The stub's signature is nobody's: pm_getPaymasterData has to follow.
    output["isFinal"] = false;
    co_return json::value(std::move(output));
  });
  const auto signings = std::make_shared<std::size_t>(0);
  rpc.add("pm_getPaymasterData", [sponsor, signings](RpcCall call) -> Task<RpcResult> {
    auto input = read(call.params);
    if (!input) co_return tl::unexpected(std::move(input.error()));
    if (*signings >= kMaxSignings) co_return busy("sponsorships");
    const Place place(*signings);
    auto data = co_await sponsor->sign(std::move(input->op), input->entry_point, input->chain_id);
    if (!data) co_return refuse(data.error());
    co_return json::value(to_output(*data));
  });
}

}  // namespace community::gateway
