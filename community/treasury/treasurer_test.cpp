// SPDX-License-Identifier: Apache-2.0
// The treasurer against a chain that refuses, forgets and reorganises, and across restarts. The key is in software.
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/chain/fake/fake_chain.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/secp256k1.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/settle.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/treasury/factory.hpp"
#include "trusted/base/keccak.hpp"

namespace community::treasury {
namespace {

const Bytes32 kSecret = Uint256(77).to_be();
const Address kExecutor{0xee}, kOther{0xef}, kPaymaster{0x9a}, kStranger{0x55};
constexpr std::uint64_t kGwei = 1'000'000'000;

keys::KeyInfo key_of(std::uint8_t number, keys::Purpose purpose, Address address) {
  keys::KeyInfo key;
  key.id[0] = number;
  key.purpose = purpose;
  key.address = address;
  return key;
}

class SoftwareKeys final : public keys::TreasuryKeys, public keys::ExecutorKeys {
 public:
  Task<keys::Result<std::vector<keys::KeyInfo>>> treasuries(std::uint64_t) override {
    co_return std::vector<keys::KeyInfo>{treasury()};
  }
  Task<keys::Result<keys::SignedPayment>> sign_treasury(keys::RecordId, Bytes unsigned_bytes,
                                                        std::optional<keys::RecordId> executor) override {
    co_await infra::reschedule();
    if (refusal) co_return keys::refuse(*refusal);
    named.push_back(executor);
    co_return keys::SignedPayment{*core::sign_digest(kSecret, base::keccak256(unsigned_bytes)), Uint256(1)};
  }
  Task<keys::Result<std::vector<keys::KeyInfo>>> executors(std::uint64_t) override {
    co_return std::vector<keys::KeyInfo>{key_of(1, keys::Purpose::executor, kExecutor),
                                         key_of(2, keys::Purpose::executor, kOther)};
  }
  Task<keys::Result<core::Signature>> sign_transaction(keys::RecordId, Bytes) override {
    co_return keys::fail(keys::ErrorCode::not_found, "the treasurer sends no bundles");
  }
  static keys::KeyInfo treasury() {
    return key_of(9, keys::Purpose::treasury, core::address_of(*core::public_key_of(kSecret)));
  }

  std::optional<protocol::Error> refusal;
  // The executor that each payment was said to go to.
  std::vector<std::optional<keys::RecordId>> named;
};

class TreasurerTest : public ::testing::Test {
 protected:
  TreasurerTest() {
    limits.final_depth = 3;
    limits.queue = 3;
    limits.value_cap = Uint256(1'000);
    limits.max_fee_per_gas = Uint256(1'000 * kGwei);
    chain.on("eth_estimateGas", [this](const boost::json::array&) -> chain::ChainResult<boost::json::value> {
      if (!reverts) return boost::json::value("0x5208");
      chain::ChainError error;
      error.kind = chain::ChainErrorKind::rpc;
      error.message = "execution reverted";
      error.reverted = true;
      return tl::unexpected(std::move(error));
    });
    chain.on("eth_call", [this](const boost::json::array&) -> chain::ChainResult<boost::json::value> {
      return boost::json::value(core::to_hex(deposit.to_be()));
    });
    chain.on_transaction([this](const core::Transaction& transaction, const Address&) {
      executed.push_back(transaction);
      hold(*transaction.to, *add(balances[*transaction.to], transaction.value));
      return chain::FakeChain::Executed{!fails_on_chain, 21'000, {}};
    });
    hold(SoftwareKeys::treasury().address, *base::multiply(Uint256(kGwei), Uint256(kGwei)));
    hold(kExecutor, Uint256(500));
    hold(kOther, Uint256(500));
    chain.mine(3);
  }
  ~TreasurerTest() override { stop(); }

  void hold(const Address& address, const Uint256& balance) {
    balances[address] = balance;
    chain.set_balance(address, balance);
  }
  void start() {
    infra::DatabaseOptions options = place.options();
    options.readers = 1;
    auto opened = infra::Database::open(options, {treasury_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    fees = std::make_unique<chain::FeeOracle>(chain, clock);
    health = std::make_unique<infra::Health>();
    TreasurerOptions wanted{1'337, SoftwareKeys::treasury(), {{entry_point.get(), kPaymaster}}, limits};
    treasurer = make_treasurer({*database, clock, chain, *blocks, *fees, keys, keys, nullptr, health.get()}, wanted);
    group = std::make_unique<infra::TaskGroup>(loop.executor());
    group->spawn(treasurer->run());
    look();
    settle();
  }
  void stop() {
    if (!group) return;
    group->cancel();
    loop.block_on(group->join());
    group.reset();
    treasurer.reset();
    fees.reset();
    blocks.reset();
    database.reset();
  }
  void look() { ASSERT_TRUE(loop.block_on(blocks->poll())); }
  void mine(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; i++) {
      chain.mine();
      look();
      settle();
    }
  }
  void settle() { infra::settle(loop, *database); }
  Result<std::uint64_t> pay(PaymentKind kind, const Address& payee, std::uint64_t value) {
    auto answer = loop.block_on(treasurer->pay(kind, payee, Uint256(value)));
    settle();
    return answer;
  }
  Payment payment(std::uint64_t id) { return loop.block_on(treasurer->payment(id)).value(); }

  infra::EventLoop loop;
  infra::TestDatabase place;
  infra::FakeClock clock;
  chain::FakeChain chain;
  SoftwareKeys keys;
  TreasuryLimits limits;
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  bool reverts = false, fails_on_chain = false;
  Uint256 deposit{700};
  std::vector<core::Transaction> executed;
  std::map<Address, Uint256> balances;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<infra::Health> health;
  std::unique_ptr<Treasurer> treasurer;
  std::unique_ptr<infra::TaskGroup> group;
};

TEST_F(TreasurerTest, PaysAnExecutorAndNamesItsKey) {
  start();
  const auto id = pay(PaymentKind::executor, kExecutor, 300);
  ASSERT_TRUE(id) << id.error().text();
  EXPECT_EQ(payment(*id).state, PaymentState::sent);
  mine();
  ASSERT_EQ(executed.size(), 1u);
  EXPECT_EQ(executed[0].to, kExecutor);
  EXPECT_EQ(executed[0].value, Uint256(300));
  EXPECT_TRUE(executed[0].data.empty());
  ASSERT_TRUE(keys.named[0].has_value());
  EXPECT_EQ((*keys.named[0])[0], 1);
  EXPECT_NE(payment(*id).block_number, 0u);
  EXPECT_EQ(payment(*id).state, PaymentState::sent);
  mine(3);
  EXPECT_EQ(payment(*id).state, PaymentState::included);
}

TEST_F(TreasurerTest, RaisesADeposit) {
  start();
  const auto id = pay(PaymentKind::deposit, kPaymaster, 300);
  ASSERT_TRUE(id) << id.error().text();
  mine(4);
  ASSERT_EQ(executed.size(), 1u);
  EXPECT_EQ(executed[0].to, entry_point->address());
  EXPECT_EQ(core::to_hex(executed[0].data),
            "0xb760faf90000000000000000000000009a00000000000000000000000000000000000000");
  EXPECT_FALSE(keys.named[0].has_value());
  EXPECT_EQ(payment(*id).state, PaymentState::included);
}

TEST_F(TreasurerTest, RefusesWhatTheCoreWould) {
  start();
  EXPECT_EQ(pay(PaymentKind::executor, kStranger, 1).error().code, ErrorCode::not_an_executor);
  EXPECT_EQ(pay(PaymentKind::deposit, kStranger, 1).error().code, ErrorCode::not_a_paymaster);
  EXPECT_EQ(pay(PaymentKind::executor, kExecutor, 0).error().code, ErrorCode::value_out_of_range);
  EXPECT_EQ(pay(PaymentKind::executor, kExecutor, 1'001).error().code, ErrorCode::value_out_of_range);
}

TEST_F(TreasurerTest, OnePaymentIsUnderWayAtATime) {
  start();
  const auto first = pay(PaymentKind::executor, kExecutor, 1), second = pay(PaymentKind::executor, kOther, 2);
  ASSERT_TRUE(pay(PaymentKind::executor, kOther, 3));
  EXPECT_EQ(pay(PaymentKind::executor, kOther, 4).error().code, ErrorCode::queue_full);
  mine();
  EXPECT_EQ(executed.size(), 1u);
  EXPECT_EQ(payment(*second).state, PaymentState::waiting);
  mine(3);
  EXPECT_EQ(payment(*first).state, PaymentState::included);
  mine();
  ASSERT_EQ(executed.size(), 2u);
  EXPECT_EQ(executed[1].nonce, executed[0].nonce + 1);
}

TEST_F(TreasurerTest, ARestartFollowsWhatWasSentAndPaysNothingTwice) {
  start();
  const auto first = pay(PaymentKind::executor, kExecutor, 1), second = pay(PaymentKind::executor, kOther, 2);
  ASSERT_TRUE(first && second);
  stop();
  start();
  mine(4);
  EXPECT_EQ(payment(*first).state, PaymentState::included);
  mine(4);
  EXPECT_EQ(payment(*second).state, PaymentState::included);
  EXPECT_EQ(executed.size(), 2u);
}

TEST_F(TreasurerTest, ARefusalOfTheCoreEndsAPayment) {
  start();
  keys.refusal = protocol::Error::budget_exhausted;
  const auto id = pay(PaymentKind::executor, kExecutor, 1);
  ASSERT_TRUE(id);
  EXPECT_EQ(payment(*id).state, PaymentState::failed);
  EXPECT_NE(payment(*id).reason.find("budget_exhausted"), std::string::npos) << payment(*id).reason;
  keys.refusal.reset();
  const auto next = pay(PaymentKind::executor, kExecutor, 1);
  EXPECT_EQ(payment(*next).state, PaymentState::sent);
}

TEST_F(TreasurerTest, APaymentThatWouldRevertIsNotSent) {
  start();
  reverts = true;
  const auto id = pay(PaymentKind::deposit, kPaymaster, 1);
  ASSERT_TRUE(id);
  EXPECT_EQ(payment(*id).state, PaymentState::failed);
  EXPECT_TRUE(keys.named.empty());
}

TEST_F(TreasurerTest, OneThatRevertsOnChainHasFailed) {
  start();
  fails_on_chain = true;
  const auto id = pay(PaymentKind::deposit, kPaymaster, 1);
  mine();
  EXPECT_EQ(payment(*id).state, PaymentState::sent);
  EXPECT_NE(payment(*id).reason, "") << "told before it is final";
  mine(3);
  EXPECT_EQ(payment(*id).state, PaymentState::failed);
}

TEST_F(TreasurerTest, APaymentThatAReorganisationTookOutIsInNoBlock) {
  start();
  const auto id = pay(PaymentKind::executor, kExecutor, 1);
  mine();
  EXPECT_EQ(payment(*id).block_number, chain.head().number);
  chain.reorg(1, 2);
  look();
  settle();
  EXPECT_EQ(payment(*id).block_number, 0u);
  mine(4);
  EXPECT_EQ(payment(*id).state, PaymentState::included);
}

TEST_F(TreasurerTest, FillsUpWhatIsBelowItsLowestToItsTarget) {
  limits.min_balance = Uint256(501);
  limits.target_balance = Uint256(900);
  start();
  mine(12);
  ASSERT_EQ(executed.size(), 2u);
  EXPECT_EQ(executed[0].to, kExecutor);
  EXPECT_EQ(executed[0].value, Uint256(400));
  EXPECT_EQ(executed[1].to, kOther);
  mine(24);
  EXPECT_EQ(executed.size(), 2u);
  EXPECT_TRUE(payment(1).automatic);
}

TEST_F(TreasurerTest, ARefillIsAtMostTheCapAndComesAgain) {
  limits.min_deposit = Uint256(701);
  limits.target_deposit = Uint256(5'000);
  start();
  mine();
  ASSERT_EQ(executed.size(), 1u);
  EXPECT_EQ(executed[0].value, Uint256(1'000));
  mine(12);
  EXPECT_GT(executed.size(), 1u);
}

TEST_F(TreasurerTest, NothingIsFilledUpWithoutALowestBalance) {
  hold(kExecutor, Uint256(0));
  limits.target_balance = Uint256(900);
  start();
  mine(12);
  EXPECT_TRUE(executed.empty());
}

TEST_F(TreasurerTest, AnEmptyTreasurySaysSo) {
  hold(SoftwareKeys::treasury().address, Uint256(10));
  limits.min_balance = Uint256(501);
  limits.target_balance = Uint256(900);
  start();
  mine(2);
  EXPECT_TRUE(executed.empty());
  EXPECT_EQ(health->state(), infra::HealthState::degraded);
}

TEST_F(TreasurerTest, ReportsWhatItHoldsAndDid) {
  start();
  ASSERT_TRUE(pay(PaymentKind::executor, kOther, 3));
  const auto report = loop.block_on(treasurer->report());
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->address, SoftwareKeys::treasury().address);
  ASSERT_EQ(report->holdings.size(), 3u);
  EXPECT_EQ(report->holdings[1].payee, kOther);
  EXPECT_EQ(report->holdings[2].kind, PaymentKind::deposit);
  EXPECT_EQ(report->holdings[2].balance, Uint256(700));
  ASSERT_EQ(report->payments.size(), 1u);
  EXPECT_EQ(report->payments[0].value, Uint256(3));
}

TEST_F(TreasurerTest, PaymentsOfAnotherChainAreLeftToItsTreasurer) {
  start();
  const auto own = pay(PaymentKind::executor, kExecutor, 1);
  ASSERT_TRUE(own);
  auto move = [](soci::session& sql) { sql << "UPDATE treasury_payments SET chain_id = 137"; };
  ASSERT_TRUE(loop.block_on(database->write(move)));
  stop();
  start();
  EXPECT_EQ(loop.block_on(treasurer->payment(*own)).error().code, ErrorCode::not_found);
  EXPECT_TRUE(loop.block_on(treasurer->report())->payments.empty());
  // Ids count over all chains.
  const auto next = pay(PaymentKind::executor, kOther, 2);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, *own + 1);
}

}  // namespace
}  // namespace community::treasury
