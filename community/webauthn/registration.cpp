// SPDX-License-Identifier: Apache-2.0
// The steps of section 7.1 in its order, as far as they need no memory of other ceremonies.
#include "community/webauthn/api/registration.hpp"

#include "community/core/ecdsa.hpp"
#include "community/webauthn/statement.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::webauthn {

namespace {

// What core refuses, in this module's words.
Result<core::AttestedCredential> read_credential(ByteView auth_data) {
  auto credential = core::parse_attested_credential(auth_data);
  if (credential) return std::move(*credential);
  const core::Error& error = credential.error();
  if (error.code == core::ErrorCode::webauthn_key_algorithm)
    return fail(ErrorCode::key_algorithm_unsupported, error.message);
  if (error.code == core::ErrorCode::webauthn_key_malformed) return fail(ErrorCode::key_malformed, error.message);
  return fail(ErrorCode::authenticator_data_malformed, error.text());
}

}  // namespace

bool Registration::user_verified() const { return (credential.flags & kUserVerified) != 0; }
bool Registration::backup_eligible() const { return (credential.flags & kBackupEligible) != 0; }
bool Registration::backed_up() const { return (credential.flags & kBackedUp) != 0; }

Result<Registration> verify_registration(const Ceremony& ceremony, const AttestationPolicy& policy,
                                         ByteView client_data_json, ByteView attestation_object) {
  // Steps 5 to 12.
  if (const auto ok = check_client_data(client_data_json, "webauthn.create", ceremony); !ok)
    return tl::unexpected(ok.error());
  // Steps 13 to 20. The rp id and the flags are at fixed places, so they are asked about before the key is.
  const auto object = core::parse_attestation_object(attestation_object);
  if (!object) return fail(ErrorCode::attestation_object_malformed, object.error().text());
  const ByteView auth_data = object->auth_data;
  if (auth_data.size() < 33) return fail(ErrorCode::authenticator_data_malformed);
  core::Bytes32 rp_id_hash;
  std::copy_n(auth_data.begin(), 32, rp_id_hash.begin());
  if (const auto ok = check_flags(rp_id_hash, auth_data[32], ceremony); !ok) return tl::unexpected(ok.error());
  Registration registration;
  auto credential = read_credential(auth_data);
  if (!credential) return tl::unexpected(credential.error());
  registration.credential = std::move(*credential);
  if (registration.credential.credential_id.empty()) return fail(ErrorCode::credential_id_empty);
  if (!core::is_p256_point(registration.credential.public_key)) return fail(ErrorCode::key_not_on_curve);
  // Steps 21 to 24.
  ByteView encoded = object->statement;
  const auto statement = core::cbor_take(encoded);
  if (!statement) return fail(ErrorCode::attestation_object_malformed, statement.error().text());
  const StatementInput input{*statement, auth_data, base::sha256(client_data_json), registration.credential, policy};
  const auto attestation = verify_statement(object->format, input);
  if (!attestation) return tl::unexpected(attestation.error());
  registration.type = attestation->type;
  registration.trusted = attestation->trusted;
  registration.format = object->format;
  return registration;
}

}  // namespace community::webauthn
