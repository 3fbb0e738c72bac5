// SPDX-License-Identifier: Apache-2.0
#include "community/notifications/push_crypto.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "community/core/base64url.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/json.hpp"
#include "community/notifications/api/push_subscription.hpp"
#include "trusted/base/sha2.hpp"

namespace community::notifications {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;

constexpr std::size_t kKeyBytes = 16, kNonceBytes = 12, kTagBytes = 16, kSaltBytes = 16;
// Of the header: the largest record that every push service takes (RFC 8291, section 4).
constexpr std::uint32_t kRecordSize = 4'096;
constexpr std::size_t kHeaderBytes = kSaltBytes + 4 + 1 + 65;
static_assert(kRecordSize == kHeaderBytes + kMaxPushBytes + 1 + kTagBytes);

// The secret may be null: a public key alone.
Pkey make_key(const P256Point& point, const BIGNUM* secret) {
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1 ||
      (secret != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret) != 1))
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        parameters.get()) != 1)
    return nullptr;
  return Pkey(key);
}

bool is_point(const P256Point& point) {
  std::array<std::uint8_t, 64> rest;
  std::copy(point.begin() + 1, point.end(), rest.begin());
  return point[0] == 0x04 && core::is_p256_point(rest);
}

// One block of HKDF-Expand (RFC 5869, section 2.3).
Bytes32 expand(const Bytes32& key, std::initializer_list<ByteView> info) {
  base::Hmac<base::Sha256> mac(key);
  for (const ByteView part : info) mac.add(part);
  const std::uint8_t one = 1;
  mac.add({&one, 1});
  return mac.finish();
}

}  // namespace

struct P256Key::Body {
  Pkey key;
};

P256Key::P256Key() : body_(std::make_unique<Body>()) {}
P256Key::P256Key(P256Key&&) noexcept = default;
P256Key& P256Key::operator=(P256Key&&) noexcept = default;
P256Key::~P256Key() = default;

std::optional<P256Key> P256Key::from_secret(const Bytes32& secret) {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Number number(BN_bin2bn(secret.data(), static_cast<int>(secret.size()), BN_secure_new()));
  if (!group || !number || BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0)
    return std::nullopt;
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  const Point point(EC_POINT_new(group.get()));
  P256Key key;
  if (!point || EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, key.public_key_.data(),
                         key.public_key_.size(), nullptr) != key.public_key_.size())
    return std::nullopt;
  key.body_->key = make_key(key.public_key_, number.get());
  if (!key.body_->key) return std::nullopt;
  return key;
}

std::optional<Bytes32> P256Key::ecdh(const P256Point& peer) const {
  if (!is_point(peer)) return std::nullopt;
  const Pkey other = make_key(peer, nullptr);
  const PkeyContext context(EVP_PKEY_CTX_new(body_->key.get(), nullptr));
  Bytes32 shared{};
  std::size_t size = shared.size();
  if (!other || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != shared.size())
    return std::nullopt;
  return shared;
}

std::optional<std::array<std::uint8_t, 64>> P256Key::sign(std::string_view message) const {
  const DigestContext context(EVP_MD_CTX_new());
  const ByteView bytes = base::view(message);
  // The longest DER form of a P-256 signature has 72 bytes.
  std::array<std::uint8_t, 80> der{};
  std::size_t size = der.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, body_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, bytes.data(), bytes.size()) != 1)
    return std::nullopt;
  const auto signature = core::parse_der_signature(ByteView(der).first(size));
  if (!signature) return std::nullopt;
  std::array<std::uint8_t, 64> flat{};
  std::copy(signature->r.begin(), signature->r.end(), flat.begin());
  std::copy(signature->s.begin(), signature->s.end(), flat.begin() + 32);
  return flat;
}

std::optional<Bytes> encrypt_push(std::string_view text, const P256Point& p256dh,
                                  const std::array<std::uint8_t, 16>& auth, const P256Key& sender,
                                  const std::array<std::uint8_t, 16>& salt) {
  constexpr std::uint8_t kZero[1] = {0};
  if (text.size() > kMaxPushBytes) return std::nullopt;
  auto shared = sender.ecdh(p256dh);
  if (!shared) return std::nullopt;
  // RFC 8291, section 3.4.
  const Bytes32 combined = base::hmac_sha256(auth, {*shared});
  base::wipe(*shared);
  const Bytes32 input = expand(combined, {base::view("WebPush: info"), kZero, p256dh, sender.public_key()});
  const Bytes32 key = base::hmac_sha256(salt, {input});
  const Bytes32 content_key = expand(key, {base::view("Content-Encoding: aes128gcm"), kZero});
  const Bytes32 nonce = expand(key, {base::view("Content-Encoding: nonce"), kZero});
  // RFC 8188, section 2.1: salt, record size, length of the key id, key id.
  Bytes body(salt.begin(), salt.end());
  std::uint8_t size[4];
  base::store_be(size, kRecordSize);
  core::append(body, size);
  body.push_back(static_cast<std::uint8_t>(p256dh.size()));
  core::append(body, sender.public_key());
  // The delimiter of the last record.
  Bytes plain = core::to_bytes(base::view(text));
  plain.push_back(0x02);
  const std::size_t at = body.size();
  body.resize(at + plain.size() + kTagBytes);
  const CipherContext cipher(EVP_CIPHER_CTX_new());
  static_assert(kKeyBytes <= sizeof(Bytes32) && kNonceBytes <= sizeof(Bytes32));
  int written = 0, rest = 0;
  if (!cipher || EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, content_key.data(), nonce.data()) != 1 ||
      EVP_EncryptUpdate(cipher.get(), body.data() + at, &written, plain.data(), static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(cipher.get(), body.data() + at + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body.data() + at + plain.size()) != 1)
    return std::nullopt;
  return body;
}

std::optional<std::string> vapid_authorization(const P256Key& key, std::string_view audience, std::int64_t expires_s,
                                               std::string_view contact) {
  core::json::object claims;
  claims["aud"] = audience;
  claims["exp"] = expires_s;
  claims["sub"] = contact;
  std::string token = core::to_base64url(base::view(R"({"typ":"JWT","alg":"ES256"})")) + "." +
                      core::to_base64url(base::view(core::json::serialize(claims)));
  const auto signature = key.sign(token);
  if (!signature) return std::nullopt;
  token += "." + core::to_base64url(*signature);
  return "vapid t=" + token + ", k=" + core::to_base64url(key.public_key());
}

}  // namespace community::notifications
