// SPDX-License-Identifier: Apache-2.0
// Verification of a new passkey (WebAuthn level 3, section 7.1): is this the answer to our question, is it a P-256 key,
// and what does its maker say about the authenticator. Pure: the caller tells the time and keeps the result.
#pragma once
#include "community/core/webauthn.hpp"
#include "community/webauthn/api/ceremony.hpp"

namespace community::webauthn {

// What the attestation statement proves (section 6.5.4). Basic and attestation CA cannot be told apart where a format
// allows both; both are `basic` here.
#define COMMUNITY_ATTESTATION_TYPES(X)                                                        \
  X(none)    /* nothing about the authenticator */                                            \
  X(self)    /* the credential's key signed its own registration */                           \
  X(basic)   /* a key of the authenticator's maker or model: packed, fido-u2f, android-key */ \
  X(att_ca)  /* a certified key of a TPM */                                                   \
  X(anon_ca) /* a certificate made for this credential alone: apple */

COMMUNITY_RULES(AttestationType, COMMUNITY_ATTESTATION_TYPES)

struct AttestationPolicy {
  // DER of certificates that end a chain: roots, or others that are trusted themselves. Where there are none,
  // statements are checked but nobody vouches for their certificates; with them, a chain that leads to none is refused.
  // Whether a registration without certificates is good enough is for the caller, who reads Registration::type.
  std::vector<Bytes> trust_roots;
  // Seconds since 1970, for the certificates' validity.
  std::int64_t now_s = 0;
  // Section 8.4 asks an Android key's description for its origin and its purpose. The standard's own example (section
  // 16.14) has neither: this accepts where they are absent, never where they are wrong.
  bool android_description_may_be_empty = false;
};

struct Registration {
  core::AttestedCredential credential;
  AttestationType type = AttestationType::none;
  // Format of the statement: "none", "packed", "fido-u2f", "tpm", "android-key", "apple".
  std::string format;
  // The statement's certificates lead to one of the trust roots.
  bool trusted = false;

  bool user_verified() const;
  bool backup_eligible() const;
  bool backed_up() const;
};

// Most certificates in a statement, the authenticator's own first.
inline constexpr std::size_t kMaxCertificates = 8;

// `client_data_json` and `attestation_object` as the browser answers them. Errors of api/ceremony.hpp. That the
// credential's id is new is for the caller (step 26).
Result<Registration> verify_registration(const Ceremony& ceremony, const AttestationPolicy& policy,
                                         core::ByteView client_data_json, core::ByteView attestation_object);

}  // namespace community::webauthn
