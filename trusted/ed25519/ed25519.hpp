// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032, section 5.1) for bodies without a library that has it: keys and signatures over s2n-bignum's
// assembly (docs/adr/0018-ed25519.md). Nothing here verifies; the core signs with these keys and checks none.
#pragma once
#include "trusted/base/bytes.hpp"

namespace community::trusted::ed25519 {

using base::Bytes32;
using base::ByteView;

// Both take the same time for every secret, and leave nothing on the stack that depends on it. A secret is the 32 bytes
// of RFC 8032's private key; every value is one.

// The encoded point A of section 5.1.5.
void public_key(const Bytes32& secret, Bytes32& public_key);

// R || S of section 5.1.6, for the message itself and without a context ("pure" Ed25519). The public key is computed
// from the secret each time: a signature under a wrong one would give the secret away.
void sign(const Bytes32& secret, ByteView message, std::span<std::uint8_t, 64> signature);

}  // namespace community::trusted::ed25519
