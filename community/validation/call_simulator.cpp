// SPDX-License-Identifier: Apache-2.0
// Thin body of Simulator: one eth_call of the real handleOps. It sees whether and why the EntryPoint refuses, nothing
// of what happened inside: no opcodes and storage (ERC-7562), no validity window beyond "valid now" (AA22, AA32), and
// not whether the execution phase succeeded.
#include "community/validation/factory.hpp"
#include "community/validation/revert.hpp"

namespace community::validation {
namespace {

// Sends the simulated transaction where no executor is named. Nobody has its key.
constexpr Address kStandIn{0xc0, 0x33, 0x75, 0x6e, 0x17, 0x79, 0x2d, 0x73, 0x69, 0x6d,
                           0x75, 0x6c, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2d, 0x30, 0x31};
// wei; some clients check the sender's balance in eth_call even at price zero.
constexpr std::uint64_t kStandInBalance = 1'000'000'000'000'000'000;

class CallSimulator final : public Simulator {
 public:
  CallSimulator(chain::ExecutionClient& chain, ValidationOptions options)
      : chain_(chain), options_(std::move(options)) {}

  Task<Result<ValidationTrace>> simulate(SimulationRequest request) override {
    auto call = make_call(request);
    if (!call) co_return tl::unexpected(std::move(call.error()));
    chain::StateOverrides overrides;
    overrides[*call->from].balance = Uint256(kStandInBalance);
    auto answer = co_await chain_.call(std::move(*call), chain::BlockRef::latest(), std::move(overrides));
    ValidationTrace trace;
    if (answer) co_return trace;
    if (!answer.error().reverted) co_return fail(ErrorCode::chain_unavailable, answer.error().text());
    const auto* contract = find(request.entry_point.address);
    trace.failure = contract->decode_failed_op(answer.error().data);
    if (trace.failure) co_return trace;
    // Not an operation's fault that the EntryPoint could name: a broken bundle, or no EntryPoint at that address.
    co_return fail(ErrorCode::bundle_reverted,
                   "handleOps reverted without naming an operation: " + reason_text(answer.error().data));
  }

 private:
  const chain::EntryPoint* find(const Address& address) const {
    for (const ServedEntryPoint& served : options_.entry_points)
      if (served.contract->address() == address) return served.contract;
    return nullptr;
  }

  Result<chain::CallRequest> make_call(const SimulationRequest& request) const {
    const auto* contract = find(request.entry_point.address);
    if (contract == nullptr) return fail(ErrorCode::entry_point_unknown, "this EntryPoint is not served");
    std::vector<PackedUserOperation> packed;
    packed.reserve(request.ops.size());
    for (const UserOperation* op : request.ops) {
      auto one = core::pack(*op);
      if (!one) return fail(ErrorCode::field_invalid, one.error().text());
      packed.push_back(std::move(*one));
    }
    chain::CallRequest call;
    call.from = request.executor.value_or(kStandIn);
    call.to = contract->address();
    auto data = contract->encode_handle_ops(packed, request.beneficiary.value_or(*call.from));
    if (!data) return fail(ErrorCode::field_invalid, data.error().text());
    call.data = std::move(*data);
    call.gas = request.gas_limit != 0 ? request.gas_limit : bundle_gas_limit(request.ops, calldata_cost(call.data));
    return call;
  }

  chain::ExecutionClient& chain_;
  ValidationOptions options_;
};

}  // namespace

std::unique_ptr<Simulator> make_call_simulator(chain::ExecutionClient& chain, ValidationOptions options) {
  return std::make_unique<CallSimulator>(chain, std::move(options));
}

}  // namespace community::validation
