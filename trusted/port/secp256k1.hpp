// SPDX-License-Identifier: Apache-2.0
// libsecp256k1 as every body uses it; a body brings the context, which it has blinded.
#pragma once
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "trusted/base/bytes.hpp"

namespace community::trusted::secp256k1 {

// x || y of the secret's public key. False for a secret outside [1, n - 1].
inline bool public_key(const secp256k1_context* context, const base::Bytes32& secret, std::uint8_t out[64]) {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context, &key, secret.data()) != 1) return false;
  std::array<std::uint8_t, 65> encoded;
  std::size_t size = encoded.size();
  secp256k1_ec_pubkey_serialize(context, encoded.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  std::memcpy(out, encoded.data() + 1, 64);
  return true;
}

// r || s || recovery id. The default nonce function is RFC 6979; the library's signatures have low s.
inline bool sign(const secp256k1_context* context, const base::Bytes32& secret, const base::Bytes32& digest,
                 std::uint8_t signature[65]) {
  secp256k1_ecdsa_recoverable_signature recoverable;
  if (secp256k1_ecdsa_sign_recoverable(context, &recoverable, digest.data(), secret.data(), nullptr, nullptr) != 1)
    return false;
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context, signature, &recovery_id, &recoverable);
  signature[64] = static_cast<std::uint8_t>(recovery_id);
  return true;
}

// Of r || s with low s, by the public key x || y.
inline bool verify(const secp256k1_context* context, const std::uint8_t public_key[64], const base::Bytes32& digest,
                   const std::uint8_t signature[64]) {
  std::array<std::uint8_t, 65> encoded{0x04};
  base::copy(base::MutableByteView(encoded).subspan(1), base::ByteView(public_key, 64));
  secp256k1_pubkey key;
  secp256k1_ecdsa_signature parsed;
  return secp256k1_ec_pubkey_parse(context, &key, encoded.data(), encoded.size()) == 1 &&
         secp256k1_ecdsa_signature_parse_compact(context, &parsed, signature) == 1 &&
         secp256k1_ecdsa_verify(context, &parsed, digest.data(), &key) == 1;
}

}  // namespace community::trusted::secp256k1
