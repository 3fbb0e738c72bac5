// SPDX-License-Identifier: Apache-2.0
// Core and chain compared: what differs, why, and what to do next.
#include "community/alarms/test_support/alarm_world.hpp"

namespace community::alarms {
namespace {

protocol::Passkey passkey(std::uint8_t number) {
  protocol::Passkey one;
  one.credential_hash[0] = number;
  one.public_key[31] = number;
  one.rp_id_hash[0] = 0xaa;
  return one;
}
accounts::InitPasskey on_chain(std::uint8_t number) { return {passkey(number).public_key, passkey(number).rp_id_hash}; }

class KeyDifferenceTest : public AlarmWorld {
 protected:
  KeyDifferenceTest() {
    core_has({1});
    chain_has({1});
    binding().init_data_hash[0] = 1;
  }
  void core_has(const std::vector<std::uint8_t>& numbers) {
    keys.wallet.passkey_count = 0;
    for (const std::uint8_t number : numbers) keys.wallet.passkeys[keys.wallet.passkey_count++] = passkey(number);
  }
  void chain_has(const std::vector<std::uint8_t>& numbers) {
    account.passkeys.clear();
    for (const std::uint8_t number : numbers) account.passkeys.push_back(on_chain(number));
  }
  protocol::AccountBinding& binding() { return keys.wallet.accounts[0]; }
  KeyDifference difference() {
    const auto found = loop.block_on(alarms->difference(alice));
    EXPECT_TRUE(found) << found.error().text();
    return found.value_or(KeyDifference{});
  }
  double open_differences(KeyStep step) {
    return metrics
        ->gauge("community_key_differences", "Accounts whose keys on chain are not those of the trusted core.",
                {{"next", std::string(name(step))}})
        .value();
  }
};

TEST_F(KeyDifferenceTest, WhatAgreesIsRememberedWithItsEpoch) {
  account.key_epoch = 5;
  binding().last_server_key_index = 2;
  account.server_key = FakeWalletKeys::server_key(2);
  open();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  const KeyDifference again = difference();
  EXPECT_EQ(again.agreed, (KeyAgreement{5, 2}));
  EXPECT_EQ(again.server_key_index, 2u);
  EXPECT_EQ(again.key_epoch, 5u);
}

TEST_F(KeyDifferenceTest, AChangeTheChainHasNotSeenIsRepeated) {
  core_has({1, 2});
  open();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::repeat);
  ASSERT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_in_core[0].credential_hash, passkey(2).credential_hash);
  EXPECT_TRUE(found.only_on_chain.empty());
  EXPECT_FALSE(found.server_key_differs());
  const json::object shown = to_json(found);
  EXPECT_EQ(shown.at("next"), json::value("repeat"));
  EXPECT_EQ(shown.at("onlyInCore").as_array().size(), 1u);
  EXPECT_EQ(shown.at("words"), json::value(describe(KeyStep::repeat)));
}

TEST_F(KeyDifferenceTest, ARemovalTheChainHasNotSeenIsRepeated) {
  core_has({1});
  chain_has({1, 2});
  open();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::repeat);
  ASSERT_EQ(found.only_on_chain.size(), 1u);
  EXPECT_EQ(found.only_on_chain[0].slot, 1);
}

TEST_F(KeyDifferenceTest, AKeyOfAnotherRelyingPartyIsAnotherKey) {
  account.passkeys[0].rp_id_hash[0] = 0xbb;
  open();
  const KeyDifference found = difference();
  EXPECT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_on_chain.size(), 1u);
}

TEST_F(KeyDifferenceTest, AServerKeyThatTheChainHasNotSeenIsRepeatedAndAnEarlierChoiceIsNot) {
  open();
  binding().last_server_key_index = 1;
  KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::repeat);
  EXPECT_TRUE(found.server_key_differs());
  EXPECT_EQ(found.server_key_in_core, FakeWalletKeys::server_key(1));
  EXPECT_EQ(found.server_key_index, 0u);
  // The chain follows, and later the owner goes back to the first key: the core names no newer one.
  account.server_key = FakeWalletKeys::server_key(1);
  account.key_epoch = 1;
  EXPECT_EQ(difference().next, KeyStep::agreed);
  account.server_key = FakeWalletKeys::server_key(0);
  account.key_epoch = 2;
  EXPECT_EQ(difference().next, KeyStep::agreed);
}

TEST_F(KeyDifferenceTest, AMoveThatTheChainHasNotSeenIsRepeatedAndThenTheAccountHasLeft) {
  binding().moved_to = mallory;
  open();
  EXPECT_EQ(difference().next, KeyStep::repeat);
  EXPECT_EQ(difference().server_key_in_core, mallory);
  account.server_key = mallory;
  account.key_epoch = 1;
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::account_left);
  EXPECT_FALSE(found.server_key_differs());
  EXPECT_FALSE(found.server_key_index);
  // It had named a newer key of its own before.
  binding().last_server_key_index = 1;
  EXPECT_EQ(difference().next, KeyStep::account_left);
}

TEST_F(KeyDifferenceTest, AnEscapeElsewhereIsNotRepeated) {
  open();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  chain_has({9});
  account.key_epoch = 1;
  // With the wallet's server key.
  EXPECT_EQ(difference().next, KeyStep::chain_moved);
  // With another one: this node is out.
  account.server_key = mallory;
  EXPECT_EQ(difference().next, KeyStep::account_left);
  EXPECT_TRUE(difference().server_key_differs());
}

TEST_F(KeyDifferenceTest, AnAdoptedAccountArrivesAndMayLeaveAgain) {
  binding().init_data_hash = {};
  account.server_key = mallory;
  account.key_epoch = 4;
  open();
  EXPECT_EQ(difference().next, KeyStep::not_arrived);
  account.server_key = FakeWalletKeys::server_key(0);
  account.key_epoch = 5;
  EXPECT_EQ(difference().next, KeyStep::agreed);
  account.server_key = mallory;
  account.key_epoch = 6;
  EXPECT_EQ(difference().next, KeyStep::account_left);
  // It comes home with the next key.
  binding().last_server_key_index = 1;
  EXPECT_EQ(difference().next, KeyStep::not_arrived);
}

// --- several wallets of one account ----------------------------------------------------------------------------------

TEST_F(KeyDifferenceTest, AStrangerWhoAdoptsTheAccountFirstDoesNotTakeItsComparison) {
  core_has({1, 2});
  first_follower = adopt(66);
  open();
  EXPECT_EQ(difference().next, KeyStep::not_arrived);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, adopt(67))));
  const KeyDifference found = difference();
  EXPECT_EQ(found.wallet, keys.wallet.wallet_id);
  EXPECT_EQ(found.next, KeyStep::repeat);
  ASSERT_EQ(found.only_in_core.size(), 1u);
  EXPECT_EQ(found.only_in_core[0].credential_hash, passkey(2).credential_hash);
  EXPECT_EQ(found.server_key_index, 0u);
}

TEST_F(KeyDifferenceTest, AnyOfTheKeysOfAWalletNamesIt) {
  first_follower = adopt(66);
  binding().last_server_key_index = 3;
  account.server_key = FakeWalletKeys::server_key(1);
  open();
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  EXPECT_EQ(difference().server_key_index, 1u);
}

TEST_F(KeyDifferenceTest, AMoveWithinTheNodeIsComparedWithEachWalletInTurn) {
  account.key_epoch = 3;
  open();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  const keys::RecordId next = adopt(9);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, next)));
  // The first wallet's core has signed the move, and the chain has not seen it.
  binding().moved_to = FakeWalletKeys::server_key(0, 1);
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  EXPECT_EQ(difference().next, KeyStep::repeat);
  chain_has({9});
  keys.others[0].passkeys[0] = passkey(9);
  account.server_key = FakeWalletKeys::server_key(0, 1);
  account.key_epoch = 4;
  EXPECT_EQ(difference().wallet, next);
  EXPECT_EQ(difference().next, KeyStep::agreed);
  EXPECT_EQ(difference().agreed, (KeyAgreement{4, 0}));
  // Agreement is each wallet's own: home again, the first one's last one is from before the move.
  account.server_key = FakeWalletKeys::server_key(0);
  account.key_epoch = 5;
  const KeyDifference home = difference();
  EXPECT_EQ(home.wallet, keys.wallet.wallet_id);
  EXPECT_EQ(home.agreed, (KeyAgreement{3, 0}));
  EXPECT_EQ(home.next, KeyStep::chain_moved);
}

TEST_F(KeyDifferenceTest, WhomTheChainNamedLastComesBeforeWhomTheAddressCommitsTo) {
  open();
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  const keys::RecordId next = adopt(2);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, next)));
  account.server_key = FakeWalletKeys::server_key(0, 1);
  account.key_epoch = 1;
  EXPECT_EQ(difference().wallet, next);
  account.server_key = mallory;
  account.key_epoch = 2;
  EXPECT_EQ(difference().wallet, next);
  // It comes home and leaves once more: the last time counts, not the first.
  account.server_key = FakeWalletKeys::server_key(0);
  account.key_epoch = 3;
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  account.server_key = mallory;
  account.key_epoch = 4;
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
}

TEST_F(KeyDifferenceTest, AnAccountThatLeftIsTheOneWhichTheChainNamedLast) {
  binding().init_data_hash = {};
  account.key_epoch = 1;
  open();
  EXPECT_EQ(difference().next, KeyStep::agreed);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, adopt(66))));
  account.server_key = mallory;
  account.key_epoch = 2;
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  EXPECT_EQ(difference().next, KeyStep::account_left);
  // Said by the database, not by what the node remembers.
  kill();
  first_follower = keys.others[0].wallet_id;
  open();
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
}

TEST_F(KeyDifferenceTest, AWalletThatTheAddressCommitsToComesBeforeOneThatAdopted) {
  chain.set_code(alice, {});
  open();
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, adopt(66))));
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  EXPECT_EQ(difference().next, KeyStep::not_deployed);
}

TEST_F(KeyDifferenceTest, WhereNothingSaysMoreTheWalletThatWasFollowedLastIsTheOne) {
  binding().init_data_hash = {};
  account.server_key = mallory;
  open();
  const keys::RecordId last = adopt(2);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, last)));
  EXPECT_EQ(difference().wallet, last);
  EXPECT_EQ(difference().next, KeyStep::not_arrived);
  // A wallet that is not bound to the account has no say.
  keys.others[0].account_count = 0;
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
}

TEST_F(KeyDifferenceTest, AWalletThatTheCoreDoesNotTellAboutMayBeTheOne) {
  open();
  const keys::RecordId other = adopt(66);
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, other)));
  keys.unreadable = other;
  EXPECT_EQ(difference().wallet, keys.wallet.wallet_id);
  account.server_key = mallory;
  EXPECT_EQ(loop.block_on(alarms->difference(alice)).error().code, ErrorCode::keys_failed);
}

TEST_F(KeyDifferenceTest, AChangeThatWaitsOnChainIsWaitedFor) {
  core_has({1, 2});
  start();
  item("ItemStarted", accounts::ItemKind::change_keys, 1);
  account.items[Uint256(1).to_be()] = accounts::ItemKind::change_keys;
  mine();
  EXPECT_EQ(difference().next, KeyStep::wait);
  // Cancelled: nothing waits any more.
  account.items[Uint256(1).to_be()] = accounts::ItemKind::done;
  EXPECT_EQ(difference().next, KeyStep::repeat);
  // Something else waits, later.
  escape_starts(2);
  account.items[Uint256(2).to_be()] = accounts::ItemKind::escape;
  mine();
  EXPECT_EQ(difference().next, KeyStep::repeat);
}

TEST_F(KeyDifferenceTest, AWaitingEscapeIsNotTheChangeOfTheCore) {
  core_has({1, 2});
  start();
  escape_starts(1);
  account.items[Uint256(1).to_be()] = accounts::ItemKind::escape;
  mine();
  EXPECT_EQ(difference().next, KeyStep::repeat);
}

TEST_F(KeyDifferenceTest, WhatIsNotDeployedIsNotCompared) {
  chain.set_code(alice, {});
  core_has({1, 2});
  open();
  const KeyDifference found = difference();
  EXPECT_EQ(found.next, KeyStep::not_deployed);
  EXPECT_TRUE(found.only_in_core.empty());
}

TEST_F(KeyDifferenceTest, WhatCannotBeComparedIsNamed) {
  open();
  EXPECT_EQ(loop.block_on(alarms->difference(mallory)).error().code, ErrorCode::account_unknown);
  keys.is_away = true;
  EXPECT_EQ(loop.block_on(alarms->difference(alice)).error().code, ErrorCode::keys_failed);
  keys.is_away = false;
  keys.wallet.account_count = 0;
  EXPECT_EQ(loop.block_on(alarms->difference(alice)).error().code, ErrorCode::account_unknown);
  keys.wallet.account_count = 1;
  chain::ChainError lost;
  lost.kind = chain::ChainErrorKind::transport;
  chain.fail_next(lost);
  EXPECT_EQ(loop.block_on(alarms->difference(alice)).error().code, ErrorCode::chain_failed);
  chain.on_call(alice, [](const chain::CallRequest&) -> chain::ChainResult<Bytes> { return Bytes{1}; });
  EXPECT_EQ(loop.block_on(alarms->difference(alice)).error().code, ErrorCode::account_unreadable);
}

TEST_F(KeyDifferenceTest, ADifferenceIsFoundAtTheStart) {
  core_has({1, 2});
  start();
  until([this] { return open_differences(KeyStep::repeat) == 1; });
}

TEST_F(KeyDifferenceTest, AnAccountIsComparedWhenItIsFollowed) {
  start();
  until([this] { return difference().next == KeyStep::agreed; });
  core_has({1, 2});
  ASSERT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  until([this] { return open_differences(KeyStep::repeat) == 1; });
}

TEST_F(KeyDifferenceTest, AnEventOfTheKeysIsAReasonToCompare) {
  start();
  until([this] { return loop.block_on(alarms->difference(alice)).has_value(); });
  chain_has({9});
  account.key_epoch = 1;
  key_epoch_changes(1, 1);
  mine();
  until([this] { return open_differences(KeyStep::chain_moved) == 1; });
  // The owner brings the wallet in line; the next event finds it.
  core_has({9});
  account.key_epoch = 2;
  key_epoch_changes(2, 2);
  mine();
  until([this] { return open_differences(KeyStep::chain_moved) == 0; });
}

TEST_F(KeyDifferenceTest, AReorganisationThatTakesKeysBackIsAReasonToCompare) {
  core_has({1, 2});
  start();
  until([this] { return open_differences(KeyStep::repeat) == 1; });
  chain_has({1, 2});
  account.key_epoch = 1;
  key_epoch_changes(1, 1);
  mine();
  until([this] { return open_differences(KeyStep::repeat) == 0; });
  chain_has({1});
  account.key_epoch = 0;
  logs_by_block.clear();
  chain.reorg(1, 2);
  look();
  until([this] { return open_differences(KeyStep::repeat) == 1; });
}

TEST_F(KeyDifferenceTest, ACoreThatIsAwayIsAskedAgain) {
  keys.is_away = true;
  core_has({1, 2});
  start();
  mine();
  EXPECT_EQ(open_differences(KeyStep::repeat), 0);
  keys.is_away = false;
  mine_until([this] { return open_differences(KeyStep::repeat) == 1; });
}

}  // namespace
}  // namespace community::alarms
