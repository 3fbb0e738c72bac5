// SPDX-License-Identifier: Apache-2.0
// Thin body: the static checks, and of the trace what the EntryPoint itself says. A trace without frames cannot show
// opcodes, storage or calls, so the rules of ERC-7562 about them are not applied here.
#include "community/validation/factory.hpp"
#include "community/validation/revert.hpp"

namespace community::validation {
namespace {

std::string number(const Uint256& value) { return core::format_decimal(value); }

Result<void> check_sizes(const UserOperation& op, const PackedUserOperation& packed, const StaticLimits& limits) {
  const std::uint64_t bytes = userop_calldata(packed).bytes + bundle_calldata_base().bytes;
  if (bytes > limits.bundle_bytes)
    return fail(ErrorCode::userop_too_large, "a bundle of this operation has " + std::to_string(bytes) +
                                                 " bytes of calldata, the limit is " +
                                                 std::to_string(limits.bundle_bytes));
  if (op.sender == Address{}) return fail(ErrorCode::field_invalid, "sender is the zero address");
  if (op.factory && *op.factory == Address{}) return fail(ErrorCode::field_invalid, "factory is the zero address");
  if (op.paymaster && *op.paymaster == Address{})
    return fail(ErrorCode::field_invalid, "paymaster is the zero address");
  return {};
}

Result<void> check_gas(const UserOperation& op, const PackedUserOperation& packed, EntryPointVersion version,
                       const StaticLimits& limits) {
  const Uint256& verification = op.verification_gas_limit;
  if (verification > Uint256(limits.verification_gas) ||
      op.paymaster_verification_gas_limit > Uint256(limits.verification_gas))
    return fail(ErrorCode::verification_gas_too_high,
                "verificationGasLimit and paymasterVerificationGasLimit may each be " +
                    std::to_string(limits.verification_gas) + " at most");
  // ERC-4337: a call with value needs 9,000, and no useful call needs less.
  constexpr std::uint64_t kLeastCallGas = 9'000;
  if (!op.call_data.empty() && op.call_gas_limit < Uint256(kLeastCallGas))
    return fail(ErrorCode::call_gas_too_low, "callGasLimit is " + number(op.call_gas_limit) + ", at least " +
                                                 std::to_string(kLeastCallGas) + " is needed");
  const CalldataCost own = userop_calldata(packed);
  const CalldataCost base = bundle_calldata_base();
  const std::uint64_t gas = bundle_gas_limit({&op}, {own.tokens + base.tokens, own.bytes + base.bytes});
  if (gas > limits.bundle_gas)
    return fail(ErrorCode::gas_over_bundle, "a bundle of this operation needs a gas limit of " + std::to_string(gas) +
                                                ", the most a transaction may have is " +
                                                std::to_string(limits.bundle_gas));
  const std::uint64_t required = required_pre_verification_gas(packed, version);
  if (op.pre_verification_gas < Uint256(required))
    return fail(ErrorCode::pre_verification_gas_too_low, "preVerificationGas is " + number(op.pre_verification_gas) +
                                                             ", at least " + std::to_string(required) +
                                                             " is needed (intrinsic gas, EIP-7623)");
  return {};
}

Result<void> check_fees(const UserOperation& op, const FeeLevel& fees) {
  if (op.max_priority_fee_per_gas > op.max_fee_per_gas)
    return fail(ErrorCode::priority_fee_above_max_fee, "maxPriorityFeePerGas is above maxFeePerGas");
  if (op.max_priority_fee_per_gas < fees.least_priority_fee)
    return fail(ErrorCode::fee_too_low, "maxPriorityFeePerGas is " + number(op.max_priority_fee_per_gas) +
                                            ", at least " + number(fees.least_priority_fee) + " is needed");
  const auto least = base::add(fees.base_fee, fees.least_priority_fee);
  if (!least || op.max_fee_per_gas < *least)
    return fail(ErrorCode::fee_too_low, "maxFeePerGas is " + number(op.max_fee_per_gas) + ", at least " +
                                            number(least.value_or(Uint256::max())) + " is needed now");
  return {};
}

class ThinRules final : public Rules {
 public:
  Result<void> check_static(const UserOperation& op, const EntryPointId& entry_point, const StaticLimits& limits,
                            const FeeLevel& fees) const override {
    if (op.uses_eip7702() || op.eip7702_auth)
      return fail(ErrorCode::eip7702_not_supported, "this node does not bundle EIP-7702 operations yet");
    const auto packed = core::pack(op);
    if (!packed) return fail(ErrorCode::field_invalid, packed.error().text());
    if (auto sizes = check_sizes(op, *packed, limits); !sizes) return sizes;
    if (auto gas = check_gas(op, *packed, entry_point.version, limits); !gas) return gas;
    if (!max_cost(op)) return fail(ErrorCode::field_invalid, "gas limits times maxFeePerGas exceed 256 bits");
    return check_fees(op, fees);
  }

  Result<void> check_trace(const ValidationTrace& trace, std::size_t index) const override {
    if (!trace.failure) return {};
    if (trace.failure->index == index) return tl::unexpected(refusal_of(*trace.failure));
    return fail(ErrorCode::account_rejected,
                "an earlier operation of the same sender fails: " + clean_text(trace.failure->reason));
  }
};

}  // namespace

std::unique_ptr<Rules> make_rules() { return std::make_unique<ThinRules>(); }

}  // namespace community::validation
