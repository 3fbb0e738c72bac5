// SPDX-License-Identifier: Apache-2.0
// What a body supplies to the trusted core: randomness, one durable object, and cryptographic primitives. Plain
// function pointers, so that a C entry can fill them and nothing of a C++ run time is needed. Every function answers
// false on failure and then leaves no partial result behind.
#pragma once
#include "trusted/base/bytes.hpp"
#include "trusted/protocol/attestation.hpp"

namespace community::trusted {

using base::Bytes32;
using base::ByteView;
using base::MutableByteView;

struct Port {
  void* context = nullptr;
  protocol::Body body = protocol::Body::process;
  protocol::Protection protection = protocol::Protection::none;

  bool (*random)(void* context, MutableByteView out) = nullptr;

  // The trusted state: one object. `store_read` answers its size, 0 when none was ever written. `store_write` returns
  // true only when the new contents survive a power cut and no older contents can be read again by a restart.
  bool (*store_read)(void* context, MutableByteView out, std::size_t* size) = nullptr;
  bool (*store_write)(void* context, ByteView state) = nullptr;

  // AES-256-GCM, 96-bit nonce, 128-bit tag; `out` is as long as `in`.
  bool (*aes_gcm_seal)(void* context, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated,
                       ByteView in, MutableByteView out, std::uint8_t tag[16]) = nullptr;
  bool (*aes_gcm_open)(void* context, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated,
                       ByteView in, const std::uint8_t tag[16], MutableByteView out) = nullptr;

  // P-256, public key x || y. The second also refuses points off the curve.
  bool (*p256_public_key_valid)(void* context, const std::uint8_t public_key[64]) = nullptr;
  bool (*p256_verify)(void* context, const std::uint8_t public_key[64], const Bytes32& digest,
                      const std::uint8_t signature[64]) = nullptr;

  // P-256 for HPKE: the public key of a secret, and the x coordinate of secret times `peer`. Both answer false for a
  // secret outside [1, n - 1]; the second also for a peer off the curve.
  bool (*p256_public_key)(void* context, const Bytes32& secret, std::uint8_t public_key[64]) = nullptr;
  bool (*p256_ecdh)(void* context, const Bytes32& secret, const std::uint8_t peer[64], Bytes32& shared_x) = nullptr;

  // secp256k1: public key x || y; signatures are deterministic (RFC 6979), low s, with the recovery id at the end.
  // `secp256k1_public_key` answers false for a secret outside [1, n - 1].
  bool (*secp256k1_public_key)(void* context, const Bytes32& secret, std::uint8_t public_key[64]) = nullptr;
  bool (*secp256k1_sign)(void* context, const Bytes32& secret, const Bytes32& digest,
                         std::uint8_t signature[65]) = nullptr;
  bool (*secp256k1_verify)(void* context, const std::uint8_t public_key[64], const Bytes32& digest,
                           const std::uint8_t signature[64]) = nullptr;

  // Ed25519 (RFC 8032, pure): the public key of a secret, every value of which is one, and the signature R || S of a
  // message.
  bool (*ed25519_public_key)(void* context, const Bytes32& secret, Bytes32& public_key) = nullptr;
  bool (*ed25519_sign)(void* context, const Bytes32& secret, ByteView message, std::uint8_t signature[64]) = nullptr;

  // RSASSA-PSS (RFC 8017, section 8.1.2) with SHA-256, MGF1-SHA-256 and a salt of 32 bytes by a key of 3,072 bits with
  // the exponent 65537: how OP-TEE signs quotes. Modulus and signature are 384 bytes, big-endian.
  bool (*rsa_pss_verify)(void* context, const std::uint8_t modulus[384], const Bytes32& digest,
                         const std::uint8_t signature[384]) = nullptr;

  // A quote of this kind (application or system) over `report`, which the core hashed itself: no caller's bytes ever
  // reach the quote as they came. Null when the body has nothing that measures it.
  bool (*quote)(void* context, protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out) = nullptr;
};

}  // namespace community::trusted
