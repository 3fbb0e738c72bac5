// SPDX-License-Identifier: Apache-2.0
// Rotation of root keys: nothing that depends on a record changes, and a key goes only when no record needs it.
#include <gtest/gtest.h>

#include <algorithm>

#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

using Keys = std::map<std::uint32_t, std::uint32_t>;

class RootKeys : public ::testing::Test {
 protected:
  // Re-seals the three records of the world and commits.
  void reseal_all() {
    for (StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster}) {
      const Uncommitted change = reseal(host, *record, true);
      ASSERT_EQ(name(change.error), "ok");
      *record = change.record;
    }
    ASSERT_EQ(host.commit().error, Error::ok);
  }
  Uncommitted create_key() {
    protocol::KeyCreateRequest request;
    const OwnedPath path = host.pending_tree.path(host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    return host.change(Command::key_create, request);
  }
  Error describe_key(const StoredRecord& record) {
    const OwnedProof proof = host.proof(record);
    return host.refusal(Command::key_describe, proof.view());
  }
  World world;
  TestHost& host = world.host;
};

TEST_F(RootKeys, BeginWithOneAndEveryRecordCounted) {
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}}));
  EXPECT_EQ(host.status().root_key_version, 1u);
  EXPECT_EQ(protocol::sealed_root_version(world.wallet.sealed), 1u);
}

TEST_F(RootKeys, ARotationSealsWhatIsNewOrChangesAndOpensWhatIsOld) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 0}}));
  EXPECT_EQ(host.status().root_key_version, 2u);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  EXPECT_EQ(protocol::sealed_root_version(world.wallet.sealed), 2u);
  EXPECT_EQ(root_keys(host), (Keys{{1, 2}, {2, 1}}));
  EXPECT_EQ(protocol::sealed_root_version(world.make_key(protocol::Purpose::executor, kChain).sealed), 2u);
  EXPECT_EQ(root_keys(host), (Keys{{1, 2}, {2, 2}}));
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 2}, {2, 2}}));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  EXPECT_EQ(world.sign(world.good_transaction()).error, Error::ok);
}

TEST_F(RootKeys, ReSealingChangesNoAddressAndNoSignature) {
  const Reply userop = world.sign(world.good_userop()), transaction = world.sign(world.good_transaction());
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 3}}));
  for (const StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster})
    EXPECT_EQ(protocol::sealed_root_version(record->sealed), 2u);
  EXPECT_EQ(to_hex(world.sign(world.good_userop()).body), to_hex(userop.body));
  EXPECT_EQ(to_hex(world.sign(world.good_transaction()).body), to_hex(transaction.body));
  EXPECT_EQ(server_key_at(world, 0), world.server_key);
  ASSERT_EQ(retire(host, 1), Error::ok);
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(to_hex(world.sign(world.good_userop()).body), to_hex(userop.body));
  EXPECT_EQ(server_key_at(world, 0), world.server_key);
}

TEST_F(RootKeys, WhatAPersonSignedBeforeAReSealCountsAfterIt) {
  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::set_policy;
  change.policy = world.policy;
  const Bytes bytes = encoded(change);
  const SignedAssertion assertion =
      world.passkey.sign(protocol::wallet_change_challenge(world.wallet.id, world.wallet.revision, bytes));
  const std::uint64_t revision = world.wallet.revision;
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  EXPECT_EQ(world.wallet.revision, revision);
  const OwnedProof proof = host.proof(world.wallet);
  const Uncommitted update =
      host.change(Command::wallet_update, protocol::WalletUpdateRequest{proof.view(), bytes, assertion.view()});
  ASSERT_EQ(update.error, Error::ok);
  EXPECT_EQ(update.record.revision, revision + 1);
  ASSERT_EQ(host.commit().error, Error::ok);
  // It serves once all the same.
  const OwnedProof again = host.proof(update.record);
  EXPECT_EQ(host.refusal(Command::wallet_update, protocol::WalletUpdateRequest{again.view(), bytes, assertion.view()}),
            Error::challenge_mismatch);
}

TEST_F(RootKeys, TheCopyOfBeforeAReSealIsNotCurrent) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  const StoredRecord before = world.executor;
  const OwnedProof old = host.proof(before);
  reseal_all();
  EXPECT_EQ(host.refusal(Command::key_describe, old.view()), Error::stale_path);
  EXPECT_EQ(describe_key(before), Error::record_not_current);
  EXPECT_EQ(describe_key(world.executor), Error::ok);
  ASSERT_EQ(retire(host, 1), Error::ok);
  EXPECT_EQ(describe_key(before), Error::record_unknown_root);
}

TEST_F(RootKeys, ReSealingRefusesWhatItCannotProve) {
  EXPECT_EQ(reseal(host, world.wallet).error, Error::record_under_newest_root);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  StoredRecord bent = world.wallet;
  bent.sealed.back() ^= 1;
  EXPECT_EQ(reseal(host, bent).error, Error::record_tampered);
  bent = world.wallet;
  // The type is part of what is sealed: a wallet cannot become a key.
  bent.sealed[4] = 2;
  EXPECT_EQ(reseal(host, bent).error, Error::record_tampered);
  bent.sealed[4] = 77;
  EXPECT_EQ(reseal(host, bent).error, Error::record_tampered);
  bent = world.wallet;
  bent.sealed[0] ^= 1;
  EXPECT_EQ(reseal(host, bent).error, Error::record_malformed);
  World other(2);
  EXPECT_EQ(reseal(host, other.wallet).error, Error::record_foreign);
  bent = world.wallet;
  bent.leaf = world.executor.leaf;
  EXPECT_EQ(reseal(host, bent).error, Error::record_not_current);
  EXPECT_EQ(host.call(Command::reseal, Bytes(3)).error, Error::malformed_request);
  const StoredRecord old = world.wallet;
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  EXPECT_EQ(reseal(host, old).error, Error::stale_path);
  EXPECT_EQ(reseal(host, world.wallet).error, Error::record_under_newest_root);
  // A wallet re-sealed among the pending changes is under the newest root for the next of them.
  const Uncommitted executor = reseal(host, world.executor);
  ASSERT_EQ(executor.error, Error::ok);
  EXPECT_EQ(reseal(host, executor.record, true).error, Error::record_under_newest_root);
  EXPECT_EQ(root_keys(host), (Keys{{1, 2}, {2, 1}}));
}

TEST_F(RootKeys, ReSealsThatAreNotCommittedDoNotCount) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  ASSERT_EQ(reseal(host, world.wallet).error, Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 0}}));
  ASSERT_TRUE(host.reconnect());
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 0}}));
  ASSERT_EQ(reseal(host, world.wallet).error, Error::ok);
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 0}}));
  reseal_all();
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 3}}));
  // A COMMIT that is repeated counts once.
  const auto status = host.status();
  EXPECT_EQ(host.commit_at(status.epoch, status.root).error, Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 3}}));
}

TEST_F(RootKeys, ChangesPendingAtARotationAreCommittedUnderTheOldKey) {
  const Uncommitted made = create_key();
  ASSERT_EQ(made.error, Error::ok);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  const Uncommitted second = create_key();
  ASSERT_EQ(second.error, Error::ok);
  ASSERT_EQ(host.commit().error, Error::ok);
  EXPECT_EQ(protocol::sealed_root_version(made.record.sealed), 1u);
  EXPECT_EQ(protocol::sealed_root_version(second.record.sealed), 2u);
  EXPECT_EQ(root_keys(host), (Keys{{1, 4}, {2, 1}}));
  EXPECT_EQ(describe_key(made.record), Error::ok);
  EXPECT_EQ(describe_key(second.record), Error::ok);
}

TEST_F(RootKeys, AKeyThatAPendingChangeNeedsIsNotRetired) {
  // Nothing committed is left under version 1, but a record that may yet be committed is.
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  const Uncommitted made = create_key();
  ASSERT_EQ(made.error, Error::ok);
  ASSERT_EQ(rotate(host, 3), Error::ok);
  for (const StoredRecord* record : {&world.wallet, &world.executor, &world.paymaster})
    ASSERT_EQ(reseal(host, *record, true).error, Error::ok);
  EXPECT_EQ(retire(host, 1), Error::ok);
  EXPECT_EQ(retire(host, 2), Error::root_key_in_use);
  ASSERT_EQ(host.commit().error, Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{2, 1}, {3, 3}}));
  EXPECT_EQ(retire(host, 2), Error::root_key_in_use);
  EXPECT_EQ(describe_key(made.record), Error::ok);
}

TEST_F(RootKeys, AKeyWithoutCommittedRecordsIsStillNeededByAPendingOne) {
  World empty(3);
  TestHost& other = empty.host;
  ASSERT_EQ(rotate(other, 2), Error::ok);
  protocol::KeyCreateRequest request;
  const OwnedPath path = other.tree.path(other.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(other.change(Command::key_create, request).error, Error::ok);
  ASSERT_EQ(rotate(other, 3), Error::ok);
  EXPECT_EQ(root_keys(other), (Keys{{1, 3}, {2, 0}, {3, 0}}));
  EXPECT_EQ(retire(other, 2), Error::root_key_in_use);
  // The change dies, and so does the need.
  ASSERT_TRUE(other.reconnect());
  EXPECT_EQ(retire(other, 2), Error::ok);
  EXPECT_EQ(root_keys(other), (Keys{{1, 3}, {3, 0}}));
}

TEST_F(RootKeys, ARetiredKeyIsGoneFromBothCopiesOfTheState) {
  const Bytes32 retired = host.core().state().root_keys[0].key;
  const auto stored = [&] {
    const auto holds = [&](const Bytes& state) {
      return std::search(state.begin(), state.end(), retired.begin(), retired.end()) != state.end();
    };
    return holds(host.store.contents()) || holds(host.store.before());
  };
  EXPECT_TRUE(stored());
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  EXPECT_TRUE(stored());
  ASSERT_EQ(retire(host, 1), Error::ok);
  EXPECT_FALSE(stored());
  EXPECT_EQ(root_keys(host), (Keys{{2, 3}}));
  for (const RootKey& key : host.core().state().root_keys) EXPECT_NE(key.key, retired);
}

TEST_F(RootKeys, AKeyIsNotRetiredWhileRecordsAreLeft) {
  EXPECT_EQ(retire(host, 1), Error::root_key_is_newest);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  const std::size_t writes = host.store.writes();
  EXPECT_EQ(retire(host, 1), Error::root_key_in_use);
  EXPECT_EQ(retire(host, 2), Error::root_key_is_newest);
  EXPECT_EQ(retire(host, 3), Error::root_key_out_of_order);
  EXPECT_EQ(retire(host, 0), Error::root_key_out_of_order);
  EXPECT_EQ(host.store.writes(), writes);
  ASSERT_EQ(reseal(host, world.wallet, true).error, Error::ok);
  ASSERT_EQ(reseal(host, world.executor, true).error, Error::ok);
  ASSERT_EQ(host.commit().error, Error::ok);
  EXPECT_EQ(retire(host, 1), Error::root_key_in_use);
  ASSERT_EQ(reseal(host, world.paymaster, true).error, Error::ok);
  // Not before it is committed.
  EXPECT_EQ(retire(host, 1), Error::root_key_in_use);
  ASSERT_EQ(host.commit().error, Error::ok);
  EXPECT_EQ(retire(host, 1), Error::ok);
  // Asked again, it is gone already.
  EXPECT_EQ(retire(host, 1), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{2, 3}}));
}

TEST_F(RootKeys, AtMostEightAtATimeAndAMiddleOneMayGoFirst) {
  for (std::uint32_t version = 2; version <= 8; version++) ASSERT_EQ(rotate(host, version), Error::ok) << version;
  EXPECT_EQ(rotate(host, 9), Error::too_many_root_keys);
  EXPECT_EQ(host.status().root_key_count, kMaxRootKeys);
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  ASSERT_EQ(retire(host, 5), Error::ok);
  ASSERT_EQ(rotate(host, 9), Error::ok);
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}, {2, 0}, {3, 0}, {4, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}}));
  reseal_all();
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 3}}));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(RootKeys, ARotationIsNotReplayed) {
  const SignedOrder second(host, 2, "root key rotation"), third(host, 3, "root key rotation");
  EXPECT_EQ(host.refusal(Command::rotate_root_key, third.view()), Error::root_key_out_of_order);
  EXPECT_EQ(rotate(host, 0), Error::root_key_out_of_order);
  ASSERT_EQ(host.refusal(Command::rotate_root_key, second.view()), Error::ok);
  const Bytes32 key = host.core().state().active_root_key().key;
  const std::size_t writes = host.store.writes();
  // The order that was obeyed last is answered again without a change: a host may have lost the answer.
  const Reply again = host.ask(Command::rotate_root_key, second.view());
  ASSERT_EQ(again.error, Error::ok);
  EXPECT_EQ(decoded<protocol::RootKeyRotated>(again.body).version, 2u);
  EXPECT_EQ(host.core().state().active_root_key().key, key);
  EXPECT_EQ(host.store.writes(), writes);
  ASSERT_EQ(host.refusal(Command::rotate_root_key, third.view()), Error::ok);
  EXPECT_EQ(host.refusal(Command::rotate_root_key, second.view()), Error::root_key_out_of_order);
  EXPECT_EQ(host.status().root_key_version, 3u);
}

TEST_F(RootKeys, OrdersNeedTheOperatorsSignatureOverExactlyThem) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  const auto refusal = [&](Command command, const Bytes& bytes, const std::array<std::uint8_t, 64>& signature) {
    return host.refusal(command, protocol::RootKeyOrderRequest{bytes, signature});
  };
  for (const auto& [command, what, crossed, version] :
       {std::tuple{Command::rotate_root_key, "root key rotation", "root key retirement", 3u},
        std::tuple{Command::retire_root_key, "root key retirement", "root key rotation", 1u}}) {
    const SignedOrder good(host, version, what);
    for (std::size_t i = 0; i < good.bytes.size(); i++) {
      Bytes bent = good.bytes;
      bent[i] ^= 1;
      EXPECT_EQ(refusal(command, bent, good.signature), Error::operator_signature_invalid) << i;
    }
    for (std::size_t i = 0; i < good.signature.size(); i += 5) {
      auto bent = good.signature;
      bent[i] ^= 1;
      EXPECT_EQ(refusal(command, good.bytes, bent), Error::operator_signature_invalid) << i;
    }
    EXPECT_EQ(refusal(command, good.bytes, {}), Error::operator_signature_invalid);
    for (const std::string_view other : {std::string_view(crossed), std::string_view("configuration")})
      EXPECT_EQ(refusal(command, good.bytes, host.operator_sign(other, good.bytes)), Error::operator_signature_invalid);
    EXPECT_EQ(refusal(command, good.bytes, TestHost(77).operator_sign(what, good.bytes)),
              Error::operator_signature_invalid);
    protocol::RootKeyOrder foreign{host.status().core_id, version};
    foreign.core_id[3] ^= 1;
    EXPECT_EQ(refusal(command, encoded(foreign), host.operator_sign(what, encoded(foreign))),
              Error::configuration_foreign);
    Bytes longer = good.bytes;
    longer.push_back(0);
    EXPECT_EQ(refusal(command, longer, host.operator_sign(what, longer)), Error::root_key_order_malformed);
    const Bytes shorter(good.bytes.begin(), good.bytes.end() - 1);
    EXPECT_EQ(refusal(command, shorter, host.operator_sign(what, shorter)), Error::root_key_order_malformed);
    EXPECT_EQ(host.call(command, Bytes(5)).error, Error::malformed_request);
  }
  EXPECT_EQ(root_keys(host), (Keys{{1, 0}, {2, 3}}));
}

TEST_F(RootKeys, ARotationWithoutRandomnessMakesNoKey) {
  host.store.fail_random(true);
  EXPECT_EQ(rotate(host, 2), Error::random_failed);
  host.store.fail_random(false);
  EXPECT_EQ(root_keys(host), (Keys{{1, 3}}));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  EXPECT_EQ(rotate(host, 2), Error::ok);
}

// A write fails in each of the three ways, or is torn off by a power cut.
class FailingRootKeys : public RootKeys, public ::testing::WithParamInterface<MemoryStore::Fault> {};

TEST_P(FailingRootKeys, ARotationThatFailsMayBeRepeated) {
  const Uncommitted pending = create_key();
  host.store.fail_write(1, GetParam());
  EXPECT_EQ(rotate(host, 2), Error::store_failed);
  if (GetParam() == MemoryStore::Fault::refuse) {
    // The core goes on under the old key, and so do pending changes.
    EXPECT_EQ(root_keys(host), (Keys{{1, 3}}));
    ASSERT_EQ(host.commit().error, Error::ok);
    EXPECT_EQ(describe_key(pending.record), Error::ok);
  }
  ASSERT_EQ(host.restart(false), Error::ok);
  const bool written = GetParam() == MemoryStore::Fault::cut_after;
  EXPECT_EQ(host.status().root_key_version, written ? 2u : 1u);
  ASSERT_EQ(rotate(host, 2), Error::ok);
  reseal_all();
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_P(FailingRootKeys, ARetirementThatFailsMayBeRepeated) {
  for (const std::size_t write : {1u, 2u}) {
    World each(write);
    TestHost& one = each.host;
    ASSERT_EQ(rotate(one, 2), Error::ok);
    std::vector<StoredRecord> records;
    for (const StoredRecord* record : {&each.wallet, &each.executor, &each.paymaster})
      records.push_back(reseal(one, *record, true).record);
    ASSERT_EQ(one.commit().error, Error::ok);
    each.wallet = records[0];
    const Bytes32 retired = one.core().state().root_keys[0].key;
    one.store.fail_write(write, GetParam());
    EXPECT_EQ(retire(one, 1), Error::store_failed);
    if (GetParam() == MemoryStore::Fault::refuse) {
      EXPECT_EQ(root_keys(one), write == 1 ? (Keys{{1, 0}, {2, 3}}) : (Keys{{2, 3}}));
    }
    ASSERT_EQ(one.restart(false), Error::ok);
    EXPECT_EQ(each.sign(each.good_userop()).error, Error::ok);
    ASSERT_EQ(retire(one, 1), Error::ok);
    EXPECT_EQ(root_keys(one), (Keys{{2, 3}}));
    for (const Bytes& state : {one.store.contents(), one.store.before()})
      EXPECT_EQ(std::search(state.begin(), state.end(), retired.begin(), retired.end()), state.end());
    ASSERT_EQ(one.restart(false), Error::ok);
    EXPECT_EQ(each.sign(each.good_userop()).error, Error::ok);
  }
}

TEST_P(FailingRootKeys, TheCommitOfAReSealLeavesTheNumbersOfOneOfTwoStates) {
  ASSERT_EQ(rotate(host, 2), Error::ok);
  const Uncommitted change = reseal(host, world.wallet);
  ASSERT_EQ(change.error, Error::ok);
  const MerkleTree with_change = host.pending_tree;
  host.store.fail_write(1, GetParam());
  EXPECT_EQ(host.commit_at(host.status().epoch + 1, change.root).error, Error::store_failed);
  const bool written = GetParam() == MemoryStore::Fault::cut_after;
  if (written) {
    host.tree = with_change;
    world.wallet = change.record;
  }
  ASSERT_EQ(host.restart(false), Error::ok);
  EXPECT_EQ(root_keys(host), written ? (Keys{{1, 2}, {2, 1}}) : (Keys{{1, 3}, {2, 0}}));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

INSTANTIATE_TEST_SUITE_P(Faults, FailingRootKeys,
                         ::testing::Values(MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before,
                                           MemoryStore::Fault::cut_after));

}  // namespace
}  // namespace community::trusted::testing
