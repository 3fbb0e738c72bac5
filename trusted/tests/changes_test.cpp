// SPDX-License-Identifier: Apache-2.0
// Two-phase changes: nothing is valid before its COMMIT, and a crash at any moment leaves one of two legal states.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Changes : public ::testing::Test {
 protected:
  Uncommitted create_key_at(std::uint32_t leaf, const MerkleTree& tree) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = tree.path(leaf);
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    return world.host.change(Command::key_create, request);
  }
  Uncommitted create_key() { return create_key_at(world.host.next_leaf(), world.host.pending_tree); }
  Error describe_key(const OwnedProof& proof) { return world.host.refusal(Command::key_describe, proof.view()); }
  // The same request on another connection of the same core.
  Error on_other_connection(Command command, ByteView body) {
    HostChannel channel(world.host.channel_key(), 4'711);
    Bytes out(protocol::kMaxReplyFrame);
    EXPECT_TRUE(channel.established(world.host.core().handle(other_session, channel.hello(), out)));
    const auto reply = channel.reply(world.host.core().handle(other_session, channel.request(command, body), out));
    world.host.core().end(other_session);
    return reply ? reply->error : Error::no_session;
  }
  World world;
  Session other_session;
};

TEST_F(Changes, AnUncommittedRecordIsNotValid) {
  const Uncommitted change = create_key();
  ASSERT_EQ(change.error, Error::ok);
  const OwnedProof pending = world.host.pending_proof(change.record);
  EXPECT_EQ(describe_key(pending), Error::stale_path);
  EXPECT_EQ(world.host.status().root, world.host.tree.root());
  ASSERT_EQ(world.host.commit().error, Error::ok);
  EXPECT_EQ(describe_key(pending), Error::ok);
}

TEST_F(Changes, CommitAnswersEachChangeByItsRequestInOrder) {
  const Uncommitted first = create_key(), second = create_key();
  ASSERT_EQ(second.error, Error::ok);
  const std::uint64_t epoch = world.host.status().epoch;
  const Committed committed = world.host.commit();
  ASSERT_EQ(committed.error, Error::ok);
  EXPECT_EQ(committed.epoch, epoch + 1);
  ASSERT_EQ(committed.changes.size(), 2u);
  EXPECT_EQ(committed.changes[0].first, first.request_id);
  EXPECT_EQ(committed.changes[1].first, second.request_id);
  EXPECT_EQ(decoded<protocol::KeyCommitted>(committed.changes[0].second).key_id, first.record.id);
  EXPECT_EQ(world.host.status().root, second.root);
}

TEST_F(Changes, UncommittedChangesDieWithTheConnection) {
  const Uncommitted change = create_key();
  ASSERT_EQ(change.error, Error::ok);
  const std::uint64_t epoch = world.host.status().epoch;
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.host.commit_at(epoch + 1, change.root).error, Error::commit_root_mismatch);
  // The leaf is free again.
  EXPECT_EQ(create_key_at(change.record.leaf, world.host.pending_tree).error, Error::ok);
}

TEST_F(Changes, UncommittedChangesDieWithTheProcess) {
  const Uncommitted change = create_key();
  const Bytes32 before = world.host.tree.root();
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.status().root, before);
  EXPECT_EQ(world.host.commit_at(world.host.status().epoch + 1, change.root).error, Error::commit_root_mismatch);
}

TEST_F(Changes, OnlyOneConnectionHasChangesPending) {
  ASSERT_EQ(create_key().error, Error::ok);
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.tree.path(999);
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  EXPECT_EQ(on_other_connection(Command::key_create, encoded(request)), Error::pending_elsewhere);
  // Another connection cannot commit them either, nor drop them by ending.
  const protocol::CommitRequest commit{world.host.status().epoch + 1, world.host.pending_tree.root()};
  EXPECT_EQ(on_other_connection(Command::commit, encoded(commit)), Error::pending_elsewhere);
  EXPECT_EQ(world.host.commit().error, Error::ok);
}

TEST_F(Changes, AnotherConnectionSignsWhileChangesArePending) {
  ASSERT_EQ(create_key().error, Error::ok);
  const OwnedProof proof = world.host.proof(world.executor);
  EXPECT_EQ(on_other_connection(Command::key_describe, encoded(proof.view())), Error::ok);
}

TEST_F(Changes, AClosedSessionLosesItsChangesWhenItEnds) {
  ASSERT_EQ(create_key().error, Error::ok);
  world.host.send(Bytes(40));
  EXPECT_TRUE(world.host.session().closed);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(create_key().error, Error::ok);
  EXPECT_EQ(world.host.commit().error, Error::ok);
}

TEST_F(Changes, AtMost256ChangesWaitForOneCommit) {
  for (int i = 0; i < 256; i++) ASSERT_EQ(create_key().error, Error::ok) << i;
  EXPECT_EQ(create_key().error, Error::too_many_pending);
  const Committed committed = world.host.commit();
  ASSERT_EQ(committed.error, Error::ok);
  EXPECT_EQ(committed.changes.size(), 256u);
  EXPECT_EQ(create_key().error, Error::ok);
}

TEST_F(Changes, CommitIsIdempotentForTheCurrentEpoch) {
  ASSERT_EQ(create_key().error, Error::ok);
  const Committed first = world.host.commit();
  const std::size_t writes = world.host.store.writes();
  const Committed again = world.host.commit_at(first.epoch, world.host.tree.root());
  EXPECT_EQ(again.error, Error::ok);
  EXPECT_EQ(again.epoch, first.epoch);
  EXPECT_TRUE(again.changes.empty());
  // Also after a restart, and it costs no write.
  EXPECT_EQ(world.host.store.writes(), writes);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.commit_at(first.epoch, world.host.tree.root()).error, Error::ok);
}

TEST_F(Changes, CommitRefusesAnotherEpoch) {
  ASSERT_EQ(create_key().error, Error::ok);
  const std::uint64_t epoch = world.host.status().epoch;
  const Bytes32 root = world.host.pending_tree.root();
  for (const std::uint64_t wrong : {std::uint64_t{0}, epoch - 1, epoch, epoch + 2, ~std::uint64_t{0}})
    EXPECT_EQ(world.host.commit_at(wrong, root).error, Error::stale_epoch) << wrong;
  EXPECT_EQ(world.host.commit().error, Error::ok);
}

TEST_F(Changes, CommitRefusesAnotherRoot) {
  const std::uint64_t epoch = world.host.status().epoch;
  EXPECT_EQ(world.host.commit_at(epoch + 1, world.host.tree.root()).error, Error::commit_root_mismatch);
  ASSERT_EQ(create_key().error, Error::ok);
  const Bytes32 after_first = world.host.pending_tree.root();
  ASSERT_EQ(create_key().error, Error::ok);
  EXPECT_EQ(world.host.commit_at(epoch + 1, after_first).error, Error::commit_root_mismatch);
  EXPECT_EQ(world.host.commit_at(epoch + 1, world.host.tree.root()).error, Error::commit_root_mismatch);
  EXPECT_EQ(world.host.commit_at(epoch + 1, Bytes32{}).error, Error::commit_root_mismatch);
  EXPECT_EQ(world.host.commit().error, Error::ok);
}

TEST_F(Changes, AnOccupiedLeafIsRefused) {
  // The path of a leaf that holds a record leads to another root when the leaf is taken as empty.
  EXPECT_EQ(create_key_at(world.wallet.leaf, world.host.tree).error, Error::leaf_occupied);
  // One that is taken by the latest pending change was empty a moment ago: that path is only old.
  const Uncommitted change = create_key();
  EXPECT_EQ(create_key_at(change.record.leaf, world.host.pending_tree).error, Error::stale_path);
  ASSERT_EQ(create_key().error, Error::ok);
  EXPECT_EQ(create_key_at(change.record.leaf, world.host.pending_tree).error, Error::leaf_occupied);
}

TEST_F(Changes, APathThatForgetsPendingChangesIsStale) {
  ASSERT_EQ(create_key().error, Error::ok);
  EXPECT_EQ(create_key_at(world.host.next_leaf(), world.host.tree).error, Error::stale_path);
  const MerkleTree old = world.host.tree;
  ASSERT_EQ(world.host.commit().error, Error::ok);
  EXPECT_EQ(create_key_at(world.host.next_leaf(), old).error, Error::stale_path);
}

TEST_F(Changes, AChangeBuildsOnPendingChangesOfItsConnection) {
  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::add_passkey;
  change.passkey = SoftPasskey(60).passkey();
  const Uncommitted first = world.update(world.wallet, change, world.passkey);
  ASSERT_EQ(first.error, Error::ok);
  change.passkey = SoftPasskey(61).passkey();
  // The committed record is not the latest any more.
  EXPECT_EQ(world.update(world.wallet, change, world.passkey).error, Error::stale_path);
  const Uncommitted second = world.update(first.record, change, world.passkey, true);
  ASSERT_EQ(second.error, Error::ok);
  EXPECT_EQ(second.record.revision, world.wallet.revision + 2);
  ASSERT_EQ(world.host.commit().error, Error::ok);
}

TEST_F(Changes, RevisionsGrowByOne) {
  const std::uint64_t revision = world.wallet.revision;
  protocol::Policy policy = world.policy;
  ASSERT_EQ(world.set_policy(policy), Error::ok);
  EXPECT_EQ(world.wallet.revision, revision + 1);
  EXPECT_EQ(world.executor.revision, 1u);
}

// The write of a COMMIT fails in each of the three ways.
class FailingCommit : public Changes, public ::testing::WithParamInterface<MemoryStore::Fault> {};

TEST_P(FailingCommit, StopsTheCoreAndARestartReadsOneOfTwoStates) {
  const Uncommitted change = create_key();
  ASSERT_EQ(change.error, Error::ok);
  const std::uint64_t epoch = world.host.status().epoch;
  const Bytes32 old_root = world.host.tree.root();
  world.host.store.fail_write(1, GetParam());
  EXPECT_EQ(world.host.commit_at(epoch + 1, change.root).error, Error::store_failed);
  // The core answers nothing any more, on no connection.
  EXPECT_FALSE(world.host.core().ready());
  EXPECT_EQ(world.host.call(Command::status).error, Error::no_session);
  EXPECT_FALSE(world.host.reconnect());
  EXPECT_EQ(world.host.core().stop(), Error::store_failed);

  const bool written = GetParam() == MemoryStore::Fault::cut_after;
  world.host.pending_tree.set(change.record.leaf,
                              protocol::leaf_hash(change.record.id, change.record.revision, change.record.sealed));
  world.host.settle(written);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  const auto status = world.host.status();
  EXPECT_EQ(status.epoch, written ? epoch + 1 : epoch);
  EXPECT_EQ(status.root, written ? change.root : old_root);
  const OwnedProof proof = world.host.proof(change.record);
  EXPECT_EQ(describe_key(proof), written ? Error::ok : Error::record_not_current);
  // The host may repeat the COMMIT that was answered as failed when it took place.
  EXPECT_EQ(world.host.commit_at(epoch + 1, change.root).error, written ? Error::ok : Error::commit_root_mismatch);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

INSTANTIATE_TEST_SUITE_P(Faults, FailingCommit,
                         ::testing::Values(MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before,
                                           MemoryStore::Fault::cut_after));

TEST_F(Changes, ChangesFailWithoutRandomnessAndLeaveNothing) {
  const std::uint32_t leaf = world.host.next_leaf();
  world.host.store.fail_random(true);
  EXPECT_EQ(create_key_at(leaf, world.host.tree).error, Error::random_failed);
  protocol::WalletCreateRequest request;
  const OwnedPath path = world.host.tree.path(leaf);
  request.path = path.view();
  request.passkey = world.passkey.passkey();
  EXPECT_EQ(world.host.refusal(Command::wallet_create, request), Error::random_failed);
  world.host.store.fail_random(false);
  EXPECT_EQ(create_key_at(leaf, world.host.tree).error, Error::ok);
  EXPECT_EQ(world.host.commit().changes.size(), 1u);
}

TEST_F(Changes, SigningWritesNothing) {
  ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  const std::size_t writes = world.host.store.writes();
  for (int i = 0; i < 10; i++) ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  EXPECT_EQ(world.host.store.writes(), writes);
}

}  // namespace
}  // namespace community::trusted::testing
