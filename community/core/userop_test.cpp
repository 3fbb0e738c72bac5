// SPDX-License-Identifier: Apache-2.0
// User operations: hashes against viem, packing against its inverse, and the JSON shapes that real clients send.
#include "community/core/userop.hpp"

#include <gtest/gtest.h>

#include "community/core/abi.hpp"

namespace community::core {
namespace {

constexpr std::string_view kOperation = R"({
  "sender": "0x1234567890123456789012345678901234567890",
  "nonce": "0x70000000000000005",
  "factory": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "factoryData": "0xdeadbeef",
  "callData": "0x0102",
  "callGasLimit": "0x186a0", "verificationGasLimit": "0x30d40", "preVerificationGas": "0xc350",
  "maxFeePerGas": "0xb2d05e00", "maxPriorityFeePerGas": "0x3b9aca00",
  "paymaster": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "paymasterVerificationGasLimit": "0x7530", "paymasterPostOpGasLimit": "0x9c40", "paymasterData": "0xaabb",
  "signature": "0x01"})";

json::object operation() { return parse_json(kOperation).value().get_object(); }

Address entry_point(EntryPointVersion version) {
  return parse_address(version == EntryPointVersion::v0_7 ? "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
                                                          : "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108")
      .value();
}

std::string hash_text(const UserOperation& op, EntryPointVersion version) {
  return to_hex(userop_hash(op, version, entry_point(version), Uint256(31337)).value());
}

ErrorCode refusal(const json::object& object, UserOpParse mode = UserOpParse::complete) {
  const auto op = userop_from_json(object, mode);
  EXPECT_FALSE(op) << "accepted";
  return op ? ErrorCode{} : op.error().code;
}

TEST(UserOp, HashesAsViemDoes) {
  const UserOperation op = userop_from_json(operation()).value();
  EXPECT_EQ(hash_text(op, EntryPointVersion::v0_7),
            "0x4ab00decabe605dddab4468271c6007dfda2815cf250f3b2dbd10b55ebde2536");
  EXPECT_EQ(hash_text(op, EntryPointVersion::v0_8),
            "0xc8694a094e3fd0ac2761185be2ddf398adeb30dfe51e8be02cb19a41d40490f5");
}

TEST(UserOp, HashesTheDelegateOfAnEip7702Account) {
  json::object object = operation();
  object["factory"] = "0x7702";
  object["factoryData"] = nullptr;
  const UserOperation bare = userop_from_json(object).value();
  EXPECT_EQ(
      userop_hash(bare, EntryPointVersion::v0_8, entry_point(EntryPointVersion::v0_8), Uint256(31337)).error().code,
      ErrorCode::userop_auth_missing);
  object["eip7702Auth"] = json::object{{"address", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}, {"chainId", "0x1"}};
  const UserOperation op = userop_from_json(object).value();
  const std::string expected = "0xe7558e5c1996ea01d0f928e58de4e65083d0d6de54294595655607a3407ea917";
  EXPECT_EQ(hash_text(op, EntryPointVersion::v0_8), expected);
  object["factory"] = "0x7702000000000000000000000000000000000000";
  EXPECT_EQ(hash_text(userop_from_json(object).value(), EntryPointVersion::v0_8), expected);
  EXPECT_EQ(to_hex(userop_hash(bare, EntryPointVersion::v0_8, entry_point(EntryPointVersion::v0_8), Uint256(31337),
                               op.eip7702_auth->address)
                       .value()),
            expected);
}

TEST(UserOp, EchoesTheJsonItWasGiven) {
  const json::object object = operation();
  EXPECT_EQ(to_json(userop_from_json(object).value()), object);
  json::object marked = object;
  marked["factory"] = "0x7702";
  marked["factoryData"] = "0x";
  EXPECT_EQ(to_json(userop_from_json(marked).value()), marked);
}

TEST(UserOp, UnpacksWhatItPacked) {
  UserOperation op = userop_from_json(operation()).value();
  EXPECT_EQ(unpack(pack(op).value()).value(), op);
  op.paymaster.reset();
  op.paymaster_data.clear();
  op.paymaster_verification_gas_limit = op.paymaster_post_op_gas_limit = Uint256();
  op.factory = kEip7702Marker;
  op.factory_data.clear();
  op.marker_is_short = true;
  EXPECT_EQ(pack(op)->init_code, (Bytes{0x77, 0x02}));
  EXPECT_EQ(unpack(pack(op).value()).value(), op);
  op.factory_data = {1};
  EXPECT_EQ(pack(op)->init_code.size(), 21u) << "data begins after twenty bytes";
}

TEST(UserOp, TakesTheShapesOfEstimates) {
  json::object object = operation();
  for (auto key : {"callGasLimit", "verificationGasLimit", "preVerificationGas"}) object[key] = nullptr;
  for (auto key : {"maxFeePerGas", "maxPriorityFeePerGas", "signature", "paymasterPostOpGasLimit"}) object.erase(key);
  EXPECT_EQ(refusal(object), ErrorCode::json_member_missing);
  const UserOperation op = userop_from_json(object, UserOpParse::estimate).value();
  EXPECT_TRUE(op.call_gas_limit.is_zero());
  EXPECT_TRUE(op.signature.empty());
}

TEST(UserOp, IgnoresPaymasterGasWithoutAPaymaster) {
  json::object object = operation();
  object.erase("paymaster");
  object.erase("paymasterData");
  object["paymasterVerificationGasLimit"] = "0x0";
  const UserOperation op = userop_from_json(object).value();
  EXPECT_TRUE(op.paymaster_post_op_gas_limit.is_zero());
  EXPECT_EQ(to_json(op).count("paymasterVerificationGasLimit"), 0u);
}

TEST(UserOp, RefusesByName) {
  const auto with = [](std::string_view key, json::value value) {
    json::object object = operation();
    object[key] = std::move(value);
    return refusal(object);
  };
  EXPECT_EQ(with("sender", nullptr), ErrorCode::json_member_missing);
  EXPECT_EQ(with("sender", 5), ErrorCode::json_wrong_type);
  EXPECT_EQ(with("sender", "0x12"), ErrorCode::hex_wrong_length);
  EXPECT_EQ(with("paymaster", "0x70997970C51812dc3A010C7d01b50e0d17dc79c8"), ErrorCode::address_bad_checksum);
  EXPECT_EQ(with("callData", "0x012"), ErrorCode::hex_odd_length);
  EXPECT_EQ(with("callGasLimit", "0x100000000000000000000000000000000"), ErrorCode::userop_gas_out_of_range);
  EXPECT_EQ(with("nonce", "0x"), ErrorCode::number_empty);
  EXPECT_EQ(with("nonce", json::string("0x1" + std::string(64, '0'))), ErrorCode::number_out_of_range);
  EXPECT_EQ(with("factory", nullptr), ErrorCode::userop_factory_data_without_factory);
  EXPECT_EQ(with("paymaster", nullptr), ErrorCode::userop_paymaster_data_without_paymaster);
  EXPECT_EQ(with("callData", json::string("0x" + std::string(2 * kMaxUserOpFieldBytes + 2, '0'))),
            ErrorCode::userop_too_large);
  EXPECT_EQ(
      with("eip7702Auth", json::object{{"address", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}, {"yParity", "0x2"}}),
      ErrorCode::signature_y_parity);
  PackedUserOperation packed = pack(userop_from_json(operation()).value()).value();
  packed.paymaster_and_data.resize(51);
  EXPECT_EQ(unpack(packed).error().code, ErrorCode::userop_paymaster_and_data_length);
  packed.init_code.resize(19);
  EXPECT_EQ(unpack(packed).error().code, ErrorCode::userop_init_code_length);
}

TEST(UserOp, EncodesHandleOps) {
  const UserOperation op = userop_from_json(operation()).value();
  const Bytes call = encode_handle_ops({pack(op).value()}, op.sender).value();
  EXPECT_EQ(to_hex(ByteView(call).first(4)), "0x765e827f");
  const auto function = parse_abi_function(
      "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[] ops, address b)");
  const auto values = function->decode(call).value();
  EXPECT_EQ(values[0][0][0].address(), op.sender);
  EXPECT_EQ(values[0][0][8].bytes(), op.signature);
}

}  // namespace
}  // namespace community::core
