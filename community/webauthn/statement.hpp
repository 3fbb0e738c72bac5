// SPDX-License-Identifier: Apache-2.0
// Attestation statements (WebAuthn level 3, section 8), one function a format; `verify_statement` chooses.
#pragma once
#include "community/webauthn/certificate.hpp"

namespace community::webauthn {

// What every format signs about, and the statement itself.
struct StatementInput {
  const core::CborItem& statement;
  // As it was signed.
  ByteView auth_data;
  Bytes32 client_data_hash;
  const core::AttestedCredential& credential;
  const AttestationPolicy& policy;

  // authenticatorData || clientDataHash
  Bytes signed_data() const;
};

struct Attestation {
  AttestationType type = AttestationType::none;
  bool trusted = false;
};

// attestation_format_retired, attestation_format_unknown, and the errors of the formats.
Result<Attestation> verify_statement(std::string_view format, const StatementInput& input);

// Sections 8.2 to 8.8.
Result<Attestation> verify_none(const StatementInput& input);
Result<Attestation> verify_packed(const StatementInput& input);
Result<Attestation> verify_tpm(const StatementInput& input);
Result<Attestation> verify_android_key(const StatementInput& input);
Result<Attestation> verify_fido_u2f(const StatementInput& input);
Result<Attestation> verify_apple(const StatementInput& input);

// The statement's members by name; the first that is missing or of another kind is the error.
class Members {
 public:
  explicit Members(const core::CborItem& statement) : statement_(statement) {}

  std::int64_t integer(std::string_view name);
  ByteView bytes(std::string_view name);
  std::string_view text(std::string_view name);
  const core::CborItem& array(std::string_view name);
  // All went well, and the statement has no member but the ones that were read: attestation_statement_malformed.
  Result<void> end() const;

 private:
  const core::CborItem& take(std::string_view name, core::CborItem::Kind kind);

  const core::CborItem& statement_;
  std::size_t taken_ = 0;
  std::string wrong_;
};

}  // namespace community::webauthn
