// SPDX-License-Identifier: Apache-2.0
// The source's side: orders, descriptions, what is asked of a holder before a share leaves, checkpoints.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "trusted/base/shamir.hpp"
#include "trusted/tests/support/backup.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

using protocol::BackupDescription;
using protocol::BackupOrder;
using protocol::Evidence;

class Backup : public ::testing::Test {
 protected:
  Error create(const OwnedOrder& order) { return source.refusal(Command::backup_create, order.view()); }
  // backup_share for a holder with this evidence.
  Error share_with(std::uint8_t index, const Bytes& evidence) {
    const protocol::BackupShareRequest request{backup.description, index, Bytes32{}, evidence};
    return source.refusal(Command::backup_share, request);
  }
  Evidence evidence_of(std::uint8_t index) {
    return make_evidence(*backup.holders[index - 1u], peer_challenge(source));
  }
  BackupWorld backup;
  TestHost& source = backup.source;
};

TEST_F(Backup, IsDescribedAsItWasOrderedAndSignedByTheCore) {
  const OwnedOrder order = sign_order(source, "backup", backup.order());
  const Reply reply = source.ask(Command::backup_create, order.view());
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::BackupCreateReply>(reply.body);
  const auto description = decoded<BackupDescription>(answer.description);
  const State& state = source.core().state();
  EXPECT_EQ(description.core_id, state.core_id);
  EXPECT_EQ(description.generation, 1u);
  EXPECT_EQ(description.threshold, 3);
  EXPECT_EQ(description.source_identity, state.identity_key);
  EXPECT_EQ(description.operator_key, state.operator_key);
  ASSERT_EQ(description.holder_count, 5);
  for (std::size_t i = 0; i < 5; i++)
    EXPECT_EQ(encoded(description.holders[i].holder), encoded(backup.order().holders[i])) << i;
  const Port port = source.store.port();
  std::array<std::uint8_t, 64> fence_key{};
  ASSERT_TRUE(port.secp256k1_public_key(port.context, state.fence_secret, fence_key.data()));
  EXPECT_EQ(description.fence_key, fence_key);
  // As spec/backup.md has it.
  const Bytes32 digest =
      base::sha256(join({base::view("community trusted core identity: "), base::view("community backup description"),
                         base::sha256(answer.description)}));
  EXPECT_TRUE(port.secp256k1_verify(port.context, state.identity_key.data(), digest, answer.signature.data()));
  EXPECT_EQ(state.backup_description, base::sha256(answer.description));
  EXPECT_EQ(source.status().backup_generation, 1u);
}

TEST_F(Backup, CommitsToSharesOfItsKey) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const auto description = decoded<BackupDescription>(backup.description);
  const State& state = source.core().state();
  // As spec/backup.md has it: coefficients, shares and commitments.
  Bytes coefficients(64);
  const Bytes info = join({base::view("community backup share coefficients"), unhex("0000000103")});
  base::hkdf<base::Sha256>(state.backup_key, state.core_id, info, coefficients);
  std::array<Bytes32, 5> shares;
  for (std::uint8_t i = 0; i < 5; i++) {
    base::shamir_share(state.backup_key, coefficients, static_cast<std::uint8_t>(i + 1), shares[i]);
    const Bytes place = {0, 0, 0, 1, static_cast<std::uint8_t>(i + 1)};
    EXPECT_EQ(description.holders[i].commitment,
              base::sha256(join({base::view("community backup share commitment"), state.core_id, place, shares[i]})));
  }
  for (unsigned subset = 0; subset < 32; subset++) {
    if (std::popcount(subset) != 3) continue;
    std::vector<std::uint8_t> indices;
    std::vector<Bytes32> chosen;
    for (std::uint8_t i = 0; i < 5; i++) {
      if ((subset >> i & 1) == 0) continue;
      indices.push_back(static_cast<std::uint8_t>(i + 1));
      chosen.push_back(shares[i]);
    }
    Bytes32 key;
    base::shamir_combine(indices.data(), chosen.data(), 3, key);
    EXPECT_EQ(key, state.backup_key) << subset;
  }
}

TEST_F(Backup, TheSameOrderAgainChangesNothing) {
  const OwnedOrder order = sign_order(source, "backup", backup.order());
  const Reply first = source.ask(Command::backup_create, order.view());
  ASSERT_EQ(first.error, Error::ok);
  const std::size_t writes = source.store.writes();
  EXPECT_EQ(source.ask(Command::backup_create, order.view()).body, first.body);
  ASSERT_EQ(source.restart(false), Error::ok);
  EXPECT_EQ(source.ask(Command::backup_create, order.view()).body, first.body);
  EXPECT_EQ(source.store.writes(), writes);
  // Another order for the same generation is another matter.
  BackupOrder other = backup.order();
  other.threshold = 2;
  EXPECT_EQ(backup.create(other), Error::backup_out_of_order);
  other = backup.order();
  std::swap(other.holders[1], other.holders[2]);
  EXPECT_EQ(backup.create(other), Error::backup_out_of_order);
}

TEST_F(Backup, NeedsTheOperatorsSignatureOverExactlyTheOrder) {
  const OwnedOrder good = sign_order(source, "backup", backup.order());
  for (std::size_t i = 0; i < good.bytes.size(); i++) {
    OwnedOrder bent = good;
    bent.bytes[i] ^= 1;
    ASSERT_EQ(create(bent), Error::operator_signature_invalid) << i;
  }
  for (std::size_t i = 0; i < 64; i++) {
    OwnedOrder bent = good;
    bent.signature[i] ^= 1;
    ASSERT_EQ(create(bent), Error::operator_signature_invalid) << i;
  }
  for (const std::string_view what : {"keep share", "restore", "configuration", "recovery"})
    EXPECT_EQ(create(sign_order(source, what, backup.order())), Error::operator_signature_invalid) << what;
  EXPECT_EQ(create(sign_order(*backup.holders[0], "backup", backup.order())), Error::operator_signature_invalid);
  EXPECT_EQ(source.status().backup_generation, 0u);
}

TEST_F(Backup, OrdersThatCannotBeAreRefused) {
  const auto refusal = [&](const std::function<void(BackupOrder&)>& bend) {
    BackupOrder order = backup.order();
    bend(order);
    return backup.create(order);
  };
  EXPECT_EQ(refusal([](auto& order) { order.core_id[0] ^= 1; }), Error::configuration_foreign);
  EXPECT_EQ(refusal([](auto& order) { order.generation = 2; }), Error::backup_out_of_order);
  EXPECT_EQ(refusal([](auto& order) { order.generation = 0xffff'ffff; }), Error::backup_out_of_order);
  EXPECT_EQ(refusal([](auto& order) { order.holders[1] = order.holders[2]; }), Error::backup_order_malformed);
  EXPECT_EQ(refusal([](auto& order) { order.holders[4].offline_key = order.holders[0].peer.hpke_key; }),
            Error::backup_order_malformed);
  EXPECT_EQ(refusal([&](auto& order) { order.holders[0].peer.hpke_key = source.status().hpke_key; }),
            Error::backup_order_malformed);
  EXPECT_EQ(refusal([](auto& order) { order.holders[4].offline_key[64] ^= 1; }), Error::hpke_key_invalid);
  EXPECT_EQ(refusal([](auto& order) { order.holders[4].offline_key[0] = 5; }), Error::hpke_key_invalid);
  EXPECT_EQ(refusal([](auto& order) { order.holders[2].peer.hpke_key[64] ^= 1; }), Error::hpke_key_invalid);
  // What the encoder refuses is bent in the bytes: generation, threshold, kind of a holder, something left over.
  const Bytes good = encoded(backup.order());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    OwnedOrder order{good, {}};
    order.bytes[at] = value;
    order.signature = source.operator_sign("backup", order.bytes);
    return create(order);
  };
  EXPECT_EQ(with(19, 0), Error::backup_order_malformed);
  for (const int threshold : {0, 1, 6, 255})
    EXPECT_EQ(with(20, static_cast<std::uint8_t>(threshold)), Error::backup_order_malformed) << threshold;
  EXPECT_EQ(with(23, 3), Error::backup_order_malformed);
  OwnedOrder longer{join({good, Bytes(1)}), {}};
  longer.signature = source.operator_sign("backup", longer.bytes);
  EXPECT_EQ(create(longer), Error::backup_order_malformed);
  EXPECT_EQ(source.call(Command::backup_create, Bytes(3)).error, Error::malformed_request);
  EXPECT_EQ(source.status().backup_generation, 0u);
  EXPECT_TRUE(base::is_zero(source.core().state().fence_secret));
  EXPECT_EQ(backup.create(backup.order()), Error::ok);
}

TEST_F(Backup, ThatCannotBeStoredIsNone) {
  const std::uint64_t revision = source.status().revision;
  source.store.fail_random(true);
  EXPECT_EQ(backup.create(backup.order()), Error::random_failed);
  source.store.fail_random(false);
  for (const auto fault : {MemoryStore::Fault::refuse, MemoryStore::Fault::cut_before}) {
    source.store.fail_write(1, fault);
    EXPECT_EQ(backup.create(backup.order()), Error::store_failed);
    EXPECT_EQ(source.status().backup_generation, 0u);
    EXPECT_EQ(source.status().revision, revision);
    EXPECT_TRUE(base::is_zero(source.core().state().backup_key));
    EXPECT_TRUE(base::is_zero(source.core().state().fence_secret));
    EXPECT_EQ(source.call(Command::checkpoint).error, Error::backup_missing);
    source.store.restore_power();
  }
  // The write took place and its answer was lost: after a restart the same order is answered.
  source.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(backup.create(backup.order()), Error::store_failed);
  ASSERT_EQ(source.restart(false), Error::ok);
  EXPECT_EQ(source.status().backup_generation, 1u);
  const std::size_t writes = source.store.writes();
  EXPECT_EQ(backup.create(backup.order()), Error::ok);
  EXPECT_EQ(source.store.writes(), writes);
}

TEST_F(Backup, EachGenerationHasAKeyOfItsOwnAndTheFenceKeyStays) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const auto first = decoded<BackupDescription>(backup.description);
  const Bytes first_bytes = backup.description;
  const Bytes32 key = source.core().state().backup_key;
  ASSERT_EQ(backup.create(backup.order(2)), Error::ok);
  const auto second = decoded<BackupDescription>(backup.description);
  EXPECT_NE(source.core().state().backup_key, key);
  EXPECT_EQ(second.fence_key, first.fence_key);
  for (std::size_t i = 0; i < 5; i++) EXPECT_NE(second.holders[i].commitment, first.holders[i].commitment);
  // Nothing more is given out of the first.
  backup.description = first_bytes;
  EXPECT_EQ(backup.send(1).error, Error::backup_description_wrong);
  EXPECT_EQ(backup.create(backup.order(1)), Error::backup_out_of_order);
}

TEST_F(Backup, NothingIsGivenOutBeforeThereIsOne) {
  backup.description = encoded(BackupDescription{});
  EXPECT_EQ(share_with(1, {}), Error::backup_missing);
  EXPECT_EQ(source.call(Command::checkpoint).error, Error::backup_missing);
  EXPECT_EQ(source.call(Command::fence_certificate).error, Error::fence_without_recovery);
}

TEST_F(Backup, AShareGoesOnlyWithTheDescriptionAndToAHolderOfIt) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const Bytes good = backup.description;
  const Bytes evidence = encoded(evidence_of(1));
  for (std::size_t i = 0; i < good.size(); i += 3) {
    backup.description = good;
    backup.description[i] ^= 1;
    EXPECT_EQ(share_with(1, evidence), Error::backup_description_wrong) << i;
  }
  backup.description = good;
  for (const std::uint8_t index : {std::uint8_t{0}, std::uint8_t{6}, std::uint8_t{255}})
    EXPECT_EQ(share_with(index, evidence), Error::holder_unknown);
  EXPECT_EQ(share_with(1, {}), Error::malformed_request);
  EXPECT_EQ(share_with(5, evidence), Error::malformed_request) << "an offline holder has no evidence";
  EXPECT_EQ(share_with(5, {}), Error::ok);
  EXPECT_EQ(share_with(1, evidence), Error::ok);
  EXPECT_EQ(share_with(2, evidence), Error::evidence_other_core);
}

TEST_F(Backup, AChallengeIsGoodUntilTheCoreRestartsAndForNobodyElse) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  TestHost& holder = *backup.holders[0];
  const Bytes32 challenge = peer_challenge(source);
  EXPECT_NE(challenge, peer_challenge(source));
  const Bytes evidence = encoded(make_evidence(holder, challenge));
  EXPECT_EQ(share_with(1, evidence), Error::ok);
  EXPECT_EQ(share_with(1, evidence), Error::ok);
  for (std::size_t bit = 0; bit < 256; bit += 7) {
    Bytes32 bent = challenge;
    bent[bit / 8] = static_cast<std::uint8_t>(bent[bit / 8] ^ 1u << bit % 8);
    EXPECT_EQ(share_with(1, encoded(make_evidence(holder, bent))), Error::peer_challenge_foreign) << bit;
  }
  EXPECT_EQ(share_with(1, encoded(make_evidence(holder, peer_challenge(holder)))), Error::peer_challenge_foreign);
  EXPECT_EQ(share_with(1, encoded(make_evidence(holder, Bytes32{}))), Error::peer_challenge_foreign);
  ASSERT_EQ(source.restart(false), Error::ok);
  EXPECT_EQ(share_with(1, evidence), Error::peer_challenge_foreign) << "before the first challenge of this start";
  peer_challenge(source);
  EXPECT_EQ(share_with(1, evidence), Error::peer_challenge_foreign);
  source.store.fail_random(true);
  EXPECT_EQ(source.call(Command::peer_challenge).error, Error::random_failed);
  EXPECT_EQ(source.call(Command::peer_challenge, Bytes(1)).error, Error::malformed_request);
}

TEST_F(Backup, EvidenceMustBeOfTheDeviceKeysAndCodeThatWereNamed) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const Evidence good = evidence_of(1);
  const auto refusal = [&](const std::function<void(Evidence&)>& bend) {
    Evidence bent = good;
    bend(bent);
    return share_with(1, encoded(bent));
  };
  ASSERT_EQ(refusal([](Evidence&) {}), Error::ok);
  EXPECT_EQ(refusal([](auto& e) { e.statement.core_id[3] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& e) { e.statement.identity_key[3] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& e) { e.statement.hpke_key[3] ^= 1; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& e) { e.statement.body = 3; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& e) { e.statement.protection = 0; }), Error::evidence_other_core);
  EXPECT_EQ(refusal([](auto& e) { e.statement.protection = 2; }), Error::evidence_other_core);
  // What no description names is signed all the same.
  EXPECT_EQ(refusal([](auto& e) { e.statement.epoch++; }), Error::evidence_signature_invalid);
  EXPECT_EQ(refusal([](auto& e) { e.statement.recovery_count++; }), Error::evidence_signature_invalid);
  EXPECT_EQ(refusal([](auto& e) { e.statement.root_key_version++; }), Error::evidence_signature_invalid);
  EXPECT_EQ(refusal([](auto& e) { e.statement.configuration_digest[0] ^= 1; }), Error::evidence_signature_invalid);
  EXPECT_EQ(refusal([](auto& e) { e.quoted = 0; }), Error::evidence_quotes_missing);
  EXPECT_EQ(refusal([](auto& e) { e.application = e.system; }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& e) { e.system = e.application; }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& e) { std::swap(e.system, e.application); }), Error::evidence_other_code);
  EXPECT_EQ(refusal([](auto& e) { std::swap(e.system.signature, e.application.signature); }),
            Error::evidence_signature_invalid);
  for (protocol::Quote Evidence::*quote : {&Evidence::application, &Evidence::system}) {
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).measurement[31] ^= 1; }), Error::evidence_other_code);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).signature[200] ^= 1; }), Error::evidence_signature_invalid);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).signature.fill(0xff); }), Error::evidence_signature_invalid);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).signature_size = 383; }), Error::evidence_other_key);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).modulus[0] &= 0x7f; }), Error::evidence_other_key);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).modulus[383] &= 0xfe; }), Error::evidence_other_key);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).modulus[100] ^= 1; }), Error::evidence_other_key);
    EXPECT_EQ(refusal([&](auto& e) { (e.*quote).exponent = 3; }), Error::evidence_other_key);
  }
}

TEST_F(Backup, RightCodeUnderAnotherKeyIsRefused) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  TestHost& holder = *backup.holders[0];
  // The holder's own core, whose quotes somebody else's key signs: what anybody can make in software.
  holder.store.quote_with(&device_quotes());
  ASSERT_EQ(holder.restart(false), Error::ok);
  EXPECT_EQ(share_with(1, encoded(evidence_of(1))), Error::evidence_other_key);
  // Of its quotes one by the right key.
  Evidence mixed = evidence_of(1);
  holder.store.quote_with(&holder_quotes());
  ASSERT_EQ(holder.restart(false), Error::ok);
  const Evidence good = make_evidence(holder, mixed.statement.challenge);
  mixed.application = good.application;
  EXPECT_EQ(share_with(1, encoded(mixed)), Error::evidence_other_key);
}

TEST_F(Backup, NoChangedByteOfEvidenceIsOverlooked) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const Bytes good = encoded(evidence_of(1));
  ASSERT_EQ(share_with(1, good), Error::ok);
  std::set<Error> seen;
  for (std::size_t i = 0; i < good.size(); i++) {
    Bytes bent = good;
    bent[i] ^= 0x10;
    const Error error = share_with(1, bent);
    ASSERT_NE(error, Error::ok) << i;
    seen.insert(error);
  }
  EXPECT_EQ(seen, (std::set{Error::malformed_request, Error::peer_challenge_foreign, Error::evidence_other_core,
                            Error::evidence_other_key, Error::evidence_other_code, Error::evidence_signature_invalid}));
  EXPECT_EQ(share_with(1, Bytes(good.begin(), good.end() - 1)), Error::malformed_request);
  EXPECT_EQ(share_with(1, join({good, Bytes(1)})), Error::malformed_request);
}

TEST_F(Backup, ASoftwareCoreHasNoQuotesToShow) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  Evidence evidence = evidence_of(2);
  EXPECT_EQ(evidence.quoted, 0);
  EXPECT_EQ(share_with(2, encoded(evidence)), Error::ok);
  const Evidence quoted = evidence_of(1);
  evidence.quoted = 1;
  evidence.application = quoted.application;
  evidence.system = quoted.system;
  EXPECT_EQ(share_with(2, encoded(evidence)), Error::evidence_quotes_missing);
}

TEST_F(Backup, AQuoteThatCannotBeMadeIsNamed) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  const Bytes evidence = encoded(evidence_of(1));
  source_quotes().fail = true;
  EXPECT_EQ(share_with(1, evidence), Error::quote_failed);
  source_quotes().fail = false;
  source_quotes().bend = [](protocol::Quote& quote) { quote.signature_size = 256; };
  EXPECT_EQ(share_with(1, evidence), Error::quote_failed);
}

TEST_F(Backup, AnOfflineHolderOpensWhatWasSentToItAndNobodyElseDoes) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  ASSERT_EQ(backup.send(5).error, Error::ok);
  const Bytes plain = backup.offline.open();
  protocol::ShareContents contents;
  ASSERT_TRUE(protocol::decode(plain, contents));
  EXPECT_EQ(contents.share.core_id, source.core().state().core_id);
  EXPECT_EQ(contents.share.index, 5);
  EXPECT_EQ(contents.share.threshold, 3);
  EXPECT_EQ(contents.share.generation, 1u);
  EXPECT_EQ(contents.share.operator_key, source.core().state().operator_key);
  EXPECT_EQ(contents.share.source_identity, source.core().state().identity_key);
  EXPECT_EQ(contents.share.description, base::sha256(backup.description));
  EXPECT_TRUE(contents.checkpoint.empty());
  const auto description = decoded<BackupDescription>(backup.description);
  EXPECT_EQ(contents.share.fence_key, description.fence_key);
  EXPECT_EQ(protocol::share_commitment(contents.share.core_id, 1, 5, contents.share.share),
            description.holders[4].commitment);
  const OwnedPackage good = backup.offline.package;
  backup.offline.package.package.sender_statement[0] ^= 1;
  EXPECT_TRUE(backup.offline.open().empty()) << "bound to the source's statement";
  backup.offline.package = good;
  backup.offline.package.package.recipient_statement[0] ^= 1;
  EXPECT_TRUE(backup.offline.open().empty());
  backup.offline.package = good;
  backup.offline.secret = OfflineHolder(91).secret;
  EXPECT_TRUE(backup.offline.open().empty());
}

TEST_F(Backup, TheEvidenceOfTheSourceIsOverTheHoldersChallenge) {
  ASSERT_EQ(backup.create(backup.order()), Error::ok);
  Bytes32 challenge{};
  challenge[5] = 77;
  const Bytes evidence = encoded(evidence_of(1));
  const Reply reply =
      source.ask(Command::backup_share, protocol::BackupShareRequest{backup.description, 1, challenge, evidence});
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::SharePackageReply>(reply.body);
  EXPECT_EQ(answer.evidence.statement.challenge, challenge);
  EXPECT_EQ(answer.evidence.statement.identity_key, source.core().state().identity_key);
  EXPECT_TRUE(source_quotes().verifies(
      protocol::attestation_report(protocol::QuoteKind::application, answer.evidence.statement),
      answer.evidence.application));
  EXPECT_TRUE(source_quotes().verifies(
      protocol::attestation_report(protocol::QuoteKind::system, answer.evidence.statement), answer.evidence.system));
  EXPECT_EQ(answer.package.sender_statement, base::sha256(encoded(answer.evidence.statement)));
  EXPECT_EQ(answer.package.recipient_statement,
            base::sha256(ByteView(evidence).first(protocol::kAttestationStatement)));
}

class Checkpoints : public Backup {
 protected:
  Checkpoints() { EXPECT_EQ(backup.create(backup.order()), Error::ok); }
  // Opened with the source's own key.
  void open(const Bytes& sealed, CheckpointContents& contents) {
    protocol::Checkpoint checkpoint;
    const State& state = source.core().state();
    ASSERT_EQ(read_checkpoint(sealed, state.core_id, state.backup_generation, checkpoint), Error::ok);
    ASSERT_EQ(open_checkpoint(source.store.port(), state.backup_key, sealed, checkpoint, contents), Error::ok);
  }
};

TEST_F(Checkpoints, SayWhoseTheyAreAndAreSignedByIt) {
  const std::size_t writes = source.store.writes();
  const Bytes bytes = backup.checkpoint();
  EXPECT_EQ(source.store.writes(), writes) << "none costs a write";
  const auto checkpoint = decoded<protocol::Checkpoint>(bytes);
  const auto status = source.status();
  EXPECT_EQ(checkpoint.header.core_id, status.core_id);
  EXPECT_EQ(checkpoint.header.generation, 1u);
  EXPECT_EQ(checkpoint.header.recovery_count, status.recovery_count);
  EXPECT_EQ(checkpoint.header.revision, status.revision);
  const Bytes before(bytes.begin(), bytes.end() - 64);
  const Bytes32 digest = base::sha256(join({base::view("community trusted core identity: "),
                                            base::view("community backup checkpoint"), base::sha256(before)}));
  const Port port = source.store.port();
  EXPECT_TRUE(port.secp256k1_verify(port.context, source.core().state().identity_key.data(), digest,
                                    checkpoint.signature.data()));
  EXPECT_EQ(source.call(Command::checkpoint, Bytes(1)).error, Error::malformed_request);
}

TEST_F(Checkpoints, HoldWhatACoreNeedsToGoOn) {
  ASSERT_EQ(rotate(source, 2), Error::ok);
  CheckpointContents contents;
  open(backup.checkpoint(), contents);
  const State& state = source.core().state();
  ASSERT_EQ(contents.root_key_count, 2);
  for (std::size_t i = 0; i < 2; i++) {
    EXPECT_EQ(contents.root_keys[i].version, state.root_keys[i].version);
    EXPECT_EQ(contents.root_keys[i].key, state.root_keys[i].key);
    EXPECT_EQ(contents.root_keys[i].records, state.root_keys[i].records);
  }
  EXPECT_EQ(contents.records_counted, 1);
  EXPECT_EQ(contents.epoch, state.epoch);
  EXPECT_EQ(contents.root, state.root);
  EXPECT_EQ(contents.configuration_sequence, 1u);
  EXPECT_EQ(contents.operator_key, state.operator_key);
  EXPECT_EQ(contents.fence_secret, state.fence_secret);
}

TEST_F(Checkpoints, WhatIsAllowedCountsAsSpent) {
  ASSERT_EQ(backup.world.sign(backup.world.good_transaction()).error, Error::ok);
  CheckpointContents contents;
  open(backup.checkpoint(), contents);
  ASSERT_EQ(contents.spent_count, 2);
  for (std::size_t i = 0; i < 2; i++) {
    const protocol::ChainConfig& chain = backup.world.configuration.chains[i];
    EXPECT_EQ(contents.spent[i].chain_id, chain.chain_id);
    EXPECT_EQ(contents.spent[i].executor, chain.executor_budget);
    EXPECT_EQ(contents.spent[i].sponsor, chain.sponsor_budget);
    EXPECT_TRUE(contents.spent[i].treasury.is_zero());
    EXPECT_LT(source.core().state().spent[i].executor, chain.executor_budget);
  }
  // A budget that was lowered below what is spent does not forget it.
  const Uint256 spent = source.core().state().spent[0].executor;
  ASSERT_GT(spent, Uint256(1));
  backup.world.configuration.sequence = 2;
  backup.world.configuration.chains[0].executor_budget = Uint256(1);
  backup.world.configuration.treasury_count = 1;
  backup.world.configuration.treasuries[0] = {kOtherChain, Uint256(5), Uint256(700)};
  ASSERT_EQ(source.configure(backup.world.configuration), Error::ok);
  open(backup.checkpoint(), contents);
  EXPECT_EQ(contents.spent[0].executor, spent);
  EXPECT_TRUE(contents.spent[0].treasury.is_zero());
  EXPECT_EQ(contents.spent[1].treasury, Uint256(700));
}

TEST_F(Checkpoints, OpenWithTheirKeyAloneAndNotWhenChanged) {
  const Bytes bytes = backup.checkpoint();
  const State& state = source.core().state();
  const Port port = source.store.port();
  std::set<Error> seen;
  for (std::size_t i = 0; i < bytes.size() - protocol::kCheckpointSignature; i++) {
    Bytes bent = bytes;
    bent[i] ^= 1;
    protocol::Checkpoint checkpoint;
    CheckpointContents contents;
    Error error = read_checkpoint(bent, state.core_id, 1, checkpoint);
    if (error == Error::ok) error = open_checkpoint(port, state.backup_key, bent, checkpoint, contents);
    ASSERT_NE(error, Error::ok) << i;
    seen.insert(error);
  }
  EXPECT_EQ(seen,
            (std::set{Error::checkpoint_malformed, Error::checkpoint_other_backup, Error::checkpoint_not_opened}));
  Bytes32 other = state.backup_key;
  other[0] ^= 1;
  protocol::Checkpoint checkpoint;
  CheckpointContents contents;
  ASSERT_EQ(read_checkpoint(bytes, state.core_id, 1, checkpoint), Error::ok);
  EXPECT_EQ(open_checkpoint(port, other, bytes, checkpoint, contents), Error::checkpoint_not_opened);
  EXPECT_EQ(read_checkpoint({}, state.core_id, 1, checkpoint), Error::checkpoint_malformed);
  EXPECT_EQ(read_checkpoint(Bytes(protocol::kMaxCheckpoint + 1), state.core_id, 1, checkpoint),
            Error::checkpoint_malformed);
}

TEST_F(Checkpoints, OfTheLargestStateFit) {
  State state = source.core().state();
  state.root_key_count = kMaxRootKeys;
  state.spent_count = protocol::kMaxChains;
  Bytes out(protocol::kMaxSealedRecord);
  ByteView sealed;
  ASSERT_EQ(seal_checkpoint(source.store.port(), state, {}, out, sealed), Error::ok);
  EXPECT_EQ(sealed.size(), 1'441u);
}

TEST_F(Checkpoints, NameNoSecretInTheClear) {
  const Bytes bytes = backup.checkpoint();
  const State& state = source.core().state();
  for (const Bytes32* secret : {&state.root_keys[0].key, &state.fence_secret, &state.backup_key, &state.hpke_secret,
                                &state.identity_secret, &state.channel_key})
    EXPECT_EQ(std::search(bytes.begin(), bytes.end(), secret->begin(), secret->end()), bytes.end());
}

}  // namespace
}  // namespace community::trusted::testing
