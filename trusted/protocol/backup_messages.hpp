// SPDX-License-Identifier: Apache-2.0
// Messages of backup between trusted cores: who holds which share of a backup key, the evidence two cores show each
// other, checkpoints, restore and fence. spec/backup.md explains them; `source` is the core that is backed up.
#pragma once
#include "trusted/protocol/attestation.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::protocol {

// --- peers and their evidence ----------------------------------------------------------------------------------------

struct PeerChallengeReply {
  // For the challenge of a peer's statement; good until the core that gave it restarts.
  Bytes32 challenge{};
  template <class C>
  void fields(C& c) {
    c.fixed(challenge);
  }
};

// What an operator vouches for when he signs an order that names another core: the device, its keys, its code and who
// signs its quotes.
struct PeerDescription {
  RecordId core_id{};
  // secp256k1, x || y
  std::array<std::uint8_t, 64> identity_key{};
  HpkeKey hpke_key{};
  // SHA-256 of the attestation key's SubjectPublicKeyInfo in DER (spec/attestation.md, section 4), and the measurements
  // that its quotes must have. All three zero for the process body, which has no quotes, and none of them for others.
  Bytes32 attestation_key{};
  Bytes32 application{};
  Bytes32 system{};
  // Body
  std::uint8_t body = 0;
  bool has_quotes() const { return body != static_cast<std::uint8_t>(Body::process); }
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).fixed(identity_key).fixed(hpke_key).fixed(attestation_key).fixed(application).fixed(system);
    c.number(body);
    if (body == 0 || body > 3) c.fail();
    // One quote must not stand for both kinds.
    if (has_quotes() && application == system) c.fail();
    for (const Bytes32* part : {&attestation_key, &application, &system})
      if (base::is_zero(*part) == has_quotes()) c.fail();
  }
};

// What a core shows a peer: its statement over the peer's challenge and both quotes over that statement.
struct Evidence {
  AttestationStatement statement;
  // 1: the quotes follow. 0: the body has none.
  std::uint8_t quoted = 0;
  Quote application, system;
  template <class C>
  void fields(C& c) {
    statement.fields(c);
    c.number(quoted);
    if (quoted > 1) c.fail();
    if (quoted == 1) {
      application.fields(c);
      system.fields(c);
    }
  }
};

// An order of an operator; what it is for stands in the digest that is signed (operator_digest).
struct SignedBackupOrder {
  // An encoded BackupOrder, KeepOrder or RestoreOrder
  ByteView order;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(order, kMaxBackupDescription).fixed(signature);
  }
};

// --- the backup ------------------------------------------------------------------------------------------------------

enum class HolderKind : std::uint8_t {
  // Another trusted core.
  core = 1,
  // A person's key pair outside of any core, kept offline.
  offline = 2,
};

struct Holder {
  // HolderKind
  std::uint8_t kind = 0;
  // Of a core
  PeerDescription peer;
  // Of an offline holder: P-256
  HpkeKey offline_key{};
  bool is_core() const { return kind == static_cast<std::uint8_t>(HolderKind::core); }
  // What the holder's share is encrypted to.
  const HpkeKey& hpke_key() const { return is_core() ? peer.hpke_key : offline_key; }
  template <class C>
  void fields(C& c) {
    c.number(kind);
    if (is_core()) {
      peer.fields(c);
    } else if (kind == static_cast<std::uint8_t>(HolderKind::offline)) {
      c.fixed(offline_key);
    } else {
      c.fail();
    }
  }
};

// The operator signs it as "backup".
struct BackupOrder {
  RecordId core_id{};
  // The present generation plus one, the first being 1. Each has a backup key of its own.
  std::uint32_t generation = 0;
  // Shares that restore, of as many as there are holders.
  std::uint8_t threshold = 0;
  std::uint16_t holder_count = 0;
  // The share of holders[i] has index i + 1.
  std::array<Holder, kMaxHolders> holders{};
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(generation).number(threshold).list(holders, holder_count);
    if (generation == 0 || threshold < 2 || threshold > holder_count) c.fail();
  }
};

struct CommittedHolder {
  Holder holder;
  // share_commitment() of its share
  Bytes32 commitment{};
  template <class C>
  void fields(C& c) {
    holder.fields(c);
    c.fixed(commitment);
  }
};

// All of a backup that is public. Its SHA-256 names the backup in orders and kept shares.
struct BackupDescription {
  RecordId core_id{};
  std::uint32_t generation = 0;
  std::uint8_t threshold = 0;
  // Of the source when the backup was made; secp256k1, x || y, as the two that follow.
  std::array<std::uint8_t, 64> source_identity{};
  // Who orders a restore.
  std::array<std::uint8_t, 64> operator_key{};
  // Verifies fence certificates; the same in all generations.
  std::array<std::uint8_t, 64> fence_key{};
  std::uint16_t holder_count = 0;
  std::array<CommittedHolder, kMaxHolders> holders{};
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(generation).number(threshold);
    c.fixed(source_identity).fixed(operator_key).fixed(fence_key).list(holders, holder_count);
    if (generation == 0 || threshold < 2 || threshold > holder_count) c.fail();
  }
};

struct BackupCreateReply {
  // An encoded BackupDescription
  ByteView description;
  // Of the source's identity key over identity_digest(kBackupDescription, description)
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.bytes(description, kMaxBackupDescription).fixed(signature);
  }
};

// --- shares ----------------------------------------------------------------------------------------------------------

// A share with all that its holder must know to release it to the right core alone.
struct KeptShare {
  // Of the source
  RecordId core_id{};
  std::uint32_t generation = 0;
  std::uint8_t threshold = 0;
  // 1 to the number of holders
  std::uint8_t index = 0;
  Bytes32 share{};
  // As in the description
  std::array<std::uint8_t, 64> operator_key{};
  std::array<std::uint8_t, 64> source_identity{};
  std::array<std::uint8_t, 64> fence_key{};
  // SHA-256 of the encoded BackupDescription
  Bytes32 description{};

  KeptShare() = default;
  KeptShare(const KeptShare&) = delete;
  KeptShare& operator=(const KeptShare&) = delete;
  ~KeptShare() { base::wipe(share); }
  // By name, so that no copy of a secret is made by accident.
  void assign(const KeptShare& other) {
    core_id = other.core_id;
    generation = other.generation;
    threshold = other.threshold;
    index = other.index;
    share = other.share;
    operator_key = other.operator_key;
    source_identity = other.source_identity;
    fence_key = other.fence_key;
    description = other.description;
  }

  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(generation).number(threshold).number(index).fixed(share).fixed(operator_key);
    c.fixed(source_identity).fixed(fence_key).fixed(description);
    if (generation == 0 || index == 0 || index > kMaxHolders || threshold < 2 || threshold > kMaxHolders) c.fail();
  }
};

// Plain text of a package.
struct ShareContents {
  KeptShare share;
  // The newest that the holder was given; empty without one, and on the way to a holder.
  ByteView checkpoint;
  template <class C>
  void fields(C& c) {
    share.fields(c);
    c.bytes(checkpoint, kMaxCheckpoint);
  }
};

// A share on its way: HPKE to the recipient, bound to what each side attested, and signed, because base mode of HPKE
// does not say who sealed it.
struct SharePackage {
  // SHA-256 of the encoded statement in the sender's evidence; zero from an offline holder.
  Bytes32 sender_statement{};
  // SHA-256 of the encoded statement in the evidence that the recipient showed; zero for and from an offline holder.
  Bytes32 recipient_statement{};
  HpkeKey enc{};
  // Encrypted ShareContents and tag; the HPKE info is package_info()
  ByteView cipher;
  // Of the sender's identity key over identity_digest(purpose, package_digest()); zero from an offline holder.
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.fixed(sender_statement).fixed(recipient_statement).fixed(enc).bytes(cipher, kMaxSharePackage).fixed(signature);
  }
};

// Purposes of packages, and of what identity keys sign besides.
inline constexpr std::string_view kShareKeep = "community backup share to holder";
inline constexpr std::string_view kShareRelease = "community backup share to restoring core";
inline constexpr std::string_view kBackupDescription = "community backup description";
inline constexpr std::string_view kCheckpoint = "community backup checkpoint";
inline constexpr std::string_view kFenceCertificate = "community backup fence certificate";

// What an identity key signs (ECDSA secp256k1) of a message, by the message's kind.
inline Bytes32 identity_digest(std::string_view kind, ByteView message) {
  return base::sha256({base::view("community trusted core identity: "), base::view(kind), base::sha256(message)});
}

// The `info` of HPKE for a package: SHA-256(purpose || sender's statement || recipient's statement).
inline Bytes32 package_info(std::string_view purpose, const SharePackage& package) {
  return base::sha256({base::view(purpose), package.sender_statement, package.recipient_statement});
}

// What the sender signs of it: SHA-256(both statements || enc || SHA-256(cipher)), 32 bytes for identity_digest().
inline Bytes32 package_digest(const SharePackage& package) {
  return base::sha256(
      {package.sender_statement, package.recipient_statement, package.enc, base::sha256(package.cipher)});
}

// Names a share without revealing it: the share is 256 bits that nobody can guess.
inline Bytes32 share_commitment(const RecordId& core_id, std::uint32_t generation, std::uint8_t index,
                                const Bytes32& share) {
  std::array<std::uint8_t, 5> place{};
  base::store_be(place.data(), generation);
  place[4] = index;
  return base::sha256({base::view("community backup share commitment"), core_id, place, share});
}

struct BackupShareRequest {
  // As backup_create answered it
  ByteView description;
  // Of the holder, from 1
  std::uint8_t index = 0;
  // A core's peer_challenge; of an offline holder 32 random bytes of its own.
  Bytes32 challenge{};
  // The holder's Evidence for a challenge of this core; empty for an offline holder.
  ByteView evidence;
  template <class C>
  void fields(C& c) {
    c.bytes(description, kMaxBackupDescription).number(index).fixed(challenge).bytes(evidence, kMaxEvidence);
  }
};

// Answer of backup_share and share_release.
struct SharePackageReply {
  // Of the core that answers, over the challenge in the request.
  Evidence evidence;
  SharePackage package;
  template <class C>
  void fields(C& c) {
    evidence.fields(c);
    package.fields(c);
  }
};

// The holder's operator signs it as "keep share".
struct KeepOrder {
  // Of the holder
  RecordId core_id{};
  PeerDescription source;
  // No older one is taken.
  std::uint32_t generation = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(core_id);
    source.fields(c);
    c.number(generation);
  }
};

// The path leads to an empty leaf; the record will stand there.
struct ShareKeepRequest {
  TreePath path;
  SignedBackupOrder order;
  ByteView description;
  // The source's, for a challenge of this core
  ByteView evidence;
  SharePackage package;
  template <class C>
  void fields(C& c) {
    path.fields(c);
    order.fields(c);
    c.bytes(description, kMaxBackupDescription).bytes(evidence, kMaxEvidence);
    package.fields(c);
  }
};

struct ShareCommitted {
  RecordId share_id{};
  template <class C>
  void fields(C& c) {
    c.fixed(share_id);
  }
};

// Everything of a kept share that is not secret.
struct ShareDescribeReply {
  RecordId share_id{};
  // Of the source
  RecordId core_id{};
  std::uint32_t generation = 0;
  std::uint8_t threshold = 0;
  std::uint8_t index = 0;
  std::array<std::uint8_t, 64> operator_key{};
  std::array<std::uint8_t, 64> fence_key{};
  Bytes32 description{};
  // The device whose checkpoints are kept, by its identity key: the one the share came from, or a restored one that
  // showed its certificate. And its recovery count as its evidence or its certificate had it.
  std::array<std::uint8_t, 64> followed_identity{};
  std::uint32_t followed_recovery_count = 0;
  // 1: there is a checkpoint, of this recovery count and revision.
  std::uint8_t has_checkpoint = 0;
  std::uint32_t recovery_count = 0;
  std::uint64_t revision = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(share_id).fixed(core_id).number(generation).number(threshold).number(index).fixed(operator_key);
    c.fixed(fence_key).fixed(description).fixed(followed_identity).number(followed_recovery_count);
    c.number(has_checkpoint).number(recovery_count).number(revision);
    if (has_checkpoint > 1) c.fail();
  }
};

// --- checkpoints -----------------------------------------------------------------------------------------------------

inline constexpr std::array<std::uint8_t, 4> kCheckpointMagic{'C', 'N', 'B', '1'};

// What of a checkpoint can be read without the backup key. Checkpoints of one generation are ordered by recovery count,
// then revision.
struct CheckpointHeader {
  RecordId core_id{};
  std::uint32_t generation = 0;
  std::uint32_t recovery_count = 0;
  // Number of durable writes of the core's state.
  std::uint64_t revision = 0;
  template <class C>
  void fields(C& c) {
    std::array<std::uint8_t, 4> magic = kCheckpointMagic;
    c.fixed(magic).fixed(core_id).number(generation).number(recovery_count).number(revision);
    if (magic != kCheckpointMagic || generation == 0) c.fail();
  }
  bool is_newer_than(const CheckpointHeader& other) const {
    return recovery_count != other.recovery_count ? recovery_count > other.recovery_count : revision > other.revision;
  }
};

// Bytes of the header, which are the associated data, and of the signature at the end, which is over all before it:
// identity_digest(kCheckpoint, ...) by the source's identity key.
inline constexpr std::size_t kCheckpointHeader = 4 + 16 + 4 + 4 + 8;
inline constexpr std::size_t kCheckpointSignature = 64;

struct Checkpoint {
  CheckpointHeader header;
  std::array<std::uint8_t, 12> nonce{};
  // AES-256-GCM, cipher text and tag
  ByteView cipher;
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    header.fields(c);
    c.fixed(nonce).bytes(cipher, kMaxCheckpoint).fixed(signature);
  }
};

struct CheckpointReply {
  // An encoded Checkpoint
  ByteView checkpoint;
  template <class C>
  void fields(C& c) {
    c.bytes(checkpoint, kMaxCheckpoint);
  }
};

// --- fence -----------------------------------------------------------------------------------------------------------

// Says which device goes on as this core. Whoever else goes by this core id with a smaller count must stop.
struct FenceCertificate {
  RecordId core_id{};
  std::uint32_t recovery_count = 0;
  // Of the core that goes on
  std::array<std::uint8_t, 64> identity_key{};
  // Of the fence key over fence_digest()
  std::array<std::uint8_t, 64> signature{};
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(recovery_count).fixed(identity_key).fixed(signature);
  }
};

// SHA-256(domain || core id || u32 recovery count || identity key)
inline Bytes32 fence_digest(const FenceCertificate& certificate) {
  std::array<std::uint8_t, 4> count;
  base::store_be(count.data(), certificate.recovery_count);
  return base::sha256({base::view(kFenceCertificate), certificate.core_id, count, certificate.identity_key});
}

// The newest checkpoint into a kept share.
struct CheckpointKeepRequest {
  // Of the share's record
  RecordProof record;
  ByteView checkpoint;
  // 1: the certificate of the restored core that made the checkpoint follows.
  std::uint8_t has_certificate = 0;
  FenceCertificate certificate;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    c.bytes(checkpoint, kMaxCheckpoint).number(has_certificate);
    if (has_certificate > 1) c.fail();
    if (has_certificate == 1) certificate.fields(c);
  }
};

// --- restore ---------------------------------------------------------------------------------------------------------

// The operator of the backup signs it as "restore".
struct RestoreOrder {
  // Of the backup
  RecordId core_id{};
  std::uint32_t generation = 0;
  Bytes32 description{};
  // The new device, which must be empty.
  PeerDescription device;
  // Configurations up to this sequence are not taken by it.
  std::uint64_t configuration_floor = 0;
  // Nor are orders about generic keys.
  std::uint64_t order_floor = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(core_id).number(generation).fixed(description);
    device.fields(c);
    c.number(configuration_floor).number(order_floor);
    if (generation == 0) c.fail();
  }
};

struct ShareReleaseRequest {
  // Of the share's record
  RecordProof record;
  SignedBackupOrder order;
  // The restoring core's
  Bytes32 challenge{};
  // The restoring core's, for a challenge of this core
  ByteView evidence;
  template <class C>
  void fields(C& c) {
    record.fields(c);
    order.fields(c);
    c.fixed(challenge).bytes(evidence, kMaxEvidence);
  }
};

struct Contribution {
  // Of the holder, from 1
  std::uint8_t index = 0;
  // A core's, for a challenge of the restoring core; empty from an offline holder.
  ByteView evidence;
  // A core's as share_release answered it; an offline holder seals one of the same shape, kShareRelease being its
  // purpose.
  SharePackage package;
  template <class C>
  void fields(C& c) {
    c.number(index).bytes(evidence, kMaxEvidence);
    package.fields(c);
  }
};

struct RestoreRequest {
  SignedBackupOrder order;
  ByteView description;
  std::uint16_t contribution_count = 0;
  std::array<Contribution, kMaxHolders> contributions{};
  template <class C>
  void fields(C& c) {
    order.fields(c);
    c.bytes(description, kMaxBackupDescription).list(contributions, contribution_count);
  }
};

struct ContributionResult {
  std::uint8_t index = 0;
  // Error: why the share was not used, or its checkpoint (checkpoint_not_opened and the like); ok when both were good.
  std::uint16_t error = 0;
  template <class C>
  void fields(C& c) {
    c.number(index).number(error);
  }
};

struct RestoreReply {
  // Error: ok when the core is restored; too_few_shares or checkpoint_missing when nothing was changed.
  std::uint16_t result = 0;
  // Of the checkpoint that was taken
  std::uint64_t revision = 0;
  // In the order of the request
  std::uint16_t contribution_count = 0;
  std::array<ContributionResult, kMaxHolders> contributions{};
  template <class C>
  void fields(C& c) {
    c.number(result).number(revision).list(contributions, contribution_count);
  }
};

}  // namespace community::protocol
