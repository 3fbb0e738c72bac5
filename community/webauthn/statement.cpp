// SPDX-License-Identifier: Apache-2.0
// Formats whose statement is a signature with or without certificates; those with structures of their own have files of
// their own.
#include "community/webauthn/statement.hpp"

#include <openssl/obj_mac.h>

#include "community/core/ecdsa.hpp"
#include "community/webauthn/der.hpp"
#include "trusted/base/sha2.hpp"

namespace community::webauthn {

namespace {

using Kind = core::CborItem::Kind;

constexpr std::int64_t kEs256 = -7;

// Section 8.2.1: who made the authenticator.
Result<void> check_packed_certificate(const Certificate& certificate, const core::AttestedCredential& credential) {
  if (const auto ok = certificate.check_end_entity(); !ok) return ok;
  const bool named = certificate.subject(NID_countryName).size() == 2 &&
                     !certificate.subject(NID_organizationName).empty() &&
                     certificate.subject(NID_organizationalUnitName) == "Authenticator Attestation" &&
                     !certificate.subject(NID_commonName).empty();
  if (!named) return fail(ErrorCode::certificate_subject);
  return certificate.check_aaguid(credential.aaguid);
}

Result<Attestation> verify_packed_self(const StatementInput& input) {
  Members members(input.statement);
  const std::int64_t algorithm = members.integer("alg");
  const ByteView encoded = members.bytes("sig");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  // The credential's key, of which only this algorithm is taken.
  if (algorithm != kEs256) return fail(ErrorCode::attestation_algorithm_mismatch);
  const auto signature = core::parse_der_signature(encoded);
  if (!signature || !core::verify_p256(input.credential.public_key, base::sha256(input.signed_data()), *signature))
    return fail(ErrorCode::attestation_signature_invalid);
  return Attestation{AttestationType::self, false};
}

}  // namespace

Bytes StatementInput::signed_data() const {
  Bytes data = core::to_bytes(auth_data);
  core::append(data, client_data_hash);
  return data;
}

const core::CborItem& Members::take(std::string_view name, Kind kind) {
  static const core::CborItem kNothing;
  const core::CborItem* item = statement_.find(name);
  if (item == nullptr || item->kind != kind) {
    if (wrong_.empty()) wrong_ = name;
    return kNothing;
  }
  taken_++;
  return *item;
}

std::int64_t Members::integer(std::string_view name) { return take(name, Kind::integer).number; }
ByteView Members::bytes(std::string_view name) { return take(name, Kind::bytes).bytes; }
std::string_view Members::text(std::string_view name) { return base::text(take(name, Kind::text).bytes); }
const core::CborItem& Members::array(std::string_view name) { return take(name, Kind::array); }

Result<void> Members::end() const {
  if (!wrong_.empty()) return fail(ErrorCode::attestation_statement_malformed, wrong_);
  // Keys and values alternate.
  if (statement_.items.size() != taken_ * 2) return fail(ErrorCode::attestation_statement_malformed, "more members");
  return {};
}

Result<Attestation> verify_none(const StatementInput& input) {
  if (const auto ok = Members(input.statement).end(); !ok) return tl::unexpected(ok.error());
  return Attestation{};
}

Result<Attestation> verify_packed(const StatementInput& input) {
  if (input.statement.find("x5c") == nullptr) return verify_packed_self(input);
  Members members(input.statement);
  const std::int64_t algorithm = members.integer("alg");
  const ByteView signature = members.bytes("sig");
  const core::CborItem& x5c = members.array("x5c");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  const auto chain = parse_chain(x5c);
  if (!chain) return tl::unexpected(chain.error());
  if (const auto ok = chain->front().verify(algorithm, input.signed_data(), signature); !ok)
    return tl::unexpected(ok.error());
  if (const auto ok = check_packed_certificate(chain->front(), input.credential); !ok)
    return tl::unexpected(ok.error());
  const auto trusted = check_chain(*chain, input.policy);
  if (!trusted) return tl::unexpected(trusted.error());
  return Attestation{AttestationType::basic, *trusted};
}

Result<Attestation> verify_fido_u2f(const StatementInput& input) {
  Members members(input.statement);
  const ByteView signature = members.bytes("sig");
  const core::CborItem& x5c = members.array("x5c");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  const auto chain = parse_chain(x5c);
  if (!chain) return tl::unexpected(chain.error());
  if (chain->size() != 1) return fail(ErrorCode::attestation_statement_malformed, "x5c");
  if (!chain->front().p256_key()) return fail(ErrorCode::certificate_key);
  // Section 8.6: 00 || rpIdHash || clientDataHash || credentialId || 04 || x || y.
  Bytes message{0};
  core::append(message, input.credential.rp_id_hash);
  core::append(message, input.client_data_hash);
  core::append(message, input.credential.credential_id);
  message.push_back(4);
  core::append(message, input.credential.public_key);
  if (const auto ok = chain->front().verify(kEs256, message, signature); !ok) return tl::unexpected(ok.error());
  const auto trusted = check_chain(*chain, input.policy);
  if (!trusted) return tl::unexpected(trusted.error());
  return Attestation{AttestationType::basic, *trusted};
}

Result<Attestation> verify_apple(const StatementInput& input) {
  Members members(input.statement);
  const core::CborItem& x5c = members.array("x5c");
  if (const auto ok = members.end(); !ok) return tl::unexpected(ok.error());
  const auto chain = parse_chain(x5c);
  if (!chain) return tl::unexpected(chain.error());
  // Section 8.8: SEQUENCE { [1] EXPLICIT OCTET STRING } holds the hash of what other formats sign.
  const auto extension = chain->front().extension("1.2.840.113635.100.8.2");
  const auto sequence = extension ? der_only(*extension, kDerSequence) : std::nullopt;
  const auto tagged = sequence ? der_only(*sequence, der_explicit(1)) : std::nullopt;
  const auto nonce = tagged ? der_only(*tagged, kDerOctets) : std::nullopt;
  if (!nonce || !base::equal(*nonce, base::sha256(input.signed_data()))) return fail(ErrorCode::apple_nonce);
  if (chain->front().p256_key() != input.credential.public_key) return fail(ErrorCode::certificate_key);
  const auto trusted = check_chain(*chain, input.policy);
  if (!trusted) return tl::unexpected(trusted.error());
  return Attestation{AttestationType::anon_ca, *trusted};
}

Result<Attestation> verify_statement(std::string_view format, const StatementInput& input) {
  struct Format {
    std::string_view name;
    Result<Attestation> (*verify)(const StatementInput&);
  };
  static constexpr Format kFormats[] = {{"none", verify_none},   {"packed", verify_packed},
                                        {"tpm", verify_tpm},     {"android-key", verify_android_key},
                                        {"apple", verify_apple}, {"fido-u2f", verify_fido_u2f}};
  for (const Format& known : kFormats)
    if (known.name == format) return known.verify(input);
  return fail(format == "android-safetynet" ? ErrorCode::attestation_format_retired
                                            : ErrorCode::attestation_format_unknown);
}

}  // namespace community::webauthn
