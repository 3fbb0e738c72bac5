// SPDX-License-Identifier: Apache-2.0
// The courier against a chain that refuses, forgets and reorganises, and across restarts. The key is in software.
#include <gtest/gtest.h>

#include "community/chain/fake/fake_chain.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/secp256k1.hpp"
#include "community/courier/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/settle.hpp"
#include "community/infra/fake/test_database.hpp"
#include "trusted/base/keccak.hpp"

namespace community::courier {
namespace {

const Bytes32 kSecret = Uint256(77).to_be();

class SoftwareKey final : public keys::ExecutorKeys {
 public:
  Task<keys::Result<std::vector<keys::KeyInfo>>> executors(std::uint64_t) override {
    co_return std::vector<keys::KeyInfo>{info()};
  }
  Task<keys::Result<core::Signature>> sign_transaction(keys::RecordId, Bytes unsigned_bytes) override {
    co_await infra::reschedule();
    if (refusal) co_return keys::refuse(*refusal);
    co_return *core::sign_digest(kSecret, base::keccak256(unsigned_bytes));
  }
  static keys::KeyInfo info() {
    keys::KeyInfo key;
    key.id[0] = 1;
    key.purpose = keys::Purpose::executor;
    key.address = core::address_of(*core::public_key_of(kSecret));
    return key;
  }

  std::optional<protocol::Error> refusal;
};

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() {
    limits.final_depth = 3;
    limits.queue = 4;
    limits.max_fee_per_gas = Uint256(1'000'000'000'000);
    chain.on("eth_estimateGas", [this](const boost::json::array&) -> chain::ChainResult<boost::json::value> {
      if (!reverts) return boost::json::value("0x186a0");
      chain::ChainError error;
      error.kind = chain::ChainErrorKind::rpc;
      error.message = "execution reverted: AlreadyFrozen";
      error.reverted = true;
      return tl::unexpected(std::move(error));
    });
    chain.on_transaction([this](const core::Transaction& transaction, const Address&) {
      executed.push_back(transaction.data);
      return chain::FakeChain::Executed{!fails_on_chain, 90'000, {}};
    });
    chain.set_balance(SoftwareKey::info().address, *base::multiply(Uint256(1'000'000'000), Uint256(1'000'000'000)));
    chain.mine(3);
    start();
  }
  ~CourierTest() override { stop(); }

  void start() {
    open();
    group->spawn(courier->run());
    look();
  }
  void open() {
    infra::DatabaseOptions options = place.options();
    options.readers = 1;
    auto opened = infra::Database::open(options, {courier_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    fees = std::make_unique<chain::FeeOracle>(chain, clock);
    courier =
        make_courier({*database, clock, chain, *blocks, *fees, keys, nullptr}, 1'337, SoftwareKey::info(), limits);
    group = std::make_unique<infra::TaskGroup>(loop.executor());
  }
  void stop() {
    if (!group) return;
    group->cancel();
    loop.block_on(group->join());
    group.reset();
    courier.reset();
    fees.reset();
    blocks.reset();
    database.reset();
  }
  void restart() {
    stop();
    start();
  }

  void look() { ASSERT_TRUE(loop.block_on(blocks->poll())); }
  void mine(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; i++) {
      chain.mine();
      look();
      settle();
    }
  }
  // Lets the courier do what it can; the limit only ends a test that has failed.
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) loop.block_on(infra::reschedule());
    EXPECT_TRUE(condition());
  }
  void settle() { infra::settle(loop, *database); }
  Result<Bytes32> accept(const Bytes& data) { return loop.block_on(courier->accept(kAccount, data)); }
  ErrandState state(const Bytes32& id) { return loop.block_on(courier->errand(id))->state; }
  void until_state(const Bytes32& id, ErrandState wanted) {
    until([&] { return state(id) == wanted; });
  }
  Errand now(const Bytes32& id) { return *loop.block_on(courier->errand(id)); }
  void until_in_block(const Bytes32& id, bool wanted = true) {
    until([&] { return now(id).is_in_block() == wanted; });
  }
  // On its way, mined in the next block and told so.
  Bytes32 in_block(const Bytes& data) {
    const auto id = accept(data);
    EXPECT_TRUE(id);
    until([this] { return chain.pending() == 1; });
    mine();
    until_in_block(*id);
    return *id;
  }
  // A transaction of the courier's key that is not the courier's.
  void send_foreign(std::uint64_t nonce) {
    core::Transaction foreign;
    foreign.chain_id = Uint256(1'337);
    foreign.nonce = nonce;
    foreign.max_fee_per_gas = Uint256(1'000'000'000'000);
    foreign.gas_limit = Uint256(90'000);
    foreign.to = kAccount;
    foreign.data = Bytes{7};
    foreign.signature = *core::sign_digest(kSecret, base::keccak256(foreign.unsigned_encoding()));
    ASSERT_TRUE(loop.block_on(chain.send_raw_transaction(*foreign.signed_encoding())));
  }
  // Mines until the errand is over; the limit only ends a test that has failed.
  void finish(const Bytes32& id) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (state(id) < ErrandState::included && std::chrono::steady_clock::now() < end) mine();
    EXPECT_GE(state(id), ErrandState::included);
  }

  const Address kAccount = core::address_from_word(Uint256(0xacc).to_be());
  const Bytes freeze{1, 2, 3, 4, 5}, escape{9, 8, 7, 6};
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain;
  SoftwareKey keys;
  CourierLimits limits;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<Courier> courier;
  std::unique_ptr<infra::TaskGroup> group;
  std::vector<Bytes> executed;
  bool reverts = false, fails_on_chain = false;
};

TEST_F(CourierTest, ACallComesOnChainAndBecomesFinal) {
  const auto id = accept(freeze);
  ASSERT_TRUE(id) << id.error().text();
  until_state(*id, ErrandState::sent);
  finish(*id);
  EXPECT_EQ(executed, std::vector<Bytes>{freeze});
  const auto errand = loop.block_on(courier->errand(*id));
  EXPECT_EQ(errand->state, ErrandState::included);
  EXPECT_EQ(errand->to, kAccount);
  EXPECT_NE(errand->block_number, 0u);
}

TEST_F(CourierTest, CallsGoOneAfterTheOther) {
  const auto first = accept(freeze), second = accept(escape);
  ASSERT_TRUE(first && second);
  finish(*first);
  finish(*second);
  EXPECT_EQ(executed, (std::vector<Bytes>{freeze, escape}));
}

// Else whoever freezes an account would wait for minutes behind each other person.
TEST_F(CourierTest, TheNextBeginsWhenTheFormerIsInABlock) {
  limits.final_depth = 1'000;
  restart();
  const auto first = accept(freeze), second = accept(escape), third = accept({5, 5, 5, 5});
  ASSERT_TRUE(first && second && third);
  until([this] { return chain.pending() == 1; });
  EXPECT_EQ(chain.sent().size(), 1u) << "one at a time waits for a block";
  for (std::size_t count = 2; count <= 3; count++) {
    mine();
    until([&] { return chain.sent().size() == count; });
    EXPECT_EQ(chain.sent()[count - 1].nonce, Uint256(count - 1));
  }
  mine();
  EXPECT_EQ(executed, (std::vector<Bytes>{freeze, escape, {5, 5, 5, 5}}));
  EXPECT_EQ(state(*first), ErrandState::sent) << "in a block, and not final";
  // Found again, all of them, and none is carried out twice.
  limits.final_depth = 3;
  restart();
  for (const auto& id : {*first, *second, *third}) {
    finish(id);
    EXPECT_EQ(state(id), ErrandState::included);
  }
  EXPECT_EQ(executed.size(), 3u);
}

TEST_F(CourierTest, AReorganisationOfSeveralIsSentAgainBeforeAnythingNew) {
  limits.final_depth = 50;
  restart();
  const auto first = accept(freeze);
  ASSERT_TRUE(first);
  until([this] { return chain.pending() == 1; });
  mine();
  const auto second = accept(escape);
  ASSERT_TRUE(second);
  until([this] { return chain.pending() == 1; });
  mine();
  settle();
  ASSERT_EQ(executed.size(), 2u);
  // Both blocks go, and what was in them is forgotten by the chain's server.
  const Bytes32 first_hash = loop.block_on(courier->errand(*first))->transaction_hash;
  const Bytes32 second_hash = loop.block_on(courier->errand(*second))->transaction_hash;
  chain.reorg(2, 2);
  chain.drop_pending(first_hash);
  chain.drop_pending(second_hash);
  const auto third = accept({5, 5, 5, 5});
  ASSERT_TRUE(third);
  executed.clear();
  limits.final_depth = 3;
  restart();
  for (const auto& id : {*first, *second, *third}) {
    finish(id);
    EXPECT_EQ(state(id), ErrandState::included) << loop.block_on(courier->errand(id))->reason;
  }
  EXPECT_EQ(executed, (std::vector<Bytes>{freeze, escape, {5, 5, 5, 5}}));
}

TEST_F(CourierTest, TheSameCallIsOneErrandWhileItIsOpen) {
  const auto first = accept(freeze), again = accept(freeze);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again);
  finish(*first);
  EXPECT_EQ(executed.size(), 1u);
}

TEST_F(CourierTest, WhatTheContractRefusesIsNotTaken) {
  reverts = true;
  const auto refused = accept(freeze);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::would_revert);
  EXPECT_NE(refused.error().message.find("AlreadyFrozen"), std::string::npos);
  reverts = false;
  EXPECT_TRUE(accept(freeze));
}

TEST_F(CourierTest, WhatTheCoreRefusesIsGivenUpWithItsRule) {
  keys.refusal = protocol::Error::transaction_not_to_entry_point;
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  until_state(*id, ErrandState::failed);
  EXPECT_NE(loop.block_on(courier->errand(*id))->reason.find("transaction_not_to_entry_point"), std::string::npos);
  keys.refusal.reset();
  const auto other = accept(escape);
  ASSERT_TRUE(other);
  finish(*other);
  EXPECT_EQ(executed, std::vector<Bytes>{escape});
}

TEST_F(CourierTest, ARevertOnChainIsTold) {
  fails_on_chain = true;
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  finish(*id);
  EXPECT_EQ(state(*id), ErrandState::failed);
}

TEST_F(CourierTest, LimitsHold) {
  EXPECT_EQ(accept({1, 2, 3}).error().code, ErrorCode::call_invalid);
  EXPECT_EQ(accept(Bytes(limits.bytes + 1, 1)).error().code, ErrorCode::call_invalid);
  keys.refusal = protocol::Error::budget_exhausted;
  for (std::uint8_t i = 0; i < limits.queue; i++) EXPECT_TRUE(accept({i, 0, 0, 0}));
  const auto full = accept({99, 0, 0, 0});
  // Those that the core refused have left already, or the queue is full.
  if (!full) {
    EXPECT_EQ(full.error().code, ErrorCode::queue_full);
  }
}

TEST_F(CourierTest, ARestartLosesAndRepeatsNothing) {
  const auto first = accept(freeze), second = accept(escape);
  ASSERT_TRUE(first && second);
  until_state(*first, ErrandState::sent);
  restart();
  mine();
  restart();
  finish(*first);
  finish(*second);
  EXPECT_EQ(executed, (std::vector<Bytes>{freeze, escape}));
}

TEST_F(CourierTest, ACallThatIsUnderWayIsFoundAgainByWhoAsksFirstAfterARestart) {
  const auto first = accept(freeze);
  ASSERT_TRUE(first);
  until_state(*first, ErrandState::sent);
  stop();
  open();
  // Asked before the courier runs.
  std::optional<Result<Bytes32>> again;
  auto ask = [&]() -> Task<void> { again = co_await courier->accept(kAccount, freeze); };
  group->spawn(ask());
  for (int turn = 0; turn < 200; turn++) loop.block_on(infra::reschedule());
  EXPECT_FALSE(again.has_value());
  group->spawn(courier->run());
  until([&] { return again.has_value(); });
  ASSERT_TRUE(*again);
  EXPECT_EQ(**again, *first);
  EXPECT_EQ(state(*first), ErrandState::sent);
  look();
  finish(*first);
  EXPECT_EQ(executed.size(), 1u);
  EXPECT_EQ(chain.sent().size(), 1u);
}

TEST_F(CourierTest, WhatWasWrittenAndNeverSentIsSentAtTheNextStart) {
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  until([this] { return chain.pending() == 1; });
  const Bytes32 hash = loop.block_on(courier->errand(*id))->transaction_hash;
  stop();
  chain.drop_pending(hash);
  start();
  until([this] { return chain.pending() == 1; });
  EXPECT_EQ(loop.block_on(courier->errand(*id))->transaction_hash, hash);
  finish(*id);
  EXPECT_EQ(executed.size(), 1u);
}

TEST_F(CourierTest, AStuckTransactionIsReplacedUnderItsNonce) {
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  until_state(*id, ErrandState::sent);
  // The base fee is above what was offered, for a while.
  chain.set_base_fee(Uint256(100'000'000'000'000));
  mine(4);
  until([this] { return chain.sent().size() >= 2; });
  chain.set_base_fee(Uint256(1'000'000));
  finish(*id);
  EXPECT_EQ(executed.size(), 1u);
  EXPECT_EQ(chain.sent()[0].nonce, chain.sent()[1].nonce);
  EXPECT_GT(chain.sent()[1].max_fee_per_gas, chain.sent()[0].max_fee_per_gas);
}

TEST_F(CourierTest, ANonceThatSomebodyElseUsedEndsTheErrandAndNotTheCourier) {
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  until_state(*id, ErrandState::sent);
  until([this] { return chain.pending() == 1; });
  chain.drop_pending(loop.block_on(courier->errand(*id))->transaction_hash);
  send_foreign(chain.sent()[0].nonce);
  finish(*id);
  const auto lost = loop.block_on(courier->errand(*id));
  EXPECT_EQ(lost->state, ErrandState::failed);
  EXPECT_NE(lost->reason.find("nonce"), std::string::npos) << lost->reason;
  const auto next = accept(escape);
  ASSERT_TRUE(next);
  finish(*next);
  EXPECT_EQ(executed, (std::vector<Bytes>{Bytes{7}, escape}));
}

TEST_F(CourierTest, AReorganisationDoesNotEndAnErrandTooEarly) {
  const auto id = accept(freeze);
  ASSERT_TRUE(id);
  until_state(*id, ErrandState::sent);
  mine();
  chain.reorg(1, 1);
  look();
  settle();
  EXPECT_EQ(state(*id), ErrandState::sent);
  finish(*id);
  EXPECT_EQ(state(*id), ErrandState::included);
}

// Who froze an account wants to know that it is in a block, minutes before it is final, and when it is there no more.
TEST_F(CourierTest, ABlockIsToldBeforeItIsFinalAndTakenBack) {
  const Bytes32 id = in_block(freeze);
  const Errand first = now(id);
  EXPECT_EQ(first.state, ErrandState::sent);
  EXPECT_EQ(first.block_number, chain.head().number);
  EXPECT_EQ(first.reason, "");
  chain.reorg(1, 2);
  look();
  until_in_block(id, false);
  EXPECT_EQ(state(id), ErrandState::sent);
  EXPECT_EQ(now(id).transaction_hash, first.transaction_hash) << "the one that is on its way";
  mine();
  until_in_block(id);
  const Errand second = now(id);
  EXPECT_EQ(second.state, ErrandState::sent);
  EXPECT_EQ(second.block_number, chain.head().number);
  EXPECT_GT(second.block_number, first.block_number);
  finish(id);
  EXPECT_EQ(state(id), ErrandState::included);
  EXPECT_EQ(now(id).block_number, second.block_number);
}

TEST_F(CourierTest, ARevertIsToldInItsBlockAndGoesWithIt) {
  fails_on_chain = true;
  const Bytes32 id = in_block(freeze);
  EXPECT_EQ(state(id), ErrandState::sent) << "a reorganisation may still make it a success";
  EXPECT_NE(now(id).reason.find("reverted"), std::string::npos) << now(id).reason;
  chain.reorg(1, 1);
  look();
  until_in_block(id, false);
  EXPECT_EQ(now(id).reason, "");
  fails_on_chain = false;
  mine();
  until_in_block(id);
  EXPECT_EQ(now(id).reason, "");
  finish(id);
  EXPECT_EQ(state(id), ErrandState::included);
  EXPECT_EQ(now(id).reason, "");
}

TEST_F(CourierTest, ARestartMendsTheBlockOfARow) {
  const Bytes32 id = in_block(freeze);
  stop();
  chain.reorg(1, 1);
  open();
  EXPECT_TRUE(now(id).is_in_block()) << "as it was left";
  stop();
  start();
  until_in_block(id, false);
  EXPECT_EQ(state(id), ErrandState::sent);
  restart();
  mine();
  until_in_block(id);
  EXPECT_EQ(state(id), ErrandState::sent) << "it was sent before the restart";
  restart();
  finish(id);
  EXPECT_EQ(state(id), ErrandState::included);
  EXPECT_EQ(executed, (std::vector<Bytes>{freeze, freeze})) << "once in each of the blocks, of which one is gone";
  EXPECT_EQ(chain.sent().size(), 1u);
}

TEST_F(CourierTest, WhatLostItsBlockToAnotherTransactionIsInNone) {
  const Bytes32 id = in_block(freeze);
  chain.reorg(1, 1);
  chain.drop_pending(now(id).transaction_hash);
  send_foreign(chain.sent()[0].nonce);
  finish(id);
  EXPECT_EQ(state(id), ErrandState::failed);
  EXPECT_NE(now(id).reason.find("nonce"), std::string::npos) << now(id).reason;
  EXPECT_FALSE(now(id).is_in_block());
}

TEST_F(CourierTest, TheSameCallOnTwoChainsIsTwoErrands) {
  chain::FakeChain elsewhere;
  elsewhere.on("eth_estimateGas", [](const boost::json::array&) { return boost::json::value("0x186a0"); });
  elsewhere.mine(3);
  std::optional<Bytes32> theirs;
  {
    chain::BlockWatcher other_blocks(elsewhere, clock);
    chain::FeeOracle other_fees(elsewhere, clock);
    const auto other = make_courier({*database, clock, elsewhere, other_blocks, other_fees, keys, nullptr}, 137,
                                    SoftwareKey::info(), limits);
    infra::TaskGroup running(loop.executor());
    running.spawn(other->run());
    const auto accepted = loop.block_on(other->accept(kAccount, freeze));
    running.cancel();
    loop.block_on(running.join());
    ASSERT_TRUE(accepted);
    theirs = *accepted;
  }
  restart();
  mine(5);
  EXPECT_TRUE(executed.empty());
  EXPECT_LT(state(*theirs), ErrandState::included);
  const auto own = accept(freeze);
  ASSERT_TRUE(own);
  EXPECT_NE(*own, *theirs);
  finish(*own);
  EXPECT_EQ(executed, std::vector<Bytes>{freeze});
  EXPECT_LT(state(*theirs), ErrandState::included);
}

}  // namespace
}  // namespace community::courier
