// SPDX-License-Identifier: Apache-2.0
// Queued items and session grants against another implementation (tests/vectors/account), and what is refused.
#include "community/accounts/api/self_calls.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace community::accounts {
namespace {

namespace json = boost::json;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }

const AccountOnChain kWhere{31'337, core::parse_address("0x00000000000000000000000000000000c0ffee01").value()};
constexpr std::uint32_t kEpoch = 3;
const Uint256 kSalt(5);
const std::vector<Call> kCalls{{address(1), Uint256(7), {}}, {address(2), {}, {0xa9, 0x05, 0x9c, 0xbb, 0x01}}};

Grant grant() {
  Grant one;
  one.target = address(20);
  one.selectors = {{0xff, 0xee, 0xdd, 0xcc}, {1, 2, 3, 4}};
  one.value_per_call = Uint256(100);
  one.value_total = Uint256(250);
  one.valid_after_s = 1'700'000'000;
  one.valid_until_s = 1'700'007'200;
  one.paymaster = address(21);
  one.salt = kSalt;
  return one;
}

json::object vectors() {
  std::ifstream file(COMMUNITY_SOURCE_DIR "/tests/vectors/account/self_calls.json");
  return json::parse(file).as_object();
}

TEST(SelfCalls, QueuedItemsAreThoseOfAnotherImplementation) {
  const std::vector<Queued> items{queued_spend(kCalls, kSalt).value(), queued_limit(address(3), Uint256(9), kSalt),
                                  queued_gas_cap(Uint256(10), kSalt), queued_domain(Uint256(11).to_be(), kSalt),
                                  queued_allowed_call(address(4), {0x12, 0x34, 0x56, 0x78}, kSalt)};
  const json::array rows = vectors().at("queued").as_array();
  ASSERT_EQ(rows.size(), items.size());
  for (std::size_t i = 0; i < items.size(); i++) {
    SCOPED_TRACE(i);
    const json::object& row = rows[i].as_object();
    EXPECT_EQ(static_cast<std::int64_t>(items[i].kind), row.at("kind").as_int64());
    EXPECT_EQ(json::value(core::to_hex(items[i].content)), row.at("content"));
    EXPECT_EQ(json::value(core::to_hex(queued_id(kWhere, kEpoch, items[i]))), row.at("id"));
    EXPECT_EQ(json::value(core::to_hex(encode_queue(kWhere.account, items[i]).value())), row.at("queue"));
    EXPECT_EQ(json::value(core::to_hex(encode_confirm(kWhere.account, items[i]).value())), row.at("confirm"));
  }
}

TEST(SelfCalls, GrantsAreThoseOfAnotherImplementation) {
  Grant one = grant();
  ASSERT_TRUE(normalise_grant(one, kWhere.account));
  const json::object all = vectors();
  const json::object& row = all.at("grant").as_object();
  EXPECT_EQ(json::value(core::to_hex(grant_id(kWhere, kEpoch, one))), row.at("id"));
  EXPECT_EQ(json::value(core::to_hex(encode_create_grant(kWhere.account, one).value())), row.at("create"));
  EXPECT_EQ(json::value(core::to_hex(encode_execute_session(one, kCalls).value())), row.at("session"));
}

TEST(SelfCalls, AGrantThatTheAccountWouldRefuseIsRefusedHere) {
  const auto broken = [](auto&& change) {
    Grant one = grant();
    change(one);
    const auto done = normalise_grant(one, kWhere.account);
    return !done && done.error().code == ErrorCode::grant_invalid;
  };
  EXPECT_TRUE(broken([](Grant& g) { g.selectors.clear(); }));
  EXPECT_TRUE(broken([](Grant& g) { g.selectors.resize(9, {9, 9, 9, 9}); }));
  EXPECT_TRUE(broken([](Grant& g) { g.selectors.push_back(g.selectors[0]); }));
  EXPECT_TRUE(broken([](Grant& g) { g.selectors.push_back({0, 0, 0, 0}); }));
  EXPECT_TRUE(broken([](Grant& g) { g.target = {}; }));
  EXPECT_TRUE(broken([](Grant& g) { g.target = kWhere.account; }));
  EXPECT_TRUE(broken([](Grant& g) { g.paymaster = {}; }));
  EXPECT_TRUE(broken([](Grant& g) { g.valid_until_s = g.valid_after_s; }));
}

TEST(SelfCalls, AValueThatDoesNotFitIsRefused) {
  Grant one = grant();
  one.value_total.limb[2] = 1;
  EXPECT_EQ(encode_create_grant(kWhere.account, one).error().code, ErrorCode::grant_invalid);
}

TEST(SelfCalls, ABatchHasOneToThirtyTwoCalls) {
  EXPECT_EQ(encode_calls({}).error().code, ErrorCode::calls_invalid);
  EXPECT_TRUE(encode_calls(std::vector<Call>(32)));
  EXPECT_EQ(queued_spend(std::vector<Call>(33), kSalt).error().code, ErrorCode::calls_invalid);
}

TEST(SelfCalls, TheDummySignatureIsAsLongAsARealOne) {
  EXPECT_EQ(dummy_session_signature().size(), encode_session_signature({}).size());
  EXPECT_EQ(dummy_session_signature()[0], encode_session_signature({})[0]);
}

}  // namespace
}  // namespace community::accounts
