// SPDX-License-Identifier: Apache-2.0
// NIST's curve P-256 (SP 800-186, 3.2.1.3) for bodies without a fast library of their own: passkeys' signatures and the
// key agreement of HPKE. The primitives are s2n-bignum's assembly or BearSSL's C, chosen when it is built
// (docs/adr/0013-p256-primitives.md); both answer the same to everything.
#pragma once
#include "trusted/base/bytes.hpp"

namespace community::trusted::p256 {

using base::Bytes32;

// All numbers are 32 bytes, most significant first: a public key is x || y, a signature r || s. A function that answers
// false has written nothing.
using PublicKeyView = std::span<const std::uint8_t, 64>;
using SignatureView = std::span<const std::uint8_t, 64>;

// Whether both coordinates are below p and the point is on the curve (SP 800-56A, 5.6.2.3.4: as the cofactor is 1,
// that is full validation). The point at infinity has no coordinates and so cannot be a public key.
bool public_key_valid(PublicKeyView public_key);

// ECDSA verification of a message's 32-byte digest (FIPS 186-5, 6.4.2). A valid public key, r and s in [1, n - 1]; a
// high s is as good as a low one. Everything here is public: time depends on the arguments.
bool verify(PublicKeyView public_key, const Bytes32& digest, SignatureView signature);

// The two functions below take the same time for every secret, and leave nothing on the stack that depends on it.

// The public key secret * G. False for a secret outside [1, n - 1].
bool public_key(const Bytes32& secret, std::span<std::uint8_t, 64> public_key);

// The x coordinate of secret * peer: ECDH without cofactor, as in SP 800-56A, 5.7.1.2. False for a secret outside
// [1, n - 1] or a peer that is no valid public key. The peer is public.
bool ecdh_x(const Bytes32& secret, PublicKeyView peer, Bytes32& shared_x);

}  // namespace community::trusted::p256
