// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_API_COMPAT 0x10100000L
#include "community/wallet/api/passkey.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include "community/accounts/api/account.hpp"
#include "community/core/base64url.hpp"
#include "trusted/base/sha2.hpp"

namespace community::wallet {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;

// User present, user verified; attested credential data follow (WebAuthn level 3, section 6.1).
constexpr std::uint8_t kPresent = 0x01, kVerified = 0x04, kAttested = 0x40;
constexpr std::size_t kAaguid = 16;

// Relying party, flags, and a counter of 0 as synced passkeys have it.
Bytes authenticator_data(const Bytes32& rp_id_hash, std::uint8_t flags) {
  Bytes out = core::to_bytes(rp_id_hash);
  core::append(out, std::array<std::uint8_t, 5>{flags, 0, 0, 0, 0});
  return out;
}

}  // namespace

struct SoftwarePasskey::Body {
  std::unique_ptr<EC_KEY, Deleter<EC_KEY_free>> key{EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)};
  std::array<std::uint8_t, 64> public_key{};
  Bytes credential_id;
  std::string rp_id, origin;
};

SoftwarePasskey::SoftwarePasskey(const Bytes32& secret, std::string rp_id, std::string origin)
    : body_(std::make_unique<Body>()) {
  body_->rp_id = std::move(rp_id);
  body_->origin = std::move(origin);
  body_->credential_id = core::to_bytes(base::sha256({base::view("software passkey"), secret}));
  const EC_GROUP* group = EC_KEY_get0_group(body_->key.get());
  const BigNumber number(BN_bin2bn(secret.data(), 32, nullptr));
  const std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>> point(EC_POINT_new(group));
  const BigNumber x(BN_new()), y(BN_new());
  EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, nullptr);
  EC_KEY_set_private_key(body_->key.get(), number.get());
  EC_KEY_set_public_key(body_->key.get(), point.get());
  EC_POINT_get_affine_coordinates(group, point.get(), x.get(), y.get(), nullptr);
  BN_bn2binpad(x.get(), body_->public_key.data(), 32);
  BN_bn2binpad(y.get(), body_->public_key.data() + 32, 32);
}

SoftwarePasskey::SoftwarePasskey(SoftwarePasskey&&) noexcept = default;
SoftwarePasskey& SoftwarePasskey::operator=(SoftwarePasskey&&) noexcept = default;
SoftwarePasskey::~SoftwarePasskey() = default;

bool SoftwarePasskey::is_secret(const Bytes32& secret) {
  const std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const BigNumber number(BN_bin2bn(secret.data(), 32, nullptr));
  return !BN_is_zero(number.get()) && BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) < 0;
}

const Bytes& SoftwarePasskey::credential_id() const { return body_->credential_id; }
const std::array<std::uint8_t, 64>& SoftwarePasskey::public_key() const { return body_->public_key; }
Bytes32 SoftwarePasskey::rp_id_hash() const { return base::sha256(base::view(body_->rp_id)); }
const std::string& SoftwarePasskey::origin() const { return body_->origin; }

PasskeyAssertion SoftwarePasskey::assert_challenge(const Bytes32& challenge) const {
  PasskeyAssertion result;
  result.credential_id = body_->credential_id;
  const std::string client_data = accounts::client_data_for(challenge, body_->origin);
  result.client_data = core::to_bytes(base::view(client_data));
  result.authenticator_data = authenticator_data(rp_id_hash(), kPresent | kVerified);
  const Bytes32 digest = base::sha256({result.authenticator_data, base::sha256(result.client_data)});
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(
      ECDSA_do_sign(digest.data(), static_cast<int>(digest.size()), body_->key.get()));
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), result.signature.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), result.signature.data() + 32, 32);
  return result;
}

PasskeyRegistration SoftwarePasskey::answer_registration(core::ByteView challenge) const {
  PasskeyRegistration result;
  result.client_data =
      core::to_bytes(base::view("{\"type\":\"webauthn.create\",\"challenge\":\"" + core::to_base64url(challenge) +
                                "\",\"origin\":\"" + body_->origin + "\",\"crossOrigin\":false}"));
  Bytes data = authenticator_data(rp_id_hash(), kPresent | kVerified | kAttested);
  data.insert(data.end(), kAaguid, 0);
  core::append(data, std::array<std::uint8_t, 2>{0, static_cast<std::uint8_t>(credential_id().size())});
  core::append(data, credential_id());
  // COSE_Key (RFC 9053, section 7.1.1): kty EC2, alg ES256, crv P-256, x and y of 32 bytes.
  core::append(data, std::array<std::uint8_t, 10>{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20});
  core::append(data, core::ByteView(public_key()).first(32));
  core::append(data, std::array<std::uint8_t, 3>{0x22, 0x58, 0x20});
  core::append(data, core::ByteView(public_key()).last(32));
  // {"fmt": "none", "attStmt": {}, "authData": bytes} in canonical CBOR: texts of 3, 7 and 8 bytes, a map of none.
  Bytes& object = result.attestation_object;
  object.push_back(0xa3);
  core::append(object, base::view("\x63"
                                  "fmt\x64none\x67"
                                  "attStmt"));
  object.push_back(0xa0);
  core::append(object, base::view("\x68"
                                  "authData"));
  core::append(object, std::array<std::uint8_t, 2>{0x58, static_cast<std::uint8_t>(data.size())});
  core::append(object, data);
  return result;
}

}  // namespace community::wallet
