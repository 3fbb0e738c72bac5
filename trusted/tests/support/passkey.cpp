// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_API_COMPAT 0x10100000L
#include "trusted/tests/support/passkey.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include "trusted/base/sha2.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::trusted::testing {

SoftPasskey::SoftPasskey(std::uint64_t seed, std::string_view rp_id)
    : key_(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1), EC_KEY_free) {
  Bytes secret = Random(seed).bytes(32);
  // Below the order of the group.
  secret[0] &= 0x7f;
  const EC_GROUP* group = EC_KEY_get0_group(key_.get());
  BIGNUM* number = BN_bin2bn(secret.data(), 32, nullptr);
  EC_POINT* point = EC_POINT_new(group);
  EC_POINT_mul(group, point, number, nullptr, nullptr, nullptr);
  EC_KEY_set_private_key(key_.get(), number);
  EC_KEY_set_public_key(key_.get(), point);
  std::array<std::uint8_t, 65> encoded;
  EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(), nullptr);
  base::copy(passkey_.public_key, ByteView(encoded).subspan(1));
  EC_POINT_free(point);
  BN_free(number);
  passkey_.credential_hash = base::sha256(Random(seed ^ 0x5eed).bytes(16));
  passkey_.rp_id_hash = base::sha256(base::view(rp_id));
}

std::array<std::uint8_t, 64> SoftPasskey::sign_digest(const Bytes32& digest) const {
  ECDSA_SIG* signature = ECDSA_do_sign(digest.data(), static_cast<int>(digest.size()), key_.get());
  std::array<std::uint8_t, 64> out;
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.data() + 32, 32);
  ECDSA_SIG_free(signature);
  return out;
}

std::string client_data_json(const Bytes32& challenge, const AssertionOptions& options) {
  const auto text = webauthn::base64url(challenge);
  return "{\"type\":\"" + options.type + "\",\"challenge\":\"" + std::string(text.data(), text.size()) +
         "\",\"origin\":\"" + options.origin + "\"" + options.tail;
}

SignedAssertion SoftPasskey::sign(const Bytes32& challenge, const AssertionOptions& options) const {
  SignedAssertion out;
  out.credential_hash = passkey_.credential_hash;
  const std::string client = options.client_data.value_or(client_data_json(challenge, options));
  out.client_data = to_bytes(client);
  if (options.authenticator_data) {
    out.authenticator_data = *options.authenticator_data;
  } else {
    out.authenticator_data = to_bytes(base::sha256(base::view(options.rp_id)));
    out.authenticator_data.push_back(options.flags);
    std::array<std::uint8_t, 4> count;
    base::store_be(count.data(), options.sign_count);
    append(out.authenticator_data, count);
    append(out.authenticator_data, options.extensions);
  }
  out.signature = sign_digest(base::sha256({out.authenticator_data, base::sha256(out.client_data)}));
  return out;
}

}  // namespace community::trusted::testing
