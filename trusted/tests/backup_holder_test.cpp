// SPDX-License-Identifier: Apache-2.0
// The holder's side: which shares it takes, which checkpoints it keeps, and to whom it releases them.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "trusted/hpke/hpke.hpp"
#include "trusted/tests/support/backup.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

using protocol::Evidence;

class Holder : public ::testing::Test {
 protected:
  Holder() { EXPECT_EQ(backup.create(backup.order()), Error::ok); }

  OwnedOrder signed_keep_order(std::uint8_t index = 1) {
    return sign_order(*backup.holders[index - 1u], "keep share", backup.keep_order(index));
  }
  Error keep_with(const SentShare& sent, const OwnedOrder& order) { return backup.ask_keep(1, sent, order).error; }
  // A package from the source to holder 1 with other contents, as a source that breaks the rules could make it.
  SentShare forge(const std::function<void(protocol::KeptShare&)>& bend, ByteView checkpoint = {}) {
    const State& state = backup.source.core().state();
    const Port port = backup.source.store.port();
    const Bytes32 challenge = peer_challenge(holder);
    const Evidence evidence = make_evidence(backup.source, challenge);
    protocol::ShareContents contents;
    contents.share.core_id = state.core_id;
    contents.share.generation = 1;
    contents.share.threshold = 3;
    contents.share.index = 1;
    make_share(state, 3, 1, contents.share.share);
    contents.share.operator_key = state.operator_key;
    contents.share.source_identity = state.identity_key;
    contents.share.fence_key = decoded<protocol::BackupDescription>(backup.description).fence_key;
    contents.share.description = state.backup_description;
    contents.checkpoint = checkpoint;
    bend(contents.share);
    protocol::SharePackage package;
    package.sender_statement = statement_digest(evidence.statement);
    std::array<std::uint8_t, protocol::kMaxSharePackage> cipher;
    EXPECT_EQ(seal_package(port, state, protocol::kShareKeep, holder.status().hpke_key, contents, cipher, package),
              Error::ok);
    return {Error::ok, encoded(evidence), OwnedPackage(package)};
  }
  BackupWorld backup;
  TestHost& holder = *backup.holders[0];
};

TEST_F(Holder, KeepsAShareThatWasSentToIt) {
  ASSERT_EQ(backup.keep(1, backup.send(1)), Error::ok);
  const auto answer = backup.describe(1);
  const auto description = decoded<protocol::BackupDescription>(backup.description);
  EXPECT_EQ(answer.core_id, description.core_id);
  EXPECT_EQ(answer.generation, 1u);
  EXPECT_EQ(answer.threshold, 3);
  EXPECT_EQ(answer.index, 1);
  EXPECT_EQ(answer.operator_key, description.operator_key);
  EXPECT_EQ(answer.fence_key, description.fence_key);
  EXPECT_EQ(answer.description, base::sha256(backup.description));
  EXPECT_EQ(answer.followed_identity, description.source_identity);
  EXPECT_EQ(answer.followed_recovery_count, 0u);
  EXPECT_EQ(answer.has_checkpoint, 0);
  EXPECT_EQ(answer.share_id, backup.shares[0].id);
  // What is in its record is the share that was committed to; the record is sealed.
  const Port port = holder.store.port();
  RecordHeader header;
  ShareRecord record;
  ASSERT_EQ(open_record(port, holder.core().state(), backup.shares[0].sealed, RecordType::share, header, record),
            Error::ok);
  EXPECT_EQ(protocol::share_commitment(record.share.core_id, 1, 1, record.share.share),
            description.holders[0].commitment);
  ASSERT_EQ(holder.restart(false), Error::ok);
  EXPECT_EQ(backup.describe(1).index, 1);
}

TEST_F(Holder, AShareThatWasNotCommittedIsNotKept) {
  const SentShare sent = backup.send(1);
  const Uncommitted change = backup.ask_keep(1, sent, signed_keep_order());
  ASSERT_EQ(change.error, Error::ok);
  ASSERT_TRUE(holder.reconnect());
  backup.shares[0] = change.record;
  const OwnedProof proof = holder.proof(change.record);
  EXPECT_EQ(holder.refusal(Command::share_describe, proof.view()), Error::record_not_current);
  // The same again, in full.
  EXPECT_EQ(backup.keep(1, sent), Error::ok);
  EXPECT_EQ(backup.describe(1).index, 1);
}

TEST_F(Holder, AKeptShareSurvivesWhateverFailsAfterItsCommit) {
  const SentShare sent = backup.send(1);
  const Uncommitted change = backup.ask_keep(1, sent, signed_keep_order());
  ASSERT_EQ(change.error, Error::ok);
  holder.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(holder.commit().error, Error::store_failed);
  holder.settle(true);
  ASSERT_EQ(holder.restart(false), Error::ok);
  backup.shares[0] = change.record;
  EXPECT_EQ(backup.describe(1).index, 1);
}

TEST_F(Holder, KeepsOnlyWhatItsOperatorOrdered) {
  const SentShare sent = backup.send(1);
  const OwnedOrder good = signed_keep_order();
  for (std::size_t i = 0; i < good.bytes.size(); i++) {
    OwnedOrder bent = good;
    bent.bytes[i] ^= 1;
    ASSERT_EQ(keep_with(sent, bent), Error::operator_signature_invalid) << i;
  }
  EXPECT_EQ(keep_with(sent, sign_order(holder, "restore", backup.keep_order(1))), Error::operator_signature_invalid);
  EXPECT_EQ(keep_with(sent, sign_order(holder, "backup", backup.keep_order(1))), Error::operator_signature_invalid);
  EXPECT_EQ(keep_with(sent, sign_order(backup.source, "keep share", backup.keep_order(1))),
            Error::operator_signature_invalid)
      << "the source's operator has no say here";
  const auto refusal = [&](const std::function<void(protocol::KeepOrder&)>& bend) {
    protocol::KeepOrder order = backup.keep_order(1);
    bend(order);
    return keep_with(sent, sign_order(holder, "keep share", order));
  };
  EXPECT_EQ(refusal([](auto& order) { order.core_id[0] ^= 1; }), Error::configuration_foreign);
  EXPECT_EQ(refusal([](auto& order) { order.generation = 2; }), Error::backup_out_of_order);
  EXPECT_EQ(refusal([](auto& order) { order.source.core_id[0] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.source.identity_key[0] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.source.hpke_key[1] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.source.attestation_key[0] ^= 1; }), Error::evidence_other_key);
  EXPECT_EQ(refusal([](auto& order) { order.source.application[0] ^= 1; }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& order) { order.source.system[0] ^= 1; }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& order) { order.source.body = 3; }), Error::evidence_other_core);
  OwnedOrder longer{join({good.bytes, Bytes(1)}), {}};
  longer.signature = holder.operator_sign("keep share", longer.bytes);
  EXPECT_EQ(keep_with(sent, longer), Error::backup_order_malformed);
  EXPECT_EQ(holder.call(Command::share_keep, Bytes(9)).error, Error::malformed_request);
  EXPECT_EQ(keep_with(sent, good), Error::ok);
}

TEST_F(Holder, NoChangedByteOfAPackageIsOverlooked) {
  const SentShare good = backup.send(1);
  const OwnedOrder order = signed_keep_order();
  const Bytes package = encoded(good.package.view());
  for (std::size_t i = 0; i < package.size(); i += 2) {
    Bytes bent = package;
    bent[i] ^= 1;
    protocol::SharePackage read;
    // A changed length is a package cut short, or one with something left over.
    if (!protocol::decode(bent, read)) continue;
    SentShare sent = good;
    sent.package = OwnedPackage(read);
    ASSERT_EQ(keep_with(sent, order), Error::package_signature_invalid) << i;
  }
  SentShare bent = good;
  bent.evidence.back() ^= 1;
  EXPECT_EQ(keep_with(bent, order), Error::evidence_other_key);
  bent.evidence = {};
  EXPECT_EQ(keep_with(bent, order), Error::malformed_request);
  EXPECT_EQ(keep_with(good, order), Error::ok);
}

TEST_F(Holder, EvidenceOfTheSourceIsForAChallengeOfThisHolder) {
  SentShare sent = backup.send(1);
  ASSERT_EQ(holder.restart(false), Error::ok);
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::peer_challenge_foreign);
  sent = backup.send(2);
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::peer_challenge_foreign);
  // Fresh evidence does not make another package genuine: it is bound to the statement it was sealed with.
  sent = backup.send(1);
  sent.evidence = encoded(make_evidence(backup.world.host, peer_challenge(holder)));
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::package_signature_invalid);
}

TEST_F(Holder, TakesOnlyTheShareThatIsItsOwnAndCommittedTo) {
  const auto refusal = [&](const std::function<void(protocol::KeptShare&)>& bend) {
    return keep_with(forge(bend), signed_keep_order());
  };
  ASSERT_EQ(refusal([](auto&) {}), Error::ok);
  ASSERT_TRUE(holder.reconnect());
  EXPECT_EQ(refusal([](auto& share) { share.share[0] ^= 1; }), Error::share_not_committed);
  EXPECT_EQ(refusal([](auto& share) { share.core_id[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.generation = 2; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.threshold = 2; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.operator_key[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.source_identity[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.fence_key[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.description[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.index = 6; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& share) { share.index = 2; }), Error::share_not_committed);
  // Another holder's share, whole and genuine: of core 2, and of the offline one.
  const State& state = backup.source.core().state();
  for (const std::uint8_t other : {std::uint8_t{2}, std::uint8_t{5}})
    EXPECT_EQ(refusal([&](auto& share) {
                share.index = other;
                make_share(state, 3, other, share.share);
              }),
              Error::holder_unknown);
  const Bytes good = backup.description;
  const SentShare sent = backup.send(1);
  backup.description[30] ^= 1;
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::share_other_backup);
  backup.description = Bytes(5);
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::backup_description_wrong);
  backup.description = good;
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::ok);
}

TEST_F(Holder, ADescriptionThatNamesItWithOtherKeysDoesNotNameIt) {
  const protocol::HpkeKey other = OfflineHolder(99).key;
  std::uint32_t generation = 1;
  const auto refusal = [&](const std::function<void(protocol::PeerDescription&)>& bend) {
    protocol::BackupOrder order = backup.order(++generation);
    bend(order.holders[0].peer);
    EXPECT_EQ(backup.create(order), Error::ok);
    return keep_with(forge([&](auto& share) { share.generation = generation; }), signed_keep_order());
  };
  EXPECT_EQ(refusal([](auto&) {}), Error::ok);
  EXPECT_EQ(refusal([](auto& peer) { peer.core_id[0] ^= 1; }), Error::holder_unknown);
  EXPECT_EQ(refusal([](auto& peer) { peer.identity_key[0] ^= 1; }), Error::holder_unknown);
  EXPECT_EQ(refusal([&](auto& peer) { peer.hpke_key = other; }), Error::holder_unknown);
}

TEST_F(Holder, WhatWasSealedToAnotherDoesNotOpen) {
  // Signed by the source and for this holder's statement, but to another key.
  SentShare sent = forge([](auto&) {});
  const State& state = backup.source.core().state();
  const Port port = backup.source.store.port();
  protocol::SharePackage package = sent.package.view();
  Bytes cipher(sent.package.cipher.size());
  ASSERT_TRUE(hpke::seal(port, backup.holders[1]->status().hpke_key,
                         protocol::package_info(protocol::kShareKeep, package), {}, Bytes(cipher.size() - hpke::kTag),
                         package.enc, cipher));
  package.cipher = cipher;
  ASSERT_EQ(sign_as_identity(port, state, protocol::kShareKeep, protocol::package_digest(package), package.signature),
            Error::ok);
  sent.package = OwnedPackage(package);
  EXPECT_EQ(keep_with(sent, signed_keep_order()), Error::package_not_opened);
  // To this holder, but nothing that is a share; and too short to have a tag.
  const auto with_plain = [&](const Bytes& plain, std::size_t cut) {
    Bytes out(plain.size() + hpke::kTag);
    EXPECT_TRUE(hpke::seal(port, holder.status().hpke_key, protocol::package_info(protocol::kShareKeep, package), {},
                           plain, package.enc, out));
    out.resize(out.size() - cut);
    package.cipher = out;
    EXPECT_EQ(sign_as_identity(port, state, protocol::kShareKeep, protocol::package_digest(package), package.signature),
              Error::ok);
    sent.package = OwnedPackage(package);
    return keep_with(sent, signed_keep_order());
  };
  EXPECT_EQ(with_plain(Bytes(100), 0), Error::package_malformed);
  EXPECT_EQ(with_plain(Bytes(100), 1), Error::package_not_opened);
  EXPECT_EQ(with_plain({}, 1), Error::package_not_opened);
}

TEST_F(Holder, AShareOfAnotherGenerationStandsBesideTheFirst) {
  ASSERT_EQ(backup.keep(1, backup.send(1)), Error::ok);
  const StoredRecord first = backup.shares[0];
  ASSERT_EQ(backup.create(backup.order(2)), Error::ok);
  ASSERT_EQ(backup.keep(1, backup.send(1)), Error::ok);
  EXPECT_EQ(backup.describe(1).generation, 2u);
  // A checkpoint goes with its generation.
  const Bytes checkpoint = backup.checkpoint();
  EXPECT_EQ(backup.keep_checkpoint(1, checkpoint), Error::ok);
  backup.shares[0] = first;
  EXPECT_EQ(backup.describe(1).generation, 1u);
  EXPECT_EQ(backup.keep_checkpoint(1, checkpoint), Error::checkpoint_other_backup);
}

class Keeping : public Holder {
 protected:
  Keeping() { EXPECT_EQ(backup.keep(1, backup.send(1)), Error::ok); }
  // Any durable write of the source.
  void write_at_source() { EXPECT_EQ(backup.world.set_policy(backup.world.policy), Error::ok); }
};

TEST_F(Keeping, ANewerCheckpointTakesThePlaceOfTheOlder) {
  const Bytes first = backup.checkpoint();
  ASSERT_EQ(backup.keep_checkpoint(1, first), Error::ok);
  auto answer = backup.describe(1);
  EXPECT_EQ(answer.has_checkpoint, 1);
  EXPECT_EQ(answer.revision, backup.source.status().revision);
  write_at_source();
  const Bytes second = backup.checkpoint();
  ASSERT_EQ(backup.keep_checkpoint(1, second), Error::ok);
  answer = backup.describe(1);
  EXPECT_EQ(answer.revision, backup.source.status().revision);
  EXPECT_EQ(backup.keep_checkpoint(1, first), Error::checkpoint_not_newer);
  EXPECT_EQ(backup.keep_checkpoint(1, second), Error::checkpoint_not_newer);
  EXPECT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::checkpoint_not_newer) << "no write since";
  EXPECT_EQ(backup.describe(1).revision, answer.revision);
}

TEST_F(Keeping, NoChangedByteOfACheckpointIsOverlooked) {
  const Bytes good = backup.checkpoint();
  std::set<Error> seen;
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bent = good;
    bent[i] ^= 1;
    const Error error = backup.keep_checkpoint(1, bent);
    ASSERT_NE(error, Error::ok) << i;
    seen.insert(error);
  }
  EXPECT_EQ(seen, (std::set{Error::checkpoint_malformed, Error::checkpoint_other_backup,
                            Error::checkpoint_signature_invalid}));
  EXPECT_EQ(backup.keep_checkpoint(1, {}), Error::checkpoint_malformed);
  EXPECT_EQ(backup.keep_checkpoint(1, good), Error::ok);
}

TEST_F(Keeping, ForeignCheckpointsAreRefused) {
  // Of another core, of the same core signed by another device, of another generation.
  World other(70);
  protocol::BackupOrder order = backup.order();
  order.core_id = other.host.status().core_id;
  order.holders[4].offline_key = OfflineHolder(71).key;
  const OwnedOrder owned = sign_order(other.host, "backup", order);
  ASSERT_EQ(other.host.refusal(Command::backup_create, owned.view()), Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, BackupWorld::checkpoint_of(other.host)), Error::checkpoint_other_backup);
  State forged = other.host.core().state();
  forged.core_id = backup.source.core().state().core_id;
  Bytes out(protocol::kMaxSealedRecord);
  ByteView sealed;
  ASSERT_EQ(seal_checkpoint(other.host.store.port(), forged, {}, out, sealed), Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, sealed), Error::checkpoint_signature_invalid);
  ASSERT_EQ(backup.create(backup.order(2)), Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::checkpoint_other_backup);
}

TEST_F(Keeping, ACheckpointThatWasNotCommittedIsNotKept) {
  ASSERT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::ok);
  const auto before = backup.describe(1);
  write_at_source();
  const Bytes next = backup.checkpoint();
  const OwnedProof proof = holder.proof(backup.shares[0]);
  const protocol::CheckpointKeepRequest request{proof.view(), next, 0, {}};
  ASSERT_EQ(holder.change(Command::checkpoint_keep, request).error, Error::ok);
  ASSERT_TRUE(holder.reconnect());
  EXPECT_EQ(backup.describe(1).revision, before.revision);
  EXPECT_EQ(backup.keep_checkpoint(1, next), Error::ok);
  // An older copy of the record, with the older checkpoint, is not current.
  EXPECT_EQ(holder.refusal(Command::share_describe, proof.view()), Error::stale_path);
}

TEST_F(Keeping, RecoveryOfTheSourceGoesOnWithTheSameHolders) {
  ASSERT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::ok);
  const auto status = backup.source.status();
  const Bytes recovery = encoded(protocol::Recovery{status.core_id, 1, status.root});
  ASSERT_EQ(backup.source.refusal(Command::recover, protocol::RecoverRequest{recovery, backup.source.operator_sign(
                                                                                           "recovery", recovery)}),
            Error::ok);
  EXPECT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::ok);
  EXPECT_EQ(backup.describe(1).recovery_count, 1u);
}

TEST_F(Keeping, AShareIsARecordLikeOthers) {
  const StoredRecord wallet = backup.world.wallet;
  const OwnedProof of_wallet = backup.source.proof(wallet);
  EXPECT_EQ(backup.source.refusal(Command::share_describe, of_wallet.view()), Error::record_wrong_type);
  const OwnedProof of_share = holder.proof(backup.shares[0]);
  EXPECT_EQ(holder.refusal(Command::key_describe, of_share.view()), Error::record_wrong_type);
  // It is re-sealed and counted.
  ASSERT_EQ(rotate(holder, 2), Error::ok);
  const Uncommitted change = reseal(holder, backup.shares[0]);
  ASSERT_EQ(change.error, Error::ok);
  ASSERT_EQ(holder.commit().error, Error::ok);
  backup.shares[0] = change.record;
  ASSERT_EQ(retire(holder, 1), Error::ok);
  EXPECT_EQ(backup.describe(1).index, 1);
  EXPECT_EQ(root_keys(holder), (std::map<std::uint32_t, std::uint32_t>{{2, 1}}));
}

class Release : public Keeping {
 protected:
  Release() { EXPECT_EQ(backup.keep_checkpoint(1, backup.checkpoint()), Error::ok); }
  // share_release with good evidence unless it is given.
  Error release(const OwnedOrder& order, std::optional<Bytes> evidence = {}) {
    protocol::ShareReleaseRequest request;
    const OwnedProof proof = holder.proof(backup.shares[0]);
    request.record = proof.view();
    request.order = order.view();
    const Bytes shown = evidence ? *evidence : encoded(make_evidence(backup.device, peer_challenge(holder)));
    request.evidence = shown;
    return holder.refusal(Command::share_release, request);
  }
};

TEST_F(Release, GoesToTheDeviceThatTheOperatorOfTheBackupNamed) {
  const SentShare sent = backup.release(1, backup.signed_restore_order());
  ASSERT_EQ(sent.error, Error::ok);
  const auto evidence = decoded<Evidence>(sent.evidence);
  EXPECT_EQ(evidence.statement.identity_key, holder.core().state().identity_key);
  EXPECT_EQ(evidence.quoted, 1);
  base::Secret<protocol::kMaxSharePackage> plain;
  protocol::ShareContents contents;
  const Port port = backup.device.store.port();
  ASSERT_EQ(check_package(port, protocol::kShareRelease, holder.core().state().identity_key, evidence.statement,
                          sent.package.view()),
            Error::ok);
  ASSERT_EQ(
      open_package(port, backup.device.core().state(), protocol::kShareRelease, sent.package.view(), plain, contents),
      Error::ok);
  EXPECT_EQ(contents.share.index, 1);
  EXPECT_FALSE(contents.checkpoint.empty());
  // For this purpose and this device alone.
  EXPECT_EQ(
      open_package(port, backup.device.core().state(), protocol::kShareKeep, sent.package.view(), plain, contents),
      Error::package_not_opened);
  EXPECT_EQ(open_package(port, holder.core().state(), protocol::kShareRelease, sent.package.view(), plain, contents),
            Error::package_not_opened);
}

TEST_F(Release, NeedsTheOrderOfTheBackupsOperator) {
  const OwnedOrder good = backup.signed_restore_order();
  for (std::size_t i = 0; i < good.bytes.size(); i++) {
    OwnedOrder bent = good;
    bent.bytes[i] ^= 1;
    ASSERT_EQ(release(bent), Error::operator_signature_invalid) << i;
  }
  EXPECT_EQ(release(sign_order(holder, "restore", backup.restore_order())), Error::operator_signature_invalid)
      << "the holder's own operator has no say";
  EXPECT_EQ(release(sign_order(backup.device, "restore", backup.restore_order())), Error::operator_signature_invalid);
  EXPECT_EQ(release(sign_order(backup.source, "keep share", backup.restore_order())),
            Error::operator_signature_invalid);
  const auto refusal = [&](const std::function<void(protocol::RestoreOrder&)>& bend) {
    protocol::RestoreOrder order = backup.restore_order();
    bend(order);
    return release(sign_order(backup.source, "restore", order));
  };
  EXPECT_EQ(refusal([](auto& order) { order.core_id[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& order) { order.generation = 2; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& order) { order.description[0] ^= 1; }), Error::share_other_backup);
  EXPECT_EQ(refusal([](auto& order) { order.device.core_id[0] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.device.identity_key[0] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.device.hpke_key[1] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& order) { order.device.attestation_key[0] ^= 1; }), Error::evidence_other_key);
  EXPECT_EQ(refusal([](auto& order) { order.device.application[0] ^= 1; }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& order) { order.device.system[0] ^= 1; }), Error::evidence_other_code);
  OwnedOrder longer{join({good.bytes, Bytes(1)}), {}};
  longer.signature = backup.source.operator_sign("restore", longer.bytes);
  EXPECT_EQ(release(longer), Error::backup_order_malformed);
  EXPECT_EQ(release(good), Error::ok);
}

TEST_F(Release, NeedsEvidenceOfTheDevice) {
  const OwnedOrder order = backup.signed_restore_order();
  EXPECT_EQ(release(order, Bytes{}), Error::malformed_request);
  EXPECT_EQ(release(order, encoded(make_evidence(backup.device, peer_challenge(backup.device)))),
            Error::peer_challenge_foreign);
  EXPECT_EQ(release(order, encoded(make_evidence(*backup.holders[1], peer_challenge(holder)))),
            Error::evidence_other_core);
  Evidence evidence = make_evidence(backup.device, peer_challenge(holder));
  evidence.statement.epoch++;
  EXPECT_EQ(release(order, encoded(evidence)), Error::evidence_signature_invalid);
  holder_quotes().fail = true;
  EXPECT_EQ(release(order), Error::quote_failed);
  holder_quotes().fail = false;
  EXPECT_EQ(holder.call(Command::share_release, Bytes(7)).error, Error::malformed_request);
}

}  // namespace
}  // namespace community::trusted::testing
