// SPDX-License-Identifier: Apache-2.0
// Rule 4: what a paymaster key signs.
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class SponsorshipRules : public ::testing::Test {
 protected:
  SponsorshipRules() { good.userop = world.good_userop(); }
  Error sign(const World::Sponsorship& sponsorship) { return world.sign(sponsorship).error; }
  World world;
  World::Sponsorship good;
};

TEST_F(SponsorshipRules, SignsAndTellsTheCostItCounted) {
  const Reply reply = world.sign(good);
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SignSponsorshipReply>(reply.body);
  EXPECT_EQ(answer.max_cost, Uint256(400'000'000'000'000));
  EXPECT_EQ(decoded<protocol::SignSponsorshipReply>(world.sign(good).body).signature, answer.signature);
}

// spec/wire-formats.md, section 4, written out once more.
TEST_F(SponsorshipRules, SignsTheStructThatThePaymasterContractHashes) {
  good.userop.init_code = unhex("0102");
  good.valid_after = 7;
  const auto answer = decoded<protocol::SignSponsorshipReply>(world.sign(good).body);
  auto hash = [](std::string_view text) { return base::keccak256(base::view(text)); };
  const protocol::UseropFields op = good.userop.fields();
  const Bytes domain = join({hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                             hash("CommunityPaymaster"), hash("1"), abi_word(Uint256(kChain)), abi_word(kPaymaster8)});
  Bytes fields = to_bytes(
      hash("Sponsorship(address entryPoint,address sender,uint256 nonce,bytes32 initCodeHash,bytes32 callDataHash,"
           "bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint128 paymasterVerificationGasLimit,"
           "uint128 paymasterPostOpGasLimit,uint48 validUntil,uint48 validAfter)"));
  append(fields, join({abi_word(kEntryPoint8), abi_word(op.sender), op.nonce, base::keccak256(op.init_code),
                       base::keccak256(op.call_data), op.account_gas_limits, op.pre_verification_gas, op.gas_fees,
                       abi_word(good.verification_gas), abi_word(good.post_op_gas), abi_word(Uint256(good.valid_until)),
                       abi_word(Uint256(7))}));
  const Bytes32 digest = base::keccak256(join({unhex("1901"), base::keccak256(domain), base::keccak256(fields)}));
  EXPECT_EQ(recover_address(digest, answer.signature), world.paymaster_signer);
  EXPECT_TRUE(has_low_s(answer.signature));
}

TEST_F(SponsorshipRules, EveryFieldChangesTheSignature) {
  std::vector<World::Sponsorship> others(14, good);
  others[0].userop.sender = kStranger;
  others[1].userop.nonce = Uint256(1);
  others[2].userop.init_code = Bytes{1};
  others[3].userop.call_data.push_back(0);
  others[4].userop.call_gas++;
  others[5].userop.verification_gas++;
  others[6].userop.pre_verification_gas++;
  others[7].userop.max_fee = Uint256(999'999'999);
  others[8].userop.priority_fee = Uint256(1);
  others[9].valid_until--;
  others[10].valid_after++;
  others[11].verification_gas = Uint256(29'999);
  others[12].post_op_gas = Uint256(19'999);
  others[13].chain_id = kOtherChain;
  std::vector<protocol::Signature65> signatures{
      decoded<protocol::SignSponsorshipReply>(world.sign(good).body).signature};
  for (const auto& other : others) {
    const Reply reply = world.sign(other);
    ASSERT_EQ(reply.error, Error::ok);
    const auto signature = decoded<protocol::SignSponsorshipReply>(reply.body).signature;
    for (const auto& known : signatures) EXPECT_NE(signature, known);
    signatures.push_back(signature);
  }
}

TEST_F(SponsorshipRules, PaymasterDataOfTheOperationIsNotLookedAt) {
  const auto plain = decoded<protocol::SignSponsorshipReply>(world.sign(good).body);
  good.userop.paymaster_and_data = Bytes(7, 0xee);
  const auto stub = decoded<protocol::SignSponsorshipReply>(world.sign(good).body);
  EXPECT_EQ(plain.signature, stub.signature);
  EXPECT_EQ(plain.max_cost, stub.max_cost);
}

TEST_F(SponsorshipRules, RefusesAPaymasterThatIsNotConfigured) {
  good.paymaster = kStranger;
  EXPECT_EQ(sign(good), Error::paymaster_not_configured);
}

TEST_F(SponsorshipRules, RefusesThePaymasterOfAnotherEntryPoint) {
  good.paymaster = kPaymaster7;
  EXPECT_EQ(sign(good), Error::paymaster_not_configured);
  good.entry_point = kEntryPoint7;
  EXPECT_EQ(sign(good), Error::ok);
  good.paymaster = kPaymaster8;
  EXPECT_EQ(sign(good), Error::paymaster_not_configured);
}

TEST_F(SponsorshipRules, RefusesUnknownEntryPointAndChain) {
  good.entry_point = kStranger;
  EXPECT_EQ(sign(good), Error::unknown_entry_point);
  good.entry_point = kEntryPoint8;
  good.chain_id = 5;
  EXPECT_EQ(sign(good), Error::unknown_chain);
}

TEST_F(SponsorshipRules, RefusesAnApprovalWithoutEnd) {
  good.valid_until = 0;
  EXPECT_EQ(sign(good), Error::sponsorship_without_end);
}

TEST_F(SponsorshipRules, RefusesNumbersTooLargeForTheirFields) {
  const Uint256 too_large = *multiply(Uint256(1ull << 63), *multiply(Uint256(1ull << 63), Uint256(4)));
  auto bad = good;
  bad.valid_until = 1ull << 48;
  EXPECT_EQ(sign(bad), Error::malformed_request);
  bad = good;
  bad.valid_after = 1ull << 48;
  EXPECT_EQ(sign(bad), Error::malformed_request);
  bad = good;
  bad.verification_gas = too_large;
  EXPECT_EQ(sign(bad), Error::malformed_request);
  bad = good;
  bad.post_op_gas = too_large;
  EXPECT_EQ(sign(bad), Error::malformed_request);
  good.valid_until = (1ull << 48) - 1;
  EXPECT_EQ(sign(good), Error::ok);
}

TEST_F(SponsorshipRules, RefusesACostOverTheCapOrOverflowing) {
  // The cap of the test's chain is 10^18 wei.
  good.userop.verification_gas = good.userop.call_gas = good.userop.pre_verification_gas = 0;
  good.verification_gas = Uint256(1'000'000);
  good.post_op_gas = Uint256(0);
  good.userop.max_fee = Uint256(1'000'000'000'000);
  EXPECT_EQ(sign(good), Error::ok);
  good.post_op_gas = Uint256(1);
  EXPECT_EQ(sign(good), Error::sponsorship_cost_over_cap);
  good.post_op_gas = Uint256(0);
  Bytes32 all{};
  all.fill(0xff);
  good.userop.raw_pre_verification_gas = all;
  EXPECT_EQ(sign(good), Error::sponsorship_cost_over_cap);
}

TEST_F(SponsorshipRules, SignsOnlyWithPaymasterKeysOfTheChain) {
  EXPECT_EQ(world.sign(good, &world.executor).error, Error::wrong_purpose);
  EXPECT_EQ(world.sign(good, &world.wallet).error, Error::record_wrong_type);
  const StoredRecord other_chain = world.make_key(protocol::Purpose::paymaster, kOtherChain);
  EXPECT_EQ(world.sign(good, &other_chain).error, Error::unknown_chain);
}

TEST_F(SponsorshipRules, AHostMakesOnlyKeysWithRulesOfTheirOwn) {
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
  request.path = path.view();
  for (const int purpose : {0, 1, 2, 6, 7, 255}) {
    request.purpose = static_cast<std::uint8_t>(purpose);
    EXPECT_EQ(world.host.refusal(Command::key_create, request), Error::wrong_purpose) << purpose;
  }
}

}  // namespace
}  // namespace community::trusted::testing
