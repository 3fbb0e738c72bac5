// SPDX-License-Identifier: Apache-2.0
// Reading and verifying plain ECDSA signatures of other systems: DER as in X.509 and WebAuthn, P-256 through
// trusted/p256.
#pragma once
#include "community/core/bytes.hpp"

namespace community::core {

struct EcdsaSignature {
  Bytes32 r{};
  Bytes32 s{};
};

// SEQUENCE of two positive INTEGERs in DER (X.690): minimal lengths, minimal integers, nothing after the end.
// der_syntax; signature_out_of_range when a number is zero or has more than 256 bits.
Result<EcdsaSignature> parse_der_signature(ByteView der);
// r || s, 32 bytes each (IEEE P1363): signature_length.
Result<EcdsaSignature> parse_p1363_signature(ByteView bytes);

// x || y, both below the field's prime, not the point at infinity.
bool is_p256_point(const std::array<std::uint8_t, 64>& key);
// `key` is x || y of a P-256 point; false when it is not on the curve. Accepts high s, as about half of all
// authenticators' signatures have it.
bool verify_p256(const std::array<std::uint8_t, 64>& key, const Bytes32& digest, const EcdsaSignature& signature);

}  // namespace community::core
