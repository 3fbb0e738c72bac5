// SPDX-License-Identifier: Apache-2.0
// How a core judges another one, and how shares travel between them.
#include "trusted/base/shamir.hpp"
#include "trusted/core/backup.hpp"
#include "trusted/hpke/hpke.hpp"
#include "trusted/port/self_test.hpp"

namespace community::trusted {

using protocol::AttestationStatement;
using protocol::Evidence;
using protocol::PeerDescription;
using protocol::Quote;
using protocol::QuoteKind;
using protocol::SharePackage;

namespace {

constexpr std::size_t kNonceBytes = 16;
constexpr std::uint32_t kExponent = 65'537;
// A SubjectPublicKeyInfo of rsaEncryption (RFC 3279, section 2.3.1) around a modulus of 3,072 bits, which begins with a
// zero byte because its highest bit is set, and the exponent 65537.
constexpr std::array<std::uint8_t, 33> kKeyInfoHead{0x30, 0x82, 0x01, 0xa2, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                                    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01,
                                                    0x8f, 0x00, 0x30, 0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81, 0x00};
constexpr std::array<std::uint8_t, 5> kKeyInfoTail{0x02, 0x03, 0x01, 0x00, 0x01};

// What the code of a body may say of its protection (spec/attestation.md, section 6).
bool is_protection_of(std::uint8_t body, std::uint8_t protection) {
  const auto is = [&](protocol::Protection one) { return protection == static_cast<std::uint8_t>(one); };
  switch (static_cast<protocol::Body>(body)) {
    case protocol::Body::process:
      return is(protocol::Protection::none);
    case protocol::Body::optee_qemu:
      return is(protocol::Protection::emulated);
    case protocol::Body::optee_device:
      return is(protocol::Protection::emulated) || is(protocol::Protection::hardware);
  }
  return false;
}

bool is_key_of(const Quote& quote, const Bytes32& fingerprint) {
  const bool rsa_3072 = (quote.modulus.front() & 0x80) != 0 && (quote.modulus.back() & 1) != 0 &&
                        quote.signature_size == protocol::kQuoteKeyBytes && quote.exponent == kExponent;
  return rsa_3072 && attestation_key_fingerprint(quote.modulus) == fingerprint;
}

bool quote_verifies(const Port& port, QuoteKind kind, const AttestationStatement& statement, const Quote& quote) {
  const Bytes32 digest = base::sha256({protocol::attestation_report(kind, statement), quote.measurement});
  return rsa_self_test_passes(port) &&
         port.rsa_pss_verify(port.context, quote.modulus.data(), digest, quote.signature.data());
}

}  // namespace

void PeerChallenges::mac(const Bytes32& challenge, Bytes32& out) const {
  out = base::hmac_sha256(secret_,
                          {base::view("community backup peer challenge"), ByteView(challenge).first(kNonceBytes)});
}

Error PeerChallenges::make(const Port& port, Bytes32& challenge) {
  if (!started_ && !port.random(port.context, secret_.bytes)) return Error::random_failed;
  started_ = true;
  if (!port.random(port.context, MutableByteView(challenge).first(kNonceBytes))) return Error::random_failed;
  base::Secret<32> tag;
  mac(challenge, tag.bytes);
  base::copy(MutableByteView(challenge).subspan(kNonceBytes), ByteView(tag).first(challenge.size() - kNonceBytes));
  return Error::ok;
}

bool PeerChallenges::is_ours(const Bytes32& challenge) const {
  base::Secret<32> tag;
  mac(challenge, tag.bytes);
  return started_ && base::equal_constant_time(ByteView(challenge).subspan(kNonceBytes),
                                               ByteView(tag).first(challenge.size() - kNonceBytes));
}

Bytes32 attestation_key_fingerprint(const std::array<std::uint8_t, protocol::kQuoteKeyBytes>& modulus) {
  return base::sha256({kKeyInfoHead, modulus, kKeyInfoTail});
}

Error check_evidence(const Port& port, const PeerChallenges& challenges, const PeerDescription& peer,
                     const Evidence& evidence) {
  const AttestationStatement& statement = evidence.statement;
  if (!challenges.is_ours(statement.challenge)) return Error::peer_challenge_foreign;
  if (statement.core_id != peer.core_id || statement.identity_key != peer.identity_key ||
      statement.hpke_key != peer.hpke_key || statement.body != peer.body ||
      !is_protection_of(statement.body, statement.protection))
    return Error::evidence_other_core;
  if ((evidence.quoted == 1) != peer.has_quotes()) return Error::evidence_quotes_missing;
  if (!peer.has_quotes()) return Error::ok;
  if (!is_key_of(evidence.application, peer.attestation_key) || !is_key_of(evidence.system, peer.attestation_key))
    return Error::evidence_other_key;
  if (evidence.application.measurement != peer.application || evidence.system.measurement != peer.system)
    return Error::evidence_other_code;
  const bool genuine = quote_verifies(port, QuoteKind::application, statement, evidence.application) &&
                       quote_verifies(port, QuoteKind::system, statement, evidence.system);
  return genuine ? Error::ok : Error::evidence_signature_invalid;
}

Bytes32 statement_digest(const AttestationStatement& statement) {
  std::array<std::uint8_t, protocol::kAttestationStatement> buffer;
  return base::sha256(protocol::encode(statement, buffer));
}

Error sign_as_identity(const Port& port, const State& state, std::string_view kind, ByteView message,
                       std::array<std::uint8_t, 64>& signature) {
  std::array<std::uint8_t, 65> recoverable{};
  const Bytes32 digest = protocol::identity_digest(kind, message);
  if (!port.secp256k1_sign(port.context, state.identity_secret, digest, recoverable.data()))
    return Error::crypto_failed;
  base::copy(signature, ByteView(recoverable).first(64));
  return Error::ok;
}

bool identity_verifies(const Port& port, const std::array<std::uint8_t, 64>& identity_key, std::string_view kind,
                       ByteView message, const std::array<std::uint8_t, 64>& signature) {
  const Bytes32 digest = protocol::identity_digest(kind, message);
  return port.secp256k1_verify(port.context, identity_key.data(), digest, signature.data());
}

bool is_hpke_key(const Port& port, const protocol::HpkeKey& key) {
  return key[0] == 4 && port.p256_public_key_valid(port.context, key.data() + 1);
}

Error seal_package(const Port& port, const State& state, std::string_view purpose, const protocol::HpkeKey& recipient,
                   const protocol::ShareContents& contents,
                   std::array<std::uint8_t, protocol::kMaxSharePackage>& cipher, SharePackage& package) {
  base::Secret<protocol::kMaxSharePackage - hpke::kTag> buffer;
  const ByteView plain = protocol::encode(contents, buffer.bytes);
  if (plain.empty()) return Error::package_malformed;
  const MutableByteView out = MutableByteView(cipher).first(plain.size() + hpke::kTag);
  if (!hpke::seal(port, recipient, protocol::package_info(purpose, package), {}, plain, package.enc, out))
    return Error::crypto_failed;
  package.cipher = out;
  return sign_as_identity(port, state, purpose, protocol::package_digest(package), package.signature);
}

Error check_package(const Port& port, std::string_view purpose, const std::array<std::uint8_t, 64>& sender,
                    const AttestationStatement& statement, const SharePackage& package) {
  if (package.sender_statement != statement_digest(statement)) return Error::package_signature_invalid;
  const bool good = identity_verifies(port, sender, purpose, protocol::package_digest(package), package.signature);
  return good ? Error::ok : Error::package_signature_invalid;
}

Error open_package(const Port& port, const State& state, std::string_view purpose, const SharePackage& package,
                   base::Secret<protocol::kMaxSharePackage>& plain, protocol::ShareContents& contents) {
  if (package.cipher.size() < hpke::kTag) return Error::package_not_opened;
  const MutableByteView out = MutableByteView(plain.bytes).first(package.cipher.size() - hpke::kTag);
  if (!hpke::open(port, state.hpke_secret, state.hpke_key, package.enc, protocol::package_info(purpose, package), {},
                  package.cipher, out))
    return Error::package_not_opened;
  return protocol::decode(ByteView(out), contents) ? Error::ok : Error::package_malformed;
}

void make_share(const State& state, std::uint8_t threshold, std::uint8_t index, Bytes32& share) {
  base::Secret<(protocol::kMaxHolders - 1) * 32> coefficients;
  const MutableByteView used = MutableByteView(coefficients.bytes).first((threshold - 1u) * 32u);
  constexpr std::string_view kDomain = "community backup share coefficients";
  std::array<std::uint8_t, kDomain.size() + 5> info{};
  base::copy(info, base::view(kDomain));
  base::store_be(info.data() + kDomain.size(), state.backup_generation);
  info.back() = threshold;
  base::hkdf<base::Sha256>(state.backup_key, state.core_id, info, used);
  base::shamir_share(state.backup_key, used, index, share);
}

Error check_share(const protocol::BackupDescription& description, const Bytes32& digest,
                  const protocol::KeptShare& share) {
  if (share.core_id != description.core_id || share.generation != description.generation ||
      share.threshold != description.threshold || share.description != digest ||
      share.index > description.holder_count || share.operator_key != description.operator_key ||
      share.source_identity != description.source_identity || share.fence_key != description.fence_key)
    return Error::share_other_backup;
  const Bytes32 commitment = protocol::share_commitment(share.core_id, share.generation, share.index, share.share);
  return commitment == description.holders[share.index - 1u].commitment ? Error::ok : Error::share_not_committed;
}

}  // namespace community::trusted
