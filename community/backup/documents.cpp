// SPDX-License-Identifier: Apache-2.0
#include "community/backup/api/documents.hpp"

#include "community/attestation/api/document.hpp"
#include "community/core/secp256k1.hpp"
#include "trusted/protocol/frame.hpp"

namespace community::backup {
namespace {

using attestation::Members;
namespace json = core::json;

tl::unexpected<Error> refuse(const attestation::Error& error) {
  return fail(ErrorCode::document, error.message, std::string(name(error.code)));
}

// The members of one document, after its format was compared.
class Reader {
 public:
  Reader(std::string_view text, std::string_view format, std::initializer_list<std::string_view> names) {
    auto value = attestation::read_document(text, kMaxDocument);
    if (!value) {
      error_ = value.error();
      return;
    }
    value_ = std::move(*value);
    const json::value* said = value_.is_object() ? value_.get_object().if_contains("format") : nullptr;
    if (said != nullptr && said->is_string() && std::string_view(said->get_string()) != format) {
      error_ = attestation::Error{attestation::ErrorCode::format_unknown, "not " + std::string(format)};
      return;
    }
    members_.emplace(value_, "document", names);
    members_->text("format");
    error_ = members_->error();
  }

  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(std::string_view name) {
    return members_ ? members_->fixed<N>(name) : std::array<std::uint8_t, N>{};
  }
  Bytes hex(std::string_view name, std::size_t most, std::size_t least = 1) {
    return members_ ? members_->hex(name, least, most) : Bytes();
  }
  template <class T>
  T number(std::string_view name) {
    return members_ ? members_->number<T>(name) : T{};
  }
  // Null is nothing: no bytes.
  Bytes hex_or_null(std::string_view name, std::size_t most) {
    return members_ && !members_->is_null(name) ? members_->hex(name, 1, most) : Bytes();
  }
  bool has(std::string_view name) { return members_ && !members_->error() && !members_->is_null(name); }
  // Decodes a structure of the trusted core's protocol that owns all it holds.
  template <class Message>
  Message message(std::string_view name, std::size_t most) {
    const Bytes bytes = hex(name, most);
    Message message;
    if (members_ && !members_->error() && !protocol::decode(bytes, message)) members_->wrong(name);
    return message;
  }
  Members* members() { return members_ ? &*members_ : nullptr; }

  std::optional<attestation::Error> error() const { return error_ ? error_ : members_->error(); }

 private:
  json::value value_;
  std::optional<Members> members_;
  std::optional<attestation::Error> error_;
};

class Writer {
 public:
  explicit Writer(std::string_view format) { text("format", format); }
  // Of an object inside of a document.
  Writer() = default;
  Writer& text(std::string_view name, std::string_view value) { return raw(name, "\"" + std::string(value) + "\""); }
  Writer& hex(std::string_view name, core::ByteView bytes) { return text(name, core::to_plain_hex(bytes)); }
  Writer& hex_or_null(std::string_view name, core::ByteView bytes) {
    return bytes.empty() ? raw(name, "null") : hex(name, bytes);
  }
  template <class T>
  Writer& number(std::string_view name, T value) {
    std::array<std::uint8_t, sizeof(T)> bytes;
    base::store_be(bytes.data(), value);
    return hex(name, bytes);
  }
  Writer& raw(std::string_view name, std::string_view value) {
    text_.append(text_.size() > 1 ? ",\n  \"" : "\n  \"").append(name).append("\": ").append(value);
    return *this;
  }
  std::string done() { return text_ + "\n}\n"; }

 private:
  std::string text_ = "{";
};

template <class Message>
Bytes encode_message(const Message& message) {
  Bytes bytes(protocol::kMaxBackupDescription);
  bytes.resize(protocol::encode(message, bytes).size());
  return bytes;
}

// Bytes of an encoded package, or of evidence.
constexpr std::size_t kMaxPackage = 32 + 32 + 65 + 4 + protocol::kMaxSharePackage + 64;
constexpr std::size_t kCertificate = 16 + 4 + 64 + 64;

bool is_genuine(const keys::MadeBackup& made, const protocol::BackupDescription& description) {
  Bytes point{4};
  core::append(point, description.source_identity);
  const auto key = core::parse_public_key(point);
  if (!key) return false;
  Bytes32 r, s;
  base::copy(r, core::ByteView(made.signature).first(32));
  base::copy(s, core::ByteView(made.signature).subspan(32));
  return core::verify_secp256k1(*key, protocol::identity_digest(protocol::kBackupDescription, made.description), r, s);
}

}  // namespace

std::string Error::text() const {
  std::string all(name(code));
  for (const std::string* part : {&rule, &message})
    if (!part->empty()) all.append(": ").append(*part);
  return all;
}

tl::unexpected<Error> fail(const keys::Error& error) {
  const std::string_view rule = error.code == keys::ErrorCode::refused ? name(error.refusal) : name(error.code);
  return fail(ErrorCode::keys, error.message == rule ? std::string() : error.message, std::string(rule));
}

std::string format_peer(const PeerDescription& peer) {
  Writer out(kPeerFormat);
  out.hex("coreId", peer.core_id).hex("identityKey", peer.identity_key).hex("hpkeKey", peer.hpke_key);
  out.text("body", attestation::body_name(peer.body));
  for (const auto& [name, bytes] : {std::pair("attestationKey", &peer.attestation_key),
                                    std::pair("application", &peer.application), std::pair("system", &peer.system)})
    out.hex_or_null(name, peer.has_quotes() ? core::ByteView(*bytes) : core::ByteView());
  return out.done();
}

Result<PeerDescription> parse_peer(std::string_view text) {
  Reader in(text, kPeerFormat,
            {"format", "coreId", "identityKey", "hpkeKey", "body", "attestationKey", "application", "system"});
  PeerDescription peer;
  peer.core_id = in.fixed<16>("coreId");
  peer.identity_key = in.fixed<64>("identityKey");
  peer.hpke_key = in.fixed<65>("hpkeKey");
  if (Members* members = in.members()) {
    const std::string body = members->text("body");
    for (std::uint8_t number = 1; number <= 3; number++)
      if (attestation::body_name(number) == body) peer.body = number;
    if (peer.body == 0) members->wrong("body");
    for (const auto& [name, bytes] : {std::pair("attestationKey", &peer.attestation_key),
                                      std::pair("application", &peer.application), std::pair("system", &peer.system)}) {
      if (in.has(name)) *bytes = in.fixed<32>(name);
      if (in.has(name) != peer.has_quotes()) members->wrong(name);
    }
    // The protocol's own rules of a description: no part is zero, and one quote does not stand for both kinds.
    PeerDescription read;
    if (!members->error() && !protocol::decode(encode_message(peer), read)) members->wrong("application");
  }
  if (in.error()) return refuse(*in.error());
  return peer;
}

std::string format_backup(const keys::MadeBackup& backup) {
  return Writer(kBackupFormat).hex("description", backup.description).hex("signature", backup.signature).done();
}

Result<Backup> parse_backup(std::string_view text) {
  Reader in(text, kBackupFormat, {"format", "description", "signature"});
  Backup backup;
  backup.description = in.message<protocol::BackupDescription>("description", protocol::kMaxBackupDescription);
  backup.made.description = in.hex("description", protocol::kMaxBackupDescription);
  backup.made.signature = in.fixed<64>("signature");
  if (in.error()) return refuse(*in.error());
  if (!is_genuine(backup.made, backup.description))
    return fail(ErrorCode::not_genuine, "the signature is not that of the core it says made it",
                "description_signature_invalid");
  return backup;
}

std::string format_order(std::string_view format, const keys::SignedMessage& order) {
  return Writer(format).hex("order", order.message).hex("signature", order.signature).done();
}

Result<keys::SignedMessage> parse_order(std::string_view format, std::string_view text) {
  Reader in(text, format, {"format", "order", "signature"});
  keys::SignedMessage order;
  order.message = in.hex("order", protocol::kMaxBackupDescription);
  order.signature = in.fixed<64>("signature");
  if (in.error()) return refuse(*in.error());
  return order;
}

std::string format_share(const Share& share) {
  return Writer(kShareFormat)
      .hex("description", share.description)
      .hex("evidence", share.sent.evidence)
      .hex("package", share.sent.package)
      .done();
}

Result<Share> parse_share(std::string_view text) {
  Reader in(text, kShareFormat, {"format", "description", "evidence", "package"});
  Share share;
  share.description = in.hex("description", protocol::kMaxBackupDescription);
  share.sent.evidence = in.hex("evidence", protocol::kMaxEvidence);
  share.sent.package = in.hex("package", kMaxPackage);
  if (in.error()) return refuse(*in.error());
  return share;
}

std::string format_checkpoint(const CheckpointDocument& checkpoint) {
  Bytes certificate;
  if (checkpoint.certificate) certificate = encode_message(*checkpoint.certificate);
  return Writer(kCheckpointFormat)
      .hex("checkpoint", checkpoint.checkpoint)
      .hex_or_null("certificate", certificate)
      .done();
}

Result<CheckpointDocument> parse_checkpoint(std::string_view text) {
  Reader in(text, kCheckpointFormat, {"format", "checkpoint", "certificate"});
  CheckpointDocument document;
  document.checkpoint = in.hex("checkpoint", protocol::kMaxCheckpoint);
  if (in.has("certificate")) document.certificate = in.message<FenceCertificate>("certificate", kCertificate);
  if (in.members() != nullptr && !in.error() && !checkpoint_header(document.checkpoint))
    in.members()->wrong("checkpoint");
  if (in.error()) return refuse(*in.error());
  return document;
}

std::optional<protocol::CheckpointHeader> checkpoint_header(core::ByteView checkpoint) {
  protocol::Checkpoint decoded;
  if (!protocol::decode(checkpoint, decoded)) return std::nullopt;
  return decoded.header;
}

std::string format_release(const Release& release) {
  return Writer(kReleaseFormat)
      .hex("order", release.order.message)
      .hex("signature", release.order.signature)
      .hex("challenge", release.challenge)
      .hex("evidence", release.evidence)
      .done();
}

Result<Release> parse_release(std::string_view text) {
  Reader in(text, kReleaseFormat, {"format", "order", "signature", "challenge", "evidence"});
  Release release;
  release.order.message = in.hex("order", protocol::kMaxBackupDescription);
  release.order.signature = in.fixed<64>("signature");
  release.challenge = in.fixed<32>("challenge");
  release.evidence = in.hex("evidence", protocol::kMaxEvidence);
  if (in.error()) return refuse(*in.error());
  return release;
}

std::string format_contribution(const ShareContribution& contribution) {
  return Writer(kContributionFormat)
      .number("index", contribution.index)
      .hex_or_null("evidence", contribution.evidence)
      .hex("package", contribution.package)
      .done();
}

Result<ShareContribution> parse_contribution(std::string_view text) {
  Reader in(text, kContributionFormat, {"format", "index", "evidence", "package"});
  ShareContribution contribution;
  contribution.index = in.number<std::uint8_t>("index");
  contribution.evidence = in.hex_or_null("evidence", protocol::kMaxEvidence);
  contribution.package = in.hex("package", kMaxPackage);
  if (in.error()) return refuse(*in.error());
  return contribution;
}

std::string format_fence(const FenceCertificate& certificate) {
  return Writer(kFenceFormat).hex("certificate", encode_message(certificate)).done();
}

Result<FenceCertificate> parse_fence(std::string_view text) {
  Reader in(text, kFenceFormat, {"format", "certificate"});
  const auto certificate = in.message<FenceCertificate>("certificate", kCertificate);
  if (in.error()) return refuse(*in.error());
  return certificate;
}

std::string format_challenge(const Bytes32& challenge) {
  return Writer(kChallengeFormat).hex("challenge", challenge).done();
}

Result<Bytes32> parse_challenge(std::string_view text) {
  Reader in(text, kChallengeFormat, {"format", "challenge"});
  const auto challenge = in.fixed<32>("challenge");
  if (in.error()) return refuse(*in.error());
  return challenge;
}

std::string format_held(const std::vector<HeldShare>& shares) {
  std::string list = "[";
  for (const HeldShare& share : shares) {
    Writer one;
    one.number("generation", share.generation).number("index", share.index).hex("description", share.description);
    if (share.has_checkpoint) {
      one.number("recoveryCount", share.recovery_count).number("revision", share.revision);
    } else {
      one.raw("recoveryCount", "null").raw("revision", "null");
    }
    list += (list.size() > 1 ? "," : "") + one.done();
  }
  return Writer(kHeldFormat).raw("shares", list + "]").done();
}

Result<std::vector<HeldShare>> parse_held(std::string_view text) {
  Reader in(text, kHeldFormat, {"format", "shares"});
  std::vector<HeldShare> shares;
  if (Members* members = in.members())
    members->list("shares", kMaxListed, [&](const json::value& value) {
      Members one(value, "share", {"generation", "index", "description", "recoveryCount", "revision"});
      HeldShare share;
      share.generation = one.number<std::uint32_t>("generation");
      share.index = one.number<std::uint8_t>("index");
      share.description = one.fixed<32>("description");
      share.has_checkpoint = !one.error() && !one.is_null("revision");
      if (share.has_checkpoint) {
        share.recovery_count = one.number<std::uint32_t>("recoveryCount");
        share.revision = one.number<std::uint64_t>("revision");
      }
      members->take(one.error());
      shares.push_back(share);
    });
  if (in.error()) return refuse(*in.error());
  return shares;
}

// --- evidence and quotes ---------------------------------------------------------------------------------------------

namespace {

bool to_protocol(const attestation::AttestationKey& key, const attestation::MeasurementQuote& in,
                 protocol::Quote& out) {
  if (key.modulus.size() != out.modulus.size() || in.signature.size() != out.signature.size()) return false;
  out.measurement = in.measurement;
  base::copy(out.signature, in.signature);
  out.signature_size = static_cast<std::uint32_t>(in.signature.size());
  base::copy(out.modulus, key.modulus);
  out.exponent = key.exponent;
  return true;
}

attestation::MeasurementQuote to_document(const protocol::Quote& quote) {
  return {quote.measurement, core::to_bytes(core::ByteView(quote.signature).first(quote.signature_size))};
}

}  // namespace

PeerDescription describe_peer(const attestation::QuoteDocument& document) {
  PeerDescription peer;
  peer.core_id = document.statement.core_id;
  peer.identity_key = document.statement.identity_key;
  peer.hpke_key = document.statement.hpke_key;
  peer.body = document.statement.body;
  if (!document.quotes) return peer;
  peer.attestation_key = attestation::fingerprint(document.quotes->key);
  peer.application = document.quotes->application.measurement;
  peer.system = document.quotes->system.measurement;
  return peer;
}

std::optional<Bytes> to_evidence(const attestation::QuoteDocument& document) {
  const auto evidence = std::make_unique<protocol::Evidence>();
  evidence->statement = document.statement;
  if (document.quotes) {
    evidence->quoted = 1;
    if (!to_protocol(document.quotes->key, document.quotes->application, evidence->application) ||
        !to_protocol(document.quotes->key, document.quotes->system, evidence->system))
      return std::nullopt;
  }
  return encode_message(*evidence);
}

std::optional<attestation::QuoteDocument> to_quote(core::ByteView bytes) {
  const auto evidence = std::make_unique<protocol::Evidence>();
  if (!protocol::decode(bytes, *evidence)) return std::nullopt;
  attestation::QuoteDocument document;
  document.statement = evidence->statement;
  if (evidence->quoted == 0) return document;
  // One key made both; spec/backup.md, section 1 refuses others.
  if (evidence->application.modulus != evidence->system.modulus ||
      evidence->application.exponent != evidence->system.exponent)
    return std::nullopt;
  document.quotes = attestation::Quotes{{core::to_bytes(evidence->application.modulus), evidence->application.exponent},
                                        to_document(evidence->application),
                                        to_document(evidence->system)};
  return document;
}

}  // namespace community::backup
