// SPDX-License-Identifier: Apache-2.0
// Rule 2: a session operation is signed without a person, and only for what a person granted.
#include <gtest/gtest.h>

#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

class Sessions : public ::testing::Test {
 protected:
  Error refusal(const TestUserop& userop) { return sign_session(world, userop, ticket).error; }
  Error with_calls(const std::vector<TestCall>& calls) {
    TestUserop userop = session_userop(world, grant);
    userop.call_data = grant.session_call(batch_data(calls));
    return refusal(userop);
  }
  World world;
  TestGrant grant;
  Bytes32 ticket = ticket_for(world, grant);
  const Bytes data = unhex("11111111");
};

TEST_F(Sessions, SignsWhatTheGrantNames) {
  const TestUserop userop = session_userop(world, grant);
  const Reply reply = sign_session(world, userop, ticket);
  ASSERT_EQ(reply.error, Error::ok);
  const auto result = decoded<protocol::SignSessionReply>(reply.body);
  EXPECT_EQ(result.userop_hash, world.hash(userop));
  EXPECT_EQ(recover_address(result.userop_hash, result.signature), world.server_key);
  EXPECT_EQ(result.max_cost, Uint256(351'500'000'000'000));
  ASSERT_EQ(result.call_count, 1);
  EXPECT_EQ(result.calls[0].to, kShop);
  EXPECT_EQ(to_hex(result.calls[0].selector), "11111111");
}

TEST_F(Sessions, TheTicketIsOfThisGrantAccountAndWallet) {
  const TestUserop userop = session_userop(world, grant);
  Bytes32 wrong = ticket;
  wrong[31] ^= 1;
  EXPECT_EQ(sign_session(world, userop, wrong).error, Error::grant_ticket_invalid);
  EXPECT_EQ(sign_session(world, userop, Bytes32{}).error, Error::grant_ticket_invalid);
  // Every field of the grant counts.
  std::vector<TestGrant> others(8, grant);
  others[0].target = kStranger;
  others[1].selectors = {"11111112"};
  others[2].value_per_call = Uint256(101);
  others[3].value_total = Uint256(251);
  others[4].valid_after = Uint256(1'001);
  others[5].valid_until = Uint256(8'001);
  others[6].paymaster = kPaymaster7;
  others[7].salt = Uint256(8);
  for (const TestGrant& other : others) EXPECT_EQ(refusal(session_userop(world, other)), Error::grant_ticket_invalid);

  // Another account of the same wallet, and the same address on another chain.
  TestInitData init;
  init.passkeys = {world.passkey.passkey()};
  init.server_key = world.server_key;
  init.salt = Uint256(5);
  TestUserop elsewhere = userop;
  elsewhere.sender = world.bind(world.wallet, init.encode());
  EXPECT_EQ(refusal(elsewhere), Error::grant_ticket_invalid);
  world.bind(world.wallet, world.init_data, kOtherChain);
  const OwnedProof proof = world.host.proof(world.wallet);
  EXPECT_EQ(
      world.host.refusal(Command::sign_session, protocol::SignSessionRequest{proof.view(), kOtherChain, kEntryPoint8,
                                                                             userop.fields(), ticket, 0}),
      Error::grant_ticket_invalid);
}

TEST_F(Sessions, RefusesUnknownChainEntryPointAndSender) {
  const TestUserop userop = session_userop(world, grant);
  const OwnedProof proof = world.host.proof(world.wallet);
  auto ask = [&](std::uint64_t chain_id, const Address& entry_point, const TestUserop& op) {
    return world.host.refusal(Command::sign_session, protocol::SignSessionRequest{proof.view(), chain_id, entry_point,
                                                                                  op.fields(), ticket, 0});
  };
  EXPECT_EQ(ask(1, kEntryPoint8, userop), Error::unknown_chain);
  EXPECT_EQ(ask(kChain, kStranger, userop), Error::unknown_entry_point);
  TestUserop stranger = userop;
  stranger.sender = kStranger;
  EXPECT_EQ(ask(kChain, kEntryPoint8, stranger), Error::sender_not_account);
}

TEST_F(Sessions, SignsWithAServerKeyOfTheAccount) {
  const TestUserop userop = session_userop(world, grant);
  const OwnedProof proof = world.host.proof(world.wallet);
  protocol::SignSessionRequest request{proof.view(), kChain, kEntryPoint8, userop.fields(), ticket, 1};
  EXPECT_EQ(world.host.refusal(Command::sign_session, request), Error::server_key_not_accounts);
}

TEST_F(Sessions, DeploysNothing) {
  TestUserop userop = session_userop(world, grant);
  userop.init_code = create_account(kFactory, world.init_data);
  EXPECT_EQ(refusal(userop), Error::session_deploys);
}

TEST_F(Sessions, CallDataIsExactlyAnExecuteSession) {
  const TestUserop userop = session_userop(world, grant);
  TestUserop bad = userop;
  bad.call_data = world.good_userop().call_data;
  EXPECT_EQ(refusal(bad), Error::session_call_malformed);
  for (std::size_t size = 0; size < userop.call_data.size(); size += 4) {
    bad.call_data = Bytes(userop.call_data.begin(), userop.call_data.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(refusal(bad), Error::session_call_malformed) << size;
  }
  bad.call_data = userop.call_data;
  append(bad.call_data, Bytes(32));
  EXPECT_EQ(refusal(bad), Error::session_call_malformed);
  // The execution data has one encoding as well, and 1 to 32 calls.
  Bytes batch = batch_data({{kShop, Uint256(1), data}});
  append(batch, Bytes(32));
  bad.call_data = grant.session_call(batch);
  EXPECT_EQ(refusal(bad), Error::session_call_malformed);
  EXPECT_EQ(with_calls({}), Error::call_count_out_of_range);
  EXPECT_EQ(with_calls(std::vector<TestCall>(33, {kShop, Uint256(0), data})), Error::call_count_out_of_range);
}

// A person's signature is needed for a person's call data, and a session's does not fit it.
TEST_F(Sessions, NeitherCommandSignsTheOthersCallData) {
  EXPECT_EQ(world.sign(session_userop(world, grant)).error, Error::call_selector_not_execute);
  TestUserop own = self_userop(world, grant.create_call());
  own.paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, {});
  EXPECT_EQ(refusal(own), Error::session_call_malformed);
}

TEST_F(Sessions, EveryCallGoesToTheTargetWithAListedSelector) {
  EXPECT_EQ(with_calls({{kStranger, Uint256(0), data}}), Error::session_target_not_granted);
  EXPECT_EQ(with_calls({{kShop, Uint256(0), data}, {world.account, Uint256(0), data}}),
            Error::session_target_not_granted);
  for (const std::string_view bad : {"", "111111", "11111112", "00000000"})
    EXPECT_EQ(with_calls({{kShop, Uint256(0), unhex(bad)}}), Error::session_selector_not_granted) << bad;
  EXPECT_EQ(with_calls({{kShop, Uint256(0), data}, {kShop, Uint256(0), unhex("1111111100")}}), Error::ok);
}

TEST_F(Sessions, CallDataTooShortForASelectorIsNotTheOneThatEndsInZero) {
  grant.selectors = {"11111100"};
  ticket = ticket_for(world, grant);
  EXPECT_EQ(with_calls({{kShop, Uint256(0), unhex("111111")}}), Error::session_selector_not_granted);
  EXPECT_EQ(with_calls({{kShop, Uint256(0), unhex("11111100")}}), Error::ok);
}

TEST_F(Sessions, ValuesStayUnderTheGrant) {
  EXPECT_EQ(with_calls({{kShop, Uint256(100), data}, {kShop, Uint256(100), data}, {kShop, Uint256(50), data}}),
            Error::ok);
  EXPECT_EQ(with_calls({{kShop, Uint256(101), data}}), Error::session_value_over_grant);
  EXPECT_EQ(with_calls({{kShop, Uint256(100), data}, {kShop, Uint256(100), data}, {kShop, Uint256(51), data}}),
            Error::session_total_over_grant);
  EXPECT_EQ(with_calls({{kShop, Uint256::max(), data}}), Error::session_value_over_grant);
}

TEST_F(Sessions, APolicyTightenedSinceBindsTheGrantToo) {
  protocol::Policy tight = world.policy;
  tight.call_value_cap = Uint256(10);
  ASSERT_EQ(world.set_policy(tight), Error::ok);
  EXPECT_EQ(with_calls({{kShop, Uint256(11), data}}), Error::call_value_over_cap);
  EXPECT_EQ(with_calls({{kShop, Uint256(10), data}}), Error::ok);
  tight.flags = protocol::kPolicyListedOnly;
  ASSERT_EQ(world.set_policy(tight), Error::ok);
  EXPECT_EQ(with_calls({{kShop, Uint256(1), data}}), Error::contract_not_allowed);
}

TEST_F(Sessions, TheGrantsPaymasterPays) {
  TestUserop userop = session_userop(world, grant);
  userop.paymaster_and_data = {};
  EXPECT_EQ(refusal(userop), Error::session_paymaster_not_granted);
  userop.paymaster_and_data = paymaster_data(kStranger, 1, 1, {});
  EXPECT_EQ(refusal(userop), Error::session_paymaster_not_granted);
  userop.paymaster_and_data = Bytes(51);
  EXPECT_EQ(refusal(userop), Error::paymaster_data_malformed);
  Bytes32 all{};
  all.fill(0xff);
  userop = session_userop(world, grant);
  userop.raw_pre_verification_gas = all;
  EXPECT_EQ(refusal(userop), Error::cost_over_cap);
  // The operator took the paymaster out of the configuration.
  world.configuration.chains[0].paymasters[0].address = kStranger;
  world.configuration.sequence++;
  ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  EXPECT_EQ(refusal(session_userop(world, grant)), Error::paymaster_not_configured);
}

TEST_F(Sessions, AnotherWalletsTicketIsWorthless) {
  const SoftPasskey other(99);
  Address other_key{};
  StoredRecord wallet = world.make_wallet(other, world.policy, &other_key);
  TestInitData init;
  init.passkeys = {other.passkey()};
  init.server_key = other_key;
  TestUserop userop = session_userop(world, grant);
  userop.sender = world.bind(wallet, init.encode());
  const OwnedProof proof = world.host.proof(wallet);
  EXPECT_EQ(world.host.refusal(Command::sign_session, protocol::SignSessionRequest{proof.view(), kChain, kEntryPoint8,
                                                                                   userop.fields(), ticket, 0}),
            Error::grant_ticket_invalid);
}

// Random batches under a random grant: signed exactly when a plain reading of the grant says so.
TEST_F(Sessions, SignsExactlyWhatThePlainReadingAllows) {
  Random random(20'261'121);
  std::size_t accepted = 0;
  for (int round = 0; round < 400; round++) {
    std::vector<TestCall> calls;
    bool allowed = true;
    std::uint64_t total = 0;
    for (std::uint64_t n = 1 + random.below(3); n > 0; n--) {
      TestCall call{random.one_in(8) ? kStranger : kShop, Uint256(0), random.one_in(8) ? unhex("22222222") : data};
      const std::uint64_t value = random.below(120);
      call.value = Uint256(value);
      total += value;
      allowed = allowed && call.to == kShop && call.data == data && value <= 100;
      calls.push_back(call);
    }
    allowed = allowed && total <= 250;
    accepted += allowed ? 1 : 0;
    EXPECT_EQ(with_calls(calls) == Error::ok, allowed) << round;
  }
  EXPECT_GT(accepted, 50u);
}

}  // namespace
}  // namespace community::trusted::testing
