// SPDX-License-Identifier: Apache-2.0
#include "ta/port/crypto.hpp"

#include <bearssl.h>
#include <secp256k1_preallocated.h>

#include "trusted/ed25519/ed25519.hpp"
#include "trusted/p256/p256.hpp"
#include "trusted/port/secp256k1.hpp"

namespace community::trusted {
namespace {

// --- AES-256-GCM: bit-sliced AES and a carry-less multiplication without tables, both constant time ------------------

struct Gcm {
  br_aes_ct64_ctr_keys cipher;
  br_gcm_context context;

  Gcm(const Bytes32& key, const std::uint8_t nonce[12], ByteView associated) {
    br_aes_ct64_ctr_init(&cipher, key.data(), key.size());
    br_gcm_init(&context, &cipher.vtable, br_ghash_ctmul64);
    br_gcm_reset(&context, nonce, 12);
    br_gcm_aad_inject(&context, associated.data(), associated.size());
    br_gcm_flip(&context);
  }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;
  ~Gcm() { base::wipe(this, sizeof *this); }
};

bool aes_gcm_seal(void*, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated, ByteView in,
                  MutableByteView out, std::uint8_t tag[16]) {
  Gcm gcm(key, nonce, associated);
  // In place; `in` and `out` may be the same bytes.
  if (!in.empty() && in.data() != out.data()) std::memmove(out.data(), in.data(), in.size());
  br_gcm_run(&gcm.context, 1, out.data(), in.size());
  br_gcm_get_tag(&gcm.context, tag);
  return true;
}

bool aes_gcm_open(void*, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated, ByteView in,
                  const std::uint8_t tag[16], MutableByteView out) {
  Gcm gcm(key, nonce, associated);
  if (!in.empty() && in.data() != out.data()) std::memmove(out.data(), in.data(), in.size());
  br_gcm_run(&gcm.context, 0, out.data(), in.size());
  const bool genuine = br_gcm_check_tag(&gcm.context, tag) == 1;
  if (!genuine) base::wipe(out.first(in.size()));
  return genuine;
}

// --- P-256 -----------------------------------------------------------------------------------------------------------

bool p256_public_key_valid(void*, const std::uint8_t public_key[64]) {
  return p256::public_key_valid(p256::PublicKeyView(public_key, 64));
}

bool p256_verify(void*, const std::uint8_t public_key[64], const Bytes32& digest, const std::uint8_t signature[64]) {
  return p256::verify(p256::PublicKeyView(public_key, 64), digest, p256::SignatureView(signature, 64));
}

bool p256_public_key(void*, const Bytes32& secret, std::uint8_t public_key[64]) {
  return p256::public_key(secret, std::span<std::uint8_t, 64>(public_key, 64));
}

bool p256_ecdh(void*, const Bytes32& secret, const std::uint8_t peer[64], Bytes32& shared_x) {
  return p256::ecdh_x(secret, p256::PublicKeyView(peer, 64), shared_x);
}

// --- Ed25519 ---------------------------------------------------------------------------------------------------------

bool ed25519_public_key(void*, const Bytes32& secret, Bytes32& public_key) {
  ed25519::public_key(secret, public_key);
  return true;
}

bool ed25519_sign(void*, const Bytes32& secret, ByteView message, std::uint8_t signature[64]) {
  ed25519::sign(secret, message, std::span<std::uint8_t, 64>(signature, 64));
  return true;
}

// --- secp256k1 -------------------------------------------------------------------------------------------------------

// libsecp256k1 tells how much it needs; more than this never.
constexpr std::size_t kContextBytes = 512;
alignas(16) std::uint8_t context_memory[kContextBytes];
secp256k1_context* context = nullptr;

bool make_context(const Port& port) {
  constexpr unsigned kFlags = SECP256K1_CONTEXT_NONE;
  if (secp256k1_context_preallocated_size(kFlags) > kContextBytes) return false;
  context = secp256k1_context_preallocated_create(context_memory, kFlags);
  base::Secret<32> seed;
  return context != nullptr && port.random(port.context, seed.bytes) &&
         secp256k1_context_randomize(context, seed.data()) == 1;
}

bool secp256k1_public(void*, const Bytes32& secret, std::uint8_t public_key[64]) {
  return secp256k1::public_key(context, secret, public_key);
}

bool secp256k1_sign(void*, const Bytes32& secret, const Bytes32& digest, std::uint8_t signature[65]) {
  return secp256k1::sign(context, secret, digest, signature);
}

bool secp256k1_verify(void*, const std::uint8_t public_key[64], const Bytes32& digest,
                      const std::uint8_t signature[64]) {
  return secp256k1::verify(context, public_key, digest, signature);
}

}  // namespace

bool use_embedded_crypto(Port& port) {
  port.aes_gcm_seal = aes_gcm_seal;
  port.aes_gcm_open = aes_gcm_open;
  port.p256_public_key_valid = p256_public_key_valid;
  port.p256_verify = p256_verify;
  port.p256_public_key = p256_public_key;
  port.p256_ecdh = p256_ecdh;
  port.secp256k1_public_key = secp256k1_public;
  port.secp256k1_sign = secp256k1_sign;
  port.secp256k1_verify = secp256k1_verify;
  port.ed25519_public_key = ed25519_public_key;
  port.ed25519_sign = ed25519_sign;
  return make_context(port);
}

}  // namespace community::trusted
