// SPDX-License-Identifier: Apache-2.0
// An authenticator and its maker for tests: keys, certificates, CBOR, and registrations of every format that are right
// until a test changes one thing.
#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>

#include "community/core/bytes.hpp"
#include "community/webauthn/api/registration.hpp"

namespace community::webauthn::test_support {

using core::Bytes32;
using core::ByteView;

Bytes operator+(Bytes left, ByteView right);
Bytes text(std::string_view characters);

// CBOR in its shortest form; a map's members as its keys and values, encoded, in order.
Bytes cbor_number(std::int64_t value);
Bytes cbor_bytes(ByteView bytes);
Bytes cbor_text(std::string_view characters);
Bytes cbor_array(const std::vector<Bytes>& items);
Bytes cbor_map(const std::vector<Bytes>& keys_and_values);

// DER: first octets of the tag as they stand, and contents.
Bytes der(const Bytes& tag, ByteView content);

class Key {
 public:
  // EC key on an OpenSSL curve by its name.
  explicit Key(const char* curve = "P-256");

  EVP_PKEY* get() const { return key_.get(); }
  // x || y of P-256.
  std::array<std::uint8_t, 64> point() const;
  // DER signature over the digest of the message.
  Bytes sign(ByteView message, const EVP_MD* digest = EVP_sha256()) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
};

struct Extension {
  const char* oid;
  Bytes value;
  bool critical = false;
};

struct CertificatePlan {
  // Attributes by OpenSSL's short names, in order.
  std::vector<std::pair<const char*, std::string>> subject{
      {"C", "AQ"}, {"O", "Maker"}, {"OU", "Authenticator Attestation"}, {"CN", "Model"}};
  // As X.509 writes it: version 3 is 2.
  long version = 2;
  bool constrained = true;
  bool authority = false;
  std::int64_t from_s = 0;
  std::int64_t until_s = 4'000'000'000;
  std::vector<Extension> extensions;
};

struct Issued {
  Key key;
  Bytes der;
};
// Self-signed when there is no issuer.
Issued issue(const CertificatePlan& plan, const Key& key, const Issued* issuer);
// Plan of a root's or an intermediate's certificate.
CertificatePlan authority_plan(std::string name);

// A registration's parts. `change` functions of a test run before anything is signed.
struct Parts {
  std::string rp_id = "example.org";
  std::string client_data;
  Bytes aaguid = Bytes(16, 0xaa);
  Bytes credential_id = Bytes(32, 0x1d);
  std::uint8_t flags = 0x45;
  // Encoded COSE key; made of the credential's key when empty.
  Bytes cose_key;
  // Behind the key.
  Bytes behind;

  Bytes auth_data() const;
  Bytes client_data_hash() const;
  // What packed and android-key sign.
  Bytes signed_data() const;
};

class Authenticator {
 public:
  Authenticator();

  Ceremony ceremony() const;
  // Trusts the maker's root, at a time at which its certificates are valid.
  AttestationPolicy policy() const;
  // Client data that answers the ceremony; `rest` goes before the closing brace.
  static std::string client_data(std::string_view type = "webauthn.create",
                                 std::string_view rest = R"(,"crossOrigin":false)");

  Key credential;
  Issued root;
  Issued intermediate;
};

Bytes attestation_object(std::string_view format, ByteView auth_data, ByteView statement);

}  // namespace community::webauthn::test_support
