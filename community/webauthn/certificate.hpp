// SPDX-License-Identifier: Apache-2.0
// Certificates of authenticators, through OpenSSL: what section 8 of WebAuthn asks about them, and whether they lead to
// a trust root (RFC 5280).
#pragma once
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "community/core/cbor.hpp"
#include "community/webauthn/api/registration.hpp"

namespace community::webauthn {

using core::Bytes32;
using core::ByteView;
using P256Key = std::array<std::uint8_t, 64>;

struct FreeCertificate {
  void operator()(X509* p) const { X509_free(p); }
};

class Certificate {
 public:
  // One certificate and nothing behind it: certificate_malformed.
  static Result<Certificate> parse(ByteView der);

  X509* get() const { return x509_.get(); }
  // X.509 version 3 and basic constraints that say "no authority": certificate_version, certificate_of_authority.
  Result<void> check_end_entity() const;
  // The one value of a subject's attribute (NID of OpenSSL), UTF-8; empty when absent or there are several.
  std::string subject(int nid) const;
  bool has_subject() const;
  // Contents of an extension by its dotted OID; nothing when absent.
  std::optional<ByteView> extension(const char* oid) const;
  // id-fido-gen-ce-aaguid (section 8.2.1): where it is, it says this AAGUID and is not critical. certificate_aaguid.
  Result<void> check_aaguid(const std::array<std::uint8_t, 16>& aaguid) const;
  // Section 8.3.1: manufacturer, model and version of a TPM in the subject alternative name; certificate_names.
  Result<void> check_tpm_names() const;
  bool has_extended_key_usage(const char* oid) const;
  // x || y where the certificate's key is one of P-256.
  std::optional<P256Key> p256_key() const;
  // `algorithm` is a COSEAlgorithmIdentifier. attestation_algorithm_unsupported, attestation_algorithm_mismatch when
  // the key is of another kind or curve, attestation_signature_invalid.
  Result<void> verify(std::int64_t algorithm, ByteView message, ByteView signature) const;

 private:
  explicit Certificate(X509* x509) : x509_(x509) {}
  std::unique_ptr<X509, FreeCertificate> x509_;
};

// "x5c" of a statement: 1 to kMaxCertificates byte strings. attestation_statement_malformed, certificate_malformed.
Result<std::vector<Certificate>> parse_chain(const core::CborItem& x5c);

// Whether the first certificate leads to one of the policy's roots through the others: false where there are no roots,
// certificate_chain_untrusted where none is reached. trust_root_malformed.
Result<bool> check_chain(const std::vector<Certificate>& chain, const AttestationPolicy& policy);

// Digest that a COSE algorithm signs, nothing for those that are not taken (SHA-1 among them).
const EVP_MD* digest_of(std::int64_t algorithm);

}  // namespace community::webauthn
