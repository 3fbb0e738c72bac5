// SPDX-License-Identifier: Apache-2.0
// Addresses, events and errors of the EntryPoint contracts, against values published with them.
#include "community/chain/api/entry_point.hpp"

#include <gtest/gtest.h>

#include "community/core/abi.hpp"

namespace community::chain {
namespace {

core::AbiValue text_value(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes failed_op(std::uint64_t index, std::string_view reason) {
  return *core::parse_abi_function("FailedOp(uint256,string)")->encode({core::AbiValue(index), text_value(reason)});
}

TEST(entry_point_test, AddressesAreTheCanonicalOnes) {
  EXPECT_EQ(core::format_address(v0_7::make_entry_point()->address()), "0x0000000071727De22E5E9d8BAf0edAc6f37da032");
  EXPECT_EQ(core::format_address(v0_8::make_entry_point()->address()), "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108");
  EXPECT_EQ(core::format_address(v0_7::make_entry_point()->sender_creator()),
            "0xEFC2c1444eBCC4Db75e7613d20C6a62fF67A167C");
  EXPECT_EQ(core::format_address(v0_8::make_entry_point()->sender_creator()),
            "0x449ED7C3e6Fee6a97311d4b55475DF59C44AdD33");
}

TEST(entry_point_test, TopicsAreThePublishedOnes) {
  const auto& topics = entry_point_topics();
  EXPECT_EQ(core::to_hex(topics.user_operation), "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f");
  EXPECT_EQ(core::to_hex(topics.revert_reason), "0x1c4fada7374c0a9ee8841fc38afe82932dc0f8e69012e927f061a8bae611a201");
  EXPECT_EQ(core::to_hex(topics.account_deployed),
            "0xd51a9c61267aa6196961883ecf5ff2da6619c37dac0fa92122513fb32c032d2d");
  EXPECT_EQ(core::to_hex(topics.before_execution),
            "0xbb47ee3e183a558b1a2ff0874b079f3fc5478b7454eacf2bfc5af2ff5878f972");
}

TEST(entry_point_test, CallsHaveThePublishedSelectors) {
  const auto entry_point = v0_8::make_entry_point();
  const auto selector = [](const Bytes& call) { return core::to_hex(ByteView(call).first(4)); };
  EXPECT_EQ(selector(*entry_point->encode_handle_ops({}, Address{})), "0x765e827f");
  EXPECT_EQ(selector(entry_point->encode_get_nonce(Address{}, core::max_of_bits(192))), "0x35567e1a");
  EXPECT_EQ(selector(entry_point->encode_balance_of(Address{})), "0x70a08231");
  EXPECT_EQ(selector(entry_point->encode_get_deposit_info(Address{})), "0x5287ce12");
}

TEST(entry_point_test, AUserOperationEventIsDecoded) {
  const auto entry_point = v0_7::make_entry_point();
  Log log;
  log.address = entry_point->address();
  Address sender{}, paymaster{};
  sender.back() = 1;
  paymaster.back() = 2;
  Bytes32 hash{};
  hash.fill(7);
  log.topics = {entry_point_topics().user_operation, hash, core::word_from_address(sender),
                core::word_from_address(paymaster)};
  for (const std::uint64_t word : {5, 1, 700, 7}) core::append(log.data, Uint256(word).to_be());
  const auto event = entry_point->decode_event(log);
  ASSERT_TRUE(event && std::holds_alternative<UserOperationEvent>(*event));
  const auto& operation = std::get<UserOperationEvent>(*event);
  EXPECT_EQ(operation.userop_hash, hash);
  EXPECT_EQ(operation.sender, sender);
  EXPECT_EQ(operation.paymaster, paymaster);
  EXPECT_EQ(operation.nonce, Uint256(5));
  EXPECT_TRUE(operation.success);
  EXPECT_EQ(operation.actual_gas_cost, Uint256(700));
  EXPECT_EQ(operation.actual_gas_used, Uint256(7));

  auto other = log;
  other.address = sender;
  EXPECT_FALSE(entry_point->decode_event(other).has_value());
  auto cut = log;
  cut.data.pop_back();
  EXPECT_FALSE(entry_point->decode_event(cut).has_value());
  auto fewer = log;
  fewer.topics.pop_back();
  EXPECT_FALSE(entry_point->decode_event(fewer).has_value());
}

TEST(entry_point_test, FailedOpsAreDecodedAndOtherRevertsAreNot) {
  const auto entry_point = v0_7::make_entry_point();
  const auto failed = entry_point->decode_failed_op(failed_op(3, "AA25 invalid account nonce"));
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->index, 3u);
  EXPECT_EQ(failed->reason, "AA25 invalid account nonce");
  const Bytes with_inner = *core::parse_abi_function("FailedOpWithRevert(uint256,string,bytes)")
                                ->encode({core::AbiValue(1), text_value("AA23 reverted"), Bytes{1, 2}});
  ASSERT_TRUE(entry_point->decode_failed_op(with_inner).has_value());
  EXPECT_EQ(entry_point->decode_failed_op(with_inner)->inner, (Bytes{1, 2}));
  EXPECT_FALSE(entry_point->decode_failed_op({}).has_value());
  auto cut = failed_op(3, "AA25 invalid account nonce");
  cut.resize(cut.size() - 32);
  EXPECT_FALSE(entry_point->decode_failed_op(cut).has_value());
}

TEST(entry_point_test, RevertsAreDescribedForPeople) {
  const Bytes error = *core::parse_abi_function("Error(string)")->encode({text_value("not enough")});
  EXPECT_EQ(describe_revert(error), "not enough");
  const auto say = [](std::string_view text) {
    return describe_revert(*core::parse_abi_function("Error(string)")->encode({text_value(std::string(text))}));
  };
  EXPECT_EQ(say(std::string_view("a\0b\nc", 5)), "a b c");
  EXPECT_EQ(say("\xff\xfe"), "0xfffe");
  const Bytes panic = *core::parse_abi_function("Panic(uint256)")->encode({core::AbiValue(0x11)});
  EXPECT_EQ(describe_revert(panic), "Panic(0x11)");
  EXPECT_EQ(describe_revert({}), "");
  EXPECT_EQ(describe_revert(Bytes{0xde, 0xad}), "0xdead");
  EXPECT_LT(describe_revert(Bytes(100'000, 1)).size(), 1'000u);
}

}  // namespace
}  // namespace community::chain
