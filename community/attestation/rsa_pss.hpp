// SPDX-License-Identifier: Apache-2.0
// RSASSA-PSS (RFC 8017, section 8.1.2) with SHA-256, MGF1-SHA-256 and a salt of exactly 32 bytes.
#pragma once
#include "community/attestation/api/quote.hpp"

namespace community::attestation {

// Whether `signature` is the key's over a message with this SHA-256. False for a key that OpenSSL does not take.
bool verify_rsa_pss(const AttestationKey& key, const Bytes32& digest, core::ByteView signature);

}  // namespace community::attestation
