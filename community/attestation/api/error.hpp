// SPDX-License-Identifier: Apache-2.0
// Why a document is not read and why a quote is not genuine. web/attestation refuses by the same names; the cases of
// tests/vectors/attestation hold both to it.
#pragma once
#include "community/core/rules.hpp"

namespace community::attestation {

#define COMMUNITY_ATTESTATION_ERRORS(X)                                           \
  X(document_too_large)                                                           \
  X(document_malformed) /* not the JSON of spec/attestation.md, section 3 */      \
  X(document_member_twice)                                                        \
  X(document_member_missing)                                                      \
  X(document_member_unknown)                                                      \
  X(document_member_wrong) /* another type, length or form, or an unknown word */ \
  X(format_unknown)                                                               \
  X(challenge_mismatch) /* an answer to another challenge, or an old one */       \
  X(protection_not_of_body)                                                       \
  X(quotes_and_key_apart)    /* quotes without a key or a key without quotes */   \
  X(quotes_missing)          /* a body in a TEE has quotes */                     \
  X(quotes_of_software_body) /* a software body has none */                       \
  X(attestation_key_not_rsa_3072)                                                 \
  X(attestation_key_exponent)                                                     \
  X(measurements_equal) /* one quote stands for both kinds */                     \
  X(application_signature_invalid)                                                \
  X(system_signature_invalid)

COMMUNITY_ERRORS(COMMUNITY_ATTESTATION_ERRORS)

}  // namespace community::attestation
