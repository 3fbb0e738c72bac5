// SPDX-License-Identifier: Apache-2.0
// A browser and a device with passkeys, for tests: right until a test changes one thing.
#pragma once
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>

#include "community/core/base64url.hpp"
#include "community/users/api/users.hpp"
#include "trusted/base/sha2.hpp"

namespace community::users::test_support {

class Device {
 public:
  explicit Device(std::uint8_t number = 1)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), credential_id(32, static_cast<std::uint8_t>(number)) {}

  std::array<std::uint8_t, 64> public_key() const {
    std::array<std::uint8_t, 65> point{};
    std::size_t size = 0;
    EVP_PKEY_get_octet_string_param(key_.get(), "encoded-pub-key", point.data(), point.size(), &size);
    std::array<std::uint8_t, 64> out{};
    std::copy(point.begin() + 1, point.end(), out.begin());
    return out;
  }

  std::string client_data(std::string_view type, ByteView challenge) const {
    return "{\"type\":\"" + std::string(type) + "\",\"challenge\":\"" + core::to_base64url(challenge) +
           "\",\"origin\":\"" + origin + "\",\"crossOrigin\":" + (cross_origin ? "true" : "false") + "}";
  }

  Bytes authenticator_data(std::uint8_t extra_flags) const {
    Bytes out = core::to_bytes(base::sha256(base::view(rp_id)));
    out.push_back(static_cast<std::uint8_t>(flags | extra_flags));
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(sign_count >> shift));
    return out;
  }

  // navigator.credentials.create() with attestation "none".
  NewPasskey create(ByteView challenge, std::string_view type = "webauthn.create") const {
    Bytes data = authenticator_data(0x40);
    data.insert(data.end(), 16, 0);
    data.push_back(0);
    data.push_back(static_cast<std::uint8_t>(credential_id.size()));
    core::append(data, credential_id);
    const auto key = public_key();
    // COSE_Key: EC2, ES256, P-256, x, y.
    core::append(data, Bytes{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20});
    core::append(data, ByteView(key).first(32));
    core::append(data, Bytes{0x22, 0x58, 0x20});
    core::append(data, ByteView(key).subspan(32));
    NewPasskey out;
    out.credential_id = credential_id;
    out.client_data = core::to_bytes(base::view(client_data(type, challenge)));
    // {"fmt": "none", "attStmt": {}, "authData": …}
    out.attestation_object =
        core::to_bytes(base::view("\xa3"
                                  "cfmtdnonegattStmt"));
    out.attestation_object.push_back(0xa0);
    core::append(out.attestation_object, base::view("hauthData"));
    out.attestation_object.push_back(0x58);
    out.attestation_object.push_back(static_cast<std::uint8_t>(data.size()));
    core::append(out.attestation_object, data);
    out.transports = {"internal", "hybrid"};
    out.prf = true;
    out.escape_key.fill(0xe5);
    out.device_name = "Telephone";
    return out;
  }

  // navigator.credentials.get().
  LogInAssertion get(ByteView challenge, std::string_view type = "webauthn.get") const {
    LogInAssertion out;
    out.credential_id = credential_id;
    out.client_data = core::to_bytes(base::view(client_data(type, challenge)));
    out.authenticator_data = authenticator_data(0);
    out.signature = sign(out.authenticator_data, out.client_data);
    return out;
  }

  Bytes sign(ByteView authenticator, ByteView client) const {
    Bytes signed_data = core::to_bytes(authenticator);
    core::append(signed_data, base::sha256(client));
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    std::size_t size = 80;
    Bytes signature(size);
    EVP_DigestSign(context.get(), signature.data(), &size, signed_data.data(), signed_data.size());
    signature.resize(size);
    return signature;
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;

 public:
  Bytes credential_id;
  std::string rp_id = "example.org";
  std::string origin = "https://example.org:8443";
  bool cross_origin = false;
  // User present, user verified, backup eligible, backed up.
  std::uint8_t flags = 0x1d;
  std::uint32_t sign_count = 0;
};

}  // namespace community::users::test_support
