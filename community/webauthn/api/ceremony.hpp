// SPDX-License-Identifier: Apache-2.0
// What a page's ceremony was asked for, and the checks of client data and authenticator data that registrations
// (WebAuthn level 3, section 7.1) and assertions (section 7.2) share.
#pragma once
#include "community/core/bytes.hpp"

namespace community::webauthn {

using core::Bytes;

#define COMMUNITY_WEBAUTHN_ERRORS(X)                                                 \
  X(client_data_malformed)                                                           \
  X(client_data_duplicate_member)                                                    \
  X(client_data_wrong_type)                                                          \
  X(challenge_mismatch)                                                              \
  X(origin_not_allowed)                                                              \
  X(cross_origin)                                                                    \
  X(top_origin)                                                                      \
  X(attestation_object_malformed)                                                    \
  X(authenticator_data_malformed)                                                    \
  X(rp_id_mismatch)                                                                  \
  X(user_not_present)                                                                \
  X(user_not_verified)                                                               \
  X(backed_up_but_not_eligible)                                                      \
  X(credential_id_empty)                                                             \
  X(key_algorithm_unsupported)                                                       \
  X(key_malformed)                                                                   \
  X(key_not_on_curve)                                                                \
  X(attestation_format_retired) /* android-safetynet: its service is switched off */ \
  X(attestation_format_unknown)                                                      \
  X(attestation_statement_malformed)                                                 \
  X(attestation_algorithm_unsupported)                                               \
  X(attestation_algorithm_mismatch)                                                  \
  X(attestation_signature_invalid)                                                   \
  X(certificate_malformed)                                                           \
  X(certificate_version)                                                             \
  X(certificate_subject)                                                             \
  X(certificate_of_authority)                                                        \
  X(certificate_aaguid)                                                              \
  X(certificate_key)                                                                 \
  X(certificate_names) /* subject alternative name of a TPM's certificate */         \
  X(certificate_usage) /* its extended key usage */                                  \
  X(certificate_chain_untrusted)                                                     \
  X(trust_root_malformed)                                                            \
  X(apple_nonce)                                                                     \
  X(tpm_version)                                                                     \
  X(tpm_public_area_malformed)                                                       \
  X(tpm_public_area_of_other_key)                                                    \
  X(tpm_certify_info_malformed)                                                      \
  X(tpm_extra_data)                                                                  \
  X(tpm_name)                                                                        \
  X(android_description_malformed)                                                   \
  X(android_challenge)                                                               \
  X(android_all_applications)                                                        \
  X(android_origin)                                                                  \
  X(android_purpose)

// Each error is the rule that was broken.
COMMUNITY_ERRORS(COMMUNITY_WEBAUTHN_ERRORS)

struct Ceremony {
  // Domain without a port, as in the page's request: "example.org".
  std::string rp_id;
  // Full origins, port included where it is not the scheme's own: "https://example.org:8443".
  std::vector<std::string> origins;
  // The bytes that the page was given, not their base64url.
  Bytes challenge;
  // Whether the page may stand in a frame of another origin.
  bool cross_origin_allowed = false;
  // Origins that the outermost page may have when client data names it (topOrigin); none may where this is empty.
  // Client data in a frame may leave it out, and then only `cross_origin_allowed` decides.
  std::vector<std::string> top_origins;
  // WebAuthn's userVerification "required".
  bool user_verification_required = true;
};

// Client data of a ceremony of `type`, "webauthn.create" or "webauthn.get": strict JSON without duplicates, type,
// challenge, origin, crossOrigin, topOrigin. Errors: the first seven.
Result<void> check_client_data(core::ByteView json, std::string_view type, const Ceremony& ceremony);

// Hash of the rp id and flags of authenticator data (section 6.1): user present, user verified if required, backed up
// only where eligible. rp_id_mismatch, user_not_present, user_not_verified, backed_up_but_not_eligible.
Result<void> check_flags(const core::Bytes32& rp_id_hash, std::uint8_t flags, const Ceremony& ceremony);

}  // namespace community::webauthn
