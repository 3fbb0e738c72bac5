// SPDX-License-Identifier: Apache-2.0
// Why a document is not read and why a quote is not genuine: the names of community/attestation/api/error.hpp.

export type Refusal =
  | 'document_too_large'
  | 'document_malformed'
  | 'document_member_twice'
  | 'document_member_missing'
  | 'document_member_unknown'
  | 'document_member_wrong'
  | 'format_unknown'
  | 'challenge_mismatch'
  | 'protection_not_of_body'
  | 'quotes_and_key_apart'
  | 'quotes_missing'
  | 'quotes_of_software_body'
  | 'attestation_key_not_rsa_3072'
  | 'attestation_key_exponent'
  | 'measurements_equal'
  | 'application_signature_invalid'
  | 'system_signature_invalid'

/** The rule that was broken; the message says where, for a person. */
export class Refused extends Error {
  constructor(
    readonly refusal: Refusal,
    where = '',
  ) {
    super(where === '' ? refusal : `${refusal}: ${where}`)
    this.name = 'Refused'
  }
}
