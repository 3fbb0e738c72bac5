// SPDX-License-Identifier: Apache-2.0
// Fence: a device that is shown that another one went on as its core has nothing left to sign with, and holders follow
// the other one.
#include <gtest/gtest.h>

#include <algorithm>

#include "trusted/tests/support/backup.hpp"

namespace community::trusted::testing {
namespace {

using protocol::FenceCertificate;

class Fence : public ::testing::Test {
 protected:
  Fence() {
    backup.distribute();
    backup.restore_now();
  }
  FenceCertificate certificate() {
    const Reply reply = BackupWorld::certificate(device);
    EXPECT_EQ(reply.error, Error::ok);
    return decoded<FenceCertificate>(reply.body);
  }
  // Signed with the fence key, as no core would.
  FenceCertificate forge(std::uint32_t count, const std::array<std::uint8_t, 64>& identity) {
    FenceCertificate forged{old.core().state().core_id, count, identity, {}};
    const Port port = old.store.port();
    std::array<std::uint8_t, 65> signature{};
    EXPECT_TRUE(port.secp256k1_sign(port.context, old.core().state().fence_secret, protocol::fence_digest(forged),
                                    signature.data()));
    base::copy(forged.signature, ByteView(signature).first(64));
    return forged;
  }
  Error fence(const FenceCertificate& shown) { return old.refusal(Command::fence, shown); }
  Error recover(TestHost& host) {
    const auto status = host.status();
    const Bytes recovery = encoded(protocol::Recovery{status.core_id, status.recovery_count + 1, status.root});
    return host.refusal(Command::recover,
                        protocol::RecoverRequest{recovery, backup.source.operator_sign("recovery", recovery)});
  }
  static bool holds(const Bytes& bytes, const Bytes32& secret) {
    return std::search(bytes.begin(), bytes.end(), secret.begin(), secret.end()) != bytes.end();
  }
  // Every command but status and attest is refused.
  void expect_fenced() {
#define COMMUNITY_EXPECT_FENCED(command, number)                                    \
  if (Command::command != Command::status && Command::command != Command::attest) { \
    EXPECT_EQ(old.call(Command::command).error, Error::fenced) << #command;         \
  }
    COMMUNITY_PROTOCOL_COMMANDS(COMMUNITY_EXPECT_FENCED)
#undef COMMUNITY_EXPECT_FENCED
    EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::fenced);
    EXPECT_EQ(backup.world.sign(backup.world.good_transaction()).error, Error::fenced);
    EXPECT_EQ(old.status().fenced, 1);
    EXPECT_EQ(make_evidence(old, Bytes32{}).statement.core_id, old.status().core_id);
  }
  BackupWorld backup;
  TestHost& old = backup.source;
  TestHost& device = backup.device;
};

TEST_F(Fence, TheCertificateSaysWhoGoesOn) {
  const FenceCertificate shown = certificate();
  EXPECT_EQ(shown.core_id, old.status().core_id);
  EXPECT_EQ(shown.recovery_count, 1u);
  EXPECT_EQ(shown.identity_key, device.core().state().identity_key);
  // As spec/backup.md has it, under the key of the description.
  const Bytes32 digest = base::sha256(
      join({base::view("community backup fence certificate"), shown.core_id, unhex("00000001"), shown.identity_key}));
  const Port port = device.store.port();
  const auto description = decoded<protocol::BackupDescription>(backup.description);
  EXPECT_TRUE(port.secp256k1_verify(port.context, description.fence_key.data(), digest, shown.signature.data()));
  EXPECT_EQ(BackupWorld::certificate(old).error, Error::fence_without_recovery);
  EXPECT_EQ(BackupWorld::certificate(*backup.holders[0]).error, Error::fence_without_recovery);
  EXPECT_EQ(device.call(Command::fence_certificate, Bytes(1)).error, Error::malformed_request);
  ASSERT_EQ(recover(device), Error::ok);
  EXPECT_EQ(certificate().recovery_count, 2u) << "always the present one";
}

TEST_F(Fence, TheOldDeviceStopsForGood) {
  ASSERT_EQ(backup.world.sign(backup.world.good_transaction()).error, Error::ok);
  const State before = old.core().state();
  ASSERT_EQ(fence(certificate()), Error::ok);
  expect_fenced();
  ASSERT_EQ(old.restart(false), Error::ok);
  expect_fenced();
  ASSERT_EQ(old.restart(true), Error::ok);
  expect_fenced();
  // Nothing is left to sign with, in neither copy of the state.
  const State& state = old.core().state();
  for (const RootKey& root : state.root_keys) EXPECT_TRUE(base::is_zero(root.key));
  for (const Bytes32* secret : {&before.root_keys[0].key, &before.backup_key, &before.fence_secret, &before.hpke_secret,
                                &before.identity_secret}) {
    ASSERT_FALSE(base::is_zero(*secret));
    EXPECT_FALSE(holds(old.store.contents(), *secret));
    EXPECT_FALSE(holds(old.store.before(), *secret));
  }
  EXPECT_TRUE(holds(old.store.contents(), before.channel_key)) << "its host is still its host";
}

TEST_F(Fence, BothCopiesAreCleanAtOnce) {
  const State before = old.core().state();
  ASSERT_EQ(fence(certificate()), Error::ok);
  for (const Bytes* copy : {&old.store.contents(), &old.store.before()})
    for (const Bytes32* secret : {&before.root_keys[0].key, &before.backup_key, &before.fence_secret,
                                  &before.hpke_secret, &before.identity_secret})
      EXPECT_FALSE(holds(*copy, *secret));
}

TEST_F(Fence, ChangesThatWaitedAreGone) {
  protocol::KeyCreateRequest request;
  const OwnedPath path = old.pending_tree.path(old.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(old.change(Command::key_create, request).error, Error::ok);
  const auto status = old.status();
  ASSERT_EQ(fence(certificate()), Error::ok);
  EXPECT_EQ(old.commit_at(status.epoch + 1, old.pending_tree.root()).error, Error::fenced);
  EXPECT_EQ(old.status().epoch, status.epoch);
}

TEST_F(Fence, AWriteThatFailsLeavesNothingHalfDone) {
  const FenceCertificate shown = certificate();
  const State before = old.core().state();
  for (const auto fault : {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before}) {
    old.store.fail_write(1, fault);
    EXPECT_EQ(fence(shown), Error::store_failed);
    EXPECT_FALSE(old.core().ready());
    EXPECT_TRUE(base::is_zero(old.core().state().root_keys[0].key));
    ASSERT_EQ(old.restart(false), Error::ok);
    // The fence did not take place; it can be shown again.
    EXPECT_EQ(old.status().fenced, 0);
    EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::ok);
  }
  // The second write is lost: fenced, and the copy of before is clean after the next start.
  old.store.fail_write(2, MemoryStore::Fault::cut_before);
  EXPECT_EQ(fence(shown), Error::store_failed);
  EXPECT_TRUE(holds(old.store.before(), before.backup_key));
  ASSERT_EQ(old.restart(false), Error::ok);
  expect_fenced();
  for (const Bytes* copy : {&old.store.contents(), &old.store.before()}) EXPECT_FALSE(holds(*copy, before.backup_key));
}

TEST_F(Fence, OnlyACertificateOfAnotherDeviceWithALargerCountCounts) {
  const FenceCertificate good = certificate();
  for (std::size_t i = 0; i < 64; i++) {
    FenceCertificate bent = good;
    bent.signature[i] ^= 1;
    ASSERT_EQ(fence(bent), Error::fence_certificate_invalid) << i;
  }
  FenceCertificate bent = good;
  bent.core_id[15] ^= 1;
  EXPECT_EQ(fence(bent), Error::fence_certificate_foreign);
  bent = good;
  bent.recovery_count = 2;
  EXPECT_EQ(fence(bent), Error::fence_certificate_invalid);
  bent = good;
  bent.identity_key[0] ^= 1;
  EXPECT_EQ(fence(bent), Error::fence_certificate_invalid);
  EXPECT_EQ(fence(forge(9, old.core().state().identity_key)), Error::fence_certificate_is_own);
  EXPECT_EQ(fence(forge(0, good.identity_key)), Error::fence_certificate_not_newer);
  EXPECT_EQ(old.call(Command::fence, Bytes(10)).error, Error::malformed_request);
  EXPECT_EQ(backup.holders[0]->refusal(Command::fence, good), Error::backup_missing);
  EXPECT_EQ(device.refusal(Command::fence, good), Error::fence_certificate_is_own);
  EXPECT_EQ(old.status().fenced, 0);
  EXPECT_EQ(backup.world.sign(backup.world.good_userop()).error, Error::ok);
  EXPECT_EQ(fence(good), Error::ok);
}

TEST_F(Fence, OfTwoDevicesTheOneThatTheOperatorRecoversLastGoesOn) {
  // The first device recovered meanwhile: neither fences the other.
  ASSERT_EQ(recover(old), Error::ok);
  const FenceCertificate of_device = certificate();
  const auto of_old = decoded<FenceCertificate>(BackupWorld::certificate(old).body);
  EXPECT_EQ(of_old.identity_key, old.core().state().identity_key);
  EXPECT_EQ(fence(of_device), Error::fence_certificate_not_newer);
  EXPECT_EQ(device.refusal(Command::fence, of_old), Error::fence_certificate_not_newer);
  // A drill ends: the first device goes on, the other one stops.
  ASSERT_EQ(recover(old), Error::ok);
  const auto newer = decoded<FenceCertificate>(BackupWorld::certificate(old).body);
  EXPECT_EQ(device.refusal(Command::fence, newer), Error::ok);
  EXPECT_EQ(device.call(Command::checkpoint).error, Error::fenced);
  EXPECT_EQ(backup.world.host.call(Command::checkpoint).error, Error::ok);
}

TEST_F(Fence, HoldersFollowTheDeviceThatGoesOn) {
  const FenceCertificate shown = certificate();
  const Bytes of_device = BackupWorld::checkpoint_of(device);
  FenceCertificate bent = shown;
  bent.core_id[0] ^= 1;
  EXPECT_EQ(backup.keep_checkpoint(1, of_device, &bent), Error::fence_certificate_foreign);
  bent = shown;
  bent.recovery_count++;
  EXPECT_EQ(backup.keep_checkpoint(1, of_device, &bent), Error::fence_certificate_invalid);
  EXPECT_EQ(backup.describe(1).followed_identity, old.core().state().identity_key);
  ASSERT_EQ(backup.keep_checkpoint(1, of_device, &shown), Error::ok);
  const auto kept = backup.describe(1);
  EXPECT_EQ(kept.followed_identity, device.core().state().identity_key);
  EXPECT_EQ(kept.followed_recovery_count, 1u);
  EXPECT_EQ(kept.recovery_count, 1u);
  // What the device that was left behind goes on writing is not taken, however new.
  ASSERT_EQ(backup.world.set_policy(backup.world.policy), Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::checkpoint_signature_invalid);
  // The certificate may come again with the next checkpoint; without it will do.
  EXPECT_EQ(backup.keep_checkpoint(1, of_device, &shown), Error::checkpoint_not_newer);
  ASSERT_EQ(recover(device), Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device)), Error::ok);
  const FenceCertificate later = certificate();
  ASSERT_EQ(recover(device), Error::ok);
  const FenceCertificate latest = certificate();
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device), &latest), Error::ok);
  EXPECT_EQ(backup.describe(1).followed_recovery_count, 3u);
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device), &later), Error::fence_certificate_not_newer);
}

TEST_F(Fence, ACheckpointIsNotOlderThanTheCertificateThatComesWithIt) {
  const Bytes before = BackupWorld::checkpoint_of(device);
  ASSERT_EQ(recover(device), Error::ok);
  const FenceCertificate shown = certificate();
  EXPECT_EQ(backup.keep_checkpoint(1, before, &shown), Error::checkpoint_not_newer);
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device), &shown), Error::ok);
}

TEST_F(Fence, AHolderAsksTheOperatorWhenTheFirstDeviceWasRecoveredToo) {
  ASSERT_EQ(recover(old), Error::ok);
  ASSERT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::ok);
  const FenceCertificate equal = certificate();
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device), &equal), Error::fence_certificate_not_newer);
  ASSERT_EQ(recover(device), Error::ok);
  const FenceCertificate larger = certificate();
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(device), &larger), Error::ok);
}

TEST_F(Fence, AFencedStateStaysFencedWhateverIsSaidToIt) {
  const FenceCertificate shown = certificate();
  ASSERT_EQ(fence(shown), Error::ok);
  EXPECT_EQ(fence(shown), Error::fenced) << "a host that lost the answer learns that it is done";
  EXPECT_EQ(recover(old), Error::fenced);
  backup.world.configuration.sequence++;
  EXPECT_EQ(old.configure(backup.world.configuration), Error::fenced);
  ASSERT_EQ(old.restart(false), Error::ok);
  EXPECT_EQ(old.status().fenced, 1);
}

}  // namespace
}  // namespace community::trusted::testing
