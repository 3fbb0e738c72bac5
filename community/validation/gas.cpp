// SPDX-License-Identifier: Apache-2.0
// Gas arithmetic. The constants of uncounted work were measured on anvil from receipts of real bundles (gasUsed minus
// intrinsic gas minus what UserOperationEvent says was charged) and are proven again by tests/relay.
#include "community/validation/api/gas.hpp"

#include <algorithm>

#include "community/core/abi.hpp"

namespace community::validation {
namespace {

// Yellow Paper, appendix G.
constexpr std::uint64_t kTransactionBase = 21'000;
// EIP-150: a call passes on at most 63 of 64 parts.
constexpr std::uint64_t kCallFraction = 64;
// INNER_GAS_OVERHEAD of both EntryPoints.
constexpr std::uint64_t kInnerOverhead = 10'000;
// EIP-2028 counts a non-zero byte as four tokens of EIP-7623.
constexpr std::uint64_t kTokensOfNonZero = 4;

// What an EntryPoint does without counting it to an operation.
struct Uncounted {
  // Once a bundle: reentrancy lock, BeforeExecution, paying a beneficiary that has an account.
  std::uint64_t bundle;
  // For each operation: reading it, emitting its event, calling innerHandleOp.
  std::uint64_t userop;
  // For each 32 bytes of an operation's calldata: copying.
  std::uint64_t word;
  // For an operation with a paymaster.
  std::uint64_t paymaster;
};

constexpr Uncounted uncounted(EntryPointVersion version) {
  // Measured: 0.7 15,384 for one and 4,150 more for each further operation, 17.7 a word; 0.8 16,758, 7,610 and 9.4. The
  // bundle's part includes 2,600 for a beneficiary that is not the executor (EIP-2929).
  if (version == EntryPointVersion::v0_7) return {14'200, 4'000, 19, 3'000};
  return {12'000, 7'400, 11, 600};
}

std::uint64_t words(std::uint64_t bytes) { return (bytes + 31) / 32; }

std::uint64_t saturated(const Uint256& value) {
  // Four such numbers still fit 64 bits.
  constexpr std::uint64_t kMost = std::uint64_t{1} << 61;
  const auto number = value.to_u64();
  return number ? std::min(*number, kMost) : kMost;
}

CalldataCost transaction_calldata(const PackedUserOperation& op) {
  const CalldataCost base = bundle_calldata_base();
  const CalldataCost own = userop_calldata(op);
  return {base.tokens + own.tokens, base.bytes + own.bytes};
}

std::uint64_t pre_verification_gas(const CalldataCost& calldata, EntryPointVersion version, bool has_paymaster) {
  const Uncounted work = uncounted(version);
  const std::uint64_t own =
      work.bundle + work.userop + work.word * words(calldata.bytes) + (has_paymaster ? work.paymaster : 0);
  const std::uint64_t standard = kTransactionBase + calldata.standard() + own;
  // EIP-7623: the transaction costs at least its floor, of which the counted gas pays a part.
  const std::uint64_t floor = kTransactionBase + calldata.floor();
  return std::max(standard, floor - kLeastCountedGas);
}

}  // namespace

CalldataCost calldata_cost(ByteView data) {
  std::uint64_t non_zero = 0;
  for (const std::uint8_t byte : data) non_zero += byte != 0;
  return {data.size() - non_zero + kTokensOfNonZero * non_zero, data.size()};
}

CalldataCost userop_calldata(const PackedUserOperation& op) {
  // The tuple's head is nine words; each dynamic member has a length word and is padded to words.
  const auto dynamic = [](const Bytes& bytes) {
    CalldataCost cost = calldata_cost(bytes);
    const std::uint64_t padding = words(bytes.size()) * 32 - bytes.size();
    const CalldataCost length = calldata_cost(Uint256(bytes.size()).to_be());
    return CalldataCost{cost.tokens + padding + length.tokens, cost.bytes + padding + length.bytes};
  };
  CalldataCost total;
  const auto add = [&total](const CalldataCost& cost) {
    total.tokens += cost.tokens;
    total.bytes += cost.bytes;
  };
  add(calldata_cost(core::word_from_address(op.sender)));
  add(calldata_cost(op.nonce.to_be()));
  add(calldata_cost(op.account_gas_limits));
  add(calldata_cost(op.pre_verification_gas.to_be()));
  add(calldata_cost(op.gas_fees));
  // Offsets: four of the tuple's members and one of the tuple itself. A bundle has at most 262,144 bytes, so each has
  // at most three bytes that are not zero.
  constexpr std::uint64_t kOffsets = 5;
  constexpr std::uint64_t kOffsetTokens = 29 + 3 * kTokensOfNonZero;
  add({kOffsets * kOffsetTokens, kOffsets * 32});
  for (const Bytes* bytes : {&op.init_code, &op.call_data, &op.paymaster_and_data, &op.signature}) add(dynamic(*bytes));
  return total;
}

CalldataCost bundle_calldata_base() {
  // Selector, beneficiary without zero bytes, offset 0x40 and a count below 65,536.
  constexpr std::uint64_t kSelector = 4 * kTokensOfNonZero;
  constexpr std::uint64_t kBeneficiary = 12 + 20 * kTokensOfNonZero;
  constexpr std::uint64_t kOffset = 31 + kTokensOfNonZero;
  constexpr std::uint64_t kCount = 30 + 2 * kTokensOfNonZero;
  return {kSelector + kBeneficiary + kOffset + kCount, 4 + 3 * 32};
}

std::uint64_t required_pre_verification_gas(const PackedUserOperation& op, EntryPointVersion version) {
  return pre_verification_gas(transaction_calldata(op), version, !op.paymaster_and_data.empty());
}

std::uint64_t estimated_pre_verification_gas(PackedUserOperation op, EntryPointVersion version) {
  std::fill(op.signature.begin(), op.signature.end(), std::uint8_t{0xff});
  // Limits below 2^24 each, fees below 2^64 wei, preVerificationGas below 2^24.
  constexpr std::size_t kGasBytes = 3;
  constexpr std::size_t kFeeBytes = 8;
  const auto fill_low = [](base::MutableByteView half, std::size_t count) {
    std::fill(half.end() - static_cast<std::ptrdiff_t>(count), half.end(), std::uint8_t{0xff});
  };
  fill_low(base::MutableByteView(op.account_gas_limits).first(16), kGasBytes);
  fill_low(base::MutableByteView(op.account_gas_limits).last(16), kGasBytes);
  fill_low(base::MutableByteView(op.gas_fees).first(16), kFeeBytes);
  fill_low(base::MutableByteView(op.gas_fees).last(16), kFeeBytes);
  op.pre_verification_gas = core::max_of_bits(8 * kGasBytes);
  constexpr std::size_t kPaymasterHead = 52;
  if (op.paymaster_and_data.size() >= kPaymasterHead) {
    const base::MutableByteView paymaster(op.paymaster_and_data);
    fill_low(paymaster.subspan(20, 16), kGasBytes);
    fill_low(paymaster.subspan(36, 16), kGasBytes);
    const auto data = paymaster.subspan(kPaymasterHead);
    std::fill(data.begin(), data.end(), std::uint8_t{0xff});
  }
  return required_pre_verification_gas(op, version);
}

std::uint64_t userop_gas(const UserOperation& op) {
  const std::uint64_t verification =
      saturated(op.verification_gas_limit) + saturated(op.paymaster_verification_gas_limit);
  const std::uint64_t execution =
      saturated(op.call_gas_limit) + saturated(op.paymaster_post_op_gas_limit) + kInnerOverhead;
  // innerHandleOp wants 64/63 of the execution's gas to be left when it starts.
  return verification + execution + execution / (kCallFraction - 1) + 1;
}

std::uint64_t bundle_gas_limit(const std::vector<const UserOperation*>& ops, const CalldataCost& calldata) {
  // The larger of both versions' parts.
  constexpr Uncounted k7 = uncounted(EntryPointVersion::v0_7);
  constexpr Uncounted k8 = uncounted(EntryPointVersion::v0_8);
  constexpr std::uint64_t kBundle = std::max(k7.bundle, k8.bundle);
  constexpr std::uint64_t kUserop = std::max(k7.userop, k8.userop);
  constexpr std::uint64_t kWord = std::max(k7.word, k8.word);
  std::uint64_t work = kBundle + kWord * words(calldata.bytes);
  for (const UserOperation* op : ops) work += kUserop + k7.paymaster + userop_gas(*op);
  // EIP-7623 also asks that the limit covers the floor.
  return kTransactionBase + std::max(calldata.standard() + work, calldata.floor());
}

std::optional<Uint256> max_cost(const UserOperation& op) {
  std::optional<Uint256> gas = op.pre_verification_gas;
  for (const Uint256* limit : {&op.verification_gas_limit, &op.call_gas_limit, &op.paymaster_verification_gas_limit,
                               &op.paymaster_post_op_gas_limit}) {
    gas = base::add(*gas, *limit);
    if (!gas) return std::nullopt;
  }
  return base::multiply(*gas, op.max_fee_per_gas);
}

}  // namespace community::validation
