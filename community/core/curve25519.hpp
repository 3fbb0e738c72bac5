// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) and X25519 (RFC 7748) through OpenSSL: signatures of keys that the founders' interface makes, and
// key agreement with other systems. The product's own messages use P-256 (docs/adr/0011-hpke-suite.md).
#pragma once
#include "community/core/bytes.hpp"

namespace community::core {

// PureEdDSA over the message; false for a signature that is not 64 bytes, for s not below the group's order (RFC 8032,
// section 5.1.7) and for a key that is no point.
bool verify_ed25519(const Bytes32& public_key, ByteView message, ByteView signature);

// X25519: the shared secret, 32 bytes. Every string of 32 bytes is a key (section 5); shared_secret_zero for a peer of
// small order, whose secret would not depend on the private key (section 6.1).
Result<Bytes32> x25519(const Bytes32& private_key, const Bytes32& peer);
// The key in a SubjectPublicKeyInfo (RFC 8410): public_key_invalid.
Result<Bytes32> parse_x25519_spki(ByteView der);

}  // namespace community::core
