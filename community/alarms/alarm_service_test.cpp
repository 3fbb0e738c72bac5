// SPDX-License-Identifier: Apache-2.0
// Alarms on disk: raised with the event, told once, marked by reorganisations, bounded.
#include <soci/soci.h>

#include "community/alarms/alarm_store.hpp"
#include "community/alarms/test_support/alarm_world.hpp"
#include "community/infra/fake/test_database.hpp"

namespace community::alarms {
namespace {

class AlarmServiceTest : public AlarmWorld {
 protected:
  void acknowledge(std::int64_t id) { ASSERT_TRUE(loop.block_on(alarms->acknowledge(id))); }
  std::vector<std::int64_t> ids() {
    std::vector<std::int64_t> all;
    for (const Alarm& alarm : list()) all.push_back(alarm.id);
    return all;
  }
  // One alarm a block, of the account that is watched.
  void raise(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; i++) {
      escape_starts(next_transaction_++);
      mine();
    }
  }
  std::uint64_t next_transaction_ = 1'000;
};

using Ids = std::vector<std::int64_t>;

TEST_F(AlarmServiceTest, AnOperationThatCameElsewhereIsAnAlarmInItsBlock) {
  start();
  const Bytes32 known = Uint256(100).to_be(), strange = Uint256(101).to_be();
  ours.insert(known);
  operation(known, 1);
  operation(strange, 2);
  mine();
  until_told(AlarmClass::unknown_submitter);
  const auto found = list();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].what, AlarmClass::unknown_submitter);
  EXPECT_EQ(found[0].account, alice);
  EXPECT_EQ(found[0].chain_id, kChain);
  EXPECT_EQ(found[0].block_number, chain.head().number);
  EXPECT_EQ(found[0].transaction_hash, Uint256(2).to_be());
  EXPECT_EQ(found[0].submitter, mallory);
  EXPECT_EQ(found[0].seen_ms, clock.now_ms());
  EXPECT_FALSE(found[0].freeze);
  ASSERT_EQ(found[0].events.size(), 1u);
  EXPECT_EQ(found[0].events[0].at("userOpHash"), json::value(core::to_hex(strange)));
  const json::object shown = to_json(found[0]);
  EXPECT_EQ(shown.at("class"), json::value("unknown_submitter"));
  EXPECT_EQ(shown.at("submitter"), json::value(core::format_address(mallory)));
  EXPECT_TRUE(shown.at("freeze").is_null());
}

TEST_F(AlarmServiceTest, WhatOneTransactionDoesOfAClassIsOneAlarm) {
  limits.events = 2;
  start();
  key_epoch_changes(1, 1);
  for (std::uint64_t slot = 0; slot < 3; slot++)
    happens(alice, "PasskeyRemoved(uint256,uint256)", {Uint256(slot).to_be()}, core::to_bytes(Uint256(5).to_be()), 1);
  happens(alice, "Frozen(uint256)", {}, core::to_bytes(Uint256(1).to_be()), 1);
  happens(alice, "PasskeyRemoved(uint256,uint256)", {Uint256(7).to_be()}, core::to_bytes(Uint256(5).to_be()), 2);
  mine();
  until_told(AlarmClass::keys_changed, 2);
  const auto found = list();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].what, AlarmClass::keys_changed);
  EXPECT_EQ(found[0].event_count, 3u);
  EXPECT_EQ(found[0].events.size(), 2u);
  EXPECT_EQ(found[1].what, AlarmClass::frozen);
  EXPECT_EQ(found[2].what, AlarmClass::keys_changed);
  EXPECT_EQ(found[2].transaction_hash, Uint256(2).to_be());
}

TEST_F(AlarmServiceTest, ARuleThatOnlyLogsLeavesNoRow) {
  rules.set(AlarmClass::escape_started, AlarmAction::log);
  start();
  escape_starts(1);
  happens(alice, "Frozen(uint256)", {}, core::to_bytes(Uint256(1).to_be()), 2);
  mine();
  until_told(AlarmClass::frozen);
  EXPECT_EQ(told(AlarmClass::escape_started), 1);
  ASSERT_EQ(list().size(), 1u);
  EXPECT_EQ(list()[0].what, AlarmClass::frozen);
}

TEST_F(AlarmServiceTest, WhatFollowsFromEveryDayIsNoAlarm) {
  start();
  happens(alice, "FirstUse(address)", {Uint256(9).to_be()}, {}, 1);
  happens(alice, "ServerKeyChanged(address)", {Uint256(9).to_be()}, {}, 2);
  happens(alice, "PasskeyAdded(uint256,uint256,uint256,bytes32)", {Bytes32{}}, Bytes(96), 2);
  escape_starts(3);
  mine();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(list().size(), 1u);
}

TEST_F(AlarmServiceTest, AKillBeforeAnAlarmWasToldLosesNothing) {
  open();
  look();
  escape_starts(1);
  mine();
  ASSERT_EQ(list().size(), 1u);
  EXPECT_EQ(told(AlarmClass::escape_started), 0);
  kill();
  start();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(list()[0].submitter, mallory);
  // Told is told, also after the next start.
  kill();
  start();
  escape_starts(2);
  mine();
  until_told(AlarmClass::escape_started);
  EXPECT_EQ(told(AlarmClass::escape_started), 1);
  EXPECT_EQ(ids(), (Ids{1, 2}));
}

TEST_F(AlarmServiceTest, AChainThatIsAwayDelaysTheAlarmAndLosesNothing) {
  start();
  escape_starts(1);
  is_down = true;
  mine();
  EXPECT_TRUE(list().empty());
  is_down = false;
  mine();
  until_told(AlarmClass::escape_started);
}

TEST_F(AlarmServiceTest, AnAlarmIsToldWhenItsSubmitterIsKnownOrWillNotBe) {
  transaction_error = chain::ChainErrorKind::timeout;
  start();
  escape_starts(1);
  mine();
  // The next block makes it try again; it is on disk meanwhile.
  mine();
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(told(AlarmClass::escape_started), 0);
  transaction_error.reset();
  mine_until([this] { return told(AlarmClass::escape_started) == 1; });
  EXPECT_EQ(list()[0].submitter, mallory);
  // A node that does not know the method is no reason to be silent.
  transaction_error = chain::ChainErrorKind::rpc;
  escape_starts(2);
  mine();
  until_told(AlarmClass::escape_started, 2);
  EXPECT_FALSE(list()[1].submitter);
}

TEST_F(AlarmServiceTest, AReorganisationMarksAnAlarmAndItsReturnUnmarksIt) {
  start();
  escape_starts(1);
  mine();
  until_told(AlarmClass::escape_started);
  const std::uint64_t block = chain.head().number;
  const json::array event = logs_by_block[block];
  logs_by_block[block].clear();
  chain.reorg(1, 2);
  look();
  ASSERT_EQ(list().size(), 1u);
  EXPECT_TRUE(list()[0].removed);
  logs_by_block[chain.head().number + 1] = event;
  mine();
  ASSERT_EQ(list().size(), 1u);
  EXPECT_FALSE(list()[0].removed);
  EXPECT_EQ(list()[0].block_number, chain.head().number);
  EXPECT_EQ(list()[0].event_count, 1u);
  EXPECT_EQ(told(AlarmClass::escape_started), 1);
}

TEST_F(AlarmServiceTest, AcknowledgingIsKeptWithItsFirstTime) {
  start();
  raise(2);
  acknowledge(1);
  const std::int64_t first = list()[0].acknowledged_ms;
  EXPECT_EQ(first, clock.now_ms());
  EXPECT_EQ(list()[1].acknowledged_ms, 0);
  clock.advance(infra::Milliseconds(1'000));
  acknowledge(1);
  EXPECT_EQ(list()[0].acknowledged_ms, first);
  kill();
  start();
  EXPECT_EQ(list()[0].acknowledged_ms, first);
  EXPECT_EQ(loop.block_on(alarms->acknowledge(99)).error().code, ErrorCode::alarm_unknown);
}

TEST_F(AlarmServiceTest, AListGoesOnWhereTheLastOneEnded) {
  start();
  raise(5);
  AlarmQuery query;
  query.limit = 2;
  query.since_id = 2;
  const auto page = loop.block_on(alarms->list(query));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ((*page)[0].id, 3);
  EXPECT_EQ((*page)[1].id, 4);
  query.account = mallory;
  EXPECT_TRUE(loop.block_on(alarms->list(query))->empty());
  query.account = alice;
  EXPECT_EQ(loop.block_on(alarms->list(query))->size(), 2u);
  query.limit = 0;
  EXPECT_EQ(loop.block_on(alarms->list(query)).error().code, ErrorCode::limit_out_of_range);
  query.limit = limits.listed + 1;
  EXPECT_EQ(loop.block_on(alarms->list(query)).error().code, ErrorCode::limit_out_of_range);
}

TEST_F(AlarmServiceTest, WhereThereAreTooManyTheAcknowledgedGoFirst) {
  limits.per_account = 4;
  start();
  raise(4);
  acknowledge(3);
  raise(1);
  EXPECT_EQ(ids(), (Ids{1, 2, 4, 5}));
  raise(1);
  EXPECT_EQ(ids(), (Ids{2, 4, 5, 6}));
  const auto dropped = [this](const char* acknowledged) {
    return metrics
        ->counter("community_alarms_evicted_total", "Alarms that were dropped because there were too many.",
                  {{"acknowledged", acknowledged}})
        .value();
  };
  EXPECT_EQ(dropped("yes"), 1);
  EXPECT_EQ(dropped("no"), 1);
}

TEST_F(AlarmServiceTest, OneAccountDoesNotPushOutTheAlarmsOfAnother) {
  limits.total = 4;
  const Address bob = test_address(0xb0b);
  start();
  ASSERT_TRUE(loop.block_on(watcher->watch(bob)));
  happens(bob, "Frozen(uint256)", {}, core::to_bytes(Uint256(1).to_be()), 1);
  mine();
  raise(8);
  const auto left = list();
  ASSERT_EQ(left.size(), 4u);
  EXPECT_EQ(left[0].account, bob);
}

// --- who may say that an account is theirs ---------------------------------------------------------------------------

TEST_F(AlarmServiceTest, TheWalletsOfAnAccountAreBounded) {
  limits.wallets_per_account = 3;
  start();
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, adopt(50))));
  const keys::RecordId last = adopt(51), refused = adopt(52);
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, last)));
  EXPECT_EQ(loop.block_on(alarms->follow(alice, refused)).error().code, ErrorCode::too_many_wallets);
  // Who is there already may say it again, and another account has its own places.
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, last)));
  EXPECT_TRUE(loop.block_on(alarms->follow(mallory, refused)));
  // Why it could not be found out whether the chain names it.
  keys.is_away = true;
  EXPECT_EQ(loop.block_on(alarms->follow(alice, refused)).error().code, ErrorCode::keys_failed);
}

TEST_F(AlarmServiceTest, StrangersCannotFillThePlaceOfTheWalletThatTheChainNames) {
  limits.wallets_per_account = 2;
  const keys::RecordId first = adopt(50), second = adopt(51);
  first_follower = first;
  open();
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, second)));
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  EXPECT_EQ(loop.block_on(alarms->difference(alice))->wallet, keys.wallet.wallet_id);
  // The first one went, and does not come back in the owner's place.
  EXPECT_EQ(loop.block_on(alarms->follow(alice, first)).error().code, ErrorCode::too_many_wallets);
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, second)));
}

TEST_F(AlarmServiceTest, WhoGivesUpAPlaceIsWhomTheChainNeverNamed) {
  limits.wallets_per_account = 2;
  open();
  EXPECT_TRUE(loop.block_on(alarms->difference(alice)));
  const keys::RecordId stranger = adopt(50), next = adopt(51);
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, stranger)));
  account.server_key = FakeWalletKeys::server_key(0, 2);
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, next)));
  // The wallet from before the move has kept its place, though it came first.
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  EXPECT_EQ(loop.block_on(alarms->follow(alice, stranger)).error().code, ErrorCode::too_many_wallets);
}

TEST_F(AlarmServiceTest, ADatabaseOfOneWalletAnAccountIsTakenAlong) {
  infra::MigrationSet first = alarm_migrations();
  first.steps.resize(1);
  const std::string owner = core::to_plain_hex(keys.wallet.wallet_id), who = core::to_plain_hex(alice);
  auto old = infra::Database::open(place.options(), {accounts::account_migrations(), first});
  ASSERT_TRUE(old) << old.error().text();
  auto fill = [&owner, &who](soci::session& sql) {
    sql << "INSERT INTO alarms_accounts (account, wallet, agreed_epoch, agreed_server_key, created_ms) VALUES "
           "(:account, :wallet, 3, 1, 0)",
        soci::use(who), soci::use(owner);
    sql << "INSERT INTO alarms_freezes (id, chain_id, account, block_number, state, is_open, key_epoch, deadline_s, "
           "server_key_index, attempts, errand, reason, changed_ms) VALUES (1, 1337, :account, 5, 'stamped', 1, 0, "
           "99999999999, 0, 0, '', '', 0)",
        soci::use(who);
  };
  ASSERT_TRUE(loop.block_on((*old)->write(fill)));
  old->reset();
  auto moved = infra::Database::open(place.options(), {accounts::account_migrations(), alarm_migrations()});
  ASSERT_TRUE(moved) << moved.error().text();
  auto claim = [](soci::session& sql) { claim_rows(sql, kChain); };
  ASSERT_TRUE(loop.block_on((*moved)->write(claim)));
  moved->reset();
  // Otherwise the one that was followed last would be the one.
  account.server_key = mallory;
  account.key_epoch = 3;
  first_follower = adopt(66);
  keys.wallet.accounts[0].init_data_hash[0] = 1;
  start();
  const auto found = loop.block_on(alarms->difference(alice));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->wallet, keys.wallet.wallet_id);
  EXPECT_EQ(found->agreed, (KeyAgreement{3, 1}));
  mine_until([this] { return !courier.calls.empty(); });
  EXPECT_EQ(keys.signers, (std::vector<keys::RecordId>{keys.wallet.wallet_id}));
}

TEST_F(AlarmServiceTest, BeforeTheAccountIsDeployedItsAddressSaysWhoHasAPlace) {
  limits.wallets_per_account = 2;
  chain.set_code(alice, {});
  keys.wallet.accounts[0].init_data_hash[0] = 1;
  first_follower = adopt(50);
  open();
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, adopt(51))));
  EXPECT_EQ(loop.block_on(alarms->follow(alice, adopt(52))).error().code, ErrorCode::too_many_wallets);
  EXPECT_TRUE(loop.block_on(alarms->follow(alice, keys.wallet.wallet_id)));
  EXPECT_EQ(loop.block_on(alarms->difference(alice))->wallet, keys.wallet.wallet_id);
}

TEST_F(AlarmServiceTest, EachChainFollowsItsOwnAccountsAndTellsItsOwnAlarms) {
  open();
  AlarmStore own({*database, clock}, kChain, rules, limits), other({*database, clock}, 137, rules, limits);
  EXPECT_EQ(loop.block_on(own.all_followed()), std::vector<Address>{alice});
  EXPECT_TRUE(loop.block_on(other.all_followed())->empty());
  EXPECT_EQ(loop.block_on(other.followers(alice)).error().code, ErrorCode::account_unknown);
  accounts::AccountEvent event;
  event.name = accounts::kUnknownSubmitter;
  event.loudness = accounts::Loudness::alarm;
  event.account = alice;
  event.transaction_hash[0] = 1;
  auto came = [&other, event](soci::session& sql) { other.came(sql, event, true, 0); };
  ASSERT_TRUE(loop.block_on(database->write(came)));
  EXPECT_TRUE(loop.block_on(own.untold(10))->empty());
  EXPECT_EQ(loop.block_on(other.untold(10))->size(), 1u);
  EXPECT_EQ(loop.block_on(own.count_waiting()), 0u);
  EXPECT_EQ(loop.block_on(other.count_waiting()), 1u);
  // The operator's list is of the whole node.
  EXPECT_EQ(loop.block_on(own.list({}))->size(), 1u);
}

}  // namespace
}  // namespace community::alarms
