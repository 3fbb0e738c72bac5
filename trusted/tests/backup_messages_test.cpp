// SPDX-License-Identifier: Apache-2.0
// The largest messages of a backup are as large as the limits and the documents say, and bent ones are none.
#include <gtest/gtest.h>

#include <vector>

#include "trusted/protocol/backup_messages.hpp"

namespace community::protocol {
namespace {

PeerDescription peer(Body body) {
  PeerDescription description;
  description.body = static_cast<std::uint8_t>(body);
  if (body != Body::process) description.attestation_key[0] = description.application[1] = description.system[2] = 1;
  return description;
}

BackupDescription description(std::uint16_t holders) {
  BackupDescription backup;
  backup.generation = 1;
  backup.threshold = 3;
  backup.holder_count = holders;
  for (std::size_t i = 0; i < holders; i++) {
    backup.holders[i].holder.kind = static_cast<std::uint8_t>(HolderKind::core);
    backup.holders[i].holder.peer = peer(Body::optee_device);
  }
  return backup;
}

template <class Message>
std::size_t size_of(const Message& message) {
  std::vector<std::uint8_t> buffer(8'192);
  return encode(message, buffer).size();
}

TEST(BackupMessages, TheLargestFitTheirLimits) {
  EXPECT_EQ(size_of(description(5)), 1'590u);
  EXPECT_EQ(size_of(description(16)), 4'615u);
  EXPECT_LE(size_of(description(16)), kMaxBackupDescription);
  BackupOrder order;
  order.generation = 1;
  order.threshold = 16;
  order.holder_count = 16;
  for (Holder& holder : order.holders) holder = description(1).holders[0].holder;
  EXPECT_EQ(size_of(order), 3'911u);
  Evidence evidence;
  evidence.statement.body = 1;
  evidence.quoted = 1;
  evidence.application.signature_size = evidence.system.signature_size = kQuoteKeyBytes;
  EXPECT_EQ(size_of(evidence), 1'844u);
  ShareContents contents;
  contents.share.generation = contents.share.index = 1;
  contents.share.threshold = 2;
  const std::vector<std::uint8_t> checkpoint(kMaxCheckpoint);
  contents.checkpoint = checkpoint;
  EXPECT_LE(size_of(contents) + 16, kMaxSharePackage);
}

TEST(BackupMessages, APeerHasAllThreeOfItsQuotesOrNone) {
  EXPECT_NE(size_of(peer(Body::process)), 0u);
  EXPECT_NE(size_of(peer(Body::optee_qemu)), 0u);
  for (const Body body : {Body::process, Body::optee_qemu, Body::optee_device})
    for (Bytes32 PeerDescription::*part :
         {&PeerDescription::attestation_key, &PeerDescription::application, &PeerDescription::system}) {
      PeerDescription bent = peer(body);
      bent.*part = {};
      if (body == Body::process) (bent.*part)[31] = 1;
      EXPECT_EQ(size_of(bent), 0u);
    }
  for (const int body : {0, 4, 255}) {
    PeerDescription bent = peer(Body::optee_qemu);
    bent.body = static_cast<std::uint8_t>(body);
    EXPECT_EQ(size_of(bent), 0u);
  }
}

TEST(BackupMessages, AThresholdIsTwoToTheNumberOfHolders) {
  for (const int threshold : {0, 1, 2, 5, 6, 16, 17}) {
    BackupDescription backup = description(5);
    backup.threshold = static_cast<std::uint8_t>(threshold);
    EXPECT_EQ(size_of(backup) != 0, threshold >= 2 && threshold <= 5) << threshold;
  }
  BackupDescription backup = description(5);
  backup.generation = 0;
  EXPECT_EQ(size_of(backup), 0u);
  backup = description(5);
  backup.holders[4].holder.kind = 3;
  EXPECT_EQ(size_of(backup), 0u);
}

TEST(BackupMessages, ARecoveryGoesBeforeARevision) {
  CheckpointHeader a, b;
  a.revision = 7;
  b.revision = 8;
  EXPECT_TRUE(b.is_newer_than(a));
  EXPECT_FALSE(a.is_newer_than(b));
  EXPECT_FALSE(a.is_newer_than(a));
  a.recovery_count = 1;
  EXPECT_TRUE(a.is_newer_than(b));
  EXPECT_FALSE(b.is_newer_than(a));
}

}  // namespace
}  // namespace community::protocol
