// SPDX-License-Identifier: Apache-2.0
// What a WebAuthn registration brings (WebAuthn level 3, section 6.5): attestation object, attested credential and its
// P-256 key. Assertions are checked by trusted/webauthn.
#pragma once
#include "community/core/cbor.hpp"

namespace community::core {

// Longest id that WebAuthn allows.
inline constexpr std::size_t kMaxCredentialIdBytes = 1023;
inline constexpr std::size_t kMaxAttestationBytes = 1u << 16;

struct AttestedCredential {
  Bytes32 rp_id_hash{};
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;
  std::array<std::uint8_t, 16> aaguid{};
  Bytes credential_id;
  // x || y of an ES256 key; whether it lies on the curve is for whoever verifies with it.
  std::array<std::uint8_t, 64> public_key{};
};

struct AttestationObject {
  std::string format;
  // Authenticator data as it was signed.
  Bytes auth_data;
  // Encoded attestation statement.
  Bytes statement;
};

// One CBOR map {fmt, attStmt, authData} to the end: cbor_*, webauthn_attestation.
Result<AttestationObject> parse_attestation_object(ByteView bytes);
// Authenticator data of a registration: flag AT set, the key, extensions only when flag ED says so, nothing after.
// webauthn_authenticator_data, webauthn_key_algorithm, webauthn_key_malformed, cbor_*.
Result<AttestedCredential> parse_attested_credential(ByteView auth_data);
// COSE_Key (RFC 9053) with the members that WebAuthn, section 6.5.1, asks for and no others: webauthn_key_algorithm
// when "alg" is not ES256, webauthn_key_malformed when it is missing or the key is no EC2 key on P-256.
Result<std::array<std::uint8_t, 64>> parse_cose_key(const CborItem& key);
// "SubjectPublicKeyInfo" of a P-256 key (RFC 5480), as getPublicKey() of a browser answers it: webauthn_key_algorithm.
Result<std::array<std::uint8_t, 64>> parse_p256_spki(ByteView der);

}  // namespace community::core
