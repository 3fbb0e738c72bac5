// SPDX-License-Identifier: Apache-2.0
// The numbers of records under each root key: right whatever happens in whatever order, unknown where they cannot be
// known, and known again only after every record of the tree was shown.
#include <gtest/gtest.h>

#include <sstream>

#include "trusted/core/record.hpp"
#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/root_keys.hpp"
#include "trusted/tests/support/source_files.hpp"

namespace community::trusted::testing {
namespace {

using Keys = std::map<std::uint32_t, std::uint32_t>;

Uncommitted create_key_at(TestHost& host, std::uint32_t leaf) {
  protocol::KeyCreateRequest request;
  const OwnedPath path = host.pending_tree.path(leaf);
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  return host.change(Command::key_create, request);
}

Error recover(TestHost& host, const Bytes32& root) {
  const auto status = host.status();
  const Bytes bytes = encoded(protocol::Recovery{status.core_id, status.recovery_count + 1, root});
  const Error error =
      host.refusal(Command::recover, protocol::RecoverRequest{bytes, host.operator_sign("recovery", bytes)});
  // The host's next COMMIT follows the epoch that the recovery led to.
  return error == Error::ok ? host.start() : error;
}

class Count : public ::testing::Test {
 protected:
  Count() { records = {world.wallet, world.executor, world.paymaster}; }
  StoredRecord create_at(std::uint32_t leaf) {
    const Uncommitted change = create_key_at(host, leaf);
    EXPECT_EQ(name(change.error), "ok");
    EXPECT_EQ(host.commit().error, Error::ok);
    records.push_back(change.record);
    return change.record;
  }
  void reseal_at(std::size_t index) {
    const Uncommitted change = reseal(host, records[index]);
    ASSERT_EQ(name(change.error), "ok");
    ASSERT_EQ(host.commit().error, Error::ok);
    records[index] = change.record;
  }
  World world;
  TestHost& host = world.host;
  std::vector<StoredRecord> records;
};

TEST_F(Count, IsUnknownAfterARecoveryUntilTheHostHasShownEveryRecord) {
  // In four blocks, one of them empty.
  for (const std::uint32_t leaf : {10u, 31u, 32u, 63u, 100u}) create_at(leaf);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_at(0);
  reseal_at(5);
  EXPECT_EQ(root_keys(host), (Keys{{1, 6}, {2, 2}}));
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  EXPECT_EQ(root_keys(host), std::nullopt);
  EXPECT_EQ(retire(host, 1), Error::records_not_counted);
  ASSERT_EQ(count_records(host, records), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 6}, {2, 2}}));
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 6}, {2, 2}}));
  EXPECT_EQ(retire(host, 1), Error::root_key_in_use);
}

TEST_F(Count, ReSealingEverythingIsNoSubstituteForIt) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  for (std::size_t i = 0; i < records.size(); i++) reseal_at(i);
  // The core cannot know that there is not one record more.
  EXPECT_EQ(retire(host, 1), Error::records_not_counted);
  ASSERT_EQ(count_records(host, records), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 3}}));
  EXPECT_EQ(retire(host, 1), Error::ok);
}

TEST_F(Count, NoRecordCanBeLeftOutAndNoneAdded) {
  for (const std::uint32_t leaf : {10u, 32u, 63u, 100u}) create_at(leaf);
  const World other(2);
  const StoredRecord stranger = World(3).make_key(protocol::Purpose::executor, kChain);
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  for (std::size_t i = 0; i < records.size(); i++) {
    std::vector<StoredRecord> without = records;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(count_records(host, without), Error::record_not_current) << i;
    std::vector<StoredRecord> moved = records;
    moved[i].leaf ^= 4;
    EXPECT_EQ(count_records(host, moved), Error::record_not_current) << i;
    std::vector<StoredRecord> bent = records;
    // The version in the header, which nobody has opened, is what is counted.
    bent[i].sealed[8] ^= 3;
    EXPECT_EQ(count_records(host, bent), Error::record_not_current) << i;
    bent = records;
    bent[i].sealed.resize(20);
    EXPECT_EQ(count_records(host, bent), Error::record_malformed) << i;
  }
  std::vector<StoredRecord> more = records;
  more.push_back(records[0]);
  more.back().leaf = 5;
  EXPECT_EQ(count_records(host, more), Error::record_not_current);
  more.back() = other.wallet;
  more.back().leaf = 5;
  EXPECT_EQ(count_records(host, more), Error::record_foreign);
  EXPECT_EQ(root_keys(host), std::nullopt);
  EXPECT_EQ(count_records(host, records), Error::ok);
}

TEST_F(Count, GoesBlockByBlockFromTheLeft) {
  for (const std::uint32_t leaf : {40u, 70u}) create_at(leaf);
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  EXPECT_EQ(count_block(host, 32, records).error, Error::count_out_of_order);
  EXPECT_EQ(count_block(host, 64, records).error, Error::count_out_of_order);
  ASSERT_EQ(count_block(host, 0, records).error, Error::ok);
  EXPECT_EQ(count_block(host, 64, records).error, Error::count_out_of_order);
  const Reply second = count_block(host, 32, records);
  ASSERT_EQ(second.error, Error::ok);
  EXPECT_EQ(decoded<protocol::CountRecordsReply>(second.body).next_leaf, 64u);
  EXPECT_EQ(count_block(host, 32, records).error, Error::count_out_of_order);
  // The first block begins anew, and so does a restart.
  ASSERT_EQ(count_block(host, 0, records).error, Error::ok);
  EXPECT_EQ(count_block(host, 64, records).error, Error::count_out_of_order);
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(count_block(host, 32, records).error, Error::count_out_of_order);
  ASSERT_EQ(count_records(host, records), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 5}}));
  // Nothing is left to count.
  const Reply again = count_block(host, 64, {});
  ASSERT_EQ(again.error, Error::ok);
  EXPECT_EQ(decoded<protocol::CountRecordsReply>(again.body).counted, 1);
}

TEST_F(Count, MalformedStepsAreRefused) {
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  const auto refusal = [&](auto change) {
    protocol::CountRecordsRequest request;
    OwnedPath path;
    change(request, path);
    // Limits are checked where bytes are written, too: what the encoder refuses is bent in the bytes.
    request.path = path.view();
    return host.refusal(Command::count_records, request);
  };
  EXPECT_EQ(refusal([](auto&, OwnedPath& path) { path.leaf = 1; }), Error::malformed_request);
  EXPECT_EQ(refusal([](auto&, OwnedPath& path) { path.leaf = 1u << 30; }), Error::malformed_request);
  EXPECT_EQ(refusal([](auto&, OwnedPath& path) {
              path.present = 1;
              path.siblings = Bytes(32);
            }),
            Error::malformed_request);
  const auto with_places = [&](std::uint8_t first, std::uint8_t second) {
    return refusal([&](protocol::CountRecordsRequest& request, OwnedPath&) {
      request.record_count = 2;
      request.records[0] = {first, world.wallet.sealed};
      request.records[1] = {second, world.executor.sealed};
    });
  };
  EXPECT_EQ(with_places(1, 1), Error::malformed_request);
  EXPECT_EQ(with_places(1, 0), Error::malformed_request);
  EXPECT_EQ(with_places(0, 32), Error::malformed_request);
  EXPECT_EQ(with_places(0, 2), Error::record_not_current);
  EXPECT_EQ(host.call(Command::count_records, {}).error, Error::malformed_request);
  EXPECT_EQ(count_records(host, records), Error::ok);
}

TEST_F(Count, WhatChangesDuringACountIsCountedOnce) {
  for (const std::uint32_t leaf : {10u, 40u, 70u}) create_at(leaf);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  ASSERT_EQ(count_block(host, 0, records).error, Error::ok);
  ASSERT_EQ(count_block(host, 32, records).error, Error::ok);
  // In counted blocks, and in one that is to come: a change, a new record, one that is not committed.
  reseal_at(0);
  reseal_at(4);
  reseal_at(5);
  create_at(11);
  create_at(71);
  ASSERT_EQ(create_key_at(host, 12).error, Error::ok);
  ASSERT_TRUE(host.reconnect());
  EXPECT_EQ(create_key_at(host, 72).error, Error::ok);
  ASSERT_EQ(rotate(host, 3), Error::ok);
  const Reply last = count_block(host, 64, records);
  ASSERT_EQ(last.error, Error::ok);
  EXPECT_EQ(decoded<protocol::CountRecordsReply>(last.body).counted, 1);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 5}, {3, 0}}));
  ASSERT_EQ(host.commit().error, Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 6}, {3, 0}}));
}

TEST_F(Count, AStepUnderAnOldRootIsStale) {
  create_at(40);
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  const MerkleTree old = host.tree;
  create_at(41);
  const MerkleTree now = std::exchange(host.tree, old);
  const std::vector<StoredRecord> before(records.begin(), records.end() - 1);
  EXPECT_EQ(count_block(host, 0, before).error, Error::stale_path);
  host.tree = now;
  EXPECT_EQ(count_records(host, records), Error::ok);
}

TEST_F(Count, ARecordUnderAKeyThatWasRetiredIsNobodysNeed) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  const MerkleTree old = host.tree;
  const std::vector<StoredRecord> before = records;
  reseal_at(0);
  const MerkleTree between = host.tree;
  const std::vector<StoredRecord> then = records;
  reseal_at(1);
  reseal_at(2);
  ASSERT_EQ(retire(host, 1), Error::ok);
  // The operator puts a database back that is older than the retirement: what it holds under version 1 is lost.
  host.tree = between;
  ASSERT_EQ(recover(host, between.root()), Error::ok);
  ASSERT_EQ(count_records(host, then), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{2, 1}}));
  world.wallet = then[0];
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  world.executor = then[1];
  EXPECT_EQ(world.sign(world.good_transaction()).error, Error::record_unknown_root);
  EXPECT_EQ(reseal(host, then[1]).error, Error::record_unknown_root);
}

TEST_F(Count, AnEmptyTreeIsCounted) {
  ASSERT_EQ(recover(host, Bytes32{}), Error::ok);
  host.tree = host.pending_tree = MerkleTree();
  ASSERT_EQ(count_records(host, {}), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}}));
}

TEST_F(Count, ACountThatCannotBeStoredDoesNotCount) {
  ASSERT_EQ(recover(host, host.tree.root()), Error::ok);
  host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(count_records(host, records), Error::store_failed);
  EXPECT_EQ(root_keys(host), std::nullopt);
  EXPECT_EQ(count_records(host, records), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}}));
}

TEST_F(Count, ARecoveryThatCannotBeStoredLeavesTheNumbers) {
  host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(recover(host, host.tree.root()), Error::store_failed);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}}));
}

TEST_F(Count, ANumberThatIsTooSmallIsNotBelieved) {
  // No sequence of requests leads here; a state that says so was not written by this core.
  State state = host.core().state();
  state.root_keys[0].records = 0;
  Bytes bytes(kMaxState);
  bytes.resize(protocol::encode(state, bytes).size());
  host.store.put(bytes);
  ASSERT_EQ(host.restart(false), Error::ok);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 0}}));
  reseal_at(0);
  EXPECT_EQ(root_keys(host), std::nullopt);
  EXPECT_EQ(retire(host, 1), Error::records_not_counted);
}

// Bytes that the core of format 2 wrote, and one wallet's record with what belonged to it then.
TEST(StateFormat, InAStateOfFormatTwoRecordsAreNotCountedUntilTheyAreShown) {
  std::string hex = read_source("trusted/tests/vectors/state_format_2.txt");
  std::erase(hex, '\n');
  std::map<std::string, Bytes> old;
  std::istringstream file(read_source("trusted/tests/vectors/record_format_2.txt"));
  for (std::string what, value; file >> what >> value;) old[what] = unhex(value);
  MemoryStore store;
  store.put(unhex(hex));
  const Port port = store.port();
  Core core(port);
  ASSERT_EQ(core.start(), Error::ok);
  const State& state = core.state();
  EXPECT_EQ(state.root_key_count, 1);
  EXPECT_EQ(state.root_keys[0].version, 1u);
  EXPECT_EQ(state.records_counted, 0);
  EXPECT_EQ(to_bytes(state.root), old.at("root"));
  RecordHeader header;
  WalletRecord wallet;
  ASSERT_EQ(open_record(port, state, old.at("wallet"), RecordType::wallet, header, wallet), Error::ok);
  Address server_key{};
  ASSERT_EQ(server_key_address(port, wallet, 0, server_key), Error::ok);
  EXPECT_EQ(to_bytes(server_key), old.at("server_key"));

  // The same in a core that has a host.
  World world;
  State before = world.host.core().state();
  before.format = 2;
  world.host.store.put(encoded(before));
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(world.host), std::nullopt);
  ASSERT_EQ(rotate(world.host, 2), Error::ok);
  EXPECT_EQ(retire(world.host, 1), Error::records_not_counted);
  ASSERT_EQ(count_records(world.host, {world.wallet, world.executor, world.paymaster}), Error::ok);
  EXPECT_EQ(root_keys(world.host), (Keys{{1, 3}, {2, 0}}));
}

// Everything that touches the numbers, in random order, against a model that counts the headers of its own records.
class CountModel {
 public:
  explicit CountModel(std::uint64_t seed) : random_(seed), world_(seed) {
    for (const StoredRecord* record : {&world_.wallet, &world_.executor, &world_.paymaster}) add(*record);
  }

  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
        return create();
      case 3:
      case 4:
      case 5:
        return reseal_one();
      case 6:
        return rotate_one();
      case 7:
        return retire_one();
      case 8:
        return interrupt();
      case 9:
        return count_one();
      case 10:
        // Rarely, so that numbers are known most of the time.
        return random_.one_in(8) ? recover_now() : commit();
      default:
        return commit();
    }
  }

  void check() {
    const auto told = root_keys(host());
    ASSERT_EQ(told.has_value(), counted_);
    if (!counted_) return;
    Keys expected;
    for (const std::uint32_t version : versions_) expected[version] = 0;
    for (const auto& [leaf, record] : committed_) expected.at(protocol::sealed_root_version(record.sealed))++;
    ASSERT_EQ(*told, expected);
  }

 private:
  TestHost& host() { return world_.host; }
  void add(const StoredRecord& record) { committed_[record.leaf] = latest_[record.leaf] = record; }
  void drop_pending() {
    latest_ = committed_;
    pending_ = 0;
  }

  void create() {
    const auto leaf = static_cast<std::uint32_t>(random_.below(200));
    if (latest_.contains(leaf) || pending_ == protocol::kMaxPendingChanges) return;
    const Uncommitted change = create_key_at(host(), leaf);
    ASSERT_EQ(name(change.error), "ok");
    latest_[leaf] = change.record;
    pending_++;
  }
  void reseal_one() {
    auto chosen = latest_.begin();
    std::advance(chosen, random_.below(latest_.size()));
    const bool newest = protocol::sealed_root_version(chosen->second.sealed) == versions_.back();
    const Uncommitted change = reseal(host(), chosen->second, true);
    ASSERT_EQ(name(change.error), newest ? "record_under_newest_root" : "ok");
    if (newest) return;
    chosen->second = change.record;
    pending_++;
  }
  void rotate_one() {
    const std::uint32_t next = versions_.back() + 1;
    const bool full = versions_.size() == kMaxRootKeys;
    ASSERT_EQ(name(rotate(host(), next)), full ? "too_many_root_keys" : "ok");
    if (!full) versions_.push_back(next);
  }
  void retire_one() {
    const std::size_t index = random_.below(versions_.size());
    const std::uint32_t version = versions_[index];
    const auto needs = [version](const auto& entry) {
      return protocol::sealed_root_version(entry.second.sealed) == version;
    };
    const bool committed = std::any_of(committed_.begin(), committed_.end(), needs);
    const Error error = retire(host(), version);
    if (version == versions_.back()) {
      ASSERT_EQ(name(error), "root_key_is_newest");
    } else if (!counted_) {
      ASSERT_EQ(name(error), "records_not_counted");
    } else if (committed || std::any_of(latest_.begin(), latest_.end(), needs)) {
      ASSERT_EQ(name(error), "root_key_in_use");
    } else if (error != Error::root_key_in_use) {
      ASSERT_EQ(name(error), "ok");
      versions_.erase(versions_.begin() + static_cast<std::ptrdiff_t>(index));
    } else {
      // Only a pending record that another pending change replaced already can be what it is needed for.
      ASSERT_GT(pending_, 1u);
    }
  }
  void commit() {
    if (pending_ == 0) return;
    if (random_.one_in(4)) return commit_with_fault();
    ASSERT_EQ(name(host().commit().error), "ok");
    committed_ = latest_;
    pending_ = 0;
  }
  void commit_with_fault() {
    constexpr MemoryStore::Fault kFaults[] = {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before,
                                              MemoryStore::Fault::cut_after};
    const MemoryStore::Fault fault = kFaults[random_.below(3)];
    host().store.fail_write(1, fault);
    ASSERT_EQ(name(host().commit_at(host().core().state().epoch + 1, host().pending_tree.root()).error),
              "store_failed");
    const bool written = fault == MemoryStore::Fault::cut_after;
    host().settle(written);
    if (written) committed_ = latest_;
    drop_pending();
    counting_ = 0;
    ASSERT_EQ(host().restart(false), Error::ok);
  }
  void interrupt() {
    drop_pending();
    if (random_.one_in(2)) {
      ASSERT_TRUE(host().reconnect());
    } else {
      ASSERT_EQ(host().restart(random_.one_in(2)), Error::ok);
      counting_ = 0;
    }
  }
  // After a COMMIT was lost the host would say which tree it has; here it is the one the core has as well.
  void recover_now() {
    if (pending_ != 0) return;
    ASSERT_EQ(name(recover(host(), host().tree.root())), "ok");
    counted_ = false;
    counting_ = 0;
  }
  void count_one() {
    std::vector<StoredRecord> records;
    for (const auto& [leaf, record] : committed_) records.push_back(record);
    const Reply reply = count_block(host(), counting_, records);
    ASSERT_EQ(name(reply.error), "ok");
    const auto answer = decoded<protocol::CountRecordsReply>(reply.body);
    counted_ = counted_ || answer.counted != 0;
    counting_ = answer.next_leaf;
  }

  Random random_;
  World world_;
  std::map<std::uint32_t, StoredRecord> committed_, latest_;
  std::vector<std::uint32_t> versions_{1};
  std::size_t pending_ = 0;
  bool counted_ = true;
  // First leaf of the next block of the count on its way.
  std::uint32_t counting_ = 0;
};

TEST(CountModel, TheNumbersAreRightWhateverHappensInWhateverOrder) {
  const bool is_long = std::getenv("COMMUNITY_TEST_LONG") != nullptr;
  const std::uint64_t seeds = is_long ? 60 : 6;
  for (std::uint64_t seed = 1; seed <= seeds; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CountModel model(seed);
    for (int i = 0; i < 600; i++) {
      model.step();
      model.check();
      if (::testing::Test::HasFailure()) FAIL() << "step " << i;
    }
  }
}

}  // namespace
}  // namespace community::trusted::testing
