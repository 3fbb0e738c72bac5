// SPDX-License-Identifier: Apache-2.0
// Rule 1: an operation may consist of one call to the account itself, decoded to its last word.
#include <gtest/gtest.h>

#include <functional>

#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

using protocol::Effect;

class SelfCalls : public ::testing::Test {
 protected:
  Reply ask(ByteView data) { return world.sign(self_userop(world, data)); }
  Error refusal(ByteView data) { return ask(data).error; }
  protocol::SignUseropReply answer(ByteView data) {
    const Reply reply = ask(data);
    EXPECT_EQ(name(reply.error), "ok");
    return reply.error == Error::ok ? decoded<protocol::SignUseropReply>(reply.body) : protocol::SignUseropReply{};
  }
  Error grant_refusal(const std::function<void(TestGrant&)>& bend) {
    TestGrant grant;
    bend(grant);
    return refusal(grant.create_call());
  }
  // The good content of each kind that is no spend.
  static Bytes content(int kind) {
    switch (kind) {
      case 1:
        return join({abi_word(kShop), abi_word(Uint256(44))});
      case 2:
        return abi_word(Uint256(55));
      case 3:
        return to_bytes(base::sha256(base::view("domain")));
      default:
        return join({abi_word(kShop), abi_selector("01020304")});
    }
  }
  World world;
};

TEST_F(SelfCalls, AQueuedAndAConfirmedSpendTellTheirCalls) {
  const Bytes spend = batch_data({{kShop, Uint256(3), unhex("a9059cbb00")}, {kStranger, Uint256(4), {}}});
  for (const bool confirms : {false, true}) {
    const auto result = answer(queue_call(0, spend, Uint256(99), confirms));
    EXPECT_EQ(result.self_call.effect, confirms ? Effect::confirm_spend : Effect::queue_spend);
    EXPECT_EQ(result.self_call.salt, Uint256(99));
    ASSERT_EQ(result.call_count, 2);
    EXPECT_EQ(result.calls[0].to, kShop);
    EXPECT_EQ(result.calls[0].data_bytes, 5u);
    EXPECT_EQ(result.calls[1].value, Uint256(4));
    EXPECT_EQ(recover_address(result.userop_hash, result.signature), world.server_key);
  }
}

TEST_F(SelfCalls, EveryOtherKindTellsItsFields) {
  for (const bool confirms : {false, true}) {
    const std::uint8_t first = confirms ? 6 : 1;
    auto of = [&](int kind) { return answer(queue_call(Uint256(kind), content(kind), Uint256(8), confirms)); };
    const auto limit = of(1), gas_cap = of(2), domain = of(3), allowed = of(4);
    EXPECT_EQ(limit.self_call.effect, static_cast<Effect>(first + 1));
    EXPECT_EQ(limit.self_call.content.subject, kShop);
    EXPECT_EQ(limit.self_call.content.amount, Uint256(44));
    EXPECT_EQ(gas_cap.self_call.effect, static_cast<Effect>(first + 2));
    EXPECT_EQ(gas_cap.self_call.content.amount, Uint256(55));
    EXPECT_EQ(domain.self_call.effect, static_cast<Effect>(first + 3));
    EXPECT_EQ(domain.self_call.content.domain, base::sha256(base::view("domain")));
    EXPECT_EQ(allowed.self_call.effect, static_cast<Effect>(first + 4));
    EXPECT_EQ(to_hex(allowed.self_call.content.selector), "01020304");
    for (const auto& one : {limit, gas_cap, domain, allowed}) {
      EXPECT_EQ(one.self_call.salt, Uint256(8));
      EXPECT_EQ(one.call_count, 0);
    }
  }
}

TEST_F(SelfCalls, APlainBatchHasNoOtherEffect) {
  const auto result = decoded<protocol::SignUseropReply>(world.sign(world.good_userop()).body);
  EXPECT_EQ(result.self_call.effect, Effect::calls);
  EXPECT_EQ(protocol::name(Effect::calls), "calls");
  EXPECT_EQ(protocol::name(Effect::create_grant), "create_grant");
}

TEST_F(SelfCalls, EveryOtherFunctionOfTheAccountIsRefused) {
  // Nothing, too short, execute, executeSession, freeze, upgradeToAndCall, approve(bytes32)
  for (const std::string_view data :
       {"", "781d7f", "e9ae5c53", "b7b12dda", "b787d74c", "4f1ef286", "a53a1adf", "00000000"})
    EXPECT_EQ(refusal(unhex(data)), Error::call_to_self) << data;
}

TEST_F(SelfCalls, ItComesAloneAndWithoutValue) {
  const Bytes data = queue_call(2, content(2), 1);
  const TestCall own{world.account, Uint256(0), data}, other{kShop, Uint256(1), {}};
  TestUserop userop = world.good_userop();
  for (const auto& calls : {std::vector<TestCall>{own, other}, {other, own}, {own, own}}) {
    userop.call_data = batch_call(calls);
    EXPECT_EQ(world.sign(userop).error, Error::self_call_not_alone);
  }
  userop.call_data = batch_call({{world.account, Uint256(1), data}});
  EXPECT_EQ(world.sign(userop).error, Error::self_call_has_value);
}

TEST_F(SelfCalls, AQueueCallHasOneEncoding) {
  const Bytes good = queue_call(2, content(2), 1);
  for (std::size_t size = 4; size < good.size(); size += 4)
    EXPECT_EQ(refusal(ByteView(good).first(size)), Error::self_call_malformed) << size;
  Bytes more = good;
  append(more, Bytes(32));
  EXPECT_EQ(refusal(more), Error::self_call_malformed);
  EXPECT_EQ(refusal(queue_call(Uint256(256 + 2), content(2), 1)), Error::self_call_malformed);
  Bytes offset = good;
  offset[4 + 63] = 128;
  EXPECT_EQ(refusal(offset), Error::self_call_malformed);
}

TEST_F(SelfCalls, AnUnknownKindIsRefused) {
  EXPECT_EQ(refusal(queue_call(5, content(2), 1)), Error::queue_kind_unknown);
  EXPECT_EQ(refusal(queue_call(255, {}, 1, true)), Error::queue_kind_unknown);
}

TEST_F(SelfCalls, ContentOfAnotherLengthOrWithDirtyPaddingIsRefused) {
  for (int kind = 1; kind <= 4; kind++) {
    const Bytes good = content(kind);
    Bytes longer = good, shorter = good;
    append(longer, Bytes(32));
    shorter.resize(good.size() - 32);
    for (const Bytes& bad : {longer, shorter, Bytes(good.begin(), good.end() - 1), Bytes{}})
      EXPECT_EQ(refusal(queue_call(Uint256(kind), bad, 1)), Error::queue_content_malformed) << kind;
  }
  Bytes address = content(1), target = content(4), selector = content(4);
  address[11] = target[0] = selector[36] = 1;
  EXPECT_EQ(refusal(queue_call(1, address, 1)), Error::queue_content_malformed);
  EXPECT_EQ(refusal(queue_call(4, target, 1)), Error::queue_content_malformed);
  EXPECT_EQ(refusal(queue_call(4, selector, 1)), Error::queue_content_malformed);
}

TEST_F(SelfCalls, AQueuedSpendObeysEveryRuleOfABatch) {
  auto spend = [&](const std::vector<TestCall>& calls) { return refusal(queue_call(0, batch_data(calls), 1)); };
  const Uint256 cap = world.policy.call_value_cap;
  EXPECT_EQ(spend({{Address{}, Uint256(1), {}}}), Error::call_to_zero_address);
  EXPECT_EQ(spend({{kEntryPoint8, Uint256(1), {}}}), Error::call_to_entry_point);
  EXPECT_EQ(spend({{world.account, Uint256(0), {}}}), Error::call_to_self);
  // Nor one queued item inside another.
  EXPECT_EQ(spend({{world.account, Uint256(0), queue_call(2, content(2), 1)}}), Error::call_to_self);
  EXPECT_EQ(spend({{kShop, *add(cap, Uint256(1)), {}}}), Error::call_value_over_cap);
  EXPECT_EQ(spend({{kShop, cap, {}}, {kShop, cap, {}}, {kShop, cap, {}}}), Error::operation_value_over_cap);
  EXPECT_EQ(spend({}), Error::call_count_out_of_range);
  EXPECT_EQ(spend(std::vector<TestCall>(33, {kShop, Uint256(0), {}})), Error::call_count_out_of_range);
  Bytes gap = batch_data({{kShop, Uint256(1), {}}});
  append(gap, Bytes(32));
  EXPECT_EQ(refusal(queue_call(0, gap, 1)), Error::queue_content_malformed);
  // The whole call data is not the content.
  EXPECT_EQ(refusal(queue_call(0, batch_call({{kShop, Uint256(1), {}}}), 1)), Error::queue_content_malformed);
  protocol::Policy listed = world.policy;
  listed.flags = protocol::kPolicyListedOnly;
  ASSERT_EQ(world.set_policy(listed), Error::ok);
  EXPECT_EQ(spend({{kShop, Uint256(1), unhex("01020304")}}), Error::contract_not_allowed);
}

TEST_F(SelfCalls, AGrantIsToldWithItsTicket) {
  TestGrant grant;
  grant.selectors = {"11111111", "22222222", "ffffffff"};
  const auto result = answer(grant.create_call());
  EXPECT_EQ(result.self_call.effect, Effect::create_grant);
  const ethereum::Grant& told = result.self_call.grant;
  EXPECT_EQ(told.target, kShop);
  ASSERT_EQ(told.selector_count, 3);
  EXPECT_EQ(to_hex(told.selectors[2]), "ffffffff");
  EXPECT_EQ(told.value_per_call, Uint256(100));
  EXPECT_EQ(told.value_total, Uint256(250));
  EXPECT_EQ(told.valid_after, 1'000u);
  EXPECT_EQ(told.valid_until, 8'000u);
  EXPECT_EQ(told.paymaster, kPaymaster8);
  EXPECT_EQ(told.salt, Uint256(7));
  // The same again, another for every other grant.
  EXPECT_EQ(answer(grant.create_call()).self_call.ticket, result.self_call.ticket);
  grant.salt = Uint256(8);
  EXPECT_NE(answer(grant.create_call()).self_call.ticket, result.self_call.ticket);
}

TEST_F(SelfCalls, AGrantHasOneEncoding) {
  const TestGrant grant;
  const Bytes good = grant.create_call();
  for (std::size_t size = 4; size < good.size(); size += 4)
    EXPECT_EQ(refusal(ByteView(good).first(size)), Error::grant_malformed) << size;
  Bytes more = good;
  append(more, Bytes(32));
  EXPECT_EQ(refusal(more), Error::grant_malformed);
  // First bytes of: offset, target, offset, caps (128 bits), times (48 bits), paymaster, count; behind a selector.
  for (const std::size_t at : {0u, 32u, 64u, 96u, 128u, 160u, 185u, 192u, 217u, 224u, 288u, 324u}) {
    Bytes bad = good;
    bad[4 + at] ^= 1;
    EXPECT_EQ(refusal(bad), Error::grant_malformed) << at;
  }
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.selectors.clear(); }), Error::grant_malformed);
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.selectors.assign(9, "11111111"); }), Error::grant_malformed);
}

TEST_F(SelfCalls, AGrantsSelectorsAscendAndNoneIsZeroOrATokens) {
  auto with = [&](std::vector<std::string> selectors) {
    return grant_refusal([&](TestGrant& g) { g.selectors = std::move(selectors); });
  };
  EXPECT_EQ(with({"22222222", "11111111"}), Error::grant_selectors_out_of_order);
  EXPECT_EQ(with({"11111111", "11111111"}), Error::grant_selectors_out_of_order);
  EXPECT_EQ(with({"00000000"}), Error::grant_selectors_out_of_order);
  EXPECT_EQ(with({"00000000", "11111111"}), Error::grant_selectors_out_of_order);
  EXPECT_EQ(with({"01", "02", "03", "04", "05", "06", "07", "08"}), Error::ok);
  for (const auto& token : ethereum::kTokenFunctions)
    EXPECT_EQ(with({to_hex(token.selector)}), Error::grant_selector_of_token) << token.signature;
  EXPECT_EQ(with({"11111111", "a9059cbb"}), Error::grant_selector_of_token);
}

TEST_F(SelfCalls, AGrantsTargetIsSomebodyElse) {
  for (const Address& target : {Address{}, world.account, kEntryPoint8, kEntryPoint7})
    EXPECT_EQ(grant_refusal([&](TestGrant& g) { g.target = target; }), Error::grant_target_refused);
}

TEST_F(SelfCalls, AGrantsPaymasterIsOneOfThisEntryPoint) {
  for (const Address& paymaster : {Address{}, kStranger, kPaymaster7})
    EXPECT_EQ(grant_refusal([&](TestGrant& g) { g.paymaster = paymaster; }), Error::paymaster_not_configured);
}

TEST_F(SelfCalls, AGrantThatIsNeverValidIsRefused) {
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.valid_until = g.valid_after; }), Error::grant_never_valid);
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.valid_after = *add(g.valid_until, Uint256(1)); }),
            Error::grant_never_valid);
}

TEST_F(SelfCalls, AGrantObeysThePolicy) {
  const Uint256 one(1);
  auto call = [&](TestGrant& g) { g.value_per_call = *add(world.policy.call_value_cap, one); };
  auto total = [&](TestGrant& g) { g.value_total = *add(world.policy.operation_value_cap, one); };
  EXPECT_EQ(grant_refusal(call), Error::call_value_over_cap);
  EXPECT_EQ(grant_refusal(total), Error::operation_value_over_cap);
  protocol::Policy listed = world.policy;
  listed.flags = protocol::kPolicyListedOnly;
  listed.rule_count = 1;
  listed.rules[0] = {kShop, {0x11, 0x11, 0x11, 0x11}, 0};
  ASSERT_EQ(world.set_policy(listed), Error::ok);
  EXPECT_EQ(grant_refusal([](TestGrant&) {}), Error::ok);
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.selectors = {"11111111", "22222222"}; }), Error::function_not_allowed);
  EXPECT_EQ(grant_refusal([](TestGrant& g) { g.target = kStranger; }), Error::contract_not_allowed);
}

// Whatever byte of a call to the account changes: it is refused, or the reply tells the change.
TEST_F(SelfCalls, EveryChangedByteOfAGrantIsRefusedOrTold) {
  const TestGrant grant;
  const Bytes good = grant.create_call();
  for (std::size_t i = 4; i < good.size(); i++) {
    Bytes bent = good;
    bent[i] ^= 1;
    const Reply reply = ask(bent);
    if (reply.error != Error::ok) continue;
    const auto told = decoded<protocol::SignUseropReply>(reply.body).self_call.grant;
    TestGrant again;
    again.target = told.target;
    again.selectors = {to_hex(told.selectors[0])};
    again.value_per_call = told.value_per_call;
    again.value_total = told.value_total;
    again.valid_after = told.valid_after;
    again.valid_until = told.valid_until;
    again.paymaster = told.paymaster;
    again.salt = told.salt;
    EXPECT_EQ(again.create_call(), bent) << i;
  }
}

}  // namespace
}  // namespace community::trusted::testing
