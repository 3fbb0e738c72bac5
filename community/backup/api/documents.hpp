// SPDX-License-Identifier: Apache-2.0
// The documents of spec/backup.md, section 8: strict JSON as spec/attestation.md, section 3 has it, in which what cores
// sign or encrypt stands in its own encoding, in hexadecimal.
#pragma once
#include "community/attestation/api/quote.hpp"
#include "community/backup/api/error.hpp"
#include "community/keys/api/backup.hpp"

namespace community::backup {

using core::Bytes;
using core::Bytes32;
using keys::ShareContribution;
using protocol::FenceCertificate;
using protocol::PeerDescription;
using protocol::RecordId;

inline constexpr std::string_view kPeerFormat = "community-peer-1";
inline constexpr std::string_view kBackupFormat = "community-backup-1";
inline constexpr std::string_view kKeepOrderFormat = "community-keep-order-1";
inline constexpr std::string_view kRestoreOrderFormat = "community-restore-order-1";
inline constexpr std::string_view kShareFormat = "community-share-1";
inline constexpr std::string_view kCheckpointFormat = "community-checkpoint-1";
inline constexpr std::string_view kReleaseFormat = "community-release-1";
inline constexpr std::string_view kContributionFormat = "community-contribution-1";
inline constexpr std::string_view kFenceFormat = "community-fence-1";
inline constexpr std::string_view kChallengeFormat = "community-peer-challenge-1";
inline constexpr std::string_view kHeldFormat = "community-held-shares-1";
// Characters of any of them. The largest is a share: a description of 5,120 bytes, evidence of 2,048 and a package of
// 2,757 come to 20 kB in hexadecimal.
inline constexpr std::size_t kMaxDocument = 32'768;
// Shares that a node lists for one source.
inline constexpr std::size_t kMaxListed = 16;

// A core as an operator is shown it before signing an order that names it.
std::string format_peer(const PeerDescription& peer);
Result<PeerDescription> parse_peer(std::string_view text);

// A backup's description with the source's signature. All of it is public; a restore needs it.
struct Backup {
  keys::MadeBackup made;
  protocol::BackupDescription description;
};
std::string format_backup(const keys::MadeBackup& backup);
// not_genuine when the signature is not that of the source in the description.
Result<Backup> parse_backup(std::string_view text);

// A signed KeepOrder or RestoreOrder, by the document's format.
std::string format_order(std::string_view format, const keys::SignedMessage& order);
Result<keys::SignedMessage> parse_order(std::string_view format, std::string_view text);

// A share on its way to its holder, and what an offline holder keeps.
struct Share {
  Bytes description;
  keys::SentShare sent;
};
std::string format_share(const Share& share);
Result<Share> parse_share(std::string_view text);

struct CheckpointDocument {
  Bytes checkpoint;
  // Of a core that was restored or recovered.
  std::optional<FenceCertificate> certificate;
};
std::string format_checkpoint(const CheckpointDocument& checkpoint);
Result<CheckpointDocument> parse_checkpoint(std::string_view text);
// Core, generation, recovery count and revision of an encoded checkpoint.
std::optional<protocol::CheckpointHeader> checkpoint_header(core::ByteView checkpoint);

// What a restoring core shows a holder.
struct Release {
  keys::SignedMessage order;
  // Of the restoring core, for the holder's evidence.
  Bytes32 challenge{};
  // Of the restoring core, over a challenge of the holder.
  Bytes evidence;
};
std::string format_release(const Release& release);
Result<Release> parse_release(std::string_view text);

std::string format_contribution(const ShareContribution& contribution);
Result<ShareContribution> parse_contribution(std::string_view text);

std::string format_fence(const FenceCertificate& certificate);
Result<FenceCertificate> parse_fence(std::string_view text);

std::string format_challenge(const Bytes32& challenge);
Result<Bytes32> parse_challenge(std::string_view text);

// What a node tells of a share that it keeps: nothing of it is secret.
struct HeldShare {
  std::uint32_t generation = 0;
  std::uint8_t index = 0;
  // SHA-256 of the encoded description.
  Bytes32 description{};
  bool has_checkpoint = false;
  std::uint32_t recovery_count = 0;
  std::uint64_t revision = 0;
};
std::string format_held(const std::vector<HeldShare>& shares);
Result<std::vector<HeldShare>> parse_held(std::string_view text);

// --- evidence and quotes ---------------------------------------------------------------------------------------------

// The core that this quote is of, with the key and measurements that it shows. Whether they are the right ones is what
// the operator judges before naming it in an order.
PeerDescription describe_peer(const attestation::QuoteDocument& document);
// An encoded protocol::Evidence; nothing when the quotes are not by an RSA-3072 key.
std::optional<Bytes> to_evidence(const attestation::QuoteDocument& document);
// Nothing when the bytes are no evidence.
std::optional<attestation::QuoteDocument> to_quote(core::ByteView evidence);

}  // namespace community::backup
