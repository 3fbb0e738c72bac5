// SPDX-License-Identifier: Apache-2.0
// QUOTE.json (spec/attestation.md, section 3): a core's statement with the quotes of its body, as a node answers it.
#pragma once
#include <optional>
#include <string>

#include "community/attestation/api/error.hpp"
#include "community/core/bytes.hpp"
#include "trusted/protocol/attestation.hpp"

namespace community::attestation {

using core::Bytes;
using core::Bytes32;

inline constexpr std::string_view kQuoteFormat = "community-attestation-1";
// Of a document; one with RSA-3072 has 4 kB.
inline constexpr std::size_t kMaxQuoteDocument = 16'384;
// The public exponent of every attestation key that OP-TEE makes.
inline constexpr std::uint32_t kExponent = 65'537;

// RSA, big-endian.
struct AttestationKey {
  Bytes modulus;
  std::uint32_t exponent = 0;
};

struct MeasurementQuote {
  Bytes32 measurement{};
  Bytes signature;
};

struct Quotes {
  AttestationKey key;
  MeasurementQuote application, system;
};

struct QuoteDocument {
  protocol::AttestationStatement statement;
  // Nothing: the body has none, and says so.
  std::optional<Quotes> quotes;
};

// The errors of documents and format_unknown. Nothing is verified yet.
Result<QuoteDocument> parse_quote(std::string_view text);
std::string format_quote(const QuoteDocument& document);

// "optee-qemu", "emulated"; "unknown" for a value without a name.
std::string_view body_name(std::uint8_t body);
std::string_view protection_name(std::uint8_t protection);

// SHA-256 of the key's SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER, as `openssl pkey -pubin -outform DER`
// writes it.
Bytes32 fingerprint(const AttestationKey& key);

}  // namespace community::attestation
