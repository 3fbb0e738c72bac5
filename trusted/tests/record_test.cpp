// SPDX-License-Identifier: Apache-2.0
// Sealed records and freshness: only a record of this core, unchanged and current, opens.
#include <gtest/gtest.h>

#include "trusted/core/record.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Records : public ::testing::Test {
 protected:
  Error describe(const Bytes& sealed, const OwnedPath& path) {
    const OwnedProof proof{sealed, path};
    return world.host.refusal(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0});
  }
  Error describe(const StoredRecord& record) { return describe(record.sealed, world.host.tree.path(record.leaf)); }
  // Adds a passkey to the wallet and commits.
  void add_passkey(const SoftPasskey& key) {
    protocol::WalletChange change;
    change.kind = protocol::WalletChangeKind::add_passkey;
    change.passkey = key.passkey();
    const Uncommitted update = world.update(world.wallet, change, world.passkey);
    ASSERT_EQ(update.error, Error::ok);
    ASSERT_EQ(world.host.commit().error, Error::ok);
    world.wallet = update.record;
  }
  World world;
};

TEST_F(Records, TheCurrentRecordOpens) { EXPECT_EQ(describe(world.wallet), Error::ok); }

TEST_F(Records, AChangeOfAnyByteIsRefused) {
  const OwnedPath path = world.host.tree.path(world.wallet.leaf);
  for (std::size_t i = 0; i < world.wallet.sealed.size(); i++) {
    Bytes sealed = world.wallet.sealed;
    sealed[i] ^= 0x01;
    const Error error = describe(sealed, path);
    const Error expected = i < 4    ? Error::record_malformed
                           : i < 5  ? Error::record_wrong_type
                           : i < 9  ? Error::record_unknown_root
                           : i < 25 ? Error::record_foreign
                                    : Error::record_tampered;
    EXPECT_EQ(error, expected) << i;
  }
}

TEST_F(Records, ARecordOfAnotherLengthIsRefused) {
  const OwnedPath path = world.host.tree.path(world.wallet.leaf);
  const Bytes& good = world.wallet.sealed;
  for (std::size_t size = 0; size < good.size(); size += size < 100 ? 1 : 37) {
    const Error error = describe(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), path);
    EXPECT_EQ(error, size < kRecordOverhead ? Error::record_malformed : Error::record_tampered) << size;
  }
  Bytes more = good;
  more.push_back(0);
  EXPECT_EQ(describe(more, path), Error::record_tampered);
  EXPECT_EQ(describe(Bytes(protocol::kMaxSealedRecord + 1), path), Error::malformed_request);
}

TEST_F(Records, ARecordOfAnotherCoreIsRefused) {
  World other(2);
  EXPECT_EQ(describe(other.wallet), Error::record_foreign);
  // With our core's id written over it, it is only tampered.
  Bytes sealed = other.wallet.sealed;
  base::copy(base::MutableByteView(sealed).subspan(9), world.configuration.core_id);
  EXPECT_EQ(describe(sealed, world.host.tree.path(world.wallet.leaf)), Error::record_tampered);
}

TEST_F(Records, AnOlderCopyIsRefusedAfterAnUpdate) {
  const StoredRecord old = world.wallet;
  const OwnedPath old_path = world.host.tree.path(old.leaf);
  add_passkey(SoftPasskey(50));
  EXPECT_EQ(describe(world.wallet), Error::ok);
  // With the path of its time: that root is only old.
  EXPECT_EQ(describe(old.sealed, old_path), Error::stale_path);
  // Its neighbours have not changed, so today's path leads to the same old root.
  EXPECT_EQ(describe(old), Error::stale_path);
  // Once they have, it is simply not what stands there.
  world.make_key(protocol::Purpose::executor, 0);
  EXPECT_EQ(describe(old), Error::record_not_current);
}

TEST_F(Records, ARemovedPasskeySignsNoMore) {
  const SoftPasskey second(50);
  add_passkey(second);
  const StoredRecord with_both = world.wallet;
  const OwnedProof old_proof = world.host.proof(with_both);
  const TestUserop userop = world.good_userop();
  const SignedAssertion by_second = second.sign(world.hash(userop));
  ASSERT_EQ(world.sign(userop, by_second).error, Error::ok);

  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::remove_passkey;
  change.passkey.credential_hash = second.passkey().credential_hash;
  const Uncommitted removal = world.update(world.wallet, change, world.passkey);
  ASSERT_EQ(removal.error, Error::ok);
  // Until the COMMIT nothing has changed.
  EXPECT_EQ(world.sign(userop, by_second).error, Error::ok);
  ASSERT_EQ(world.host.commit().error, Error::ok);
  world.make_key(protocol::Purpose::executor, 0);

  // The new record does not know it; the old one does and is refused with every path.
  const StoredRecord without = removal.record;
  world.wallet = without;
  EXPECT_EQ(world.sign(userop, by_second).error, Error::passkey_unknown);
  world.wallet = with_both;
  EXPECT_EQ(world.sign(userop, by_second).error, Error::record_not_current);
  EXPECT_EQ(world.host.refusal(Command::sign_userop, protocol::SignUseropRequest{old_proof.view(), kChain, kEntryPoint8,
                                                                                 userop.fields(), by_second.view()}),
            Error::stale_path);
  // Also after a restart, when old roots are forgotten.
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.refusal(Command::sign_userop, protocol::SignUseropRequest{old_proof.view(), kChain, kEntryPoint8,
                                                                                 userop.fields(), by_second.view()}),
            Error::record_not_current);
}

TEST_F(Records, AWrongPathIsRefused) {
  const OwnedPath good = world.host.tree.path(world.wallet.leaf);
  ASSERT_NE(good.present, 0u);
  OwnedPath bad = good;
  bad.leaf ^= 1;
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::record_not_current);
  for (std::size_t i = 0; i < good.siblings.size(); i++) {
    bad = good;
    bad.siblings[i] ^= 1;
    EXPECT_EQ(describe(world.wallet.sealed, bad), Error::record_not_current) << i;
  }
  bad = good;
  bad.present = bad.present << 1;
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::record_not_current);
  bad = good;
  // Without neighbours: that was the tree before the node's keys were made.
  bad.present = 0, bad.siblings.clear();
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::stale_path);
}

TEST_F(Records, APathOfTheWrongShapeIsMalformed) {
  const OwnedPath good = world.host.tree.path(world.wallet.leaf);
  OwnedPath bad = good;
  bad.leaf = 1u << protocol::kTreeDepth;
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::malformed_request);
  bad = good;
  bad.present |= 1u << protocol::kTreeDepth;
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::malformed_request);
  bad = good;
  bad.siblings.pop_back();
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::malformed_request);
  bad = good;
  append(bad.siblings, Bytes(32, 1));
  EXPECT_EQ(describe(world.wallet.sealed, bad), Error::malformed_request);
}

TEST_F(Records, AnotherRecordsPathIsRefused) {
  EXPECT_EQ(describe(world.wallet.sealed, world.host.tree.path(world.executor.leaf)), Error::record_not_current);
}

TEST_F(Records, PathsToRememberedRootsAreStaleAndOlderOnesNotCurrent) {
  const StoredRecord executor = world.executor;
  const OwnedProof proof = world.host.proof(executor);
  auto describe_key = [&] { return world.host.refusal(Command::key_describe, proof.view()); };
  EXPECT_EQ(describe_key(), Error::ok);
  for (int i = 0; i < 8; i++) {
    world.make_key(protocol::Purpose::executor, 0);
    EXPECT_EQ(describe_key(), Error::stale_path) << i;
  }
  world.make_key(protocol::Purpose::executor, 0);
  EXPECT_EQ(describe_key(), Error::record_not_current);
  const OwnedProof fresh = world.host.proof(executor);
  EXPECT_EQ(world.host.refusal(Command::key_describe, fresh.view()), Error::ok);
}

TEST_F(Records, AKeyIsNoWalletAndAWalletIsNoKey) {
  EXPECT_EQ(describe(world.executor), Error::record_wrong_type);
  const OwnedProof wallet = world.host.proof(world.wallet);
  EXPECT_EQ(world.host.refusal(Command::key_describe, wallet.view()), Error::record_wrong_type);
}

TEST_F(Records, EveryPositionOfTheTreeWorks) {
  for (const std::uint32_t leaf : {(1u << 30) - 1, 1u << 29, 0x155u, 0x2aaaaaaau}) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(leaf);
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::paymaster);
    const Uncommitted change = world.host.change(Command::key_create, request);
    ASSERT_EQ(change.error, Error::ok) << leaf;
    EXPECT_EQ(change.root, world.host.pending_tree.root());
    ASSERT_EQ(world.host.commit().error, Error::ok);
    const OwnedProof proof = world.host.proof(change.record);
    EXPECT_EQ(world.host.refusal(Command::key_describe, proof.view()), Error::ok) << leaf;
  }
}

TEST_F(Records, DescribesAllThatIsNotSecret) {
  const OwnedProof proof = world.host.proof(world.wallet);
  const auto wallet = decoded<protocol::WalletDescribeReply>(
      world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}).body);
  EXPECT_EQ(wallet.wallet_id, world.wallet.id);
  EXPECT_EQ(wallet.revision, world.wallet.revision);
  ASSERT_EQ(wallet.passkey_count, 1);
  EXPECT_EQ(wallet.passkeys[0].public_key, world.passkey.passkey().public_key);
  ASSERT_EQ(wallet.account_count, 1);
  EXPECT_EQ(wallet.accounts[0].address, world.account);
  const auto other = decoded<protocol::WalletDescribeReply>(
      world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 1}).body);
  EXPECT_NE(other.server_key, wallet.server_key);

  const OwnedProof key_proof = world.host.proof(world.executor);
  const auto key = decoded<protocol::KeyDescribeReply>(world.host.ask(Command::key_describe, key_proof.view()).body);
  EXPECT_EQ(key.address, world.executor_address);
  EXPECT_EQ(key.purpose, static_cast<std::uint8_t>(protocol::Purpose::executor));
  EXPECT_EQ(key.chain_id, kChain);
}

TEST(RecordLimits, TheLargestWalletFitsItsRecord) {
  WalletRecord wallet;
  wallet.passkey_count = protocol::kMaxPasskeys;
  wallet.policy.rule_count = protocol::kMaxPolicyRules;
  wallet.account_count = protocol::kMaxAccountsPerWallet;
  const std::size_t size = encoded(wallet).size();
  EXPECT_GT(size, 0u);
  EXPECT_LE(size, kMaxRecordPlain);
}

TEST(RecordLimits, TheLargestConfigurationAndStateFit) {
  protocol::Configuration configuration;
  configuration.chain_count = protocol::kMaxChains;
  for (auto& chain : configuration.chains) {
    chain.chain_id = 1;
    chain.entry_point_count = protocol::kMaxEntryPoints;
    for (auto& entry_point : chain.entry_points) entry_point.version = 8;
    chain.paymaster_count = protocol::kMaxPaymasters;
  }
  const std::string origin(protocol::kMaxOrigin, 'o');
  configuration.relying_party_count = protocol::kMaxRelyingParties;
  for (auto& party : configuration.relying_parties) party.origin = base::view(origin);
  const std::size_t size = encoded(configuration).size();
  EXPECT_GT(size, 0u);
  EXPECT_LE(size, protocol::kMaxConfiguration);

  State state;
  state.root_key_count = kMaxRootKeys;
  state.spent_count = protocol::kMaxChains;
  state.configuration_size = protocol::kMaxConfiguration;
  const std::size_t state_size = encoded(state).size();
  EXPECT_GT(state_size, 0u);
  EXPECT_LE(state_size, kMaxState);
}

}  // namespace
}  // namespace community::trusted::testing
