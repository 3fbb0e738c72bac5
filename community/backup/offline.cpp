// SPDX-License-Identifier: Apache-2.0
#include "community/backup/api/offline.hpp"

#include "community/attestation/api/document.hpp"
#include "community/core/secp256k1.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/process/crypto.hpp"

namespace community::backup {
namespace {

using protocol::SharePackage;
constexpr std::size_t kMaxKeyDocument = 1'024;

trusted::Port software_port() {
  trusted::Port port{};
  trusted::use_software_crypto(port);
  return port;
}

tl::unexpected<Error> broken(protocol::Error rule, std::string words) {
  return fail(ErrorCode::not_genuine, std::move(words), std::string(name(rule)));
}

bool verifies(const std::array<std::uint8_t, 64>& key, const Bytes32& digest,
              const std::array<std::uint8_t, 64>& signature) {
  Bytes point{4};
  core::append(point, key);
  const auto parsed = core::parse_public_key(point);
  Bytes32 r, s;
  base::copy(r, core::ByteView(signature).first(32));
  base::copy(s, core::ByteView(signature).subspan(32));
  return parsed && core::verify_secp256k1(*parsed, digest, r, s);
}

Bytes32 statement_digest(const protocol::AttestationStatement& statement) {
  std::array<std::uint8_t, protocol::kAttestationStatement> buffer;
  return base::sha256(protocol::encode(statement, buffer));
}

// The package as the source made it for this person, signed by the source over the statement that came with it.
Result<void> check_package(const protocol::BackupDescription& description, const Share& share,
                           const SharePackage& package) {
  const auto source = to_quote(share.sent.evidence);
  if (!source || package.sender_statement != statement_digest(source->statement) ||
      !verifies(description.source_identity,
                protocol::identity_digest(protocol::kShareKeep, protocol::package_digest(package)), package.signature))
    return broken(protocol::Error::package_signature_invalid, "the package is not by the core that was backed up");
  return {};
}

// The operator of the backup named this backup and this device.
Result<void> check_order(const OfflineRequest& request, const protocol::BackupDescription& description,
                         OfflineRelease& out) {
  if (!verifies(description.operator_key, protocol::operator_digest("restore", request.order.message),
                request.order.signature))
    return broken(protocol::Error::operator_signature_invalid, "the order is not signed by the backup's operator");
  if (!protocol::decode(request.order.message, out.order))
    return broken(protocol::Error::backup_order_malformed, "the order is no restore order");
  if (out.order.core_id != description.core_id || out.order.generation != description.generation ||
      out.order.description != base::sha256(request.share.description))
    return broken(protocol::Error::backup_description_wrong, "the order is for another backup");
  return {};
}

Result<protocol::AttestationStatement> check_device(const OfflineRequest& request, const PeerDescription& wanted) {
  const auto verdict = attestation::verify(request.quote, request.challenge, nullptr, nullptr);
  if (verdict.refusal)
    return fail(ErrorCode::not_genuine, verdict.refusal->message, std::string(name(verdict.refusal->code)));
  const PeerDescription shown = describe_peer(verdict.document);
  if (shown.core_id != wanted.core_id || shown.identity_key != wanted.identity_key ||
      shown.hpke_key != wanted.hpke_key || shown.body != wanted.body)
    return broken(protocol::Error::evidence_other_core, "the quote is not of the device that the order names");
  if (shown.attestation_key != wanted.attestation_key)
    return broken(protocol::Error::evidence_other_key, "the quote is by another key than the order names");
  if (shown.application != wanted.application || shown.system != wanted.system)
    return broken(protocol::Error::evidence_other_code, "the device runs other code than the order names");
  return verdict.document.statement;
}

Result<void> check_share(const protocol::BackupDescription& description, const Bytes32& digest,
                         const protocol::KeptShare& share, const protocol::HpkeKey& own) {
  if (share.core_id != description.core_id || share.generation != description.generation ||
      share.description != digest || share.index > description.holder_count)
    return broken(protocol::Error::share_other_backup, "the package holds a share of another backup");
  const protocol::CommittedHolder& holder = description.holders[share.index - 1u];
  if (holder.holder.is_core() || holder.holder.offline_key != own)
    return broken(protocol::Error::holder_unknown, "the share is not this key's");
  const Bytes32 commitment = protocol::share_commitment(share.core_id, share.generation, share.index, share.share);
  if (commitment != holder.commitment)
    return broken(protocol::Error::share_not_committed, "the share is not the one of the description");
  return {};
}

Result<Bytes> seal_to_device(const trusted::Port& port, const protocol::HpkeKey& device,
                             const Bytes32& device_statement, const protocol::ShareContents& contents) {
  base::Secret<protocol::kMaxSharePackage - hpke::kTag> buffer;
  const core::ByteView plain = protocol::encode(contents, buffer.bytes);
  SharePackage package;
  package.recipient_statement = device_statement;
  Bytes cipher(plain.size() + hpke::kTag);
  if (plain.empty() || !hpke::seal(port, device, protocol::package_info(protocol::kShareRelease, package), {}, plain,
                                   package.enc, cipher))
    return fail(ErrorCode::io, "the share could not be encrypted to the device");
  package.cipher = cipher;
  Bytes encoded(protocol::kMaxSharePackage + 512);
  encoded.resize(protocol::encode(package, encoded).size());
  return encoded;
}

}  // namespace

Result<OfflineKey> make_offline_key() {
  OfflineKey key;
  if (!hpke::make_key_pair(software_port(), key.secret, key.public_key))
    return fail(ErrorCode::io, "this machine has no randomness");
  return key;
}

std::string format_offline_secret(const OfflineKey& key) {
  return "{\n  \"format\": \"" + std::string(kOfflineSecretFormat) + "\",\n  \"publicKey\": \"" +
         core::to_plain_hex(key.public_key) + "\",\n  \"secretKey\": \"" + core::to_plain_hex(key.secret) + "\"\n}\n";
}

std::string format_offline_public(const protocol::HpkeKey& key) {
  return "{\n  \"format\": \"" + std::string(kOfflineKeyFormat) + "\",\n  \"publicKey\": \"" + core::to_plain_hex(key) +
         "\"\n}\n";
}

namespace {

tl::unexpected<Error> refuse(const attestation::Error& error) {
  return fail(ErrorCode::document, error.message, std::string(name(error.code)));
}

Result<OfflineKey> read_key(std::string_view text, std::string_view format, bool with_secret) {
  const auto value = attestation::read_document(text, kMaxKeyDocument);
  if (!value) return refuse(value.error());
  attestation::Members members = with_secret ? attestation::Members(*value, "key", {"format", "publicKey", "secretKey"})
                                             : attestation::Members(*value, "key", {"format", "publicKey"});
  if (!members.error() && members.text("format") != format)
    return fail(ErrorCode::document, "not " + std::string(format), "format_unknown");
  OfflineKey key;
  key.public_key = members.fixed<65>("publicKey");
  if (with_secret) key.secret = members.fixed<32>("secretKey");
  const trusted::Port port = software_port();
  if (!members.error() &&
      (key.public_key[0] != 4 || !port.p256_public_key_valid(port.context, key.public_key.data() + 1)))
    members.wrong("publicKey");
  if (members.error()) return refuse(*members.error());
  return key;
}

// What was encrypted to the public key opens with the secret one.
bool belong_together(const OfflineKey& key) {
  const trusted::Port port = software_port();
  const core::ByteView info = base::view("community offline key");
  std::array<std::uint8_t, 32> probe{}, opened{};
  std::array<std::uint8_t, 32 + hpke::kTag> cipher;
  protocol::HpkeKey enc;
  return hpke::seal(port, key.public_key, info, {}, probe, enc, cipher) &&
         hpke::open(port, key.secret, key.public_key, enc, info, {}, cipher, opened);
}

}  // namespace

Result<OfflineKey> parse_offline_secret(std::string_view text) {
  auto key = read_key(text, kOfflineSecretFormat, true);
  if (key && !belong_together(*key))
    return fail(ErrorCode::document, "key.secretKey is not of this public key", "document_member_wrong");
  return key;
}

Result<protocol::HpkeKey> parse_offline_public(std::string_view text) {
  const auto key = read_key(text, kOfflineKeyFormat, false);
  if (!key) return tl::unexpected(key.error());
  return key->public_key;
}

Result<OfflineRelease> release_offline(const OfflineKey& key, const OfflineRequest& request) {
  OfflineRelease out;
  SharePackage package;
  if (!protocol::decode(request.share.description, out.description))
    return broken(protocol::Error::backup_description_wrong, "the file holds no description of a backup");
  if (!protocol::decode(request.share.sent.package, package) || package.cipher.size() < hpke::kTag)
    return broken(protocol::Error::package_malformed, "the file holds no package");
  if (auto checked = check_package(out.description, request.share, package); !checked)
    return tl::unexpected(checked.error());
  if (auto checked = check_order(request, out.description, out); !checked) return tl::unexpected(checked.error());
  const auto device = check_device(request, out.order.device);
  if (!device) return tl::unexpected(device.error());

  const trusted::Port port = software_port();
  base::Secret<protocol::kMaxSharePackage> plain;
  const auto opened = base::MutableByteView(plain.bytes).first(package.cipher.size() - hpke::kTag);
  protocol::ShareContents contents;
  if (!hpke::open(port, key.secret, key.public_key, package.enc, protocol::package_info(protocol::kShareKeep, package),
                  {}, package.cipher, opened) ||
      !protocol::decode(core::ByteView(opened), contents))
    return fail(ErrorCode::not_opened, "the package is not for this key, or is damaged",
                std::string(name(protocol::Error::package_not_opened)));
  const Bytes32 digest = base::sha256(request.share.description);
  if (auto checked = check_share(out.description, digest, contents.share, key.public_key); !checked)
    return tl::unexpected(checked.error());
  contents.checkpoint = request.checkpoint;
  auto sealed = seal_to_device(port, device->hpke_key, statement_digest(*device), contents);
  if (!sealed) return tl::unexpected(sealed.error());
  out.index = contents.share.index;
  out.contribution = {out.index, {}, std::move(*sealed)};
  return out;
}

}  // namespace community::backup
