// SPDX-License-Identifier: Apache-2.0
// ECDSA on secp256k1 as Ethereum uses it: deterministic (RFC 6979), low s (EIP-2), with the parity of R to recover the
// signer. A thin layer over libsecp256k1.
#pragma once
#include "community/core/address.hpp"

namespace community::core {

struct Signature {
  Bytes32 r{};
  Bytes32 s{};
  // Parity of R's y coordinate: 0 or 1.
  std::uint8_t y_parity = 0;

  bool operator==(const Signature&) const = default;
  // r || s || v with v = 27 + y_parity, the form contracts and wallets exchange.
  std::array<std::uint8_t, 65> to_rsv() const;
};

// The 64 bytes after the 0x04 of the uncompressed form.
using PublicKey = std::array<std::uint8_t, 64>;
using CompressedPublicKey = std::array<std::uint8_t, 33>;

// r || s || v where v is 27, 28, 0 or 1: signature_length, signature_y_parity.
Result<Signature> parse_rsv(ByteView bytes);

// private_key_out_of_range when the key is zero or not below the group order.
Result<Signature> sign_digest(const Bytes32& private_key, const Bytes32& digest);
Result<PublicKey> public_key_of(const Bytes32& private_key);
CompressedPublicKey compress(const PublicKey& key);
// SEC 1 form of 33 or 65 bytes (65: 0x04 only, no hybrids): public_key_invalid when not a point of the curve.
Result<PublicKey> parse_public_key(ByteView sec1);

Address address_of(const PublicKey& key);

// signature_out_of_range (r or s zero or too large), signature_high_s, signature_y_parity,
// signature_not_recoverable (no such point).
Result<PublicKey> recover_public_key(const Bytes32& digest, const Signature& signature);
Result<Address> recover_address(const Bytes32& digest, const Signature& signature);

// Accepts high s, as plain ECDSA does: use is_low_s where malleability matters.
bool verify_secp256k1(const PublicKey& key, const Bytes32& digest, const Bytes32& r, const Bytes32& s);
// ECDH (SEC 1, section 3.3.1): the x coordinate of private_key times the other's key. private_key_out_of_range;
// public_key_invalid when `peer` is no point of the curve.
Result<Bytes32> secp256k1_shared_x(const Bytes32& private_key, const PublicKey& peer);
// The key in a SubjectPublicKeyInfo (RFC 5480) that names the curve and holds the uncompressed point:
// public_key_invalid.
Result<PublicKey> parse_secp256k1_spki(ByteView der);
// s is at most half the group order.
bool is_low_s(const Bytes32& s);

}  // namespace community::core
