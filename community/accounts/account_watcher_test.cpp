// SPDX-License-Identifier: Apache-2.0
// The watcher against a chain that fails, forgets and reorganises: every event is told once and kept.
#include "community/accounts/api/account_watcher.hpp"

#include <gtest/gtest.h>
#include <soci/soci.h>

#include <map>
#include <set>

#include "community/accounts/factory.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"

namespace community::accounts {
namespace {

namespace json = boost::json;
using core::AbiValue;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }

json::object raw_log(const Address& from, std::vector<Bytes32> topics, const Bytes& data, std::uint64_t transaction) {
  json::object log;
  log["address"] = core::to_hex(from);
  json::array list;
  for (const Bytes32& topic : topics) list.emplace_back(core::to_hex(topic));
  log["topics"] = std::move(list);
  log["data"] = core::to_hex(data);
  log["transactionHash"] = core::to_hex(Uint256(transaction).to_be());
  log["transactionIndex"] = "0x0";
  log["removed"] = false;
  return log;
}

// Writes a line for each event, or asks the database for nonsense.
class TestJournal final : public EventJournal {
 public:
  void came(soci::session& session, const AccountEvent& event, bool is_new, std::int64_t) override {
    if (is_broken) session << "UPDATE there_is_no_such_table SET x = 1";
    lines.push_back(event.name + (is_new ? "" : " again"));
  }
  void went(soci::session&, std::uint64_t above_block) override {
    lines.push_back("above " + std::to_string(above_block));
  }

  // Read while no write is under way.
  std::vector<std::string> lines;
  bool is_broken = false;
};

class AccountWatcherTest : public ::testing::Test {
 protected:
  AccountWatcherTest() {
    chain.mine(5);
    chain.on("eth_getLogs", [this](const json::array& params) { return logs(params.at(0).as_object()); });
    start();
  }

  void start() {
    auto opened = infra::Database::open(place.options(), {account_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    AccountWatcherDependencies d{*database, clock, chain, *blocks, {entry_point.get()}, {}, nullptr};
    d.is_known_userop = [this](Bytes32 hash) -> infra::Task<bool> { co_return ours.contains(hash); };
    d.journals = {&journal};
    watcher = make_account_watcher(std::move(d), {2, 3});
    watcher->listen([this](const AccountEvent& event) -> infra::Task<void> {
      told.push_back(event.name + "@" + std::to_string(event.block_number));
      co_return;
    });
    ASSERT_TRUE(loop.block_on(watcher->load()));
  }
  void restart() {
    watcher.reset();
    blocks.reset();
    database.reset();
    start();
  }
  void look() { ASSERT_TRUE(loop.block_on(blocks->poll())); }
  void watch(const Address& account) { ASSERT_TRUE(loop.block_on(watcher->watch(account))); }
  std::size_t kept(const Address& account) { return loop.block_on(watcher->recent(account, 100))->size(); }

  // In the next block that is mined.
  void frozen(const Address& account, std::uint64_t transaction) {
    const Bytes votes = core::to_bytes(Uint256(1).to_be());
    happens[chain.head().number + 1].push_back(
        raw_log(account, {core::event_topic("Frozen(uint256)")}, votes, transaction));
  }
  void operation(const Address& sender, const Bytes32& hash, std::uint64_t transaction) {
    const std::vector<AbiValue> values{AbiValue(std::uint64_t{7}), AbiValue(std::uint64_t{1}),
                                       AbiValue(std::uint64_t{2}), AbiValue(std::uint64_t{3})};
    const Bytes data =
        core::abi_encode(core::parse_abi_parameters("uint256,bool,uint256,uint256").value(), values).value();
    happens[chain.head().number + 1].push_back(
        raw_log(entry_point->address(),
                {chain::entry_point_topics().user_operation, hash, Uint256::from_be(sender).to_be(), Bytes32{}}, data,
                transaction));
  }

  const Address alice = address(0xa11ce), bob = address(0xb0b), carol = address(0xca401);
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain;
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<AccountWatcher> watcher;
  TestJournal journal;
  std::map<std::uint64_t, json::array> happens;
  std::set<Bytes32> ours;
  std::vector<std::string> told;
  bool is_down = false;

 private:
  // As a node answers: what matches addresses and first topics, numbered within its block.
  chain::ChainResult<json::value> logs(const json::object& filter) {
    if (is_down) return chain::chain_fail(chain::ChainErrorKind::timeout, "slow");
    const auto number = [&](const char* name) {
      return std::stoull(std::string(filter.at(name).as_string()).substr(2), nullptr, 16);
    };
    json::array found;
    for (std::uint64_t block = number("fromBlock"); block <= number("toBlock"); block++) {
      std::uint64_t index = 0;
      for (const json::value& one : happens[block]) {
        json::object log = one.as_object();
        log["blockNumber"] = core::format_quantity(Uint256(block));
        log["blockHash"] = core::to_hex(Uint256(block).to_be());
        log["logIndex"] = core::format_quantity(Uint256(index++));
        if (matches(filter, log)) found.push_back(std::move(log));
      }
    }
    return found;
  }

  static bool any_of(const json::value& wanted, const json::value& value) {
    if (wanted.is_null()) return true;
    if (!wanted.is_array()) return wanted == value;
    return wanted.as_array().empty() || std::ranges::find(wanted.as_array(), value) != wanted.as_array().end();
  }
  static bool matches(const json::object& filter, const json::object& log) {
    if (!any_of(filter.at("address"), log.at("address"))) return false;
    const json::array& topics = filter.at("topics").as_array();
    for (std::size_t i = 0; i < topics.size(); i++)
      if (i >= log.at("topics").as_array().size() || !any_of(topics[i], log.at("topics").as_array()[i])) return false;
    return true;
  }
};

using Told = std::vector<std::string>;

TEST_F(AccountWatcherTest, AnEventIsToldWithItsBlock) {
  watch(alice);
  look();
  frozen(alice, 1);
  frozen(bob, 2);
  chain.mine();
  look();
  EXPECT_EQ(told, (Told{"Frozen@6"}));
  EXPECT_EQ(kept(alice), 1u);
  EXPECT_EQ(kept(bob), 0u);
  EXPECT_EQ(watcher->seen_block(), 6u);
}

TEST_F(AccountWatcherTest, AnOperationThatCameElsewhereIsAnAlarm) {
  watch(alice);
  look();
  const Bytes32 mine = Uint256(100).to_be(), strange = Uint256(101).to_be();
  ours.insert(mine);
  operation(alice, mine, 1);
  operation(alice, strange, 2);
  operation(bob, Uint256(102).to_be(), 3);
  chain.mine();
  look();
  EXPECT_EQ(told, (Told{"UnknownSubmitter@6"}));
  const auto event = loop.block_on(watcher->recent(alice, 1))->front();
  EXPECT_EQ(event.at("userOpHash"), json::value(core::to_hex(strange)));
  EXPECT_EQ(event.at("loudness"), json::value("alarm"));
}

TEST_F(AccountWatcherTest, ManyAccountsAreAskedForInParts) {
  for (const Address& account : {alice, bob, carol}) watch(account);
  look();
  frozen(carol, 1);
  frozen(alice, 2);
  frozen(bob, 3);
  chain.mine();
  look();
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(AccountWatcherTest, WhatWasMissedIsCaughtUpInOrder) {
  watch(alice);
  look();
  is_down = true;
  for (std::uint64_t i = 0; i < 8; i++) {
    frozen(alice, i + 1);
    chain.mine();
    look();
  }
  EXPECT_TRUE(told.empty());
  is_down = false;
  chain.mine();
  look();
  EXPECT_EQ(told,
            (Told{"Frozen@6", "Frozen@7", "Frozen@8", "Frozen@9", "Frozen@10", "Frozen@11", "Frozen@12", "Frozen@13"}));
}

TEST_F(AccountWatcherTest, ARestartLosesAndRepeatsNothing) {
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  frozen(alice, 2);
  chain.mine();
  restart();
  look();
  EXPECT_EQ(told, (Told{"Frozen@6", "Frozen@7"}));
  EXPECT_EQ(kept(alice), 2u);
}

TEST_F(AccountWatcherTest, AReorganisedEventIsToldOnceAndGoneWhileItIsGone) {
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  EXPECT_EQ(kept(alice), 1u);
  const json::array event = happens[6];
  happens[6].clear();
  chain.reorg(1, 2);
  look();
  EXPECT_EQ(kept(alice), 0u);
  // The same transaction comes in a later block.
  happens[8] = event;
  chain.mine();
  look();
  EXPECT_EQ(told, (Told{"Frozen@6"}));
  EXPECT_EQ(kept(alice), 1u);
}

TEST_F(AccountWatcherTest, TheJournalIsWrittenWithTheEventsOrNothingIs) {
  watch(alice);
  look();
  journal.is_broken = true;
  frozen(alice, 1);
  chain.mine();
  look();
  EXPECT_EQ(kept(alice), 0u);
  EXPECT_EQ(watcher->seen_block(), 5u);
  EXPECT_TRUE(told.empty());
  journal.is_broken = false;
  chain.mine();
  look();
  EXPECT_EQ(told, (Told{"Frozen@6"}));
  EXPECT_EQ(journal.lines, (Told{"Frozen"}));
}

TEST_F(AccountWatcherTest, TheJournalHearsOfReorganisationsAndReturns) {
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  const json::array event = happens[6];
  happens[6].clear();
  chain.reorg(1, 2);
  look();
  happens[8] = event;
  chain.mine();
  look();
  EXPECT_EQ(journal.lines, (Told{"Frozen", "above 5", "Frozen again"}));
}

TEST_F(AccountWatcherTest, FirstKeysAreQuietAndNewOnesAreNot) {
  watch(alice);
  look();
  const auto server_key = [&](std::uint64_t transaction, bool epoch) {
    auto& block = happens[chain.head().number + 1];
    block.push_back(
        raw_log(alice, {core::event_topic("ServerKeyChanged(address)"), Uint256(9).to_be()}, {}, transaction));
    if (epoch)
      block.push_back(
          raw_log(alice, {core::event_topic("KeyEpochChanged(uint32)"), Uint256(1).to_be()}, {}, transaction));
    chain.mine();
    look();
    return loop.block_on(watcher->recent(alice, 9))->back().at("loudness");
  };
  EXPECT_EQ(server_key(1, false), json::value("quiet"));
  server_key(2, true);
  bool alarmed = false;
  const auto events = loop.block_on(watcher->recent(alice, 9));
  for (const json::object& event : *events)
    alarmed = alarmed ||
              (event.at("event") == json::value("ServerKeyChanged") && event.at("loudness") == json::value("alarm"));
  EXPECT_TRUE(alarmed);
}

TEST_F(AccountWatcherTest, WatchingTwiceIsWatchingOnce) {
  watch(alice);
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(AccountWatcherTest, WatchersOfTwoChainsShareADatabaseAndNothingElse) {
  chain::FakeChain other_chain{137};
  other_chain.mine(3);
  other_chain.on("eth_getLogs", [](const json::array&) { return json::value(json::array()); });
  chain::BlockWatcher other_blocks(other_chain, clock);
  AccountWatcherDependencies d{*database, clock, other_chain, other_blocks, {entry_point.get()}, {}, nullptr};
  d.is_known_userop = [](Bytes32) -> infra::Task<bool> { co_return true; };
  const auto other = make_account_watcher(std::move(d), {2, 3});
  ASSERT_TRUE(loop.block_on(other->load()));
  ASSERT_TRUE(loop.block_on(other->watch(alice)));
  ASSERT_TRUE(loop.block_on(other_blocks.poll()));
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  EXPECT_EQ(kept(alice), 1u);
  EXPECT_EQ(loop.block_on(other->recent(alice, 100))->size(), 0u);
  // A reorganisation of one chain down to its first blocks leaves what the other one told.
  other_chain.reorg(2, 3);
  ASSERT_TRUE(loop.block_on(other_blocks.poll()));
  EXPECT_EQ(kept(alice), 1u);
  EXPECT_EQ(watcher->seen_block(), chain.head().number);
  EXPECT_EQ(other->seen_block(), other_chain.head().number);
  restart();
  EXPECT_EQ(watcher->seen_block(), chain.head().number);
}

TEST_F(AccountWatcherTest, WhatWasWatchedBeforeThereWereChainsIsTheChainsThatClaimsIt) {
  watch(alice);
  look();
  frozen(alice, 1);
  chain.mine();
  look();
  auto forget = [](soci::session& sql) {
    sql << "UPDATE accounts_watched SET chain_id = 0";
    sql << "UPDATE accounts_events SET chain_id = 0";
    sql << "UPDATE accounts_cursors SET chain_id = 0";
  };
  ASSERT_TRUE(loop.block_on(database->write(forget)));
  restart();
  EXPECT_FALSE(watcher->seen_block());
  EXPECT_EQ(kept(alice), 0u);
  const std::uint64_t own = loop.block_on(chain.chain_id()).value();
  for (const std::uint64_t chain_id : {own, std::uint64_t{137}}) {
    auto claim = [chain_id](soci::session& sql) { claim_rows(sql, chain_id); };
    ASSERT_TRUE(loop.block_on(database->write(claim)));
  }
  restart();
  EXPECT_EQ(watcher->seen_block(), chain.head().number);
  EXPECT_EQ(kept(alice), 1u);
}

}  // namespace
}  // namespace community::accounts
