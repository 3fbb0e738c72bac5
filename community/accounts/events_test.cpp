// SPDX-License-Identifier: Apache-2.0
// Logs of an account become events; everything else becomes nothing.
#include "community/accounts/api/events.hpp"

#include <gtest/gtest.h>

#include <set>

namespace community::accounts {
namespace {

using core::AbiValue;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }

chain::Log item_started() {
  chain::Log log;
  log.address = address(7);
  log.topics = {core::event_topic("ItemStarted(bytes32,uint8,uint256,bytes)"), Uint256(11).to_be(), Uint256(5).to_be()};
  log.data = core::abi_encode(core::parse_abi_parameters("uint256,bytes").value(),
                              {AbiValue(std::uint64_t{0x101}), AbiValue(Bytes{1, 2, 3})})
                 .value();
  log.block_number = 42;
  log.log_index = 3;
  return log;
}

TEST(AccountEvents, AnItemThatStartedIsReadWholly) {
  const auto event = read_account_event(item_started());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "ItemStarted");
  EXPECT_EQ(event->loudness, Loudness::alarm);
  EXPECT_EQ(event->account, address(7));
  EXPECT_EQ(event->block_number, 42u);
  EXPECT_EQ(event->field("item")->bytes(), core::to_bytes(Uint256(11).to_be()));
  EXPECT_EQ(static_cast<ItemKind>(event->field("kind")->word().limb[0]), ItemKind::escape);
  EXPECT_EQ(event->field("votes")->word(), Uint256(0x101));
  EXPECT_EQ(event->field("call")->bytes(), (Bytes{1, 2, 3}));
  EXPECT_EQ(event->field("nothing"), nullptr);
}

TEST(AccountEvents, JsonShowsNumbersInDecimalAndBytesInHex) {
  const auto object = to_json(*read_account_event(item_started()));
  EXPECT_EQ(object.at("event"), boost::json::value("ItemStarted"));
  EXPECT_EQ(object.at("loudness"), boost::json::value("alarm"));
  EXPECT_EQ(object.at("kind"), boost::json::value("5"));
  EXPECT_EQ(object.at("votes"), boost::json::value("257"));
  EXPECT_EQ(object.at("call"), boost::json::value("0x010203"));
}

TEST(AccountEvents, OtherShapesAreNoEvents) {
  chain::Log log = item_started();
  log.topics.clear();
  EXPECT_FALSE(read_account_event(log));
  log = item_started();
  log.topics.pop_back();
  EXPECT_FALSE(read_account_event(log));
  log = item_started();
  log.topics[0][5] ^= 1;
  EXPECT_FALSE(read_account_event(log));
  log = item_started();
  log.data.pop_back();
  EXPECT_FALSE(read_account_event(log));
  log = item_started();
  // A kind that is no uint8.
  log.topics[2][0] = 1;
  EXPECT_FALSE(read_account_event(log));
}

TEST(AccountEvents, TopicsAreAllDifferent) {
  const auto& topics = account_event_topics();
  EXPECT_EQ(std::set<Bytes32>(topics.begin(), topics.end()).size(), topics.size());
  EXPECT_NE(std::ranges::find(topics, core::event_topic("Unfrozen()")), topics.end());
  EXPECT_NE(std::ranges::find(topics, core::event_topic("SpendingLimitChanged(address,uint256)")), topics.end());
}

}  // namespace
}  // namespace community::accounts
