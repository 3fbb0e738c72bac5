// SPDX-License-Identifier: Apache-2.0
// Rule 9: a change of an account's keys is in the wallet's record before its signature leaves the core, and can be
// asked for again after every crash and every failure on chain.
#include <gtest/gtest.h>

#include <algorithm>

#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

using protocol::KeyChange;
using protocol::NewServerKey;

const Address kForeign = address("00000000000000000000000000000000000f0e19");

class KeyChanges : public ::testing::Test {
 protected:
  Error refusal(const KeyChange& change, const SoftPasskey& signer, const Address& server_key = {},
                std::uint32_t gate = 0) {
    const Error error = change_keys(world, change, signer, server_key, gate).error;
    // What was answered and never committed must not stay.
    world.host.reconnect();
    return error;
  }
  // Changes and commits; the reply, or nothing when it was refused.
  std::optional<protocol::SignActionReply> apply(const KeyChange& change, const SoftPasskey& signer,
                                                 const Address& server_key = {}, std::uint32_t gate = 0) {
    const Uncommitted answered = change_keys(world, change, signer, server_key, gate);
    EXPECT_EQ(name(answered.error), "ok");
    if (answered.error != Error::ok) return std::nullopt;
    const Committed committed = world.host.commit();
    EXPECT_EQ(name(committed.error), "ok");
    world.wallet = answered.record;
    return decoded<protocol::SignActionReply>(committed.changes.back().second);
  }
  protocol::WalletDescribeReply describe() {
    const OwnedProof proof = world.host.proof(world.wallet);
    return decoded<protocol::WalletDescribeReply>(
        world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}).body);
  }
  bool has(const SoftPasskey& key) {
    const auto wallet = describe();
    for (std::size_t i = 0; i < wallet.passkey_count; i++)
      if (wallet.passkeys[i].public_key == key.passkey().public_key) return true;
    return false;
  }
  Error sign_with_key(std::uint32_t index) {
    const TestUserop userop = world.good_userop();
    const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.refusal(
        Command::sign_userop,
        protocol::SignUseropRequest{proof.view(), kChain, kEntryPoint8, userop.fields(), assertion.view(), index});
  }
  static KeyChange to_own(std::uint32_t index) {
    KeyChange change = key_change({});
    change.server_key = NewServerKey::own;
    change.new_index = index;
    return change;
  }
  static KeyChange to_foreign(const Address& key) {
    KeyChange change = key_change({});
    change.server_key = NewServerKey::foreign;
    change.foreign_key = key;
    return change;
  }
  World world;
  const SoftPasskey second{20}, third{21};
};

TEST_F(KeyChanges, TheSignatureComesWithTheCommit) {
  const KeyChange change = key_change({second.passkey()});
  const Uncommitted answered = change_keys(world, change, world.passkey);
  ASSERT_EQ(answered.error, Error::ok);
  EXPECT_FALSE(has(second));
  const Committed committed = world.host.commit();
  ASSERT_EQ(committed.error, Error::ok);
  world.wallet = answered.record;
  EXPECT_TRUE(has(second));
  const auto reply = decoded<protocol::SignActionReply>(committed.changes.back().second);
  EXPECT_EQ(reply.digest, key_change_digest(change, Address{}, kChain, world.account));
  EXPECT_EQ(recover_address(reply.digest, reply.signature), world.server_key);
}

TEST_F(KeyChanges, ARemovedPasskeySignsNoMore) {
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  ASSERT_TRUE(apply(key_change({}, {world.passkey.passkey()}), second));
  EXPECT_FALSE(has(world.passkey));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::passkey_unknown);
}

TEST_F(KeyChanges, PasskeysAreExchangedInOneChange) {
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  ASSERT_TRUE(apply(key_change({third.passkey()}, {second.passkey()}), world.passkey));
  EXPECT_TRUE(has(third));
  EXPECT_FALSE(has(second));
  // Eight, and one goes as one comes.
  KeyChange fill = key_change({});
  for (std::uint64_t i = 0; i < 6; i++) fill.added[fill.added_count++] = SoftPasskey(50 + i).passkey();
  ASSERT_TRUE(apply(fill, world.passkey));
  EXPECT_EQ(refusal(key_change({second.passkey()}), world.passkey), Error::too_many_passkeys);
  EXPECT_EQ(refusal(key_change({second.passkey()}, {third.passkey()}), world.passkey), Error::ok);
}

TEST_F(KeyChanges, APasskeyCannotSignItsOwnRemovalAndTheLastOneStays) {
  EXPECT_EQ(refusal(key_change({}, {world.passkey.passkey()}), world.passkey), Error::passkey_last);
  EXPECT_EQ(refusal(key_change({second.passkey()}, {world.passkey.passkey()}), world.passkey),
            Error::passkey_own_removal);
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  EXPECT_EQ(refusal(key_change({}, {world.passkey.passkey()}), world.passkey), Error::passkey_own_removal);
  EXPECT_EQ(refusal(key_change({}, {second.passkey(), world.passkey.passkey()}), second), Error::passkey_own_removal);
}

TEST_F(KeyChanges, AddedPasskeysObeyTheRulesOfTheWallet) {
  protocol::Passkey off_curve = second.passkey(), foreign = SoftPasskey(41, "evil.example").passkey();
  off_curve.public_key[63] ^= 1;
  EXPECT_EQ(refusal(key_change({off_curve}), world.passkey), Error::passkey_key_invalid);
  EXPECT_EQ(refusal(key_change({foreign}), world.passkey), Error::rp_id_not_configured);
  // The same key under another name or rp id, the same name with another key.
  protocol::Passkey alias = world.passkey.passkey(), renamed = second.passkey(), moved = alias, negative = alias;
  alias.credential_hash[0] ^= 1;
  renamed.credential_hash = world.passkey.passkey().credential_hash;
  moved.rp_id_hash = base::sha256(base::view("node.example"));
  negative.public_key[40] ^= 1;
  for (const auto& bad : {alias, renamed, moved, negative})
    EXPECT_EQ(refusal(key_change({bad}), world.passkey), Error::passkey_exists);
}

TEST_F(KeyChanges, AKeyIsNamedOnce) {
  const protocol::Passkey key = second.passkey();
  EXPECT_EQ(refusal(key_change({key, key}), world.passkey), Error::passkey_named_twice);
  EXPECT_EQ(refusal(key_change({}, {key, key}), world.passkey), Error::passkey_named_twice);
  EXPECT_EQ(refusal(key_change({key}, {key}), world.passkey), Error::passkey_named_twice);
}

TEST_F(KeyChanges, FieldsStayInTheRangeOfTheirTypes) {
  KeyChange change = key_change({second.passkey()});
  change.votes = 0;
  EXPECT_EQ(refusal(change, world.passkey), Error::votes_out_of_range);
  change.votes = 3;
  EXPECT_EQ(refusal(change, world.passkey), Error::votes_out_of_range);
  change.votes = 2;
  EXPECT_EQ(refusal(change, world.passkey), Error::ok);
  change.stamp.deadline = std::uint64_t{1} << 48;
  EXPECT_EQ(refusal(change, world.passkey), Error::action_field_out_of_range);
}

TEST_F(KeyChanges, NeedsAnAssertionOverExactlyTheStruct) {
  const KeyChange change = key_change({second.passkey()});
  std::vector<KeyChange> others(5, change);
  others[0].votes = 2;
  others[1].stamp.nonce = Uint256(6);
  others[2].escape_key = kStranger;
  others[3].added_count = 0;
  others[4].removed[others[4].removed_count++].x[0] = 1;
  for (const KeyChange& other : others) {
    const OwnedProof proof = world.host.proof(world.wallet);
    const auto assertion = world.passkey.sign(key_change_digest(other, Address{}, kChain, world.account));
    EXPECT_EQ(world.host.refusal(
                  Command::account_change_keys,
                  protocol::AccountChangeKeysRequest{proof.view(), kChain, world.account, 0, change, assertion.view()}),
              Error::challenge_mismatch);
  }
  EXPECT_EQ(refusal(change, second), Error::passkey_unknown);
}

TEST_F(KeyChanges, RefusesAnUnknownChainAccountAndGate) {
  const KeyChange change = key_change({second.passkey()});
  const OwnedProof proof = world.host.proof(world.wallet);
  const auto assertion = world.passkey.sign(key_change_digest(change, Address{}, kChain, world.account));
  auto ask = [&](std::uint64_t chain_id, const Address& account, std::uint32_t gate) {
    return world.host.refusal(
        Command::account_change_keys,
        protocol::AccountChangeKeysRequest{proof.view(), chain_id, account, gate, change, assertion.view()});
  };
  EXPECT_EQ(ask(5, world.account, 0), Error::unknown_chain);
  EXPECT_EQ(ask(kOtherChain, world.account, 0), Error::sender_not_account);
  EXPECT_EQ(ask(kChain, kStranger, 0), Error::sender_not_account);
  EXPECT_EQ(ask(kChain, world.account, 1), Error::server_key_not_accounts);
}

// --- server keys -----------------------------------------------------------------------------------------------------

TEST_F(KeyChanges, BothServerKeysSignUntilTheChainKnowsWhichIsTheAccounts) {
  EXPECT_EQ(sign_with_key(1), Error::server_key_not_accounts);
  const Address next = server_key_at(world, 1);
  const auto reply = apply(to_own(1), world.passkey, next);
  ASSERT_TRUE(reply);
  // The gate is the old key: the new one is nobody's before the chain says so.
  EXPECT_EQ(recover_address(reply->digest, reply->signature), world.server_key);
  EXPECT_EQ(reply->digest, key_change_digest(to_own(1), next, kChain, world.account));
  EXPECT_EQ(sign_with_key(0), Error::ok);
  EXPECT_EQ(sign_with_key(1), Error::ok);
  EXPECT_EQ(sign_with_key(2), Error::server_key_not_accounts);
  const auto account = describe().accounts[0];
  EXPECT_EQ(account.server_key_index, 0u);
  EXPECT_EQ(account.last_server_key_index, 1u);
}

TEST_F(KeyChanges, NoServerKeyThatTheAccountMayHaveIsEverOutOfReach) {
  ASSERT_TRUE(apply(to_own(1), world.passkey, server_key_at(world, 1)));
  // The host says that key 1 is the account's now. Should that be a lie, key 0 still signs.
  ASSERT_TRUE(apply(to_own(2), world.passkey, server_key_at(world, 2), 1));
  for (const std::uint32_t index : {0u, 1u, 2u}) EXPECT_EQ(sign_with_key(index), Error::ok) << index;
  EXPECT_EQ(sign_with_key(3), Error::server_key_not_accounts);
}

TEST_F(KeyChanges, ServerKeysAreTakenInTheirOrder) {
  EXPECT_EQ(refusal(to_own(2), world.passkey, server_key_at(world, 2)), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(to_own(0xffff'ffff), world.passkey), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(to_own(1), world.passkey, server_key_at(world, 1), 1), Error::server_key_not_accounts);
}

TEST_F(KeyChanges, AServerKeyBeforeTheFirstIsNotTheAccounts) {
  TestInitData init;
  init.passkeys = {world.passkey.passkey()};
  init.server_key = server_key_at(world, 3);
  const Bytes init_data = init.encode();
  const OwnedProof proof = world.host.proof(world.wallet);
  const Uncommitted bound =
      world.host.change(Command::account_bind, protocol::AccountBindRequest{proof.view(), kChain, 3, init_data});
  ASSERT_EQ(bound.error, Error::ok);
  const Committed committed = world.host.commit();
  world.wallet = bound.record;
  world.account = decoded<protocol::AccountCommitted>(committed.changes.back().second).account;
  EXPECT_EQ(sign_with_key(2), Error::server_key_not_accounts);
  EXPECT_EQ(sign_with_key(3), Error::ok);
  EXPECT_EQ(refusal(to_own(2), world.passkey, server_key_at(world, 2), 3), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(to_own(4), world.passkey, server_key_at(world, 4), 3), Error::ok);
}

TEST_F(KeyChanges, TheNewServerKeysAddressIsTheCoresOwn) {
  // An assertion over another address than the one that the core derives is for nothing.
  EXPECT_EQ(refusal(to_own(1), world.passkey, kStranger), Error::challenge_mismatch);
}

TEST_F(KeyChanges, AnAccountThatMovesToAnotherNodeIsMarkedAndStillServed) {
  const auto reply = apply(to_foreign(kForeign), world.passkey, kForeign);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->digest, key_change_digest(to_foreign(kForeign), kForeign, kChain, world.account));
  EXPECT_EQ(describe().accounts[0].moved_to, kForeign);
  // For three days or for ever, when the change fails, the account is the old key's: it must freeze, cancel and pay.
  EXPECT_EQ(sign_with_key(0), Error::ok);
  EXPECT_EQ(sign_action(world, good_action(protocol::ActionKind::unfreeze)).error, Error::ok);
  // A change that names no server key leaves the mark, one that comes back takes it away.
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  EXPECT_EQ(describe().accounts[0].moved_to, kForeign);
  ASSERT_TRUE(apply(to_own(0), world.passkey, world.server_key));
  EXPECT_EQ(describe().accounts[0].moved_to, Address{});
}

TEST_F(KeyChanges, AForeignKeyIsNotZero) {
  // Zero means "as it is" to the contract; the message has no such form.
  EXPECT_TRUE(encoded(to_foreign(Address{})).empty());
  const OwnedProof proof = world.host.proof(world.wallet);
  const auto assertion = world.passkey.sign(Bytes32{});
  Bytes body = encoded(protocol::AccountChangeKeysRequest{proof.view(), kChain, world.account, 0, to_foreign(kForeign),
                                                          assertion.view()});
  const auto at = std::search(body.begin(), body.end(), kForeign.begin(), kForeign.end());
  ASSERT_NE(at, body.end());
  std::fill(at, at + 20, 0);
  EXPECT_EQ(world.host.call(Command::account_change_keys, body).error, Error::malformed_request);
}

TEST_F(KeyChanges, EscapeAndServerKeyDiffer) {
  KeyChange change = key_change({});
  change.escape_key = world.server_key;
  EXPECT_EQ(refusal(change, world.passkey), Error::escape_key_is_server_key);
  change.escape_key = kStranger;
  EXPECT_EQ(refusal(change, world.passkey), Error::ok);
  KeyChange moving = to_foreign(kForeign);
  moving.escape_key = kForeign;
  EXPECT_EQ(refusal(moving, world.passkey, kForeign), Error::escape_key_is_server_key);
  KeyChange own = to_own(1);
  own.escape_key = server_key_at(world, 1);
  EXPECT_EQ(refusal(own, world.passkey, own.escape_key), Error::escape_key_is_server_key);
}

// --- passkeys of another node ----------------------------------------------------------------------------------------

TEST_F(KeyChanges, PasskeysOfAnotherNodeAreSignedWithItsServerKeyAndNotEntered) {
  KeyChange change = to_foreign(kForeign);
  change.added[change.added_count++] = SoftPasskey(41, "other.example").passkey();
  // Nobody here knows its credential.
  change.added[0].credential_hash = {};
  change.added[change.added_count++] = SoftPasskey(42, "other.example").passkey();
  change.added[1].credential_hash = {};
  const auto first = apply(change, world.passkey, kForeign), again = apply(change, world.passkey, kForeign);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->digest, key_change_digest(change, kForeign, kChain, world.account));
  EXPECT_EQ(recover_address(first->digest, first->signature), world.server_key);
  EXPECT_EQ(first->signature, again->signature);
  const auto wallet = describe();
  EXPECT_EQ(wallet.passkey_count, 1);
  EXPECT_EQ(wallet.accounts[0].moved_to, kForeign);
  const TestUserop userop = world.good_userop();
  EXPECT_EQ(world.sign(userop, SoftPasskey(41, "other.example").sign(world.hash(userop))).error,
            Error::passkey_unknown);
}

TEST_F(KeyChanges, PasskeysOfThisNodeAreEnteredBesideThoseOfAnother) {
  KeyChange change = to_foreign(kForeign);
  change.added[change.added_count++] = SoftPasskey(41, "other.example").passkey();
  change.added[change.added_count++] = second.passkey();
  ASSERT_TRUE(apply(change, world.passkey, kForeign));
  EXPECT_TRUE(has(second));
  EXPECT_EQ(describe().passkey_count, 2);
}

TEST_F(KeyChanges, PasskeysOfAnotherNodeComeWithItsServerKeyAlone) {
  const protocol::Passkey foreign = SoftPasskey(41, "other.example").passkey();
  EXPECT_EQ(refusal(key_change({foreign}), world.passkey), Error::rp_id_not_configured);
  KeyChange own = to_own(1);
  own.added[own.added_count++] = foreign;
  EXPECT_EQ(refusal(own, world.passkey, server_key_at(world, 1)), Error::rp_id_not_configured);
  // Back at the key that the account has already.
  KeyChange back = to_own(0);
  back.added[back.added_count++] = foreign;
  EXPECT_EQ(refusal(back, world.passkey, world.server_key), Error::rp_id_not_configured);
}

TEST_F(KeyChanges, PasskeysOfAnotherNodeObeyTheRulesOfKeys) {
  const auto refused = [&](const protocol::Passkey& bad) {
    KeyChange change = to_foreign(kForeign);
    change.added[change.added_count++] = bad;
    return refusal(change, world.passkey, kForeign);
  };
  const protocol::Passkey good = SoftPasskey(41, "other.example").passkey();
  EXPECT_EQ(refused(good), Error::ok);
  protocol::Passkey off_curve = good, nowhere = good, same_x = good, renamed = good;
  off_curve.public_key[63] ^= 1;
  EXPECT_EQ(refused(off_curve), Error::passkey_key_invalid);
  nowhere.rp_id_hash = {};
  EXPECT_EQ(refused(nowhere), Error::rp_id_not_configured);
  same_x.public_key = world.passkey.passkey().public_key;
  EXPECT_EQ(refused(same_x), Error::passkey_exists);
  renamed.credential_hash = world.passkey.passkey().credential_hash;
  EXPECT_EQ(refused(renamed), Error::passkey_exists);
  KeyChange twice = to_foreign(kForeign);
  twice.added[twice.added_count++] = good;
  twice.added[twice.added_count++] = good;
  EXPECT_EQ(refusal(twice, world.passkey, kForeign), Error::passkey_named_twice);
  // They make no way around the rules for what goes: the signer's own passkey stays.
  KeyChange swap = to_foreign(kForeign);
  swap.added[swap.added_count++] = good;
  swap.removed[swap.removed_count++].x = {};
  base::copy(swap.removed[0].x, ByteView(world.passkey.passkey().public_key).first(32));
  EXPECT_EQ(refusal(swap, world.passkey, kForeign), Error::passkey_own_removal);
}

TEST_F(KeyChanges, AFullWalletStillMovesAway) {
  KeyChange fill = key_change({});
  for (std::uint64_t i = 0; i < 7; i++) fill.added[fill.added_count++] = SoftPasskey(50 + i).passkey();
  ASSERT_TRUE(apply(fill, world.passkey));
  KeyChange change = to_foreign(kForeign);
  change.added[change.added_count++] = SoftPasskey(41, "other.example").passkey();
  ASSERT_TRUE(apply(change, world.passkey, kForeign));
  EXPECT_EQ(describe().passkey_count, protocol::kMaxPasskeys);
}

// --- crashes ---------------------------------------------------------------------------------------------------------

TEST_F(KeyChanges, ACrashBeforeTheCommitLeavesTheOldKeysAndNoSignature) {
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  const KeyChange change = key_change({third.passkey()}, {second.passkey()});
  const Uncommitted answered = change_keys(world, change, world.passkey);
  ASSERT_EQ(answered.error, Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_TRUE(has(second));
  EXPECT_FALSE(has(third));
  // The prepared record is nothing, and what its commit would have answered is gone.
  EXPECT_EQ(world.host.commit_at(world.host.status().epoch + 1, answered.root).error, Error::commit_root_mismatch);
  EXPECT_TRUE(apply(change, world.passkey));
  EXPECT_TRUE(has(third));
}

TEST_F(KeyChanges, ALostReplyIsAnsweredAgainWithTheSameSignature) {
  ASSERT_TRUE(apply(key_change({second.passkey()}), world.passkey));
  const KeyChange change = key_change({third.passkey()}, {second.passkey()});
  const Uncommitted answered = change_keys(world, change, world.passkey);
  ASSERT_EQ(answered.error, Error::ok);
  // The commit is written, and the power goes before anybody heard of it.
  const Bytes32 root = world.host.pending_tree.root();
  const std::uint64_t epoch = world.host.status().epoch + 1;
  const MerkleTree after = world.host.pending_tree;
  world.host.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(world.host.commit_at(epoch, root).error, Error::store_failed);
  world.host.pending_tree = after;
  world.host.settle(true);
  world.wallet = answered.record;
  ASSERT_EQ(world.host.restart(false), Error::ok);
  ASSERT_EQ(world.host.status().epoch, epoch);
  // The record obeys already. The commit repeated answers no changes; the request repeated answers the signature.
  EXPECT_FALSE(has(second));
  EXPECT_TRUE(has(third));
  EXPECT_TRUE(world.host.commit_at(epoch, root).changes.empty());
  const auto first = apply(change, world.passkey), again = apply(change, world.passkey);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(recover_address(first->digest, first->signature), world.server_key);
  EXPECT_EQ(first->signature, again->signature);
  EXPECT_EQ(describe().passkey_count, 2);
}

TEST_F(KeyChanges, AWriteThatNeverHappenedReleasesNothing) {
  const Uncommitted answered = change_keys(world, key_change({second.passkey()}), world.passkey);
  ASSERT_EQ(answered.error, Error::ok);
  const Bytes32 root = world.host.pending_tree.root();
  world.host.store.fail_write(1, MemoryStore::Fault::cut_before);
  const Committed committed = world.host.commit_at(world.host.status().epoch + 1, root);
  EXPECT_EQ(committed.error, Error::store_failed);
  EXPECT_TRUE(committed.changes.empty());
  world.host.settle(false);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_FALSE(has(second));
}

TEST_F(KeyChanges, RepeatedAfterAFailureOnChainItSaysTheSame) {
  const KeyChange change = key_change({second.passkey(), third.passkey()}, {SoftPasskey(60).passkey()});
  const auto first = apply(change, world.passkey);
  ASSERT_TRUE(first);
  for (int i = 0; i < 3; i++) {
    const auto again = apply(change, world.passkey);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->signature, first->signature);
    EXPECT_EQ(describe().passkey_count, 3);
  }
  // With another stamp it is another struct, and the record stays as it is.
  KeyChange later = change;
  later.stamp.nonce = Uint256(6);
  const auto other = apply(later, world.passkey);
  ASSERT_TRUE(other);
  EXPECT_NE(other->signature, first->signature);
  EXPECT_EQ(describe().passkey_count, 3);
}

TEST_F(KeyChanges, RepeatedChangesOfTheServerKeyTakeOneIndex) {
  const Address next = server_key_at(world, 1);
  const auto first = apply(to_own(1), world.passkey, next), again = apply(to_own(1), world.passkey, next);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->signature, again->signature);
  EXPECT_EQ(describe().accounts[0].last_server_key_index, 1u);
}

// Random changes with crashes between them against a plain model of a wallet's passkeys.
TEST_F(KeyChanges, ManyChangesAndCrashesFollowAPlainModel) {
  Random random(4'711);
  std::vector<SoftPasskey> keys;
  for (std::uint64_t i = 0; i < 10; i++) keys.emplace_back(100 + i);
  keys.push_back(world.passkey);
  std::vector<bool> present(keys.size(), false);
  present.back() = true;
  for (int round = 0; round < 300; round++) {
    KeyChange change = key_change({});
    change.stamp.nonce = Uint256(random.next());
    const std::size_t signer = random.below(keys.size());
    std::vector<bool> expected = present;
    std::vector<std::size_t> order(keys.size());
    for (std::size_t i = 0; i < order.size(); i++) order[i] = i;
    for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random.below(i + 1)]);
    const std::size_t removed = random.below(3), added = random.below(3);
    for (std::size_t i = 0; i < removed; i++) {
      base::copy(change.removed[change.removed_count++].x, ByteView(keys[order[i]].passkey().public_key).first(32));
      expected[order[i]] = false;
    }
    for (std::size_t i = removed; i < removed + added; i++) {
      change.added[change.added_count++] = keys[order[i]].passkey();
      expected[order[i]] = true;
    }
    // The signer must be there before and after, and there are eight at most.
    const bool allowed = present[signer] && expected[signer] && std::count(expected.begin(), expected.end(), true) <= 8;
    const Uncommitted answered = change_keys(world, change, keys[signer]);
    ASSERT_EQ(answered.error == Error::ok, allowed) << round << " " << name(answered.error);
    if (allowed && !random.one_in(4)) {
      ASSERT_EQ(world.host.commit().error, Error::ok);
      world.wallet = answered.record;
      present = expected;
    }
    if (random.one_in(5)) {
      ASSERT_EQ(world.host.restart(false), Error::ok);
    } else {
      ASSERT_TRUE(world.host.reconnect());
    }
    ASSERT_EQ(describe().passkey_count, std::count(present.begin(), present.end(), true)) << round;
  }
}

}  // namespace
}  // namespace community::trusted::testing
