// SPDX-License-Identifier: Apache-2.0
// A rule freezes: at once, once, with the same bytes after every crash, and with words where it cannot.
#include "community/alarms/test_support/alarm_world.hpp"

namespace community::alarms {
namespace {

class ServerFreezeTest : public AlarmWorld {
 protected:
  ServerFreezeTest() { rules.set(AlarmClass::escape_started, AlarmAction::freeze); }

  std::uint64_t now_s() const { return chain.head().timestamp; }
  // An alarm whose rule is freeze, in a block of its own.
  void attack(std::uint64_t transaction = 1) {
    escape_starts(transaction);
    mine();
  }
  std::string reason() { return list()[0].freeze->reason; }
  // The account is frozen by what the courier brought.
  void frozen_on_chain() {
    courier.end(courier::ErrandState::included);
    account.frozen_until_s = now_s() + 7 * 86'400;
    account.server_freeze_not_before_s = account.frozen_until_s + 30 * 86'400;
  }
};

TEST_F(ServerFreezeTest, ARuleFreezesInTheBlockThatIsSeen) {
  account.key_epoch = 3;
  start();
  attack();
  until_freeze(FreezeState::sent);
  ASSERT_EQ(courier.calls.size(), 1u);
  EXPECT_EQ(courier.calls[0].to, alice);
  // What was signed is the account's own struct, by its server key, for the epoch that it has.
  ASSERT_EQ(keys.requests.size(), 1u);
  const ethereum::Stamp& stamp = keys.requests[0].stamp;
  EXPECT_EQ(keys.requests[0].kind, protocol::ActionKind::freeze);
  EXPECT_EQ(stamp.key_epoch, 3u);
  EXPECT_EQ(stamp.deadline, now_s() + limits.freeze_deadline_s);
  const accounts::Stamp signed_stamp{stamp.key_epoch, stamp.nonce, stamp.deadline};
  const Bytes32 digest = accounts::action_digest({kChain, alice}, accounts::Freeze{}, signed_stamp);
  const auto signature = core::sign_digest(FakeWalletKeys::secret(0), digest);
  accounts::ActionSignature vote{accounts::kServerSigner, core::to_bytes(signature->to_rsv())};
  EXPECT_EQ(courier.calls[0].data, accounts::encode_action(accounts::Freeze{}, signed_stamp, {vote}).value());
  frozen_on_chain();
  mine_until([this] { return freeze_state() == FreezeState::frozen; });
  EXPECT_EQ(to_json(list()[0]).at("freeze").at("state"), json::value("frozen"));
  EXPECT_EQ(keys.requests.size(), 1u);
}

TEST_F(ServerFreezeTest, WithoutARuleNothingIsSigned) {
  rules.set(AlarmClass::escape_started, AlarmAction::alarm);
  start();
  attack();
  until_told(AlarmClass::escape_started);
  EXPECT_FALSE(freeze_state());
  EXPECT_TRUE(keys.requests.empty());
}

TEST_F(ServerFreezeTest, TheKeyIsTheOneThatTheAccountHas) {
  keys.wallet.accounts[0].last_server_key_index = 4;
  account.server_key = FakeWalletKeys::server_key(2);
  start();
  attack();
  until_freeze(FreezeState::sent);
  const auto& stamp = keys.requests[0].stamp;
  const Bytes32 digest =
      accounts::action_digest({kChain, alice}, accounts::Freeze{}, {stamp.key_epoch, stamp.nonce, stamp.deadline});
  const auto signature = core::sign_digest(FakeWalletKeys::secret(2), digest);
  const Bytes wanted = core::to_bytes(signature->to_rsv());
  const Bytes& call = courier.calls[0].data;
  EXPECT_NE(std::search(call.begin(), call.end(), wanted.begin(), wanted.end()), call.end());
}

// A stranger may adopt any address into a wallet of the same node, and may be first.
TEST_F(ServerFreezeTest, AStrangerWhoAdoptsTheAccountFirstDoesNotTakeItsFreeze) {
  const keys::RecordId thief = adopt(66);
  first_follower = thief;
  start();
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, adopt(67))));
  attack();
  until_freeze(FreezeState::sent);
  EXPECT_EQ(keys.signers, (std::vector<keys::RecordId>{keys.wallet.wallet_id}));
  const ethereum::Stamp& stamp = keys.requests[0].stamp;
  const accounts::Stamp signed_stamp{stamp.key_epoch, stamp.nonce, stamp.deadline};
  const Bytes32 digest = accounts::action_digest({kChain, alice}, accounts::Freeze{}, signed_stamp);
  const auto signature = core::sign_digest(FakeWalletKeys::secret(0), digest);
  accounts::ActionSignature vote{accounts::kServerSigner, core::to_bytes(signature->to_rsv())};
  EXPECT_EQ(courier.calls[0].data, accounts::encode_action(accounts::Freeze{}, signed_stamp, {vote}).value());
}

TEST_F(ServerFreezeTest, ARecordThatDoesNotOpenHoldsUpNobodysFreeze) {
  first_follower = adopt(66);
  keys.unreadable = first_follower;
  start();
  // While the owner's wallet could be the one that the core does not tell about, nothing is decided.
  attack();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  mine_until([this] { return freeze_state() == FreezeState::sent; });
  EXPECT_EQ(keys.signers.back(), keys.wallet.wallet_id);
}

TEST_F(ServerFreezeTest, AfterAMoveWithinTheNodeTheOtherWalletFreezes) {
  start();
  const keys::RecordId next = adopt(2);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, next)));
  until([this] { return loop.block_on(alarms->difference(alice))->next == KeyStep::agreed; });
  account.server_key = FakeWalletKeys::server_key(0, 1);
  account.key_epoch = 1;
  attack();
  until_freeze(FreezeState::sent);
  EXPECT_EQ(keys.signers, (std::vector<keys::RecordId>{next}));
}

TEST_F(ServerFreezeTest, AStampKeepsItsWalletThroughAKill) {
  const keys::RecordId next = adopt(2);
  account.server_key = FakeWalletKeys::server_key(0, 1);
  courier.refusal = courier::ErrorCode::queue_full;
  open();
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, next)));
  run();
  look();
  attack();
  until_freeze(FreezeState::stamped);
  until([this] { return keys.requests.size() == 1; });
  kill();
  // The account moves on meanwhile; what was stamped is signed as it was stamped, and the contract judges it.
  account.server_key = FakeWalletKeys::server_key(0);
  courier.refusal.reset();
  start();
  until_freeze(FreezeState::sent);
  EXPECT_EQ(keys.signers.front(), next);
  EXPECT_EQ(keys.signers.back(), next);
  EXPECT_EQ(keys.requests.front().stamp.nonce, keys.requests.back().stamp.nonce);
}

TEST_F(ServerFreezeTest, WhatIsFrozenIsNotFrozenAgain) {
  account.frozen_until_s = accounts::kFrozenForever;
  start();
  attack();
  until_freeze(FreezeState::not_needed);
  EXPECT_EQ(reason(), "a vote has frozen the account");
  EXPECT_TRUE(keys.requests.empty());
}

TEST_F(ServerFreezeTest, TheContractsPauseIsKept) {
  account.server_freeze_not_before_s = now_s() + 1'000;
  start();
  attack();
  until_freeze(FreezeState::too_soon);
  EXPECT_NE(reason().find(std::to_string(account.server_freeze_not_before_s)), std::string::npos);
  EXPECT_TRUE(keys.requests.empty());
}

TEST_F(ServerFreezeTest, WhatTheCoreRefusesIsSaidByTheAlarm) {
  keys.refusal = protocol::Error::server_freeze_not_allowed;
  start();
  attack();
  until_freeze(FreezeState::refused);
  EXPECT_NE(reason().find("server_freeze_not_allowed"), std::string::npos);
  EXPECT_NE(reason().find("operator"), std::string::npos);
  EXPECT_TRUE(courier.calls.empty());
  until_told(AlarmClass::escape_started);
}

TEST_F(ServerFreezeTest, TwoAlarmsShareOneFreeze) {
  start();
  escape_starts(1);
  escape_starts(2);
  mine();
  until_freeze(FreezeState::sent);
  attack(3);
  until_told(AlarmClass::escape_started, 3);
  EXPECT_EQ(courier.calls.size(), 1u);
  const auto found = list();
  ASSERT_EQ(found.size(), 3u);
  for (const Alarm& alarm : found) {
    ASSERT_TRUE(alarm.freeze);
    EXPECT_EQ(alarm.freeze->alarm, 1);
  }
}

// --- every point at which a kill may come ---------------------------------------------------------------------------

TEST_F(ServerFreezeTest, AKillBetweenAlarmAndFreezeLosesNoFreeze) {
  open();
  look();
  attack();
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  kill();
  start();
  until_freeze(FreezeState::sent);
  EXPECT_EQ(courier.calls.size(), 1u);
}

TEST_F(ServerFreezeTest, AKillBetweenStampAndSignatureSignsTheSameStruct) {
  start();
  courier.refusal = courier::ErrorCode::queue_full;
  attack();
  until_freeze(FreezeState::stamped);
  until([this] { return keys.requests.size() == 1; });
  kill();
  courier.refusal.reset();
  chain.mine();
  start();
  until_freeze(FreezeState::sent);
  ASSERT_GE(keys.requests.size(), 2u);
  EXPECT_EQ(keys.requests.front().stamp.nonce, keys.requests.back().stamp.nonce);
  EXPECT_EQ(keys.requests.front().stamp.deadline, keys.requests.back().stamp.deadline);
  EXPECT_EQ(courier.calls.size(), 1u);
}

TEST_F(ServerFreezeTest, AKillBetweenCourierAndDatabaseBringsOneCall) {
  start();
  courier.is_silent = true;
  attack();
  until([this] { return courier.asked == 1; });
  EXPECT_EQ(freeze_state(), FreezeState::stamped);
  kill();
  courier.is_silent = false;
  start();
  until_freeze(FreezeState::sent);
  EXPECT_EQ(courier.asked, 2u);
  EXPECT_EQ(courier.calls.size(), 1u);
}

TEST_F(ServerFreezeTest, AKillWhileTheCallIsOnItsWayFollowsIt) {
  start();
  attack();
  until_freeze(FreezeState::sent);
  kill();
  frozen_on_chain();
  start();
  until_freeze(FreezeState::frozen);
  EXPECT_EQ(courier.asked, 1u);
  kill();
  start();
  attack(2);
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(freeze_state(1), FreezeState::not_needed);
  EXPECT_EQ(courier.asked, 1u);
}

// --- what calls it off, and what makes it fail ----------------------------------------------------------------------

TEST_F(ServerFreezeTest, AnAcknowledgedAlarmFreezesNobody) {
  open();
  look();
  attack();
  ASSERT_TRUE(loop.block_on(alarms->acknowledge(1)));
  EXPECT_EQ(freeze_state(), FreezeState::called_off);
  run();
  until_told(AlarmClass::escape_started);
  EXPECT_TRUE(keys.requests.empty());
}

TEST_F(ServerFreezeTest, AcknowledgingWinsOverAStampOnItsWay) {
  start();
  until([this] { return keys.described > 0; });
  keys.answers.reset();
  const std::size_t before = keys.described;
  attack();
  until([&] { return keys.described > before; });
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  ASSERT_TRUE(loop.block_on(alarms->acknowledge(1)));
  keys.answers.set();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(freeze_state(), FreezeState::called_off);
  EXPECT_TRUE(keys.requests.empty());
}

TEST_F(ServerFreezeTest, AFreezeThatTwoAlarmsAskForNeedsBothAcknowledged) {
  open();
  look();
  escape_starts(1);
  escape_starts(2);
  mine();
  ASSERT_TRUE(loop.block_on(alarms->acknowledge(1)));
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  ASSERT_TRUE(loop.block_on(alarms->acknowledge(2)));
  EXPECT_EQ(freeze_state(), FreezeState::called_off);
}

TEST_F(ServerFreezeTest, AReorganisationCallsItOffAndTheReturnAsksAgain) {
  open();
  look();
  attack();
  const std::uint64_t block = chain.head().number;
  const json::array event = logs_by_block[block];
  logs_by_block[block].clear();
  chain.reorg(1, 2);
  look();
  EXPECT_EQ(freeze_state(), FreezeState::called_off);
  logs_by_block[chain.head().number + 1] = event;
  mine();
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  run();
  until_freeze(FreezeState::sent);
}

TEST_F(ServerFreezeTest, AFailedErrandIsTriedAgainWithAnotherStructAndNotForEver) {
  limits.freeze_attempts = 3;
  start();
  attack();
  until_freeze(FreezeState::sent);
  for (std::size_t attempt = 1; attempt < 3; attempt++) {
    courier.end(courier::ErrandState::failed, "it reverted on chain");
    mine_until([&] { return courier.calls.size() == attempt + 1; });
    until_freeze(FreezeState::sent);
  }
  courier.end(courier::ErrandState::failed, "it reverted on chain");
  mine_until([this] { return freeze_state() == FreezeState::failed; });
  EXPECT_EQ(reason(), "it reverted on chain");
  EXPECT_NE(courier.calls[0].data, courier.calls[1].data);
}

TEST_F(ServerFreezeTest, ACallThatWouldRevertIsLookedAtAnewAndNotForEver) {
  limits.freeze_attempts = 2;
  courier.refusal = courier::ErrorCode::would_revert;
  start();
  attack();
  mine_until([this] { return freeze_state() == FreezeState::failed; });
  EXPECT_EQ(keys.requests.size(), 2u);
  EXPECT_NE(reason().find("would_revert"), std::string::npos);
}

TEST_F(ServerFreezeTest, WhatPassesIsWaitedFor) {
  keys.is_away = true;
  start();
  attack();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(freeze_state(), FreezeState::wanted);
  keys.is_away = false;
  courier.refusal = courier::ErrorCode::chain_unavailable;
  mine_until([this] { return freeze_state() == FreezeState::stamped; });
  courier.refusal.reset();
  mine_until([this] { return freeze_state() == FreezeState::sent; });
}

TEST_F(ServerFreezeTest, AStructWhoseDeadlinePassedIsSignedAnew) {
  limits.freeze_deadline_s = 100;
  courier.refusal = courier::ErrorCode::queue_full;
  start();
  attack();
  until_freeze(FreezeState::stamped);
  until([this] { return !keys.requests.empty(); });
  chain.mine(110);
  mine_until([this] { return keys.requests.back().stamp.deadline > keys.requests.front().stamp.deadline; });
  courier.refusal.reset();
  mine_until([this] { return freeze_state() == FreezeState::sent; });
  EXPECT_NE(keys.requests.front().stamp.nonce, keys.requests.back().stamp.nonce);
  EXPECT_EQ(courier.calls.size(), 1u);
}

TEST_F(ServerFreezeTest, AnAccountThatLeftIsNotThisNodesToFreeze) {
  account.server_key = mallory;
  start();
  attack();
  until_freeze(FreezeState::impossible);
  EXPECT_EQ(reason(), "the account's server key is not this node's");
}

TEST_F(ServerFreezeTest, WhatHappenedLongAgoIsNotAnsweredNow) {
  limits.freeze_within_s = 3;
  open();
  look();
  attack();
  chain.mine(10);
  run();
  until_freeze(FreezeState::impossible);
  EXPECT_NE(reason().find("too long ago"), std::string::npos);
}

TEST_F(ServerFreezeTest, ANodeWithoutACourierSaysSo) {
  has_courier = false;
  start();
  attack();
  until_freeze(FreezeState::impossible);
  EXPECT_NE(reason().find("brings plain functions on chain"), std::string::npos);
}

TEST_F(ServerFreezeTest, AnOpenFreezeKeepsItsAlarm) {
  limits.per_account = 2;
  start();
  attack();
  until_freeze(FreezeState::sent);
  for (std::uint64_t i = 2; i < 6; i++) {
    happens(alice, "Frozen(uint256)", {}, core::to_bytes(Uint256(i).to_be()), i);
    mine();
  }
  const auto left = list();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].id, 1);
}

}  // namespace
}  // namespace community::alarms
