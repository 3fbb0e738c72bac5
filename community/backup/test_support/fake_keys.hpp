// SPDX-License-Identifier: Apache-2.0
// A core that answers from what a test put into it, and a backup that a software source could have made.
#pragma once
#include "community/backup/api/documents.hpp"
#include "community/backup/api/offline.hpp"
#include "community/core/secp256k1.hpp"
#include "community/infra/fake/random.hpp"
#include "community/keys/api/operator.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"

namespace community::backup {

using infra::Task;

class FakeKeys final : public keys::BackupKeys, public keys::ShareKeys, public keys::RootKeys {
 public:
  Task<keys::Result<Bytes32>> peer_challenge() override {
    co_await infra::reschedule();
    calls.push_back("peer_challenge");
    if (down) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    co_return Bytes32{7};
  }
  Task<keys::Result<Bytes>> evidence(Bytes32 challenge) override {
    attested = challenge;
    co_return own_evidence;
  }
  Task<keys::Result<keys::MadeBackup>> create_backup(keys::SignedMessage) override {
    co_return keys::refuse(protocol::Error::backup_order_malformed);
  }
  Task<keys::Result<keys::SentShare>> backup_share(Bytes, std::uint8_t index, Bytes32 challenge,
                                                   Bytes evidence) override {
    shared_index = index;
    shared_challenge = challenge;
    shared_evidence = std::move(evidence);
    co_return sent;
  }
  Task<keys::Result<Bytes>> checkpoint() override {
    if (core.backup_generation == 0) co_return keys::refuse(protocol::Error::backup_missing);
    checkpoints++;
    co_return checkpoint_of(core);
  }
  Task<keys::Result<FenceCertificate>> fence_certificate() override {
    if (core.recovery_count == 0) co_return keys::refuse(protocol::Error::fence_without_recovery);
    co_return FenceCertificate{core.core_id, core.recovery_count, {9}, {8}};
  }
  Task<keys::Result<void>> fence(FenceCertificate certificate) override {
    if (refusal) co_return keys::refuse(*refusal);
    fenced_by = certificate;
    co_return keys::Result<void>{};
  }

  Task<keys::Result<RecordId>> keep_share(keys::SignedMessage order, Bytes description, Bytes, Bytes) override {
    if (refusal) co_return keys::refuse(*refusal);
    keep_order = std::move(order);
    protocol::ShareDescribeReply share;
    share.share_id = {static_cast<std::uint8_t>(kept.size() + 1)};
    protocol::BackupDescription decoded;
    protocol::decode(description, decoded);
    share.core_id = decoded.core_id;
    share.generation = decoded.generation;
    share.index = 1;
    share.description = base::sha256(description);
    kept.push_back(share);
    co_return share.share_id;
  }
  Task<keys::Result<void>> keep_checkpoint(RecordId share, Bytes checkpoint,
                                           std::optional<FenceCertificate> certificate) override {
    if (refusal) co_return keys::refuse(*refusal);
    shown_certificate = certificate;
    const auto header = checkpoint_header(checkpoint);
    for (protocol::ShareDescribeReply& one : kept) {
      if (one.share_id != share || !header) continue;
      one.has_checkpoint = 1;
      one.recovery_count = header->recovery_count;
      one.revision = header->revision;
    }
    co_return keys::Result<void>{};
  }
  Task<keys::Result<std::vector<protocol::ShareDescribeReply>>> shares() override {
    if (hold) co_await hold->wait();
    co_return kept;
  }
  Task<keys::Result<keys::SentShare>> release_share(RecordId share, keys::SignedMessage, Bytes32 challenge,
                                                    Bytes) override {
    if (refusal) co_return keys::refuse(*refusal);
    released = share;
    released_challenge = challenge;
    co_return sent;
  }

  Task<keys::Result<keys::CoreStatus>> status() override {
    if (down) co_return keys::fail(keys::ErrorCode::unavailable, "away");
    co_return core;
  }
  Task<keys::Result<std::uint32_t>> rotate_root_key(Bytes, std::array<std::uint8_t, 64>) override { co_return 1u; }
  Task<keys::Result<void>> retire_root_key(Bytes, std::array<std::uint8_t, 64>) override {
    co_return keys::Result<void>{};
  }
  Task<keys::Result<keys::ResealProgress>> reseal_progress() override { co_return keys::ResealProgress{}; }

  static Bytes checkpoint_of(const keys::CoreStatus& core) {
    protocol::Checkpoint checkpoint;
    checkpoint.header = {core.core_id, core.backup_generation, core.recovery_count, core.revision};
    const Bytes cipher(64, 0xcc);
    checkpoint.cipher = cipher;
    Bytes out(protocol::kMaxCheckpoint);
    out.resize(protocol::encode(checkpoint, out).size());
    return out;
  }

  keys::CoreStatus core;
  bool down = false;
  std::optional<protocol::Error> refusal;
  std::vector<std::string> calls;
  std::size_t checkpoints = 0;
  Bytes own_evidence;
  keys::SentShare sent{{1}, {2}};
  Bytes32 attested{}, shared_challenge{}, released_challenge{};
  std::uint8_t shared_index = 0;
  Bytes shared_evidence;
  keys::SignedMessage keep_order;
  std::vector<protocol::ShareDescribeReply> kept;
  std::optional<FenceCertificate> fenced_by, shown_certificate;
  RecordId released{};
  // Holds every question about shares until it is set.
  infra::Event* hold = nullptr;
};

template <class Message>
Bytes encoded(const Message& message) {
  Bytes bytes(16'384);
  bytes.resize(protocol::encode(message, bytes).size());
  return bytes;
}

// Keys and a backup as a source of the process body would have made it, with one offline holder at index 2.
struct FakeSource {
  FakeSource() {
    trusted::use_software_crypto(port);
    offline = make_offline_key().value();
    description.core_id = {0xc0};
    description.generation = 3;
    description.threshold = 2;
    description.source_identity = identity.public_key();
    description.operator_key = op.public_key();
    description.fence_key = identity.public_key();
    description.holder_count = 3;
    for (std::uint8_t i = 0; i < 3; i++) {
      protocol::Holder& holder = description.holders[i].holder;
      holder.kind = 1;
      holder.peer = peer(static_cast<std::uint8_t>(0x10 + i));
      description.holders[i].commitment = {i};
    }
    description.holders[1].holder = {};
    description.holders[1].holder.kind = 2;
    description.holders[1].holder.offline_key = offline.public_key;
    share_bytes.fill(0x5a);
    description.holders[1].commitment =
        protocol::share_commitment(description.core_id, description.generation, 2, share_bytes);
  }

  static PeerDescription peer(std::uint8_t number) {
    PeerDescription peer;
    peer.core_id = {number};
    peer.identity_key = {number};
    peer.hpke_key = {4, number};
    peer.body = 1;
    return peer;
  }

  keys::MadeBackup made() const {
    keys::MadeBackup backup;
    backup.description = encoded(description);
    backup.signature = sign(protocol::kBackupDescription, backup.description);
    return backup;
  }

  std::array<std::uint8_t, 64> sign(std::string_view kind, core::ByteView message) const {
    const auto signature = core::sign_digest(identity.secret(), protocol::identity_digest(kind, message)).value();
    std::array<std::uint8_t, 64> out{};
    base::copy(out, signature.r);
    base::copy(base::MutableByteView(out).subspan(32), signature.s);
    return out;
  }

  // The package for the offline holder, as backup_share answers it.
  Share share() const {
    protocol::Evidence evidence;
    evidence.statement.core_id = description.core_id;
    evidence.statement.identity_key = description.source_identity;
    evidence.statement.body = 1;
    protocol::ShareContents contents;
    contents.share.core_id = description.core_id;
    contents.share.generation = description.generation;
    contents.share.threshold = description.threshold;
    contents.share.index = 2;
    contents.share.share = share_bytes;
    contents.share.operator_key = description.operator_key;
    contents.share.source_identity = description.source_identity;
    contents.share.fence_key = description.fence_key;
    contents.share.description = base::sha256(encoded(description));
    protocol::SharePackage package;
    package.sender_statement = base::sha256(encoded(evidence.statement));
    const Bytes plain = encoded(contents);
    Bytes cipher(plain.size() + hpke::kTag);
    hpke::seal(port, offline.public_key, protocol::package_info(protocol::kShareKeep, package), {}, plain, package.enc,
               cipher);
    package.cipher = cipher;
    package.signature = sign(protocol::kShareKeep, protocol::package_digest(package));
    return {encoded(description), {encoded(evidence), encoded(package)}};
  }

  infra::FakeRandom random{1};
  keys::Operator identity = keys::Operator::generate(random), op = keys::Operator::generate(random);
  trusted::Port port;
  OfflineKey offline;
  protocol::BackupDescription description;
  Bytes32 share_bytes{};
};

}  // namespace community::backup
