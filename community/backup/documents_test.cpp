// SPDX-License-Identifier: Apache-2.0
// Documents are read as they were written and in no other form; offline holders release to the named device alone.
#include <gtest/gtest.h>

#include "community/backup/test_support/fake_keys.hpp"

namespace community::backup {
namespace {

PeerDescription quoted_peer() {
  PeerDescription peer = FakeSource::peer(1);
  peer.body = 2;
  peer.attestation_key.fill(0xa1);
  peer.application.fill(0xb2);
  peer.system.fill(0xc3);
  return peer;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(BackupDocuments, APeerIsReadAsItWasWritten) {
  for (const PeerDescription& peer : {quoted_peer(), FakeSource::peer(7)}) {
    const auto read = parse_peer(format_peer(peer));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(encoded(*read), encoded(peer));
  }
}

TEST(BackupDocuments, APeerWithOrWithoutQuotesAndNothingBetween) {
  const std::string text = format_peer(quoted_peer()), plain = format_peer(FakeSource::peer(7));
  const std::string zero(64, '0'), application = core::to_plain_hex(quoted_peer().application),
                                   system = core::to_plain_hex(quoted_peer().system);
  for (const std::string& bad : {replaced(text, "optee-qemu", "process"), replaced(plain, "process", "optee-device"),
                                 replaced(text, "optee-qemu", "sgx"), replaced(text, "\"" + application + "\"", "null"),
                                 replaced(text, application, zero), replaced(text, system, application)}) {
    const auto read = parse_peer(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, ErrorCode::document);
    EXPECT_EQ(read.error().rule, "document_member_wrong") << bad;
  }
}

TEST(BackupDocuments, RefusalsNameTheRuleOfTheDocument) {
  const std::string text = format_peer(quoted_peer());
  const std::pair<std::string, const char*> cases[] = {
      {text.substr(0, text.size() - 3), "document_malformed"},
      {replaced(text, "\"body\"", "\"Body\""), "document_member_missing"},
      {replaced(text, "{", "{\"more\": null,"), "document_member_unknown"},
      {replaced(text, "{", "{\"body\": \"process\","), "document_member_twice"},
      {replaced(text, "community-peer-1", "community-peer-2"), "format_unknown"},
      {replaced(text, "\"optee-qemu\"", "2"), "document_malformed"},
      {std::string(kMaxDocument + 1, ' '), "document_too_large"},
      {"[]", "document_member_wrong"},
  };
  for (const auto& [bad, rule] : cases) {
    const auto read = parse_peer(bad);
    ASSERT_FALSE(read) << bad.substr(0, 100);
    EXPECT_EQ(read.error().rule, rule) << bad.substr(0, 100);
  }
}

TEST(BackupDocuments, ABackupIsItsSourcesOwn) {
  const FakeSource source;
  const auto read = parse_backup(format_backup(source.made()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->made.description, encoded(source.description));
  EXPECT_EQ(read->description.generation, 3u);
  EXPECT_EQ(read->description.holders[1].holder.offline_key, source.offline.public_key);

  keys::MadeBackup other = source.made();
  other.signature[40] ^= 1;
  EXPECT_EQ(parse_backup(format_backup(other)).error().rule, "description_signature_invalid");
  other = source.made();
  other.description.back() ^= 1;
  EXPECT_EQ(parse_backup(format_backup(other)).error().code, ErrorCode::not_genuine);
  other.description.push_back(0);
  EXPECT_EQ(parse_backup(format_backup(other)).error().rule, "document_member_wrong");
}

TEST(BackupDocuments, TheOthersAreReadAsTheyWereWritten) {
  const FakeSource source;
  const keys::SignedMessage order{{1, 2, 3}, {9}};
  EXPECT_EQ(parse_order(kKeepOrderFormat, format_order(kKeepOrderFormat, order))->message, order.message);
  EXPECT_EQ(parse_order(kKeepOrderFormat, format_order(kRestoreOrderFormat, order)).error().rule, "format_unknown");
  const Share share = source.share();
  const auto read_share = parse_share(format_share(share));
  ASSERT_TRUE(read_share) << read_share.error().text();
  EXPECT_EQ(read_share->sent.package, share.sent.package);
  EXPECT_EQ(read_share->sent.evidence, share.sent.evidence);
  keys::CoreStatus core;
  core.core_id = {5};
  core.backup_generation = 2;
  core.revision = 77;
  for (const bool restored : {false, true}) {
    CheckpointDocument document{FakeKeys::checkpoint_of(core), std::nullopt};
    if (restored) document.certificate = FenceCertificate{{5}, 4, {6}, {7}};
    const auto read = parse_checkpoint(format_checkpoint(document));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->checkpoint, document.checkpoint);
    EXPECT_EQ(read->certificate.has_value(), restored);
    if (restored) {
      EXPECT_EQ(encoded(*read->certificate), encoded(*document.certificate));
    }
  }
  EXPECT_EQ(parse_checkpoint(format_checkpoint({{1, 2, 3}, std::nullopt})).error().rule, "document_member_wrong");
  const Release release{order, {8}, {4, 5}};
  const auto read_release = parse_release(format_release(release));
  ASSERT_TRUE(read_release);
  EXPECT_EQ(read_release->evidence, release.evidence);
  EXPECT_EQ(read_release->challenge, release.challenge);
  for (const Bytes& evidence : {Bytes(), Bytes{3}}) {
    const auto read = parse_contribution(format_contribution({4, evidence, {5}}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->index, 4u);
    EXPECT_EQ(read->evidence, evidence);
  }
  const auto held = parse_held(format_held({{3, 2, {1}, true, 4, 5}, {4, 1, {2}, false, 0, 0}}));
  ASSERT_TRUE(held) << held.error().text();
  ASSERT_EQ(held->size(), 2u);
  EXPECT_EQ((*held)[0].revision, 5u);
  EXPECT_FALSE((*held)[1].has_checkpoint);
  EXPECT_TRUE(parse_held(format_held({}))->empty());
  EXPECT_EQ(parse_challenge(format_challenge({3})).value(), Bytes32{3});
}

TEST(BackupDocuments, TheLargestShareFits) {
  FakeSource source;
  source.description.holder_count = 16;
  source.description.threshold = 16;
  Share share = source.share();
  share.description.resize(protocol::kMaxBackupDescription, 1);
  share.sent.evidence.resize(protocol::kMaxEvidence, 1);
  share.sent.package.resize(32 + 32 + 65 + 4 + protocol::kMaxSharePackage + 64, 1);
  const std::string text = format_share(share);
  EXPECT_LE(text.size(), kMaxDocument);
  EXPECT_TRUE(parse_share(text));
  share.sent.package.push_back(1);
  EXPECT_EQ(parse_share(format_share(share)).error().rule, "document_member_wrong");
}

// An order for a device of the process body, whose quote has no key behind it.
class OfflineHolder : public ::testing::Test {
 protected:
  OfflineHolder() {
    EXPECT_TRUE(hpke::make_key_pair(source_.port, device_secret_, device_.hpke_key));
    device_.core_id = {0xde};
    device_.identity_key = {0xef};
    device_.body = 1;
    request_.share = source_.share();
    request_.challenge.fill(0x77);
    order();
    quote();
  }
  void order() {
    protocol::RestoreOrder restore;
    restore.core_id = source_.description.core_id;
    restore.generation = source_.description.generation;
    restore.description = base::sha256(encoded(source_.description));
    restore.device = device_;
    request_.order = source_.op.sign(restore);
  }
  void quote() {
    attestation::QuoteDocument document;
    document.statement.challenge = request_.challenge;
    document.statement.core_id = device_.core_id;
    document.statement.identity_key = device_.identity_key;
    document.statement.hpke_key = device_.hpke_key;
    document.statement.body = 1;
    request_.quote = attestation::format_quote(document);
  }
  std::string refused() {
    const auto release = release_offline(key_ ? *key_ : source_.offline, request_);
    return release ? "released" : release.error().rule;
  }

  FakeSource source_;
  PeerDescription device_;
  Bytes32 device_secret_{};
  OfflineRequest request_;
  std::optional<OfflineKey> key_;
};

TEST_F(OfflineHolder, TheDeviceAloneOpensWhatIsReleased) {
  keys::CoreStatus core;
  core.backup_generation = 3;
  request_.checkpoint = FakeKeys::checkpoint_of(core);
  const auto release = release_offline(source_.offline, request_);
  ASSERT_TRUE(release) << release.error().text();
  EXPECT_EQ(release->index, 2u);
  EXPECT_TRUE(release->contribution.evidence.empty());
  protocol::SharePackage package;
  ASSERT_TRUE(protocol::decode(release->contribution.package, package));
  EXPECT_TRUE(base::is_zero(package.sender_statement));
  Bytes plain(package.cipher.size() - hpke::kTag);
  ASSERT_TRUE(hpke::open(source_.port, device_secret_, device_.hpke_key, package.enc,
                         protocol::package_info(protocol::kShareRelease, package), {}, package.cipher, plain));
  protocol::ShareContents contents;
  ASSERT_TRUE(protocol::decode(plain, contents));
  EXPECT_EQ(contents.share.share, source_.share_bytes);
  EXPECT_EQ(core::to_bytes(contents.checkpoint), request_.checkpoint);
}

TEST_F(OfflineHolder, AnOrderOfSomebodyElseIsNone) {
  const keys::Operator other = keys::Operator::generate(source_.random);
  protocol::RestoreOrder restore;
  ASSERT_TRUE(protocol::decode(request_.order.message, restore));
  request_.order = other.sign(restore);
  EXPECT_EQ(refused(), "operator_signature_invalid");
}

TEST_F(OfflineHolder, AnOrderForAnotherBackupIsNone) {
  protocol::RestoreOrder restore;
  ASSERT_TRUE(protocol::decode(request_.order.message, restore));
  for (int what = 0; what < 3; what++) {
    protocol::RestoreOrder other = restore;
    if (what == 0) other.generation++;
    if (what == 1) other.core_id[0]++;
    if (what == 2) other.description[0]++;
    request_.order = source_.op.sign(other);
    EXPECT_EQ(refused(), "backup_description_wrong") << what;
  }
}

TEST_F(OfflineHolder, ADeviceThatTheOrderDoesNotNameGetsNothing) {
  device_.identity_key[1] ^= 1;
  quote();
  EXPECT_EQ(refused(), "evidence_other_core");
  device_.identity_key[1] ^= 1;
  device_.body = 2;
  device_.attestation_key = {1};
  device_.application = {2};
  device_.system = {3};
  order();
  quote();
  EXPECT_EQ(refused(), "evidence_other_core") << "a software core does not stand for one with quotes";
}

TEST_F(OfflineHolder, AnAnswerToAnotherChallengeIsNone) {
  request_.challenge[0] ^= 1;
  EXPECT_EQ(refused(), "challenge_mismatch");
}

TEST_F(OfflineHolder, APackageThatWasTouchedOrIsAnothersIsNamed) {
  const Bytes good = request_.share.sent.package;
  for (const std::size_t at : {std::size_t{3}, std::size_t{100}, good.size() - 100, good.size() - 3}) {
    request_.share.sent.package = good;
    request_.share.sent.package[at] ^= 1;
    EXPECT_EQ(refused(), "package_signature_invalid") << at;
  }
  request_.share.sent.package = good;
  key_ = make_offline_key().value();
  EXPECT_EQ(refused(), "package_not_opened");
}

TEST_F(OfflineHolder, AShareThatIsNotTheCommittedOneIsNamed) {
  source_.share_bytes[5] ^= 1;
  request_.share = source_.share();
  EXPECT_EQ(refused(), "share_not_committed");
}

TEST(OfflineKeyFile, IsReadAsItWasWrittenAndOnlyWithItsOwnPublicKey) {
  const OfflineKey key = make_offline_key().value(), other = make_offline_key().value();
  const auto read = parse_offline_secret(format_offline_secret(key));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->secret, key.secret);
  EXPECT_EQ(parse_offline_public(format_offline_public(key.public_key)).value(), key.public_key);
  OfflineKey mixed = key;
  mixed.public_key = other.public_key;
  EXPECT_EQ(parse_offline_secret(format_offline_secret(mixed)).error().rule, "document_member_wrong");
  mixed.public_key[10] ^= 1;
  EXPECT_EQ(parse_offline_public(format_offline_public(mixed.public_key)).error().rule, "document_member_wrong");
  EXPECT_EQ(parse_offline_public(format_offline_secret(key)).error().rule, "document_member_unknown");
}

}  // namespace
}  // namespace community::backup
