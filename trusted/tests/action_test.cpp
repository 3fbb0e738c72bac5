// SPDX-License-Identifier: Apache-2.0
// Rule 9: the server key is the gate of an account's plain functions, opened by a passkey over exactly that struct.
#include <gtest/gtest.h>

#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

using protocol::AccountAction;
using protocol::ActionKind;

constexpr ActionKind kWithAssertion[] = {
    ActionKind::unfreeze,      ActionKind::change_rules,  ActionKind::upgrade,
    ActionKind::cancel,        ActionKind::lower_limit,   ActionKind::lower_gas_cap,
    ActionKind::unlist_domain, ActionKind::disallow_call, ActionKind::revoke_grant};

class Actions : public ::testing::Test {
 protected:
  Error refusal(const AccountAction& action) { return sign_action(world, action).error; }
  void allow_freeze(std::uint8_t allowed) {
    world.configuration.chains[0].server_freeze = allowed;
    world.configuration.sequence++;
    ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  }
  World world;
};

TEST_F(Actions, SignsEachStructThatAPasskeySigned) {
  for (const ActionKind kind : kWithAssertion) {
    const AccountAction action = good_action(kind);
    const Reply reply = sign_action(world, action);
    ASSERT_EQ(reply.error, Error::ok) << static_cast<int>(kind);
    const auto result = decoded<protocol::SignActionReply>(reply.body);
    EXPECT_EQ(result.digest, action_digest(action, kChain, world.account));
    EXPECT_EQ(recover_address(result.digest, result.signature), world.server_key);
    EXPECT_TRUE(has_low_s(result.signature));
    EXPECT_EQ(decoded<protocol::SignActionReply>(sign_action(world, action).body).signature, result.signature);
  }
}

TEST_F(Actions, EveryFieldIsPartOfWhatThePasskeySigned) {
  AccountAction asked = good_action(ActionKind::change_rules);
  std::vector<AccountAction> others(9, asked);
  others[0].stamp.key_epoch++;
  others[1].stamp.nonce = Uint256(78);
  others[2].stamp.deadline++;
  others[3].votes = 2;
  others[4].guardians_hash[0] = 1;
  others[5].guardian_threshold = 2;
  others[6].recovery_delay++;
  others[7].strict = 1;
  others[8].unlisted_tokens = 1;
  for (const AccountAction& other : others) {
    const auto assertion = world.passkey.sign(action_digest(other, kChain, world.account));
    EXPECT_EQ(sign_action(world, asked, assertion).error, Error::challenge_mismatch);
    EXPECT_EQ(sign_action(world, other, assertion).error, Error::ok);
  }
}

TEST_F(Actions, TheDigestIsOfThisKindChainAndAccount) {
  const AccountAction asked = good_action(ActionKind::cancel);
  for (const Bytes32& challenge : {action_digest(good_action(ActionKind::revoke_grant), kChain, world.account),
                                   action_digest(asked, kOtherChain, world.account),
                                   action_digest(asked, kChain, kStranger), world.hash(world.good_userop())})
    EXPECT_EQ(sign_action(world, asked, world.passkey.sign(challenge)).error, Error::challenge_mismatch);
}

TEST_F(Actions, OnlyALivePasskeyOfTheWalletOpensTheGate) {
  const AccountAction action = good_action(ActionKind::unfreeze);
  const SoftPasskey stranger(77);
  const Bytes32 digest = action_digest(action, kChain, world.account);
  EXPECT_EQ(sign_action(world, action, stranger.sign(digest)).error, Error::passkey_unknown);
  SignedAssertion assertion = world.passkey.sign(digest);
  assertion.signature[40] ^= 1;
  EXPECT_EQ(sign_action(world, action, assertion).error, Error::passkey_signature_invalid);
}

TEST_F(Actions, AServerFreezeNeedsTheOperatorsLeaveAndNobodyElses) {
  const AccountAction action = good_action(ActionKind::freeze);
  EXPECT_EQ(refusal(action), Error::server_freeze_not_allowed);
  allow_freeze(1);
  const Reply reply = sign_action(world, action);
  ASSERT_EQ(reply.error, Error::ok);
  const auto result = decoded<protocol::SignActionReply>(reply.body);
  EXPECT_EQ(recover_address(action_digest(action, kChain, world.account), result.signature), world.server_key);
  allow_freeze(0);
  EXPECT_EQ(refusal(action), Error::server_freeze_not_allowed);
}

TEST_F(Actions, TheLeaveIsForOneChain) {
  allow_freeze(1);
  world.bind(world.wallet, world.init_data, kOtherChain);
  const OwnedProof proof = world.host.proof(world.wallet);
  protocol::SignActionRequest request{proof.view(), kOtherChain, world.account, 0, good_action(ActionKind::freeze), {}};
  EXPECT_EQ(world.host.refusal(Command::sign_action, request), Error::server_freeze_not_allowed);
}

TEST_F(Actions, AFreezeHasNoAssertionAndEverythingElseHasOne) {
  allow_freeze(1);
  const OwnedProof proof = world.host.proof(world.wallet);
  Bytes freeze =
      encoded(protocol::SignActionRequest{proof.view(), kChain, world.account, 0, good_action(ActionKind::freeze), {}});
  EXPECT_EQ(world.host.call(Command::sign_action, freeze).error, Error::ok);
  append(freeze, encoded(world.passkey.sign(Bytes32{}).view()));
  EXPECT_EQ(world.host.call(Command::sign_action, freeze).error, Error::malformed_request);
  // An empty assertion is no passkey's.
  for (const ActionKind kind : kWithAssertion)
    EXPECT_EQ(sign_action(world, good_action(kind), SignedAssertion{}).error, Error::passkey_unknown);
}

TEST_F(Actions, FieldsStayInTheRangeOfTheirTypes) {
  for (const ActionKind kind : kWithAssertion) {
    AccountAction late = good_action(kind);
    late.stamp.deadline = std::uint64_t{1} << 48;
    EXPECT_EQ(refusal(late), Error::action_field_out_of_range);
    late.stamp.deadline--;
    EXPECT_EQ(refusal(late), Error::ok);
  }
  for (const ActionKind kind : {ActionKind::unfreeze, ActionKind::change_rules})
    for (const int votes : {0, 1, 2, 3, 255}) {
      AccountAction action = good_action(kind);
      action.votes = static_cast<std::uint8_t>(votes);
      EXPECT_EQ(refusal(action), votes == 1 || votes == 2 ? Error::ok : Error::votes_out_of_range) << votes;
    }
  AccountAction strict = good_action(ActionKind::change_rules), unlisted = strict;
  strict.strict = 2;
  unlisted.unlisted_tokens = 0xff;
  EXPECT_EQ(refusal(strict), Error::action_field_out_of_range);
  EXPECT_EQ(refusal(unlisted), Error::action_field_out_of_range);
}

TEST_F(Actions, GuardiansAreThoseTheContractWouldTake) {
  AccountAction none = good_action(ActionKind::change_rules), half = none, other_half = none, quick = none;
  none.guardians_hash = {};
  none.guardian_threshold = 0;
  EXPECT_EQ(refusal(none), Error::ok);
  half.guardian_threshold = 0;
  EXPECT_EQ(refusal(half), Error::guardians_inconsistent);
  other_half.guardians_hash = {};
  EXPECT_EQ(refusal(other_half), Error::guardians_inconsistent);
  quick.recovery_delay = 86'399;
  EXPECT_EQ(refusal(quick), Error::recovery_delay_too_short);
}

TEST_F(Actions, NoOtherStructIsSigned) {
  // Escape, recover, confirm of an upgrade and whatever else the domain may hold have no number here.
  const OwnedProof proof = world.host.proof(world.wallet);
  const SignedAssertion assertion = world.passkey.sign(Bytes32{});
  const Bytes good = encoded(protocol::SignActionRequest{proof.view(), kChain, world.account, 0,
                                                         good_action(ActionKind::revoke_grant), assertion.view()});
  const std::size_t at = encoded(proof.view()).size() + 8 + 20 + 4;
  ASSERT_EQ(good[at], 10);
  for (int kind = 0; kind < 256; kind++) {
    Bytes body = good;
    body[at] = static_cast<std::uint8_t>(kind);
    const Error error = world.host.call(Command::sign_action, body).error;
    if (kind == 0 || kind > 10) {
      EXPECT_EQ(error, Error::malformed_request) << kind;
    }
    EXPECT_NE(error, Error::ok) << kind;
  }
}

TEST_F(Actions, RefusesAnUnknownChainAccountAndKey) {
  const OwnedProof proof = world.host.proof(world.wallet);
  const AccountAction action = good_action(ActionKind::unfreeze);
  const SignedAssertion assertion = world.passkey.sign(action_digest(action, kChain, world.account));
  auto ask = [&](std::uint64_t chain_id, const Address& account, std::uint32_t index) {
    return world.host.refusal(Command::sign_action, protocol::SignActionRequest{proof.view(), chain_id, account, index,
                                                                                action, assertion.view()});
  };
  EXPECT_EQ(ask(5, world.account, 0), Error::unknown_chain);
  EXPECT_EQ(ask(kOtherChain, world.account, 0), Error::sender_not_account);
  EXPECT_EQ(ask(kChain, kStranger, 0), Error::sender_not_account);
  EXPECT_EQ(ask(kChain, world.account, 1), Error::server_key_not_accounts);
  EXPECT_EQ(ask(kChain, world.account, 0), Error::ok);
}

TEST_F(Actions, SigningWritesNothing) {
  const std::size_t writes = world.host.store.writes();
  for (const ActionKind kind : kWithAssertion) EXPECT_EQ(refusal(good_action(kind)), Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes);
}

}  // namespace
}  // namespace community::trusted::testing
