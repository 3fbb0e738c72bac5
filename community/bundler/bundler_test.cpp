// SPDX-License-Identifier: Apache-2.0
// What the bundler does with a chain that misbehaves. Chain, keys and simulation are fakes; pool and database are real.
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <filesystem>

#include "community/bundler/factory.hpp"
#include "community/bundler/transaction_store.hpp"
#include "community/chain/fake/fake_chain.hpp"
#include "community/core/abi.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/settle.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/pool/factory.hpp"
#include "community/validation/api/gas.hpp"
#include "community/validation/fake/simulator.hpp"
#include "community/validation/fake/userop.hpp"

namespace community::bundler {
namespace {

using pool::UseropStatus;
using validation::UserOperation;

// Signs like the trusted core, without its rules.
class SoftwareExecutorKeys final : public keys::ExecutorKeys {
 public:
  explicit SoftwareExecutorKeys(std::size_t count) {
    for (std::size_t i = 0; i < count; i++) {
      keys::KeyInfo info;
      info.id[0] = static_cast<std::uint8_t>(i + 1);
      info.purpose = keys::Purpose::executor;
      info.address = core::address_of(*core::public_key_of(secret(i)));
      infos.push_back(info);
    }
  }
  Task<keys::Result<std::vector<keys::KeyInfo>>> executors(std::uint64_t) override { co_return infos; }
  Task<keys::Result<core::Signature>> sign_transaction(keys::RecordId executor, core::Bytes unsigned_bytes) override {
    co_await infra::reschedule();
    if (refusal) co_return keys::refuse(*refusal);
    co_return *core::sign_digest(secret(executor[0] - 1u), base::keccak256(unsigned_bytes));
  }

  std::vector<keys::KeyInfo> infos;
  std::optional<protocol::Error> refusal;

 private:
  static core::Bytes32 secret(std::size_t i) { return core::event_topic("executor " + std::to_string(i)); }
};

class bundler_test : public testing::Test {
 protected:
  bundler_test() {
    options.chain_id = 1'337;
    options.entry_points = {entry_point.get()};
    options.limits.batch_size = 1;
    options.limits.final_depth = 3;
    options.limits.max_fee_per_gas = Uint256(1'000'000'000'000);
    chain.on_transaction([this](const core::Transaction& transaction, const Address&) { return execute(transaction); });
    chain.mine();
  }
  ~bundler_test() override { stop(); }

  void start(bool looks = true) {
    auto opened = infra::Database::open(place_.options(), {pool::pool_migrations(), bundler_migrations()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    pool = pool::make_pool(*database, clock, 1'337, nullptr, {});
    blocks = std::make_unique<chain::BlockWatcher>(chain, clock);
    fees = std::make_unique<chain::FeeOracle>(chain, clock);
    BundlerDependencies d{*database, clock, chain, *blocks, *fees, keys, *pool, simulator, nullptr, &health, {}};
    d.on_included = [this](const Address&, const Uint256& nonce) { included.push_back(nonce); };
    bundler = make_bundler(d, options);
    is_running = true;
    loop.spawn("bundler", run());
    if (looks) look();
  }
  Task<void> run() {
    co_await bundler->run();
    is_running = false;
  }
  // As a clean stop; as far as the database is concerned also as a kill: nothing is written on the way out.
  void stop() {
    if (!bundler) return;
    bundler->stop();
    until([this] { return !is_running; });
    bundler.reset();
    fees.reset();
    blocks.reset();
    pool.reset();
    database.reset();
    health = infra::Health();
  }
  void restart() {
    stop();
    start();
  }

  // Runs the loop until the condition holds; the limit only ends a test that has failed.
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) loop.block_on(infra::reschedule());
    EXPECT_TRUE(condition());
  }
  // The bundler gathers operations for as long as the clock stands still.
  void end_gathering() {
    loop.block_on(clock.wait_for_sleepers(1));
    clock.advance(options.limits.gather);
  }
  // Somebody else includes the operation, behind this bundler's back.
  core::Transaction mine_strangers_bundle(const UserOperation& included_op) {
    core::Transaction foreign;
    foreign.chain_id = Uint256(1'337);
    foreign.max_fee_per_gas = Uint256(50'000'000'000);
    foreign.gas_limit = Uint256(1'000'000);
    foreign.to = entry_point->address();
    foreign.data = *entry_point->encode_handle_ops({*core::pack(included_op)}, Address{1});
    foreign = *core::sign_transaction(foreign, core::event_topic("stranger"));
    EXPECT_TRUE(loop.block_on(chain.send_raw_transaction(*foreign.signed_encoding())));
    chain.mine();
    return foreign;
  }
  // The watcher looks at the chain.
  void look() { ASSERT_TRUE(loop.block_on(blocks->poll())); }
  void mine(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; i++) {
      chain.mine();
      look();
    }
  }

  // The chain goes on until the condition holds: for what may take a block more or less, depending on who came first.
  void mine_until(const std::function<bool()>& condition) {
    constexpr int kMostBlocks = 40;
    constexpr int kTurnsOfTheLoop = 2'000;
    for (int block = 0; block < kMostBlocks && !condition(); block++) {
      for (int turn = 0; turn < kTurnsOfTheLoop && !condition(); turn++) loop.block_on(infra::reschedule());
      if (!condition()) mine();
    }
    EXPECT_TRUE(condition());
  }

  UserOperation op(std::uint8_t sender, std::uint64_t nonce = 0) const {
    UserOperation result = validation::sample_userop(sender, nonce);
    result.max_fee_per_gas = Uint256(50'000'000'000);
    result.max_priority_fee_per_gas = Uint256(2'000'000'000);
    return result;
  }
  core::Bytes32 hash_of(const UserOperation& one) const { return *entry_point->userop_hash(one, Uint256(1'337)); }
  core::Bytes32 add(const UserOperation& one) {
    validation::ValidatedUserop valid;
    valid.op = one;
    valid.entry_point = {entry_point->address(), entry_point->version()};
    valid.hash = hash_of(one);
    valid.gas = validation::userop_gas(one);
    valid.calldata = validation::userop_calldata(*core::pack(one));
    valid.max_cost = *validation::max_cost(one);
    auto added = loop.block_on(pool->add(valid, std::nullopt));
    EXPECT_TRUE(added) << (added ? "" : added.error().message);
    return valid.hash;
  }
  pool::UseropRecord record(const core::Bytes32& hash) {
    auto result = loop.block_on(pool->record(hash));
    return result ? *result : pool::UseropRecord{};
  }
  std::uint32_t failures(const core::Bytes32& hash) {
    const auto live = pool->find_live(hash);
    return live ? live->failures : 0;
  }
  UseropStatus status(const core::Bytes32& hash) { return record(hash).status; }
  void until_sent(std::size_t count) {
    until([this, count] { return chain.sent().size() == count; });
  }
  void until_status(const core::Bytes32& hash, UseropStatus wanted) {
    until([&] { return status(hash) == wanted; });
  }
  static std::vector<UserOperation> ops_of(const core::Transaction& transaction) {
    static const auto kHandleOps = core::parse_abi_function(
        "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)");
    std::vector<UserOperation> ops;
    const auto values = kHandleOps->decode(transaction.data);
    if (!values) return ops;
    for (const core::AbiValue& tuple : (*values)[0].list()) {
      core::PackedUserOperation packed;
      packed.sender = tuple[0].address();
      packed.nonce = tuple[1].word();
      packed.init_code = tuple[2].bytes();
      packed.call_data = tuple[3].bytes();
      std::copy_n(tuple[4].bytes().begin(), 32, packed.account_gas_limits.begin());
      packed.pre_verification_gas = tuple[5].word();
      std::copy_n(tuple[6].bytes().begin(), 32, packed.gas_fees.begin());
      packed.paymaster_and_data = tuple[7].bytes();
      packed.signature = tuple[8].bytes();
      ops.push_back(*core::unpack(packed));
    }
    return ops;
  }

  // What handleOps emits: BeforeExecution, one log of the account, the operation's event.
  chain::FakeChain::Executed execute(const core::Transaction& transaction) {
    chain::FakeChain::Executed result;
    const auto ops = ops_of(transaction);
    const bool is_poisoned = std::any_of(
        ops.begin(), ops.end(), [this](const UserOperation& one) { return one.sender[19] == poisonous_sender; });
    result.success = !reverts && !is_poisoned;
    if (!result.success) return result;
    const auto& topics = chain::entry_point_topics();
    const auto add_log = [&](const Address& address, std::vector<core::Bytes32> log_topics, core::Bytes data) {
      chain::Log log;
      log.address = address;
      log.topics = std::move(log_topics);
      log.data = std::move(data);
      result.logs.push_back(std::move(log));
    };
    if (!ops.empty()) add_log(entry_point->address(), {topics.before_execution}, {});
    for (const UserOperation& one : ops) {
      add_log(one.sender, {core::event_topic("Own()")}, {});
      core::Bytes data;
      for (const Uint256& word : {one.nonce, Uint256(1), Uint256(1'000), Uint256(100)})
        core::append(data, word.to_be());
      add_log(entry_point->address(),
              {topics.user_operation, hash_of(one), core::word_from_address(one.sender), core::Bytes32{}}, data);
      executed.push_back(hash_of(one));
    }
    return result;
  }

  infra::TestDatabase place_;
  infra::EventLoop loop;
  infra::FakeClock clock;
  chain::FakeChain chain{1'337};
  std::unique_ptr<chain::EntryPoint> entry_point = chain::v0_8::make_entry_point();
  SoftwareExecutorKeys keys{1};
  validation::FakeSimulator simulator;
  infra::Health health;
  BundlerOptions options;
  bool reverts = false;
  // Bundles with an operation of this sender revert on chain.
  std::uint8_t poisonous_sender = 0;
  bool is_running = false;
  std::vector<Uint256> included;
  // Every execution of an operation on the chain, vanished ones too.
  std::vector<core::Bytes32> executed;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<pool::Pool> pool;
  std::unique_ptr<chain::BlockWatcher> blocks;
  std::unique_ptr<chain::FeeOracle> fees;
  std::unique_ptr<Bundler> bundler;
};

TEST_F(bundler_test, AnOperationIsSentIncludedAndFinal) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  EXPECT_EQ(status(hash), UseropStatus::bundled);
  EXPECT_EQ(record(hash).transaction_hash, *chain.sent()[0].hash());
  mine();
  until_status(hash, UseropStatus::included);
  const auto known = record(hash);
  ASSERT_TRUE(known.inclusion);
  EXPECT_TRUE(known.inclusion->success);
  EXPECT_EQ(known.inclusion->actual_gas_cost, Uint256(1'000));
  // BeforeExecution is log 0, the account's own log 1, the operation's event log 2.
  EXPECT_EQ(known.inclusion->first_log, 1u);
  EXPECT_EQ(known.inclusion->end_log, 2u);
  EXPECT_EQ(included.size(), 1u);
  const auto receipt = loop.block_on(bundler->transaction_receipt(known.inclusion->transaction_hash));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->at("logs").as_array().size(), 3u);
  EXPECT_FALSE(pool->check(hash, {entry_point->address(), entry_point->version()}, op(1)).has_value());
  mine(4);
  until([&] { return pool->check(hash, {entry_point->address(), entry_point->version()}, op(1)).has_value(); });
  EXPECT_EQ(status(hash), UseropStatus::included);
}

TEST_F(bundler_test, TheTransactionIsOnDiskBeforeItIsSent) {
  // The bundler sends until the fixture stops it, which is after this function has ended.
  const auto raws = std::make_shared<std::vector<std::string>>();
  chain.on("eth_sendRawTransaction",
           [raws](const chain::json::array& params) -> chain::ChainResult<chain::json::value> {
             raws->emplace_back(params.at(0).as_string());
             return chain::chain_fail(chain::ChainErrorKind::transport, "connection refused");
           });
  start();
  const auto hash = add(op(1));
  until([raws] { return raws->size() == 1; });
  EXPECT_EQ(status(hash), UseropStatus::bundled);
  restart();
  EXPECT_EQ(status(hash), UseropStatus::bundled);
  mine(1);
  // The very same transaction, not a second one.
  until([raws] { return raws->size() >= 2; });
  EXPECT_EQ(raws->at(0), raws->at(1));
}

TEST_F(bundler_test, AfterARestartNothingIsLostAndNothingSentTwice) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  restart();
  mine();
  until_status(hash, UseropStatus::included);
  mine(2);
  EXPECT_EQ(executed.size(), 1u);
  EXPECT_EQ(chain.sent().size(), 1u);
}

TEST_F(bundler_test, InclusionDuringTheStandstillIsFound) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  stop();
  chain.mine();
  start();
  until_status(hash, UseropStatus::included);
  EXPECT_EQ(executed.size(), 1u);
}

TEST_F(bundler_test, AFailingOperationIsDroppedWithItsReasonAndTheOthersGo) {
  simulator.judge = [](const UserOperation& one) { return one.sender[19] == 2 ? "AA23 reverted" : ""; };
  options.limits.batch_size = 4;
  options.limits.gather = infra::Milliseconds(1'000);
  start();
  const auto first = add(op(1));
  const auto second = add(op(2));
  const auto third = add(op(3));
  end_gathering();
  mine_until([&] { return status(second) == UseropStatus::dropped; });
  EXPECT_EQ(record(second).reason, "AA23 reverted");
  mine_until([&] { return status(first) == UseropStatus::included && status(third) == UseropStatus::included; });
  EXPECT_EQ(executed.size(), 2u);
}

TEST_F(bundler_test, SilenceOfTheChainDropsNobody) {
  simulator.trouble = validation::Error{validation::ErrorCode::chain_unavailable, "no answer", {}, {}};
  start();
  const auto hash = add(op(1));
  until([this] { return !simulator.sizes.empty(); });
  mine();
  EXPECT_EQ(status(hash), UseropStatus::pooled);
  simulator.trouble.reset();
  mine();
  until_sent(1);
}

TEST_F(bundler_test, AStuckTransactionIsReplacedWithHigherFees) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  // The base fee overtakes the transaction, not the operation.
  chain.set_base_fee(Uint256(20'000'000'000));
  mine(4);
  until_sent(2);
  const auto& old = chain.sent()[0];
  const auto& next = chain.sent()[1];
  EXPECT_EQ(next.nonce, old.nonce);
  EXPECT_EQ(ops_of(next), ops_of(old));
  const auto raised = [](const Uint256& fee) {
    return base::divide(*base::multiply(fee, Uint256(1'125)), 1'000).quotient;
  };
  EXPECT_GE(next.max_fee_per_gas, raised(old.max_fee_per_gas));
  EXPECT_GE(next.max_priority_fee_per_gas, raised(old.max_priority_fee_per_gas));
  mine();
  until_status(hash, UseropStatus::included);
  EXPECT_EQ(record(hash).inclusion->transaction_hash, *next.hash());
  EXPECT_EQ(executed.size(), 1u);
}

TEST_F(bundler_test, AStuckTransactionWhoseOperationsFailIsCancelled) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  simulator.judge = [](const UserOperation&) { return "AA23 reverted"; };
  chain.set_base_fee(Uint256(20'000'000'000));
  mine(4);
  until_sent(2);
  EXPECT_EQ(chain.sent()[1].to, keys.infos[0].address);
  EXPECT_TRUE(chain.sent()[1].data.empty());
  mine_until([&] { return status(hash) == UseropStatus::dropped; });
  EXPECT_EQ(chain.sent().size(), 2u);
  simulator.judge = nullptr;
  const auto next = add(op(2));
  mine_until([&] { return status(next) == UseropStatus::included; });
}

TEST_F(bundler_test, AVanishedInclusionIsBroughtBack) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  mine();
  until_status(hash, UseropStatus::included);
  chain.rewind(1);
  chain.drop_pending(*chain.sent()[0].hash());
  // Another branch without it overtakes the old one.
  mine(2);
  until_sent(2);
  EXPECT_EQ(status(hash), UseropStatus::bundled);
  mine();
  until_status(hash, UseropStatus::included);
  EXPECT_EQ(record(hash).inclusion->transaction_hash, *chain.sent()[1].hash());
}

TEST_F(bundler_test, AnInclusionThatMovesToAnotherBlockStaysOne) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  mine();
  until_status(hash, UseropStatus::included);
  const auto block = record(hash).inclusion->block_hash;
  chain.rewind(1);
  chain.mine(2);
  look();
  until([&] { return record(hash).inclusion && record(hash).inclusion->block_hash != block; });
  EXPECT_EQ(chain.sent().size(), 1u);
}

TEST_F(bundler_test, ANonceUsedByAStrangerCostsOneMoreTransaction) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  chain.drop_pending(*chain.sent()[0].hash());
  chain.set_nonce(keys.infos[0].address, 1);
  mine(3);
  until_sent(2);
  EXPECT_EQ(chain.sent()[1].nonce, 1u);
  mine();
  until_status(hash, UseropStatus::included);
}

TEST_F(bundler_test, ExecutorsWorkSideBySide) {
  keys = SoftwareExecutorKeys(2);
  start();
  const auto first = add(op(1));
  until_sent(1);
  const auto second = add(op(2));
  until_sent(2);
  EXPECT_NE(*chain.sent()[0].sender(), *chain.sent()[1].sender());
  mine();
  until_status(first, UseropStatus::included);
  until_status(second, UseropStatus::included);
}

TEST_F(bundler_test, ASenderIsInOneTransactionAtATime) {
  keys = SoftwareExecutorKeys(2);
  start();
  const auto first = add(op(1, 0));
  until_sent(1);
  UserOperation other_key = op(1);
  other_key.nonce = *base::multiply(Uint256(std::uint64_t{1} << 63), Uint256(4));
  const auto second = add(other_key);
  const auto third = add(op(2));
  until_sent(2);
  EXPECT_EQ(ops_of(chain.sent()[1]).size(), 1u);
  EXPECT_EQ(status(second), UseropStatus::pooled);
  EXPECT_EQ(status(third), UseropStatus::bundled);
  mine();
  until_sent(3);
  mine();
  until_status(second, UseropStatus::included);
  EXPECT_EQ(status(first), UseropStatus::included);
}

TEST_F(bundler_test, ABundleThatRevertsOnChainIsTriedAgainAndThenGivenUp) {
  options.limits.max_failures = 2;
  start();
  const auto hash = add(op(1));
  until_sent(1);
  reverts = true;
  mine();
  until_status(hash, UseropStatus::pooled);
  mine();
  until_sent(2);
  mine();
  until_status(hash, UseropStatus::dropped);
  EXPECT_NE(record(hash).reason.find("reverted on chain"), std::string::npos);
}

// It fails as "deployed already" before anybody looks at its nonce.
TEST_F(bundler_test, ADeploymentThatIsIncludedAlreadyIsFound) {
  const auto hash = hash_of(op(1));
  simulator.judge = [](const UserOperation&) { return "AA10 sender already constructed"; };
  chain.on_call(entry_point->address(), [](const chain::CallRequest&) { return core::to_bytes(Uint256(1).to_be()); });
  const core::Transaction foreign = mine_strangers_bundle(op(1));
  start();
  add(op(1));
  until_status(hash, UseropStatus::included);
  EXPECT_EQ(record(hash).inclusion->transaction_hash, *foreign.hash());
}

TEST_F(bundler_test, ADeploymentOfAnAccountThatIsThereIsDropped) {
  const auto hash = hash_of(op(1));
  simulator.judge = [](const UserOperation&) { return "AA10 sender already constructed"; };
  chain.on_call(entry_point->address(), [](const chain::CallRequest&) { return core::to_bytes(Uint256(0).to_be()); });
  start();
  add(op(1));
  mine_until([&] { return status(hash) == UseropStatus::dropped; });
  EXPECT_NE(record(hash).reason.find("AA10"), std::string::npos);
}

TEST_F(bundler_test, AnOperationThatSomebodyElseIncludedIsFound) {
  const auto hash = hash_of(op(1));
  const auto word = [](std::uint64_t n) { return core::to_bytes(Uint256(n).to_be()); };
  simulator.judge = [](const UserOperation&) { return "AA25 invalid account nonce"; };
  chain.on_call(entry_point->address(), [&](const chain::CallRequest&) { return word(1); });
  const core::Transaction foreign = mine_strangers_bundle(op(1));
  start();
  add(op(1));
  until_status(hash, UseropStatus::included);
  EXPECT_EQ(record(hash).inclusion->transaction_hash, *foreign.hash());
  EXPECT_EQ(chain.sent().size(), 1u);
  EXPECT_EQ(included.size(), 1u);
  // It is watched like our own until it is final, also over a restart, and leaves memory then.
  restart();
  ASSERT_TRUE(loop.block_on(pool->load()));
  mine_until([this] { return pool->under_way().empty() && pool->statistics().waiting == 0; });
  EXPECT_EQ(status(hash), UseropStatus::included);
}

TEST_F(bundler_test, AnInclusionWhoseLogComesLateIsNotTakenForAStrangers) {
  simulator.judge = [](const UserOperation&) { return "AA25 invalid account nonce"; };
  chain.on_call(entry_point->address(), [](const chain::CallRequest&) { return core::to_bytes(Uint256(1).to_be()); });
  mine_strangers_bundle(op(1));
  std::size_t questions = 0;
  chain.on("eth_getLogs", [&questions](const chain::json::array&) -> chain::ChainResult<chain::json::value> {
    questions++;
    return chain::json::value(chain::json::array());
  });
  start();
  const auto hash = add(op(1));
  until([&] { return questions == 1 && failures(hash) == 1; });
  EXPECT_EQ(status(hash), UseropStatus::pooled);
  chain.on("eth_getLogs", nullptr);
  mine();
  until_status(hash, UseropStatus::included);
}

TEST_F(bundler_test, OneSimulationAgainstAnOperationIsNotBelieved) {
  bool lags = true;
  simulator.judge = [&lags](const UserOperation& one) { return lags && one.sender[19] == 1 ? "AA23 reverted" : ""; };
  start();
  const auto hash = add(op(1));
  until([&] { return failures(hash) == 1; });
  EXPECT_EQ(status(hash), UseropStatus::pooled);
  // Nobody else waits for it.
  add(op(2));
  until_sent(1);
  lags = false;
  mine_until([&] { return status(hash) == UseropStatus::included; });
  EXPECT_EQ(executed.size(), 2u);
}

TEST_F(bundler_test, AnOperationThatFailsInEachBlockIsDroppedWithItsReason) {
  simulator.judge = [](const UserOperation&) { return "AA23 reverted"; };
  start();
  const auto hash = add(op(1));
  mine_until([&] { return status(hash) == UseropStatus::dropped; });
  EXPECT_EQ(record(hash).reason, "AA23 reverted");
  EXPECT_EQ(simulator.sizes.size(), options.limits.max_failures);
}

TEST_F(bundler_test, WhatFailsAloneDelaysNobodyUntilTheNextBlock) {
  options.limits.batch_size = 2;
  simulator.judge = [](const UserOperation& one) { return one.sender[19] == 1 ? "AA23 reverted" : ""; };
  start(false);
  UserOperation best = op(1);
  best.max_priority_fee_per_gas = Uint256(3'000'000'000);
  const auto hash = add(best);
  look();
  until([&] { return failures(hash) == 1; });
  // Its fee puts it first again, alone as it failed; what comes with it goes in the same block.
  mine();
  add(op(2));
  end_gathering();
  until_sent(1);
  EXPECT_EQ(ops_of(chain.sent()[0]).front().sender, op(2).sender);
}

TEST_F(bundler_test, ARefusalOfTheTrustedCoreIsSaidAndTriedAgain) {
  keys.refusal = protocol::Error::budget_exhausted;
  start();
  const auto hash = add(op(1));
  until([this] { return health.json().find("budget_exhausted") != std::string::npos; });
  EXPECT_EQ(status(hash), UseropStatus::pooled);
  keys.refusal.reset();
  mine();
  until_sent(1);
  until([this] { return health.json().find("budget_exhausted") == std::string::npos; });
}

TEST_F(bundler_test, APoorExecutorIsReportedInWords) {
  options.limits.low_balance = Uint256(5'000);
  chain.set_balance(keys.infos[0].address, Uint256(4'999));
  start();
  until([this] { return health.json().find("has 4999 wei left") != std::string::npos; });
  EXPECT_TRUE(health.ready());
}

TEST_F(bundler_test, ABundleKeepsToTheLimitOfGas) {
  options.limits.gas = 600'000;
  options.limits.batch_size = 5;
  options.limits.gather = infra::Milliseconds(1'000);
  start();
  for (std::uint8_t i = 1; i <= 4; i++) add(op(i));
  end_gathering();
  until_sent(1);
  EXPECT_LE(chain.sent()[0].gas_limit, Uint256(600'000));
  EXPECT_LT(ops_of(chain.sent()[0]).size(), 4u);
  mine_until([this] { return executed.size() == 4; });
  for (const core::Transaction& transaction : chain.sent()) EXPECT_LE(transaction.gas_limit, Uint256(600'000));
}

TEST_F(bundler_test, WhatFitsNoBundleDoesNotWaitForEver) {
  options.limits.gas = 150'000;
  start();
  const auto hash = add(op(1));
  until_status(hash, UseropStatus::dropped);
  EXPECT_NE(record(hash).reason.find("more gas"), std::string::npos);
}

TEST_F(bundler_test, AnOperationThatPaysTooLittleWaitsAndThenLeaves) {
  chain.set_base_fee(Uint256(90'000'000'000));
  chain.mine();
  start();
  const auto hash = add(op(1));
  mine(2);
  EXPECT_EQ(status(hash), UseropStatus::pooled);
  // Time begins for it when the bundler has read what a former run left.
  infra::settle(loop, *database);
  clock.advance(options.limits.max_waiting + infra::Milliseconds(1));
  mine_until([&] { return status(hash) == UseropStatus::dropped; });
  EXPECT_TRUE(chain.sent().empty());
}

TEST_F(bundler_test, ARevertThatIsFinalDoesNotTakeAWaitingOperationWithIt) {
  start();
  const auto hash = add(op(1));
  until_sent(1);
  reverts = true;
  mine();
  until_status(hash, UseropStatus::pooled);
  // The next bundle has to wait: the base fee is above what the operation offers.
  chain.set_base_fee(Uint256(90'000'000'000));
  chain.mine();
  restart();
  mine(5);
  until([this] { return pool->statistics().waiting == 1; });
  reverts = false;
  chain.set_base_fee(Uint256(1'000'000'000));
  mine_until([&] { return status(hash) == UseropStatus::included; });
  EXPECT_EQ(executed.size(), 1u);
}

TEST_F(bundler_test, WhatAFormerExecutorHadUnderWayGoesToAnother) {
  keys = SoftwareExecutorKeys(2);
  start();
  const auto hash = add(op(1));
  until_sent(1);
  stop();
  chain.drop_pending(*chain.sent()[0].hash());
  keys.infos.erase(keys.infos.begin());
  start();
  until_sent(2);
  ASSERT_EQ(chain.sent().size(), 2u);
  EXPECT_EQ(*chain.sent()[1].sender(), keys.infos[0].address);
  mine();
  until_status(hash, UseropStatus::included);
}

TEST_F(bundler_test, WhatRevertsABundleOnChainTakesNobodyWithItASecondTime) {
  options.limits.max_failures = 2;
  poisonous_sender = 2;
  start(false);
  const auto first = add(op(1));
  const auto second = add(op(2));
  const auto third = add(op(3));
  look();
  until_sent(1);
  EXPECT_EQ(ops_of(chain.sent()[0]).size(), 3u);
  mine_until([&] { return status(first) == UseropStatus::included && status(third) == UseropStatus::included; });
  mine_until([&] { return status(second) == UseropStatus::dropped; });
  EXPECT_EQ(executed.size(), 2u);
}

TEST_F(bundler_test, WhoSpoilsABundleIsFoundThoughTheEntryPointNamesNobody) {
  simulator.spoils = [](const UserOperation& one) { return one.sender[19] == 4; };
  start(false);
  std::vector<core::Bytes32> hashes;
  for (std::uint8_t i = 1; i <= 5; i++) hashes.push_back(add(op(i)));
  look();
  until_sent(1);
  EXPECT_EQ(ops_of(chain.sent()[0]).size(), 4u);
  mine_until([&] { return status(hashes[3]) == UseropStatus::dropped; });
  EXPECT_EQ(record(hashes[3]).reason, "handleOps reverted");
}

TEST_F(bundler_test, AStandstillOfTheNodeDoesNotCountAsWaiting) {
  simulator.trouble = validation::Error{validation::ErrorCode::chain_unavailable, "no answer", {}, {}};
  start();
  const auto hash = add(op(1));
  until([this] { return !simulator.sizes.empty(); });
  stop();
  simulator.trouble.reset();
  clock.advance(options.limits.max_waiting + infra::Milliseconds(1));
  start();
  until_sent(1);
  EXPECT_EQ(status(hash), UseropStatus::bundled);
}

TEST_F(bundler_test, NothingIsSentBeforeTheHeadIsKnown) {
  start(false);
  add(op(1));
  for (int turn = 0; turn < 1'000; turn++) loop.block_on(infra::reschedule());
  EXPECT_TRUE(chain.sent().empty());
  look();
  until_sent(1);
}

TEST_F(bundler_test, WhatOneExecutorIncludedAfterAllIsNotTakenBackByAnother) {
  keys = SoftwareExecutorKeys(2);
  start();
  add(op(2));
  until_sent(1);
  const auto hash = add(op(1));
  until_sent(2);
  const core::Transaction second = chain.sent()[1];
  EXPECT_EQ(*second.sender(), keys.infos[1].address);
  mine();
  until_status(hash, UseropStatus::included);
  // The inclusion vanishes, and the other executor takes the operation.
  chain.rewind(1);
  chain.drop_pending(*second.hash());
  mine_until([this] { return chain.sent().size() == 3; });
  ASSERT_EQ(chain.sent().size(), 3u);
  const core::Transaction third = chain.sent()[2];
  EXPECT_EQ(*third.sender(), keys.infos[0].address);
  // The transaction that had vanished is mined after all; the new one loses its nonce to a stranger.
  chain.drop_pending(*third.hash());
  chain.set_nonce(keys.infos[0].address, third.nonce + 1);
  ASSERT_TRUE(loop.block_on(chain.send_raw_transaction(*second.signed_encoding())));
  mine();
  until_status(hash, UseropStatus::included);
  mine(3);
  mine_until([this] { return pool->under_way().empty() && pool->statistics().waiting == 0; });
  EXPECT_EQ(status(hash), UseropStatus::included);
  EXPECT_EQ(record(hash).inclusion->transaction_hash, *second.hash());
}

TEST_F(bundler_test, EachChainFollowsItsOwnTransactions) {
  start();
  Attempt attempt;
  attempt.hash[0] = 1;
  attempt.raw = {2};
  auto write = [attempt](soci::session& sql) { insert_attempt(sql, 137, attempt, 0); };
  ASSERT_TRUE(loop.block_on(database->write(write)));
  TransactionStore own(*database, 1'337), other(*database, 137);
  EXPECT_TRUE(loop.block_on(own.load())->empty());
  EXPECT_EQ(loop.block_on(other.load())->size(), 1u);
  auto forget = [](soci::session& sql) { sql << "UPDATE bundler_transactions SET chain_id = 0"; };
  ASSERT_TRUE(loop.block_on(database->write(forget)));
  auto claim = [](soci::session& sql) { claim_rows(sql, 1'337); };
  ASSERT_TRUE(loop.block_on(database->write(claim)));
  EXPECT_EQ(loop.block_on(own.load())->size(), 1u);
  EXPECT_TRUE(loop.block_on(other.load())->empty());
}

}  // namespace
}  // namespace community::bundler
