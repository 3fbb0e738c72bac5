// SPDX-License-Identifier: Apache-2.0
// What a core says of itself when it is asked to attest, and the quote of its body that stands behind it. The quotes
// are those of OP-TEE's attestation PTA: RSASSA-PSS (RFC 8017, section 8.1) with SHA-256, MGF1-SHA-256 and a salt of 32
// bytes over SHA-256(report || measurement). spec/attestation.md says what they prove.
#pragma once
#include "trusted/protocol/sealed_message.hpp"

namespace community::protocol {

// The PTA neither signs which kind a quote is nor how long its nonce was. So each kind has its own domain, which the
// core hashes into the report, and a report is always 32 bytes.
enum class QuoteKind : std::uint8_t {
  // The body has no quotes: nobody but the core itself stands behind the statement.
  none = 0,
  // Read-only memory of the trusted application that answers (HASH_TA_MEMORY); only the application itself can ask for
  // it, so only this kind binds keys.
  application = 1,
  // Code and constants of the TEE core below it (HASH_TEE_MEMORY). The normal world may ask for it too.
  system = 2,
};

// RSA-3072: bytes of the modulus and of every signature.
inline constexpr std::size_t kQuoteKeyBytes = 384;

struct AttestationStatement {
  // Of whoever wants to know; random.
  Bytes32 challenge{};
  RecordId core_id{};
  // secp256k1, x || y: signs statements of this core. Made once, like the HPKE key.
  std::array<std::uint8_t, 64> identity_key{};
  HpkeKey hpke_key{};
  // SHA-256 of what the operator configured; zero before the first configuration.
  Bytes32 configuration_digest{};
  std::uint64_t epoch = 0;
  std::uint32_t recovery_count = 0;
  std::uint32_t root_key_version = 0;
  // Body and Protection: what the code was built for says, not the host.
  std::uint8_t body = 0;
  std::uint8_t protection = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(challenge).fixed(core_id).fixed(identity_key).fixed(hpke_key).fixed(configuration_digest);
    c.number(epoch).number(recovery_count).number(root_key_version).number(body).number(protection);
    if (body == 0 || body > 3 || protection > 2) c.fail();
  }
};

// Bytes of an encoded statement; it has no field of variable length.
inline constexpr std::size_t kAttestationStatement = 32 + 16 + 64 + 65 + 32 + 8 + 4 + 4 + 1 + 1;

struct Quote {
  // SHA-256 of the measured memory
  Bytes32 measurement{};
  // Big-endian, `signature_size` bytes of it; as long as the modulus for every key that is RSA-3072.
  std::array<std::uint8_t, kQuoteKeyBytes> signature{};
  std::uint32_t signature_size = 0;
  // The attestation key: modulus, big-endian, and public exponent.
  std::array<std::uint8_t, kQuoteKeyBytes> modulus{};
  std::uint32_t exponent = 0;
  template <class C>
  void fields(C& c) {
    ByteView view(signature.data(), signature_size <= kQuoteKeyBytes ? signature_size : 0);
    c.fixed(measurement).bytes(view, kQuoteKeyBytes).fixed(modulus).number(exponent);
    if constexpr (C::kReads) {
      base::copy(signature, view);
      signature_size = static_cast<std::uint32_t>(view.size());
    }
    if (signature_size == 0 || signature_size > kQuoteKeyBytes) c.fail();
  }
};

struct AttestRequest {
  Bytes32 challenge{};
  // QuoteKind::application or system
  std::uint8_t kind = 0;
  template <class C>
  void fields(C& c) {
    c.fixed(challenge).number(kind);
    if (kind != static_cast<std::uint8_t>(QuoteKind::application) &&
        kind != static_cast<std::uint8_t>(QuoteKind::system))
      c.fail();
  }
};

struct AttestReply {
  AttestationStatement statement;
  // QuoteKind: the one that was asked for, or none; then there is no quote.
  std::uint8_t kind = 0;
  Quote quote;
  template <class C>
  void fields(C& c) {
    statement.fields(c);
    c.number(kind);
    if (kind > static_cast<std::uint8_t>(QuoteKind::system)) c.fail();
    if (kind != static_cast<std::uint8_t>(QuoteKind::none)) quote.fields(c);
  }
};

inline constexpr std::string_view kApplicationDomain = "community attestation: application";
inline constexpr std::string_view kSystemDomain = "community attestation: system";

// What the body is asked to quote: SHA-256 of the kind's domain and the encoded statement.
inline Bytes32 attestation_report(QuoteKind kind, const AttestationStatement& statement) {
  std::array<std::uint8_t, kAttestationStatement> buffer;
  const ByteView encoded = encode(statement, buffer);
  const std::string_view domain = kind == QuoteKind::application ? kApplicationDomain : kSystemDomain;
  return base::sha256({base::view(domain), encoded});
}

}  // namespace community::protocol
