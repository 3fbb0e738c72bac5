// SPDX-License-Identifier: Apache-2.0
// What nodes send and what goes wrong in it.
#include "community/chain/api/types.hpp"

#include <gtest/gtest.h>

namespace community::chain {
namespace {

constexpr const char* kBlock =
    R"({"number":"0x10","hash":"0x1111111111111111111111111111111111111111111111111111111111111111",
  "parentHash":"0x2222222222222222222222222222222222222222222222222222222222222222","timestamp":"0x5","gasLimit":"0x1c9c380",
  "gasUsed":"0x0","baseFeePerGas":"0x7","miner":"0x00000000000000000000000000000000000000aa","unknownMember":[1],
  "transactions":["0x3333333333333333333333333333333333333333333333333333333333333333"]})";

TEST(types_test, ABlockIsReadAndUnknownMembersAreIgnored) {
  const auto block = block_from_json(json::parse(kBlock));
  ASSERT_TRUE(block.has_value()) << block.error().text();
  EXPECT_EQ(block->number, 16u);
  EXPECT_EQ(block->base_fee, Uint256(7));
  EXPECT_EQ(block->transactions.size(), 1u);
}

TEST(types_test, ABlockWithoutAMemberIsMalformedAndNamesIt) {
  for (const char* member : {"number", "hash", "parentHash", "timestamp", "gasLimit", "transactions"}) {
    auto value = json::parse(kBlock);
    value.as_object().erase(member);
    const auto block = block_from_json(value);
    ASSERT_FALSE(block.has_value()) << member;
    EXPECT_EQ(block.error().kind, ChainErrorKind::malformed);
    EXPECT_NE(block.error().message.find(member), std::string::npos) << block.error().message;
  }
}

TEST(types_test, ALogHasAtMostFourTopics) {
  auto log = json::parse(R"({"address":"0x00000000000000000000000000000000000000aa","data":"0x","topics":[]})");
  EXPECT_TRUE(log_from_json(log).has_value());
  for (int i = 0; i < 5; i++)
    log.at("topics").as_array().push_back("0x3333333333333333333333333333333333333333333333333333333333333333");
  EXPECT_FALSE(log_from_json(log).has_value());
}

TEST(types_test, RevertBytesAreFoundInTheFormsOfAllClients) {
  const Bytes expected{0x08, 0xc3};
  EXPECT_EQ(revert_data_from_json("0x08c3"), expected);
  EXPECT_EQ(revert_data_from_json("Reverted 0x08c3"), expected);
  EXPECT_EQ(revert_data_from_json(json::parse(R"({"data":"0x08c3"})")), expected);
  EXPECT_EQ(revert_data_from_json(json::parse(R"({"result":"0x08c3","hash":"0x"})")), expected);
  EXPECT_EQ(revert_data_from_json(json::parse(R"({"data":{"data":"0x08c3"}})")), Bytes{});
  EXPECT_EQ(revert_data_from_json(5), Bytes{});
}

TEST(types_test, StateOverridesOfClientsAreReadAndSentOn) {
  const auto value = json::parse(
      R"({"0x00000000000000000000000000000000000000aa":{"balance":"0x5","code":"0x60","stateDiff":{"0x1":"0x2"}}})");
  const auto overrides = state_overrides_from_json(value);
  ASSERT_TRUE(overrides.has_value()) << overrides.error().text();
  const auto again = state_overrides_from_json(to_json(*overrides));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->begin()->second.state_diff.size(), 1u);
  EXPECT_EQ(again->begin()->second.balance, Uint256(5));
  EXPECT_TRUE(state_overrides_from_json(nullptr)->empty());
  for (const char* bad : {"[]", R"({"0xaa":{}})", R"({"0x00000000000000000000000000000000000000aa":{"balance":"x"}})",
                          R"({"0x00000000000000000000000000000000000000aa":5})"})
    EXPECT_FALSE(state_overrides_from_json(json::parse(bad)).has_value()) << bad;
}

TEST(types_test, AFilterNamesEitherABlockOrARange) {
  LogFilter filter;
  filter.from = BlockRef::number(5);
  filter.topics = {{}, {Bytes32{}}};
  EXPECT_EQ(json::serialize(to_json(filter)),
            R"({"fromBlock":"0x5","toBlock":"latest","topics":[null,["0x)" + std::string(64, '0') + R"("]]})");
  filter.block_hash = Bytes32{};
  EXPECT_FALSE(to_json(filter).contains("fromBlock"));
}

}  // namespace
}  // namespace community::chain
