// SPDX-License-Identifier: Apache-2.0
// Rule 1: what a server key signs. One refusal a test, each by the name of the rule that refuses.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

protocol::SignUseropReply answer(const Reply& reply) { return decoded<protocol::SignUseropReply>(reply.body); }

TEST(SignUserop, SignsTheHashItComputedAndSaysWhatItSigned) {
  World world;
  const TestUserop userop = world.good_userop();
  const Reply reply = world.sign(userop);
  ASSERT_EQ(reply.error, Error::ok);
  const auto signed_op = answer(reply);
  EXPECT_EQ(signed_op.userop_hash, world.hash(userop));
  EXPECT_EQ(signed_op.call_count, 1);
  EXPECT_EQ(signed_op.calls[0].to, kShop);
  EXPECT_EQ(signed_op.calls[0].value, Uint256(5));
  EXPECT_EQ(to_hex(signed_op.calls[0].selector), "a9059cbb");
  EXPECT_EQ(signed_op.calls[0].data_bytes, 4u);
  EXPECT_EQ(signed_op.deploys, 0);
  EXPECT_EQ(signed_op.sponsored, 0);
  EXPECT_EQ(signed_op.max_cost, Uint256(350'000'000'000'000));
}

TEST(SignUserop, SignatureIsTheServerKeysAndDeterministic) {
  World world;
  const TestUserop userop = world.good_userop();
  const auto first = answer(world.sign(userop)), second = answer(world.sign(userop));
  EXPECT_EQ(first.signature, second.signature);
  EXPECT_EQ(recover_address(world.hash(userop), first.signature), world.server_key);
  EXPECT_TRUE(has_low_s(first.signature));
  const OwnedProof proof = world.host.proof(world.wallet);
  const Reply described = world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0});
  ASSERT_EQ(described.error, Error::ok);
  EXPECT_EQ(decoded<protocol::WalletDescribeReply>(described.body).server_key, world.server_key);
}

TEST(SignUserop, SignsForEntryPoint7WithItsOwnHash) {
  World world;
  const TestUserop userop = world.good_userop();
  const Bytes32 hash = userop.hash(kEntryPoint7, kChain, ethereum::EntryPointVersion::v0_7);
  const Reply reply = world.sign(userop, world.passkey.sign(hash), kEntryPoint7);
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(answer(reply).userop_hash, hash);
}

TEST(SignUserop, RefusesAChallengeOfAnotherOperation) {
  World world;
  const TestUserop asked = world.good_userop();
  // Every field of an operation is part of what the passkey signed.
  std::vector<TestUserop> others(8, asked);
  others[0].nonce = Uint256(1);
  others[1].call_data = batch_call({{kShop, Uint256(6), unhex("a9059cbb")}});
  others[2].verification_gas++;
  others[3].call_gas++;
  others[4].pre_verification_gas++;
  others[5].max_fee = Uint256(1'000'000'001);
  others[6].priority_fee = Uint256(999'999'999);
  others[7].paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, Bytes(77));
  for (const TestUserop& other : others) {
    const SignedAssertion assertion = world.passkey.sign(world.hash(other));
    EXPECT_EQ(world.sign(asked, assertion).error, Error::challenge_mismatch);
    EXPECT_EQ(world.sign(other, assertion).error, Error::ok);
  }
}

TEST(SignUserop, RefusesTheSameOperationOfAnotherChainOrEntryPoint) {
  World world;
  const TestUserop userop = world.good_userop();
  const auto other_chain = world.passkey.sign(userop.hash(kEntryPoint8, kOtherChain));
  EXPECT_EQ(world.sign(userop, other_chain).error, Error::challenge_mismatch);
  const auto other_entry_point =
      world.passkey.sign(userop.hash(kEntryPoint7, kChain, ethereum::EntryPointVersion::v0_7));
  EXPECT_EQ(world.sign(userop, other_entry_point).error, Error::challenge_mismatch);
}

TEST(SignUserop, RefusesUnknownChainAndEntryPoint) {
  World world;
  const TestUserop userop = world.good_userop();
  const auto assertion = world.passkey.sign(world.hash(userop));
  EXPECT_EQ(world.sign(userop, assertion, kEntryPoint8, 1).error, Error::unknown_chain);
  EXPECT_EQ(world.sign(userop, assertion, kEntryPoint8, 0).error, Error::unknown_chain);
  EXPECT_EQ(world.sign(userop, assertion, kStranger).error, Error::unknown_entry_point);
}

TEST(SignUserop, RefusesASenderThatIsNotThisWalletsAccount) {
  World world;
  TestUserop userop = world.good_userop();
  userop.sender = kStranger;
  EXPECT_EQ(world.sign(userop).error, Error::sender_not_account);
  // The account is bound on one chain only.
  userop = world.good_userop();
  const auto assertion = world.passkey.sign(userop.hash(kEntryPoint8, kOtherChain));
  EXPECT_EQ(world.sign(userop, assertion, kEntryPoint8, kOtherChain).error, Error::sender_not_account);
}

TEST(SignUserop, RefusesAnotherWalletsAccount) {
  World world;
  const SoftPasskey other(99);
  Address other_server_key{};
  StoredRecord other_wallet = world.make_wallet(other, world.policy, &other_server_key);
  TestInitData init;
  init.passkeys = {other.passkey()};
  init.server_key = other_server_key;
  TestUserop userop = world.good_userop();
  userop.sender = world.bind(other_wallet, init.encode());
  EXPECT_EQ(world.sign(userop).error, Error::sender_not_account);
}

TEST(SignUserop, SignsTheDeploymentOfItsAccount) {
  World world;
  TestUserop userop = world.good_userop();
  userop.init_code = create_account(kFactory, world.init_data);
  const Reply reply = world.sign(userop);
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(answer(reply).deploys, 1);
}

TEST(SignUserop, RefusesAForeignFactory) {
  World world;
  TestUserop userop = world.good_userop();
  userop.init_code = create_account(kStranger, world.init_data);
  EXPECT_EQ(world.sign(userop).error, Error::factory_not_ours);
  userop.init_code = Bytes(19, 0xfa);
  EXPECT_EQ(world.sign(userop).error, Error::factory_not_ours);
}

TEST(SignUserop, RefusesEip7702InitCode) {
  World world;
  TestUserop userop = world.good_userop();
  for (const std::string_view marker :
       {"7702", "7702000000000000000000000000000000000000", "7702000000000000000000000000000000000000a9ea858f"}) {
    userop.init_code = unhex(marker);
    EXPECT_EQ(world.sign(userop).error, Error::factory_not_ours) << marker;
  }
}

TEST(SignUserop, RefusesInitDataThatIsNotThisWallets) {
  World world;
  TestInitData init;
  init.passkeys = {world.passkey.passkey()};
  init.server_key = world.server_key;
  init.escape_key = kStranger;
  TestUserop userop = world.good_userop();
  userop.init_code = create_account(kFactory, init.encode());
  EXPECT_EQ(world.sign(userop).error, Error::init_data_not_wallets);
}

TEST(SignUserop, RefusesFactoryCallsThatAreNotExactlyCreateAccount) {
  World world;
  TestUserop userop = world.good_userop();
  const Bytes good = create_account(kFactory, world.init_data);
  std::vector<Bytes> bad(5, good);
  bad[0].resize(20);
  bad[1][20] ^= 1;
  bad[2].push_back(0);
  append(bad[3], Bytes(32));
  // The offset of the argument
  bad[4][20 + 4 + 31] = 64;
  for (const Bytes& init_code : bad) {
    userop.init_code = init_code;
    EXPECT_EQ(world.sign(userop).error, Error::init_data_not_wallets);
  }
}

TEST(SignUserop, RefusesAValueOverTheCapOfACall) {
  World world;
  TestUserop userop = world.good_userop();
  userop.call_data = batch_call({{kShop, world.policy.call_value_cap, {}}});
  EXPECT_EQ(world.sign(userop).error, Error::ok);
  userop.call_data = batch_call({{kShop, *add(world.policy.call_value_cap, Uint256(1)), {}}});
  EXPECT_EQ(world.sign(userop).error, Error::call_value_over_cap);
  userop.call_data = batch_call({{kShop, Uint256::max(), {}}});
  EXPECT_EQ(world.sign(userop).error, Error::call_value_over_cap);
}

TEST(SignUserop, RefusesASumOfValuesOverTheCapOfAnOperation) {
  World world;
  const Uint256 cap = world.policy.call_value_cap;
  TestUserop userop = world.good_userop();
  userop.call_data = batch_call({{kShop, cap, {}}, {kShop, cap, {}}});
  EXPECT_EQ(world.sign(userop).error, Error::ok);
  userop.call_data = batch_call({{kShop, cap, {}}, {kShop, cap, {}}, {kShop, Uint256(1), {}}});
  EXPECT_EQ(world.sign(userop).error, Error::operation_value_over_cap);
}

TEST(SignUserop, RefusesASumOfValuesThatOverflows) {
  World world;
  protocol::Policy open = world.policy;
  open.call_value_cap = open.operation_value_cap = Uint256::max();
  ASSERT_EQ(world.set_policy(open), Error::ok);
  TestUserop userop = world.good_userop();
  userop.call_data = batch_call({{kShop, Uint256::max(), {}}});
  EXPECT_EQ(world.sign(userop).error, Error::ok);
  userop.call_data = batch_call({{kShop, Uint256::max(), {}}, {kShop, Uint256(1), {}}});
  EXPECT_EQ(world.sign(userop).error, Error::operation_value_over_cap);
}

TEST(SignUserop, RefusesACostOverTheCapThatNobodySponsors) {
  World world;
  // Gas of the good operation is 350,000.
  protocol::Policy tight = world.policy;
  tight.cost_cap = Uint256(350'000'000'000'000);
  ASSERT_EQ(world.set_policy(tight), Error::ok);
  TestUserop userop = world.good_userop();
  EXPECT_EQ(world.sign(userop).error, Error::ok);
  userop.pre_verification_gas++;
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
}

TEST(SignUserop, AForeignPaymasterDoesNotLiftTheCostCap) {
  World world;
  protocol::Policy tight = world.policy;
  tight.cost_cap = Uint256(1);
  ASSERT_EQ(world.set_policy(tight), Error::ok);
  TestUserop userop = world.good_userop();
  userop.paymaster_and_data = paymaster_data(kStranger, 1, 1, Bytes(77));
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
  // Ours, but of the other entry point.
  userop.paymaster_and_data = paymaster_data(kPaymaster7, 1, 1, Bytes(77));
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
  userop.paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, Bytes(77));
  const Reply sponsored = world.sign(userop);
  ASSERT_EQ(sponsored.error, Error::ok);
  EXPECT_EQ(answer(sponsored).sponsored, 1);
}

TEST(SignUserop, AZeroPaymasterSponsorsNothingEvenIfConfigured) {
  World world;
  world.configuration.chains[0].paymasters[0].address = {};
  world.configuration.sequence++;
  ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  protocol::Policy tight = world.policy;
  tight.cost_cap = Uint256(1);
  ASSERT_EQ(world.set_policy(tight), Error::ok);
  TestUserop userop = world.good_userop();
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
  userop.paymaster_and_data = paymaster_data(Address{}, 1, 1, Bytes(77));
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
}

TEST(SignUserop, CountsThePaymastersGasInTheCost) {
  World world;
  TestUserop userop = world.good_userop();
  userop.paymaster_and_data = paymaster_data(kPaymaster8, 1'000, 500, {});
  const Reply reply = world.sign(userop);
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(answer(reply).max_cost, Uint256(351'500'000'000'000));
}

TEST(SignUserop, RefusesPaymasterDataTooShortForItsGasLimits) {
  World world;
  TestUserop userop = world.good_userop();
  for (const std::size_t size : {1u, 20u, 51u}) {
    userop.paymaster_and_data = Bytes(size, 0x9a);
    EXPECT_EQ(world.sign(userop).error, Error::paymaster_data_malformed) << size;
  }
}

TEST(SignUserop, RefusesACostThatOverflows) {
  World world;
  protocol::Policy open = world.policy;
  open.cost_cap = Uint256::max();
  ASSERT_EQ(world.set_policy(open), Error::ok);
  TestUserop userop = world.good_userop();
  Bytes32 all{};
  all.fill(0xff);
  // The sum of the gas limits overflows.
  userop.raw_pre_verification_gas = all;
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
  // The sum fits, its product with the fee does not; a paymaster of ours does not help.
  userop.raw_pre_verification_gas = Bytes32{};
  userop.raw_pre_verification_gas->front() = 0x10;
  userop.paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, {});
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
  userop.raw_gas_limits = all;
  userop.raw_gas_fees = all;
  userop.raw_pre_verification_gas = Bytes32{};
  EXPECT_EQ(world.sign(userop).error, Error::cost_over_cap);
}

class ListedOnly : public ::testing::Test {
 protected:
  void SetUp() override {
    protocol::Policy policy = world.policy;
    policy.flags = protocol::kPolicyListedOnly;
    policy.rule_count = 2;
    policy.rules[0] = {kShop, {0xa9, 0x05, 0x9c, 0xbb}, 0};
    policy.rules[1] = {kStranger, {}, protocol::kRuleAnyFunction};
    ASSERT_EQ(world.set_policy(policy), Error::ok);
  }
  Error call(const Address& to, std::string_view data) {
    TestUserop userop = world.good_userop();
    userop.call_data = batch_call({{to, Uint256(0), unhex(data)}});
    return world.sign(userop).error;
  }
  World world;
};

TEST_F(ListedOnly, AllowsWhatIsListed) {
  EXPECT_EQ(call(kShop, "a9059cbb"), Error::ok);
  EXPECT_EQ(call(kShop, "a9059cbb0000"), Error::ok);
  EXPECT_EQ(call(kStranger, ""), Error::ok);
  EXPECT_EQ(call(kStranger, "01020304"), Error::ok);
}

TEST_F(ListedOnly, RefusesAContractThatIsNotListed) {
  EXPECT_EQ(call(kFactory, "a9059cbb"), Error::contract_not_allowed);
  EXPECT_EQ(call(kFactory, ""), Error::contract_not_allowed);
}

TEST_F(ListedOnly, RefusesAFunctionThatIsNotListed) {
  EXPECT_EQ(call(kShop, "095ea7b3"), Error::function_not_allowed);
  // Fewer than four bytes reach a fallback function, not the listed one.
  EXPECT_EQ(call(kShop, "a9059c"), Error::function_not_allowed);
  EXPECT_EQ(call(kShop, ""), Error::function_not_allowed);
}

TEST_F(ListedOnly, PlainTransfersNeedTheirFlag) {
  protocol::Policy policy = world.policy;
  policy.flags |= protocol::kPolicyAnyTransfer;
  ASSERT_EQ(world.set_policy(policy), Error::ok);
  EXPECT_EQ(call(kFactory, ""), Error::ok);
  EXPECT_EQ(call(kFactory, "00"), Error::contract_not_allowed);
}

TEST_F(ListedOnly, EveryCallOfABatchIsChecked) {
  TestUserop userop = world.good_userop();
  for (std::size_t bad = 0; bad < 3; bad++) {
    std::vector<TestCall> calls(3, {kShop, Uint256(0), unhex("a9059cbb")});
    calls[bad].to = kFactory;
    userop.call_data = batch_call(calls);
    EXPECT_EQ(world.sign(userop).error, Error::contract_not_allowed) << bad;
  }
}

}  // namespace
}  // namespace community::trusted::testing
