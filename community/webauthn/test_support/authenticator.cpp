// SPDX-License-Identifier: Apache-2.0
#include "community/webauthn/test_support/authenticator.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "trusted/base/sha2.hpp"

namespace community::webauthn::test_support {

namespace {

Bytes cbor_head(unsigned type, std::uint64_t value) {
  const auto first = static_cast<std::uint8_t>(type << 5);
  if (value < 24) return {static_cast<std::uint8_t>(first | value)};
  if (value < 256) return {static_cast<std::uint8_t>(first | 24), static_cast<std::uint8_t>(value)};
  return {static_cast<std::uint8_t>(first | 25), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value)};
}

Bytes joined(Bytes head, const std::vector<Bytes>& parts) {
  for (const Bytes& part : parts) core::append(head, part);
  return head;
}

void add_extension(X509* certificate, const Extension& extension) {
  ASN1_OBJECT* object = OBJ_txt2obj(extension.oid, 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, extension.value.data(), static_cast<int>(extension.value.size()));
  X509_EXTENSION* made = X509_EXTENSION_create_by_OBJ(nullptr, object, extension.critical, value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(object);
}

}  // namespace

Bytes operator+(Bytes left, ByteView right) {
  core::append(left, right);
  return left;
}
Bytes text(std::string_view characters) { return core::to_bytes(base::view(characters)); }

Bytes cbor_number(std::int64_t value) {
  return value < 0 ? cbor_head(1, static_cast<std::uint64_t>(-1 - value))
                   : cbor_head(0, static_cast<std::uint64_t>(value));
}
Bytes cbor_bytes(ByteView bytes) { return cbor_head(2, bytes.size()) + bytes; }
Bytes cbor_text(std::string_view characters) { return cbor_head(3, characters.size()) + base::view(characters); }
Bytes cbor_array(const std::vector<Bytes>& items) { return joined(cbor_head(4, items.size()), items); }
Bytes cbor_map(const std::vector<Bytes>& keys_and_values) {
  return joined(cbor_head(5, keys_and_values.size() / 2), keys_and_values);
}

Bytes der(const Bytes& tag, ByteView content) {
  Bytes out = tag;
  const std::size_t size = content.size();
  if (size >= 256) {
    out = out + Bytes{0x82, static_cast<std::uint8_t>(size >> 8)};
  } else if (size >= 128) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size));
  return out + content;
}

Key::Key(const char* curve) : key_(EVP_EC_gen(curve), EVP_PKEY_free) {}

std::array<std::uint8_t, 64> Key::point() const {
  BIGNUM *x = nullptr, *y = nullptr;
  EVP_PKEY_get_bn_param(get(), OSSL_PKEY_PARAM_EC_PUB_X, &x);
  EVP_PKEY_get_bn_param(get(), OSSL_PKEY_PARAM_EC_PUB_Y, &y);
  std::array<std::uint8_t, 64> bytes;
  BN_bn2binpad(x, bytes.data(), 32);
  BN_bn2binpad(y, bytes.data() + 32, 32);
  BN_free(x);
  BN_free(y);
  return bytes;
}

Bytes Key::sign(ByteView message, const EVP_MD* digest) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, get());
  Bytes signature(160);
  std::size_t size = signature.size();
  EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size());
  signature.resize(size);
  return signature;
}

Issued issue(const CertificatePlan& plan, const Key& key, const Issued* issuer) {
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  X509* certificate = made.get();
  X509_set_version(certificate, plan.version);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  ASN1_TIME_set(X509_getm_notBefore(certificate), plan.from_s);
  ASN1_TIME_set(X509_getm_notAfter(certificate), plan.until_s);
  for (const auto& [name, value] : plan.subject)
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), name, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()), -1,
                               0);
  X509_set_pubkey(certificate, key.get());
  if (issuer != nullptr) {
    const unsigned char* at = issuer->der.data();
    const std::unique_ptr<X509, decltype(&X509_free)> above(
        d2i_X509(nullptr, &at, static_cast<long>(issuer->der.size())), X509_free);
    X509_set_issuer_name(certificate, X509_get_subject_name(above.get()));
  } else {
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  }
  if (plan.constrained)
    add_extension(certificate,
                  {"2.5.29.19", plan.authority ? Bytes{0x30, 0x03, 0x01, 0x01, 0xff} : Bytes{0x30, 0x00}, true});
  for (const Extension& extension : plan.extensions) add_extension(certificate, extension);
  X509_sign(certificate, issuer != nullptr ? issuer->key.get() : key.get(), EVP_sha256());
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  Bytes encoded(bytes, bytes + size);
  OPENSSL_free(bytes);
  return {key, std::move(encoded)};
}

CertificatePlan authority_plan(std::string name) {
  CertificatePlan plan;
  plan.subject = {{"CN", std::move(name)}};
  plan.authority = true;
  return plan;
}

Bytes Parts::auth_data() const {
  Bytes data = core::to_bytes(base::sha256(base::view(rp_id)));
  data.push_back(flags);
  data = data + Bytes{0, 0, 0, 7} + aaguid;
  data.push_back(static_cast<std::uint8_t>(credential_id.size() >> 8));
  data.push_back(static_cast<std::uint8_t>(credential_id.size()));
  return data + credential_id + cose_key + behind;
}
Bytes Parts::client_data_hash() const { return core::to_bytes(base::sha256(base::view(client_data))); }
Bytes Parts::signed_data() const { return auth_data() + client_data_hash(); }

Authenticator::Authenticator()
    : root(issue(authority_plan("Maker's root"), Key(), nullptr)),
      intermediate(issue(authority_plan("Maker's line"), Key(), &root)) {}

Ceremony Authenticator::ceremony() const {
  Ceremony ceremony;
  ceremony.rp_id = "example.org";
  ceremony.origins = {"https://example.org:8443", "https://example.org"};
  ceremony.challenge = text("a challenge of 25 letters");
  return ceremony;
}

AttestationPolicy Authenticator::policy() const {
  AttestationPolicy policy;
  policy.trust_roots = {root.der};
  policy.now_s = 1'800'000'000;
  return policy;
}

std::string Authenticator::client_data(std::string_view type, std::string_view rest) {
  return R"({"type":")" + std::string(type) +
         R"(","challenge":"YSBjaGFsbGVuZ2Ugb2YgMjUgbGV0dGVycw","origin":"https://example.org")" + std::string(rest) +
         "}";
}

Bytes attestation_object(std::string_view format, ByteView auth_data, ByteView statement) {
  return cbor_map({cbor_text("fmt"), cbor_text(format), cbor_text("attStmt"), core::to_bytes(statement),
                   cbor_text("authData"), cbor_bytes(auth_data)});
}

}  // namespace community::webauthn::test_support
