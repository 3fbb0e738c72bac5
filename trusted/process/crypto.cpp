// SPDX-License-Identifier: Apache-2.0
// OpenSSL's low-level EC functions verify a signature without building an EVP_PKEY, which would cost a third of the
// verification each time; they are marked deprecated and remain in OpenSSL 3.
#define OPENSSL_API_COMPAT 0x10100000L
#include "trusted/process/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "trusted/port/secp256k1.hpp"

namespace community::trusted {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using EcKey = std::unique_ptr<EC_KEY, Deleter<EC_KEY_free>>;
using EcPoint = std::unique_ptr<EC_POINT, Deleter<EC_POINT_clear_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;

// Objects of the libraries that are expensive to make; they live as long as the process.
struct Libraries {
  // Without the configuration file: it could name a library to load, and an environment variable could name the file.
  int bare = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  secp256k1_context* secp = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
  EC_GROUP* p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  EVP_CIPHER* aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CipherContext cipher{EVP_CIPHER_CTX_new()};

  Libraries() {
    // Blinds the multiplication with the generator against side channels; signatures stay the same.
    base::Secret<32> seed;
    if (getrandom(seed.data(), 32, 0) != 32 || secp256k1_context_randomize(secp, seed.data()) != 1) std::abort();
  }
};

Libraries& libraries() {
  static Libraries instance;
  return instance;
}

bool random(void*, MutableByteView out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool aes_gcm_seal(void*, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated, ByteView in,
                  MutableByteView out, std::uint8_t tag[16]) {
  Libraries& lib = libraries();
  EVP_CIPHER_CTX* context = lib.cipher.get();
  int written = 0, last = 0;
  const bool ok =
      EVP_EncryptInit_ex2(context, lib.aes, key.data(), nonce, nullptr) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &written, associated.data(), static_cast<int>(associated.size())) == 1 &&
      EVP_EncryptUpdate(context, out.data(), &written, in.data(), static_cast<int>(in.size())) == 1 &&
      EVP_EncryptFinal_ex(context, out.data() + written, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (!ok) base::wipe(out);
  return ok;
}

bool aes_gcm_open(void*, const Bytes32& key, const std::uint8_t nonce[12], ByteView associated, ByteView in,
                  const std::uint8_t tag[16], MutableByteView out) {
  Libraries& lib = libraries();
  EVP_CIPHER_CTX* context = lib.cipher.get();
  std::array<std::uint8_t, 16> expected;
  base::copy(expected, ByteView(tag, 16));
  int written = 0, last = 0;
  const bool ok =
      EVP_DecryptInit_ex2(context, lib.aes, key.data(), nonce, nullptr) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &written, associated.data(), static_cast<int>(associated.size())) == 1 &&
      EVP_DecryptUpdate(context, out.data(), &written, in.data(), static_cast<int>(in.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, expected.data()) == 1 &&
      EVP_DecryptFinal_ex(context, out.data() + written, &last) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (!ok) base::wipe(out);
  return ok;
}

// The point x || y when it is on the curve.
EcPoint p256_point(const std::uint8_t public_key[64]) {
  const EC_GROUP* group = libraries().p256;
  const BigNumber x(BN_bin2bn(public_key, 32, nullptr)), y(BN_bin2bn(public_key + 32, 32, nullptr));
  EcPoint point(EC_POINT_new(group));
  if (!x || !y || !point) return nullptr;
  // Coordinates at or above the field's prime would be another spelling of a point: the library reduces, we refuse.
  static const BigNumber prime = [group] {
    BigNumber p(BN_new());
    EC_GROUP_get_curve(group, p.get(), nullptr, nullptr, nullptr);
    return p;
  }();
  if (BN_cmp(x.get(), prime.get()) >= 0 || BN_cmp(y.get(), prime.get()) >= 0) return nullptr;
  if (EC_POINT_set_affine_coordinates(group, point.get(), x.get(), y.get(), nullptr) != 1) return nullptr;
  return point;
}

bool p256_public_key_valid(void*, const std::uint8_t public_key[64]) { return p256_point(public_key) != nullptr; }

bool p256_verify(void*, const std::uint8_t public_key[64], const Bytes32& digest, const std::uint8_t signature[64]) {
  const EcPoint point = p256_point(public_key);
  const EcKey key(EC_KEY_new());
  EcdsaSignature ecdsa(ECDSA_SIG_new());
  if (!point || !key || !ecdsa) return false;
  if (EC_KEY_set_group(key.get(), libraries().p256) != 1 || EC_KEY_set_public_key(key.get(), point.get()) != 1)
    return false;
  BigNumber r(BN_bin2bn(signature, 32, nullptr)), s(BN_bin2bn(signature + 32, 32, nullptr));
  if (!r || !s || ECDSA_SIG_set0(ecdsa.get(), r.get(), s.get()) != 1) return false;
  // The signature owns the numbers now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  return ECDSA_do_verify(digest.data(), static_cast<int>(digest.size()), ecdsa.get(), key.get()) == 1;
}

// A number in [1, n - 1], n the order of P-256. Nothing else is a secret key.
BigNumber p256_secret(const Bytes32& secret) {
  BigNumber number(BN_bin2bn(secret.data(), 32, nullptr));
  const BIGNUM* order = EC_GROUP_get0_order(libraries().p256);
  if (!number || BN_is_zero(number.get()) || BN_cmp(number.get(), order) >= 0) return nullptr;
  // The multiplication below must not depend on it.
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

bool p256_public_key(void*, const Bytes32& secret, std::uint8_t public_key[64]) {
  const EC_GROUP* group = libraries().p256;
  const BigNumber number = p256_secret(secret), x(BN_new()), y(BN_new());
  const EcPoint point(EC_POINT_new(group));
  return number && x && y && point && EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, nullptr) == 1 &&
         EC_POINT_get_affine_coordinates(group, point.get(), x.get(), y.get(), nullptr) == 1 &&
         BN_bn2binpad(x.get(), public_key, 32) == 32 && BN_bn2binpad(y.get(), public_key + 32, 32) == 32;
}

bool p256_ecdh(void*, const Bytes32& secret, const std::uint8_t peer[64], Bytes32& shared_x) {
  const EC_GROUP* group = libraries().p256;
  const BigNumber number = p256_secret(secret), x(BN_new());
  const EcPoint other = p256_point(peer), point(EC_POINT_new(group));
  return number && x && other && point &&
         EC_POINT_mul(group, point.get(), nullptr, other.get(), number.get(), nullptr) == 1 &&
         EC_POINT_get_affine_coordinates(group, point.get(), x.get(), nullptr, nullptr) == 1 &&
         BN_bn2binpad(x.get(), shared_x.data(), 32) == 32;
}

bool secp256k1_public(void*, const Bytes32& secret, std::uint8_t public_key[64]) {
  return secp256k1::public_key(libraries().secp, secret, public_key);
}

bool secp256k1_sign(void*, const Bytes32& secret, const Bytes32& digest, std::uint8_t signature[65]) {
  return secp256k1::sign(libraries().secp, secret, digest, signature);
}

bool secp256k1_verify(void*, const std::uint8_t public_key[64], const Bytes32& digest,
                      const std::uint8_t signature[64]) {
  return secp256k1::verify(libraries().secp, public_key, digest, signature);
}

bool ed25519_public_key(void*, const Bytes32& secret, Bytes32& public_key) {
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
  std::size_t size = public_key.size();
  return key && EVP_PKEY_get_raw_public_key(key.get(), public_key.data(), &size) == 1 && size == public_key.size();
}

bool ed25519_sign(void*, const Bytes32& secret, ByteView message, std::uint8_t signature[64]) {
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 64;
  return key && context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestSign(context.get(), signature, &size, message.data(), message.size()) == 1 && size == 64;
}

constexpr std::size_t kRsaBytes = protocol::kQuoteKeyBytes;
constexpr std::uint32_t kRsaExponent = 65'537;
constexpr int kSaltBytes = 32;

Key rsa_key(const std::uint8_t modulus[kRsaBytes]) {
  const BigNumber n(BN_bin2bn(modulus, kRsaBytes, nullptr));
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  if (!n || !builder || !context || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_uint32(builder.get(), OSSL_PKEY_PARAM_RSA_E, kRsaExponent) != 1)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  EVP_PKEY* made = nullptr;
  if (!parameters || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key(made);
}

bool rsa_pss_verify(void*, const std::uint8_t modulus[kRsaBytes], const Bytes32& digest,
                    const std::uint8_t signature[kRsaBytes]) {
  const Key key = rsa_key(modulus);
  const KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), kSaltBytes) == 1 &&
         EVP_PKEY_verify(context.get(), signature, kRsaBytes, digest.data(), digest.size()) == 1;
}

}  // namespace

void use_software_crypto(Port& port) {
  port.random = random;
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
  port.rsa_pss_verify = rsa_pss_verify;
}

}  // namespace community::trusted
