// SPDX-License-Identifier: Apache-2.0
// Gas as arithmetic. That the constants cover real receipts is proven by tests/clients on both EntryPoints.
#include "community/validation/api/gas.hpp"

#include <gtest/gtest.h>

#include "community/chain/api/entry_point.hpp"

namespace community::validation {
namespace {

UserOperation make_op() {
  UserOperation op;
  op.sender.fill(0x11);
  op.nonce = Uint256(7);
  op.call_data = Bytes(100, 0xab);
  op.verification_gas_limit = Uint256(100'000);
  op.call_gas_limit = Uint256(50'000);
  op.pre_verification_gas = Uint256(60'000);
  op.max_fee_per_gas = Uint256(3);
  op.max_priority_fee_per_gas = Uint256(2);
  op.signature = Bytes(65, 0xcd);
  return op;
}

TEST(gas_test, ANonZeroByteIsFourTokens) {
  const Bytes data{0, 1, 0, 255};
  EXPECT_EQ(calldata_cost(data).tokens, 2u + 8u);
  // EIP-2028: 4 and 16 gas.
  EXPECT_EQ(calldata_cost(data).standard(), 2u * 4 + 2u * 16);
  // EIP-7623: 10 and 40 gas.
  EXPECT_EQ(calldata_cost(data).floor(), 2u * 10 + 2u * 40);
}

TEST(gas_test, PartsOfTheCalldataCoverTheWhole) {
  const auto entry_point = chain::v0_8::make_entry_point();
  for (const std::size_t count : {1u, 2u, 9u}) {
    UserOperation op = make_op();
    op.factory = Address{0x22};
    op.factory_data = Bytes(37, 1);
    op.paymaster = Address{0x33};
    op.paymaster_data = Bytes(77, 9);
    const std::vector<PackedUserOperation> packed(count, *core::pack(op));
    Address beneficiary{};
    beneficiary.fill(0xff);
    const CalldataCost whole = calldata_cost(*entry_point->encode_handle_ops(packed, beneficiary));
    const CalldataCost own = userop_calldata(packed[0]);
    const CalldataCost base = bundle_calldata_base();
    EXPECT_EQ(base.bytes + count * own.bytes, whole.bytes);
    EXPECT_GE(base.tokens + count * own.tokens, whole.tokens);
    // Offsets are counted with three bytes that are not zero; no more slack than that.
    EXPECT_LE(base.tokens + count * own.tokens, whole.tokens + 20 + count * 5 * 9);
  }
}

TEST(gas_test, TheFloorOfEip7623BindsWhereCalldataIsLarge) {
  UserOperation op = make_op();
  op.call_data = Bytes(10'000, 0xff);
  const auto packed = *core::pack(op);
  const std::uint64_t tokens = userop_calldata(packed).tokens + bundle_calldata_base().tokens;
  EXPECT_EQ(required_pre_verification_gas(packed, EntryPointVersion::v0_8), 21'000 + 10 * tokens - kLeastCountedGas);
}

TEST(gas_test, AnEstimateIsEnoughForWhatIsSignedLater) {
  for (const auto version : {EntryPointVersion::v0_7, EntryPointVersion::v0_8}) {
    UserOperation op = make_op();
    op.verification_gas_limit = op.call_gas_limit = op.pre_verification_gas = Uint256();
    op.max_fee_per_gas = op.max_priority_fee_per_gas = Uint256();
    op.signature = Bytes(65, 0);
    op.paymaster = Address{0x33};
    op.paymaster_data = Bytes(77, 0);
    const std::uint64_t estimate = estimated_pre_verification_gas(*core::pack(op), version);
    op.verification_gas_limit = Uint256(0xffffff);
    op.call_gas_limit = Uint256(0xabcdef);
    op.paymaster_verification_gas_limit = op.paymaster_post_op_gas_limit = Uint256(0xfffffe);
    op.max_fee_per_gas = op.max_priority_fee_per_gas = Uint256(0x1234567890abcdef);
    op.pre_verification_gas = Uint256(estimate);
    op.signature = Bytes(65, 0xee);
    op.paymaster_data = Bytes(77, 0xdd);
    EXPECT_LE(required_pre_verification_gas(*core::pack(op), version), estimate);
  }
}

TEST(gas_test, ABundleLeavesEveryOperationItsGas) {
  const UserOperation op = make_op();
  // EIP-150: 63 of 64 parts of what is left must cover the execution and the EntryPoint's reserve.
  const std::uint64_t execution = 50'000 + 10'000;
  const std::uint64_t own = userop_gas(op);
  EXPECT_GE((own - 100'000) * 63 / 64, execution);
  EXPECT_LE(own, 100'000 + execution + execution / 63 + 1);
  const CalldataCost calldata{4'000, 2'000};
  EXPECT_GE(bundle_gas_limit({&op, &op}, calldata), 21'000 + calldata.standard() + 2 * own);
}

TEST(gas_test, AGasLimitCoversTheFloorOfItsCalldata) {
  const UserOperation op = make_op();
  const CalldataCost calldata{1'000'000, 262'144};
  EXPECT_GE(bundle_gas_limit({&op}, calldata), 21'000 + calldata.floor());
}

TEST(gas_test, AbsurdLimitsSaturateInsteadOfWrapping) {
  UserOperation op = make_op();
  op.verification_gas_limit = op.call_gas_limit = core::max_of_bits(128);
  EXPECT_GT(bundle_gas_limit({&op}, {}), kMaxTransactionGas);
}

TEST(gas_test, TheMaximumCostCountsEveryGasField) {
  UserOperation op = make_op();
  op.paymaster = Address{1};
  op.paymaster_verification_gas_limit = Uint256(1'000);
  op.paymaster_post_op_gas_limit = Uint256(100);
  EXPECT_EQ(max_cost(op), Uint256((100'000 + 50'000 + 60'000 + 1'000 + 100) * 3));
  op.pre_verification_gas = Uint256::max();
  EXPECT_EQ(max_cost(op), std::nullopt);
}

}  // namespace
}  // namespace community::validation
