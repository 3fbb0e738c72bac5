// SPDX-License-Identifier: Apache-2.0
// What the pool keeps, refuses and remembers; every test runs on a real database.
#include <gtest/gtest.h>

#include <soci/soci.h>

#include <filesystem>

#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/pool/factory.hpp"
#include "community/validation/api/gas.hpp"
#include "community/validation/fake/userop.hpp"

namespace community::pool {
namespace {

using validation::UserOperation;

Address address(std::uint8_t n) {
  Address result{};
  result[19] = n;
  result[0] = 0xaa;
  return result;
}

class pool_test : public testing::Test {
 protected:
  pool_test() { open(); }
  ~pool_test() override {
    pool.reset();
    database.reset();
  }

  void open() {
    auto opened = infra::Database::open(place_.options(), {pool_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    pool = make_pool(*database, clock, 1'337, nullptr, limits);
    ASSERT_TRUE(loop.block_on(pool->load()));
  }
  // As after a restart of the program.
  void reopen() {
    pool.reset();
    database.reset();
    open();
  }

  static UserOperation op(std::uint8_t sender, std::uint64_t nonce, std::uint64_t fee = 1'000) {
    UserOperation result = validation::sample_userop(0, nonce);
    result.sender = address(sender);
    result.max_fee_per_gas = Uint256(fee);
    result.max_priority_fee_per_gas = Uint256(fee);
    return result;
  }
  static ValidatedUserop valid(const UserOperation& op) {
    ValidatedUserop result;
    result.op = op;
    result.entry_point = {kEntryPoint, core::EntryPointVersion::v0_8};
    result.hash = *core::userop_hash(op, core::EntryPointVersion::v0_8, kEntryPoint, Uint256(1));
    result.gas = validation::userop_gas(op);
    result.calldata = validation::userop_calldata(*core::pack(op));
    result.max_cost = *validation::max_cost(op);
    return result;
  }
  Result<Bytes32> add(const UserOperation& one, std::optional<Uint256> deposit = std::nullopt) {
    return loop.block_on(pool->add(valid(one), deposit));
  }
  UseropRecord record(const Bytes32& hash) {
    auto result = loop.block_on(pool->record(hash));
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : UseropRecord{};
  }
  void bundle(const Bytes32& hash) { ASSERT_TRUE(loop.block_on(pool->mark_bundled({hash}, Bytes32{7}, AlsoWrite()))); }
  void include(const Bytes32& hash, bool success = true) {
    Inclusion inclusion;
    inclusion.hash = hash;
    inclusion.transaction_hash = Bytes32{7};
    inclusion.block_number = 12;
    inclusion.success = success;
    inclusion.actual_gas_cost = Uint256(77);
    ASSERT_TRUE(loop.block_on(pool->mark_included({inclusion}, AlsoWrite())));
  }

  static constexpr Address kEntryPoint{0x43, 0x37};
  infra::TestDatabase place_;
  infra::EventLoop loop;
  infra::FakeClock clock;
  PoolLimits limits;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Pool> pool;
};

TEST_F(pool_test, AnAcceptedOperationSurvivesReopening) {
  const UserOperation one = op(1, 0);
  const auto hash = add(one);
  ASSERT_TRUE(hash);
  reopen();
  const auto waiting = pool->waiting(kEntryPoint);
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0]->userop.op, one);
  EXPECT_EQ(waiting[0]->userop.hash, *hash);
  EXPECT_EQ(waiting[0]->userop.max_cost, valid(one).max_cost);
  EXPECT_EQ(record(*hash).status, UseropStatus::pooled);
}

TEST_F(pool_test, TheSameOperationIsKnownWhereverItIs) {
  const auto hash = add(op(1, 0));
  ASSERT_TRUE(hash);
  EXPECT_EQ(add(op(1, 0)).error().code, ErrorCode::already_known);
  bundle(*hash);
  EXPECT_EQ(add(op(1, 0)).error().code, ErrorCode::already_known);
  include(*hash);
  EXPECT_EQ(add(op(1, 0)).error().code, ErrorCode::already_known);
}

TEST_F(pool_test, ReplacementNeedsTenPercentMoreOnBothFees) {
  const auto old = add(op(1, 0, 1'000));
  ASSERT_TRUE(old);
  UserOperation next = op(1, 0, 1'100);
  next.max_priority_fee_per_gas = Uint256(1'099);
  EXPECT_EQ(add(next).error().code, ErrorCode::replacement_underpriced);
  next = op(1, 0, 1'100);
  next.max_fee_per_gas = Uint256(1'099);
  EXPECT_EQ(add(next).error().code, ErrorCode::replacement_underpriced);
  const auto hash = add(op(1, 0, 1'100));
  ASSERT_TRUE(hash) << hash.error().message;
  ASSERT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  EXPECT_EQ(pool->waiting(kEntryPoint)[0]->userop.hash, *hash);
  EXPECT_EQ(record(*old).status, UseropStatus::replaced);
  EXPECT_EQ(record(*old).reason, "replaced by " + core::to_hex(*hash));
  reopen();
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
}

TEST_F(pool_test, APlaceThatIsNotKeptIsGivenBack) {
  const auto old = add(op(1, 0, 1'000));
  ASSERT_TRUE(old);
  auto admission = loop.block_on(pool->admit(valid(op(1, 0, 2'000)), std::nullopt));
  ASSERT_TRUE(admission);
  EXPECT_TRUE(pool->waiting(kEntryPoint).empty()) << "neither the one nor the other leaves while it is undecided";
  EXPECT_EQ(add(op(1, 0, 2'000)).error().code, ErrorCode::already_known);
  EXPECT_EQ(pool->statistics().waiting, 1u);
  admission->reset();
  ASSERT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  EXPECT_EQ(pool->waiting(kEntryPoint)[0]->userop.hash, *old);
  EXPECT_TRUE(add(op(1, 0, 2'000)));
}

TEST_F(pool_test, TenPercentIsRoundedUp) {
  ASSERT_TRUE(add(op(1, 0, 5)));
  EXPECT_EQ(add(op(1, 0, 5)).error().code, ErrorCode::already_known);
  UserOperation next = op(1, 0, 6);
  EXPECT_TRUE(add(next));
}

TEST_F(pool_test, WhatIsInATransactionIsNotReplaced) {
  const auto hash = add(op(1, 0, 1'000));
  bundle(*hash);
  EXPECT_EQ(add(op(1, 0, 5'000)).error().code, ErrorCode::replacement_too_late);
}

TEST_F(pool_test, ABundleOfAReplacedOperationIsRefused) {
  const auto old = add(op(1, 0, 1'000));
  ASSERT_TRUE(add(op(1, 0, 2'000)));
  const auto done = loop.block_on(pool->mark_bundled({*old}, Bytes32{7}, AlsoWrite()));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
}

TEST_F(pool_test, QueuesOfNonceKeysAreInOrderAndBestPayersComeFirst) {
  const Uint256 key = *base::multiply(Uint256(std::uint64_t{1} << 63), Uint256(std::uint64_t{1} << 63));
  ASSERT_TRUE(add(op(1, 0, 10)));
  ASSERT_TRUE(add(op(1, 1, 1'000)));
  ASSERT_TRUE(add(op(2, 0, 100)));
  UserOperation other_key = op(1, 0, 50);
  other_key.nonce = key;
  ASSERT_TRUE(add(other_key));
  const auto waiting = pool->waiting(kEntryPoint);
  ASSERT_EQ(waiting.size(), 4u);
  EXPECT_EQ(waiting[0]->userop.op.sender, address(2));
  EXPECT_EQ(waiting[1]->userop.op.nonce, key);
  EXPECT_EQ(waiting[2]->userop.op.nonce, Uint256(0));
  EXPECT_EQ(waiting[3]->userop.op.nonce, Uint256(1));
  EXPECT_EQ(pool->predecessors(kEntryPoint, address(1), Uint256(2)).size(), 2u);
  EXPECT_EQ(pool->next_nonce(kEntryPoint, address(1), Uint256(0)), Uint256(2));
  EXPECT_EQ(pool->next_nonce(kEntryPoint, address(1), key), *base::add(key, Uint256(1)));
  EXPECT_EQ(pool->next_nonce(kEntryPoint, address(9), key), std::nullopt);
}

TEST_F(pool_test, WhatFollowsABundledOperationWaitsForIt) {
  const auto first = add(op(1, 0));
  ASSERT_TRUE(add(op(1, 1)));
  bundle(*first);
  EXPECT_TRUE(pool->waiting(kEntryPoint).empty());
  include(*first);
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
}

TEST_F(pool_test, DroppingTakesTheRestOfTheQueueAlong) {
  const auto first = add(op(1, 0));
  const auto second = add(op(1, 1));
  const auto foreign = add(op(2, 0));
  ASSERT_TRUE(loop.block_on(pool->drop(*first, "AA23 reverted")));
  EXPECT_EQ(record(*first).status, UseropStatus::dropped);
  EXPECT_EQ(record(*first).reason, "AA23 reverted");
  EXPECT_EQ(record(*second).status, UseropStatus::dropped);
  EXPECT_EQ(record(*foreign).status, UseropStatus::pooled);
  // It may come again, with the same hash.
  EXPECT_TRUE(add(op(1, 0)));
}

TEST_F(pool_test, WhatIsWrittenAlongWithAnOperationDecidesWithIt) {
  const UserOperation one = op(1, 0);
  const auto refuse = [](soci::session&) { throw soci::soci_error("not now"); };
  EXPECT_EQ(loop.block_on(pool->add(valid(one), std::nullopt, refuse)).error().code, ErrorCode::storage);
  EXPECT_EQ(loop.block_on(pool->record(*core::userop_hash(one, core::EntryPointVersion::v0_8, kEntryPoint, Uint256(1))))
                .error()
                .code,
            ErrorCode::not_found);
  EXPECT_EQ(pool->statistics().waiting, 0u);
  const auto note = [](soci::session& sql) { sql << "CREATE TABLE noted (one INTEGER)"; };
  const auto hash = loop.block_on(pool->add(valid(one), std::nullopt, note));
  ASSERT_TRUE(hash) << hash.error().message;
  const auto rows = [](soci::session& sql) { sql << "SELECT one FROM noted"; };
  EXPECT_TRUE(loop.block_on(database->read(rows)));
  EXPECT_EQ(record(*hash).status, UseropStatus::pooled);
}

TEST_F(pool_test, TheDepositCoversEverythingThatWaits) {
  UserOperation one = op(1, 0);
  one.paymaster = address(200);
  const Uint256 cost = valid(one).max_cost;
  const Uint256 deposit = *base::multiply(cost, Uint256(2));
  ASSERT_TRUE(add(one, deposit));
  one.sender = address(2);
  const auto second = add(one, deposit);
  ASSERT_TRUE(second);
  one.sender = address(3);
  EXPECT_EQ(add(one, deposit).error().code, ErrorCode::paymaster_deposit);
  EXPECT_EQ(pool->liability(kEntryPoint, address(200)), deposit);
  // A transaction that is under way may still cost it.
  bundle(*second);
  EXPECT_EQ(add(one, deposit).error().code, ErrorCode::paymaster_deposit);
  reopen();
  EXPECT_EQ(pool->liability(kEntryPoint, address(200)), deposit);
  include(*second);
  EXPECT_EQ(pool->liability(kEntryPoint, address(200)), cost);
  EXPECT_TRUE(add(one, deposit));
}

TEST_F(pool_test, AReplacementFreesWhatItsPredecessorReserved) {
  UserOperation one = op(1, 0, 1'000);
  one.paymaster = address(200);
  const Uint256 deposit = *base::multiply(valid(one).max_cost, Uint256(2));
  ASSERT_TRUE(add(one, deposit));
  UserOperation next = op(1, 0, 2'000);
  next.paymaster = address(200);
  EXPECT_TRUE(add(next, deposit));
  EXPECT_EQ(pool->liability(kEntryPoint, address(200)), deposit);
}

TEST_F(pool_test, LimitsHoldForSendersAndAltogether) {
  limits.per_sender = 2;
  limits.total = 3;
  reopen();
  ASSERT_TRUE(add(op(1, 0)));
  ASSERT_TRUE(add(op(1, 1)));
  EXPECT_EQ(add(op(1, 2)).error().code, ErrorCode::sender_limit);
  ASSERT_TRUE(add(op(2, 0)));
  EXPECT_EQ(add(op(3, 0)).error().code, ErrorCode::pool_full);
}

TEST_F(pool_test, NobodyIsSenderAndEntityAtTheSameTime) {
  UserOperation one = op(1, 0);
  one.paymaster = address(200);
  const auto hash = add(one, Uint256::max());
  ASSERT_TRUE(hash);
  EXPECT_EQ(add(op(200, 0)).error().code, ErrorCode::sender_is_entity);
  UserOperation factory = op(2, 0);
  factory.factory = address(1);
  EXPECT_EQ(add(factory).error().code, ErrorCode::entity_is_sender);
  ASSERT_TRUE(loop.block_on(pool->drop(*hash, "test")));
  EXPECT_TRUE(add(op(200, 0)));
}

TEST_F(pool_test, AVanishedInclusionComesBackToTheQueue) {
  const auto hash = add(op(1, 0));
  bundle(*hash);
  include(*hash);
  EXPECT_EQ(record(*hash).status, UseropStatus::included);
  reopen();
  ASSERT_TRUE(loop.block_on(pool->mark_waiting({*hash}, false, AlsoWrite())));
  EXPECT_EQ(record(*hash).status, UseropStatus::pooled);
  EXPECT_FALSE(record(*hash).inclusion);
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  reopen();
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
}

TEST_F(pool_test, AFinalInclusionLeavesMemoryAndStaysKnown) {
  const auto hash = add(op(1, 0));
  bundle(*hash);
  include(*hash, false);
  ASSERT_TRUE(loop.block_on(pool->forget({*hash}, AlsoWrite())));
  EXPECT_EQ(record(*hash).status, UseropStatus::failed);
  ASSERT_TRUE(record(*hash).inclusion);
  EXPECT_EQ(record(*hash).inclusion->actual_gas_cost, Uint256(77));
  ASSERT_TRUE(loop.block_on(pool->mark_waiting({*hash}, false, AlsoWrite())));
  EXPECT_TRUE(pool->waiting(kEntryPoint).empty());
}

TEST_F(pool_test, FailuresAreCountedAcrossReopening) {
  const auto hash = add(op(1, 0));
  bundle(*hash);
  ASSERT_TRUE(loop.block_on(pool->mark_waiting({*hash}, true, AlsoWrite())));
  reopen();
  EXPECT_EQ(pool->find_live(*hash)->failures, 1u);
}

TEST_F(pool_test, NothingIsKeptWhenTheWriteFails) {
  database->stop();
  const auto refused = add(op(1, 0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::storage);
  EXPECT_TRUE(pool->waiting(kEntryPoint).empty());
  EXPECT_EQ(pool->statistics().waiting, 0u);
  EXPECT_EQ(pool->statistics().bytes, 0u);
}

TEST_F(pool_test, WhatWaitsAgainIsNotForgottenWithAnEarlierTransaction) {
  const auto hash = add(op(1, 0));
  bundle(*hash);
  include(*hash);
  ASSERT_TRUE(loop.block_on(pool->mark_waiting({*hash}, false, AlsoWrite())));
  ASSERT_TRUE(loop.block_on(pool->forget({*hash}, AlsoWrite())));
  EXPECT_TRUE(pool->find_live(*hash));
  reopen();
  EXPECT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  bundle(*hash);
}

TEST_F(pool_test, AReplacementMayNotOutgrowThePool) {
  limits.total_bytes = 4'000;
  reopen();
  const auto old = add(op(1, 0, 1'000));
  ASSERT_TRUE(old);
  UserOperation large = op(1, 0, 2'000);
  large.call_data = core::Bytes(10'000, 1);
  EXPECT_EQ(add(large).error().code, ErrorCode::pool_full);
  EXPECT_EQ(record(*old).status, UseropStatus::pooled);
  large.call_data.resize(100);
  EXPECT_TRUE(add(large));
}

TEST_F(pool_test, AReplacementMayNotBringASenderAsItsPaymaster) {
  ASSERT_TRUE(add(op(1, 0, 1'000)));
  ASSERT_TRUE(add(op(200, 0)));
  UserOperation next = op(1, 0, 2'000);
  next.paymaster = address(200);
  EXPECT_EQ(add(next, Uint256::max()).error().code, ErrorCode::entity_is_sender);
}

TEST_F(pool_test, AnOperationMinedWhileItIsReplacedIsIncludedAndEverythingStaysCounted) {
  const auto old = add(op(1, 0, 1'000));
  ASSERT_TRUE(old);
  Inclusion inclusion;
  inclusion.hash = *old;
  inclusion.transaction_hash = Bytes32{7};
  inclusion.success = true;
  std::vector<Inclusion> inclusions{inclusion};
  const auto [added, included] = loop.block_on(
      infra::both(pool->add(valid(op(1, 0, 2'000)), std::nullopt), pool->mark_included(inclusions, AlsoWrite())));
  ASSERT_TRUE(added);
  ASSERT_TRUE(included);
  EXPECT_EQ(record(*old).status, UseropStatus::included);
  EXPECT_EQ(pool->statistics().waiting, 1u);
  ASSERT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  EXPECT_EQ(pool->waiting(kEntryPoint)[0]->userop.hash, *added);
  ASSERT_TRUE(loop.block_on(pool->drop(*added, "test")));
  EXPECT_EQ(pool->statistics().waiting, 0u);
  EXPECT_EQ(pool->statistics().bytes, 0u);
}

TEST_F(pool_test, WhatIsUnderWayIsNeitherWaitingNorFinal) {
  const auto first = add(op(1, 0));
  const auto second = add(op(2, 0));
  ASSERT_TRUE(add(op(3, 0)));
  bundle(*first);
  bundle(*second);
  include(*second);
  EXPECT_EQ(pool->under_way().size(), 2u);
  ASSERT_TRUE(loop.block_on(pool->forget({*second}, AlsoWrite())));
  ASSERT_EQ(pool->under_way().size(), 1u);
  EXPECT_EQ(pool->under_way()[0]->userop.hash, *first);
}

TEST_F(pool_test, OldRecordsAreRemovedThoughEveryRunIsShort) {
  limits.history = 1;
  reopen();
  const auto first = add(op(1, 0));
  for (std::uint8_t i = 2; i <= 3; i++) {
    const auto next = add(op(i, 0));
    ASSERT_TRUE(loop.block_on(pool->drop(*next, "test")));
  }
  ASSERT_TRUE(loop.block_on(pool->drop(*first, "test")));
  EXPECT_EQ(record(*first).status, UseropStatus::dropped);
  reopen();
  const auto last = add(op(4, 0));
  ASSERT_TRUE(loop.block_on(pool->drop(*last, "test")));
  EXPECT_EQ(loop.block_on(pool->record(*first)).error().code, ErrorCode::not_found);
  EXPECT_EQ(record(*last).status, UseropStatus::dropped);
}

TEST_F(pool_test, PoolsOfTwoChainsShareADatabaseAndNothingElse) {
  auto other = make_pool(*database, clock, 137, nullptr, limits);
  ASSERT_TRUE(loop.block_on(other->load()));
  const auto hash = add(op(1, 0));
  ASSERT_TRUE(hash);
  const auto theirs = loop.block_on(other->add(valid(op(1, 1)), std::nullopt));
  ASSERT_TRUE(theirs);
  EXPECT_EQ(loop.block_on(other->record(*hash)).error().code, ErrorCode::not_found);
  EXPECT_EQ(loop.block_on(pool->record(*theirs)).error().code, ErrorCode::not_found);
  other.reset();
  reopen();
  other = make_pool(*database, clock, 137, nullptr, limits);
  ASSERT_TRUE(loop.block_on(other->load()));
  const auto own = pool->waiting(kEntryPoint), further = other->waiting(kEntryPoint);
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0]->userop.hash, *hash);
  ASSERT_EQ(further.size(), 1u);
  EXPECT_EQ(further[0]->userop.hash, *theirs);
}

TEST_F(pool_test, OperationsOfBeforeThereWereChainsAreTheChainsThatClaimsThem) {
  const auto hash = add(op(1, 0));
  ASSERT_TRUE(hash);
  auto forget = [](soci::session& sql) { sql << "UPDATE pool_userops SET chain_id = 0"; };
  ASSERT_TRUE(loop.block_on(database->write(forget)));
  reopen();
  EXPECT_TRUE(pool->waiting(kEntryPoint).empty());
  for (const std::uint64_t chain_id : {1'337u, 137u}) {
    auto claim = [chain_id](soci::session& sql) { claim_rows(sql, chain_id); };
    ASSERT_TRUE(loop.block_on(database->write(claim)));
  }
  reopen();
  ASSERT_EQ(pool->waiting(kEntryPoint).size(), 1u);
  EXPECT_EQ(record(*hash).status, UseropStatus::pooled);
}

}  // namespace
}  // namespace community::pool
