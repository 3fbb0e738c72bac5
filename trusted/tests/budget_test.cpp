// SPDX-License-Identifier: Apache-2.0
// Budgets of signed maximum cost: whatever a hostile node asks, repeats, drops or cuts off, the sum of what was signed
// never exceeds what the operator signed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

Uint256 plus(const Uint256& a, const Uint256& b) { return *add(a, b); }

class Budget : public ::testing::Test {
 protected:
  // Budgets of the first chain; a gas price of 1 wei makes a cost equal to its gas.
  void set_budgets(std::uint64_t executor, std::uint64_t sponsor) {
    auto& chain = world.configuration.chains[0];
    chain.executor_budget = Uint256(executor);
    chain.sponsor_budget = Uint256(sponsor);
    chain.bundle_gas_cap = ~std::uint64_t{0};
    world.configuration.sequence++;
    ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  }
  Reply sponsor(std::uint64_t nonce, std::uint64_t cost) {
    World::Sponsorship request;
    request.userop = world.good_userop();
    request.userop.nonce = Uint256(nonce);
    request.userop.verification_gas = request.userop.call_gas = 0;
    request.userop.pre_verification_gas = cost;
    request.userop.max_fee = Uint256(1);
    request.userop.priority_fee = Uint256(0);
    request.verification_gas = request.post_op_gas = Uint256(0);
    return world.sign(request);
  }
  Error execute(std::uint64_t nonce, std::uint64_t cost) {
    TestTransaction transaction = world.good_transaction();
    transaction.nonce = Uint256(nonce);
    transaction.gas_limit = Uint256(cost);
    transaction.fee = Uint256(1);
    transaction.priority_fee = Uint256(0);
    return world.sign(transaction).error;
  }
  Uint256 sponsor_left() { return world.host.status().budgets[0].sponsor_left; }
  Uint256 executor_left() { return world.host.status().budgets[0].executor_left; }
  World world;
};

TEST_F(Budget, SignsUpToTheLastWeiAndNoFurther) {
  set_budgets(1'000, 1'000);
  EXPECT_EQ(sponsor(1, 999).error, Error::ok);
  EXPECT_EQ(sponsor(2, 2).error, Error::budget_exhausted);
  EXPECT_EQ(sponsor(2, 1).error, Error::ok);
  EXPECT_EQ(sponsor(3, 1).error, Error::budget_exhausted);
  EXPECT_EQ(sponsor(3, 0).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(0));
}

TEST_F(Budget, ExecutorSpendIsItsOwnBudget) {
  set_budgets(1'000, 10);
  EXPECT_EQ(execute(1, 600), Error::ok);
  EXPECT_EQ(execute(2, 401), Error::budget_exhausted);
  EXPECT_EQ(execute(2, 400), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(10));
}

TEST_F(Budget, ARefusalCountsNothing) {
  set_budgets(1'000, 1'000);
  EXPECT_EQ(sponsor(1, 1'001).error, Error::budget_exhausted);
  EXPECT_EQ(execute(1, 1'001), Error::budget_exhausted);
  EXPECT_EQ(sponsor_left(), Uint256(1'000));
  EXPECT_EQ(executor_left(), Uint256(1'000));
}

TEST_F(Budget, ALeaseIsAHundredthAndSpendingInsideItWritesNothing) {
  set_budgets(10'000, 10'000);
  const std::size_t writes = world.host.store.writes();
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes + 1);
  for (std::uint64_t nonce = 2; nonce <= 100; nonce++) ASSERT_EQ(sponsor(nonce, 1).error, Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes + 1);
  ASSERT_EQ(sponsor(101, 1).error, Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes + 2);
  EXPECT_EQ(sponsor_left(), Uint256(9'899));
}

TEST_F(Budget, AnApprovalLargerThanALeaseTakesJustWhatIsMissing) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 60).error, Error::ok);
  ASSERT_EQ(sponsor(2, 500).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'440));
  // 100 leased, then 460 more: a crash now loses nothing beyond.
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'440));
}

TEST_F(Budget, ABudgetBelowAHundredIsLeasedWeiByWei) {
  set_budgets(50, 50);
  for (std::uint64_t nonce = 0; nonce < 50; nonce++) ASSERT_EQ(sponsor(nonce, 1).error, Error::ok);
  EXPECT_EQ(sponsor(50, 1).error, Error::budget_exhausted);
}

TEST_F(Budget, ASecondApprovalOfTheSameNonceCountsItsExcess) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(7, 100).error, Error::ok);
  ASSERT_EQ(sponsor(7, 100).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'900));
  ASSERT_EQ(sponsor(7, 150).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'850));
  // A cheaper one counts nothing and does not lower what is counted.
  ASSERT_EQ(sponsor(7, 10).error, Error::ok);
  ASSERT_EQ(sponsor(7, 150).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'850));
  ASSERT_EQ(sponsor(8, 100).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'750));
}

TEST_F(Budget, AReplacementOfAnExecutorsNonceCountsItsExcess) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(execute(3, 100), Error::ok);
  ASSERT_EQ(execute(3, 130), Error::ok);
  EXPECT_EQ(executor_left(), Uint256(9'870));
  ASSERT_EQ(execute(4, 100), Error::ok);
  EXPECT_EQ(executor_left(), Uint256(9'770));
  EXPECT_EQ(sponsor_left(), Uint256(10'000));
}

TEST_F(Budget, AfterARestartAnApprovalCountsInFullAgain) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(7, 100).error, Error::ok);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'900));
  ASSERT_EQ(sponsor(7, 100).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'800));
}

TEST_F(Budget, ACrashLosesTheLease) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  ASSERT_EQ(execute(1, 1), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'999));
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'900));
  EXPECT_EQ(executor_left(), Uint256(9'900));
}

TEST_F(Budget, ACleanStopReturnsTheLease) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  ASSERT_EQ(execute(1, 3), Error::ok);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'999));
  EXPECT_EQ(executor_left(), Uint256(9'997));
}

TEST_F(Budget, ReleasingByCommandReturnsTheLeaseAndSigningGoesOn) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  EXPECT_EQ(world.host.call(Command::release_leases).error, Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'999));
  EXPECT_EQ(sponsor(2, 1).error, Error::ok);
}

TEST_F(Budget, AStoreThatFailsSignsNothingAndCountsNothing) {
  set_budgets(10'000, 10'000);
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  const Reply reply = sponsor(1, 50);
  EXPECT_EQ(reply.error, Error::store_failed);
  EXPECT_TRUE(reply.body.empty());
  EXPECT_EQ(sponsor_left(), Uint256(10'000));
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(execute(1, 50), Error::store_failed);
  EXPECT_EQ(executor_left(), Uint256(10'000));
  // The refused approval is not remembered as counted.
  ASSERT_EQ(sponsor(1, 50).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'950));
}

TEST_F(Budget, APowerCutWhileLeasingNeverGivesTheLeaseTwice) {
  set_budgets(10'000, 10'000);
  world.host.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(sponsor(1, 50).error, Error::store_failed);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'900));
}

// A return that is answered as failed may have reached the store. Were the lease still spent, a crash would forget it.
TEST_F(Budget, ALeaseWhoseReturnFailedIsNotSpentAnyMore) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  world.host.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(world.host.call(Command::release_leases).error, Error::store_failed);
  // Without power nothing can be leased, and nothing may come from the lease that was perhaps returned.
  EXPECT_EQ(sponsor(2, 50).error, Error::store_failed);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(9'999));
}

TEST_F(Budget, OnlyTheOperatorRaisesABudget) {
  set_budgets(100, 100);
  ASSERT_EQ(sponsor(1, 100).error, Error::ok);
  EXPECT_EQ(sponsor(2, 1).error, Error::budget_exhausted);
  // Neither a restart nor the same configuration again does.
  ASSERT_EQ(world.host.restart(true), Error::ok);
  ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  EXPECT_EQ(sponsor(2, 1).error, Error::budget_exhausted);
  set_budgets(100, 150);
  EXPECT_EQ(sponsor(2, 50).error, Error::ok);
  EXPECT_EQ(sponsor(3, 1).error, Error::budget_exhausted);
}

TEST_F(Budget, ABudgetLoweredBelowWhatIsSpentGivesNothing) {
  set_budgets(1'000, 1'000);
  ASSERT_EQ(sponsor(1, 500).error, Error::ok);
  set_budgets(1'000, 400);
  EXPECT_EQ(sponsor(2, 1).error, Error::budget_exhausted);
  EXPECT_EQ(sponsor_left(), Uint256(0));
}

// A lease that was taken under a larger budget must not outlive it.
TEST_F(Budget, ABudgetLoweredBelowItsLeaseGivesNothing) {
  set_budgets(10'000, 10'000);
  ASSERT_EQ(sponsor(1, 1).error, Error::ok);
  set_budgets(10'000, 1);
  EXPECT_EQ(sponsor_left(), Uint256(0));
  EXPECT_EQ(sponsor(2, 1).error, Error::budget_exhausted);
}

TEST_F(Budget, ChainsHaveBudgetsOfTheirOwn) {
  set_budgets(100, 100);
  ASSERT_EQ(sponsor(1, 100).error, Error::ok);
  World::Sponsorship other;
  other.userop = world.good_userop();
  other.chain_id = kOtherChain;
  EXPECT_EQ(world.sign(other).error, Error::ok);
}

TEST_F(Budget, AChainThatIsTakenAwayAndComesBackRemembersItsSpending) {
  set_budgets(100, 100);
  ASSERT_EQ(sponsor(1, 60).error, Error::ok);
  auto without = world.configuration;
  without.sequence++;
  without.chain_count = 1;
  without.chains[0] = world.configuration.chains[1];
  ASSERT_EQ(world.host.configure(without), Error::ok);
  EXPECT_EQ(sponsor(2, 1).error, Error::unknown_chain);
  world.configuration.sequence += 2;
  ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(40));
  EXPECT_EQ(sponsor(2, 41).error, Error::budget_exhausted);
}

TEST_F(Budget, AnApprovalPushedOutOfMemoryCountsInFull) {
  set_budgets(1'000'000, 1'000'000);
  ASSERT_EQ(sponsor(0, 1).error, Error::ok);
  // Far more than the 4,096 that are remembered.
  for (std::uint64_t nonce = 1; nonce <= 20'000; nonce++) ASSERT_EQ(sponsor(nonce, 1).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(979'999));
  ASSERT_EQ(sponsor(0, 1).error, Error::ok);
  EXPECT_EQ(sponsor_left(), Uint256(979'998));
}

// A node that does whatever it likes. The signed maximum costs, the largest of each nonce, never sum to more than the
// budget; crashes only lose.
class HostileNode : public Budget, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(HostileNode, NeverGetsMoreThanTheBudget) {
  Random random(GetParam());
  const std::uint64_t budget = 2'000 + random.below(20'000);
  set_budgets(budget, budget);
  std::map<std::uint64_t, std::uint64_t> sponsored, executed;
  const int steps = std::getenv("COMMUNITY_TEST_LONG") != nullptr ? 5'000 : 400;
  for (int step = 0; step < steps; step++) {
    const std::uint64_t nonce = random.below(60);
    const std::uint64_t cost = random.below(random.one_in(5) ? 2'000 : 60);
    if (random.one_in(25)) {
      const auto faults = {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before, MemoryStore::Fault::cut_after};
      world.host.store.fail_write(1 + random.below(2), faults.begin()[random.below(3)]);
    }
    switch (random.below(12)) {
      case 0:
        if (world.host.restart(random.one_in(2)) != Error::ok) {
          ASSERT_EQ(world.host.restart(false), Error::ok);
        }
        break;
      case 1:
        world.host.call(Command::release_leases);
        break;
      case 2:
      case 3:
      case 4:
      case 5:
        if (execute(nonce, cost) == Error::ok) executed[nonce] = std::max(executed[nonce], cost);
        break;
      default:
        if (sponsor(nonce, cost).error == Error::ok) sponsored[nonce] = std::max(sponsored[nonce], cost);
    }
    if (!world.host.store.powered()) {
      ASSERT_EQ(world.host.restart(false), Error::ok);
    }
    Uint256 sponsor_sum, executor_sum;
    for (const auto& [_, value] : sponsored) sponsor_sum = plus(sponsor_sum, Uint256(value));
    for (const auto& [_, value] : executed) executor_sum = plus(executor_sum, Uint256(value));
    ASSERT_LE(sponsor_sum, Uint256(budget)) << "step " << step;
    ASSERT_LE(executor_sum, Uint256(budget)) << "step " << step;
  }
  EXPECT_FALSE(sponsored.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, HostileNode, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace community::trusted::testing
