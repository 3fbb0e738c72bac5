// SPDX-License-Identifier: Apache-2.0
// Calls into OpenSSL.
#include "community/webauthn/certificate.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "community/webauthn/der.hpp"

namespace community::webauthn {

namespace {

// 1.3.6.1.4.1.45724.1.1.4
constexpr char kAaguidExtension[] = "1.3.6.1.4.1.45724.1.1.4";
// Attributes of TCG's EK profile, section 3.2.9: manufacturer, model, version.
constexpr const char* kTpmAttributes[] = {"2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"};

struct Free {
  void operator()(ASN1_OBJECT* p) const { ASN1_OBJECT_free(p); }
  void operator()(BASIC_CONSTRAINTS* p) const { BASIC_CONSTRAINTS_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(EXTENDED_KEY_USAGE* p) const { EXTENDED_KEY_USAGE_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  // The list only: the certificates in it belong to others.
  void operator()(STACK_OF(X509) * p) const { sk_X509_free(p); }
  void operator()(unsigned char* p) const { OPENSSL_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// Algorithms of an attestation's signature: those of RFC 9053 and RFC 8812 without SHA-1. WebAuthn, section 5.8.5,
// binds each ECDSA algorithm to one curve.
struct Algorithm {
  std::int64_t cose;
  // Name of the key in OpenSSL, and of its curve.
  const char* key;
  const char* curve;
  const EVP_MD* (*digest)();
  bool pss;
};
constexpr Algorithm kAlgorithms[] = {
    {-7, "EC", "prime256v1", EVP_sha256, false}, {-35, "EC", "secp384r1", EVP_sha384, false},
    {-36, "EC", "secp521r1", EVP_sha512, false}, {-257, "RSA", nullptr, EVP_sha256, false},
    {-258, "RSA", nullptr, EVP_sha384, false},   {-259, "RSA", nullptr, EVP_sha512, false},
    {-37, "RSA", nullptr, EVP_sha256, true},     {-38, "RSA", nullptr, EVP_sha384, true},
    {-39, "RSA", nullptr, EVP_sha512, true},     {-8, "ED25519", nullptr, nullptr, false},
};

const Algorithm* find_algorithm(std::int64_t cose) {
  for (const Algorithm& algorithm : kAlgorithms)
    if (algorithm.cose == cose) return &algorithm;
  return nullptr;
}

Owned<ASN1_OBJECT> object_of(const char* oid) { return Owned<ASN1_OBJECT>(OBJ_txt2obj(oid, 1)); }

bool is_on_curve(EVP_PKEY* key, const char* curve) {
  char name[64];
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 && std::string_view(name, size) == curve;
}

bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// What keeps the chain from leading to this root, in OpenSSL's words; empty when it does. One root at a time, because
// OpenSSL takes the first of several with the same name.
std::string leads_to(const std::vector<Certificate>& chain, const Certificate& root, std::int64_t now_s) {
  const Owned<X509_STORE> store(X509_STORE_new());
  const Owned<STACK_OF(X509)> others(sk_X509_new_null());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!store || !others || !context) return "out of memory";
  for (std::size_t i = 1; i < chain.size(); i++) sk_X509_push(others.get(), chain[i].get());
  if (X509_STORE_add_cert(store.get(), root.get()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), others.get()) != 1)
    return "out of memory";
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  // A trust root need not be self-signed: metadata may name an intermediate or the authenticator's own certificate.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, now_s);
  // 80 bits of security: no RSA below 1,024 bits, no signatures over SHA-1.
  X509_VERIFY_PARAM_set_auth_level(parameters, 1);
  if (X509_verify_cert(context.get()) == 1) return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace

const EVP_MD* digest_of(std::int64_t algorithm) {
  const Algorithm* found = find_algorithm(algorithm);
  return found == nullptr || found->digest == nullptr ? nullptr : found->digest();
}

Result<Certificate> Certificate::parse(ByteView der) {
  const unsigned char* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate.get() == nullptr || at != der.data() + der.size()) return fail(ErrorCode::certificate_malformed);
  return certificate;
}

Result<void> Certificate::check_end_entity() const {
  // Versions count from zero.
  if (X509_get_version(get()) != X509_VERSION_3) return fail(ErrorCode::certificate_version);
  const Owned<BASIC_CONSTRAINTS> constraints(
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(get(), NID_basic_constraints, nullptr, nullptr)));
  if (!constraints || constraints->ca != 0) return fail(ErrorCode::certificate_of_authority);
  return {};
}

std::string Certificate::subject(int nid) const {
  const X509_NAME* name = X509_get_subject_name(get());
  const int index = X509_NAME_get_index_by_NID(name, nid, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(name, nid, index) >= 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  const Owned<unsigned char> owned(text);
  return size < 0 ? std::string() : std::string(base::text({text, static_cast<std::size_t>(size)}));
}

bool Certificate::has_subject() const { return X509_NAME_entry_count(X509_get_subject_name(get())) > 0; }

std::optional<ByteView> Certificate::extension(const char* oid) const {
  const int index = X509_get_ext_by_OBJ(get(), object_of(oid).get(), -1);
  if (index < 0) return std::nullopt;
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(get(), index));
  return ByteView(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
}

Result<void> Certificate::check_aaguid(const std::array<std::uint8_t, 16>& aaguid) const {
  const auto value = extension(kAaguidExtension);
  if (!value) return {};
  const int index = X509_get_ext_by_OBJ(get(), object_of(kAaguidExtension).get(), -1);
  const auto said = der_only(*value, kDerOctets);
  if (!said || !base::equal(*said, aaguid) || X509_EXTENSION_get_critical(X509_get_ext(get(), index)) != 0)
    return fail(ErrorCode::certificate_aaguid);
  return {};
}

Result<void> Certificate::check_tpm_names() const {
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); i++) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DIRNAME) continue;
    std::size_t found = 0;
    for (const char* attribute : kTpmAttributes)
      found += X509_NAME_get_index_by_OBJ(name->d.directoryName, object_of(attribute).get(), -1) >= 0;
    if (found == std::size(kTpmAttributes)) return {};
  }
  return fail(ErrorCode::certificate_names);
}

bool Certificate::has_extended_key_usage(const char* oid) const {
  const Owned<EXTENDED_KEY_USAGE> usages(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(get(), NID_ext_key_usage, nullptr, nullptr)));
  const Owned<ASN1_OBJECT> wanted = object_of(oid);
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); i++)
    if (OBJ_cmp(sk_ASN1_OBJECT_value(usages.get(), i), wanted.get()) == 0) return true;
  return false;
}

std::optional<P256Key> Certificate::p256_key() const {
  EVP_PKEY* key = X509_get0_pubkey(get());
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1 || !is_on_curve(key, "prime256v1")) return std::nullopt;
  BIGNUM *x = nullptr, *y = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x);
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y);
  const Owned<BIGNUM> own_x(x), own_y(y);
  P256Key bytes;
  if (x == nullptr || y == nullptr || BN_bn2binpad(x, bytes.data(), 32) != 32 ||
      BN_bn2binpad(y, bytes.data() + 32, 32) != 32)
    return std::nullopt;
  return bytes;
}

Result<void> Certificate::verify(std::int64_t cose, ByteView message, ByteView signature) const {
  const Algorithm* algorithm = find_algorithm(cose);
  if (algorithm == nullptr) return fail(ErrorCode::attestation_algorithm_unsupported, std::to_string(cose));
  EVP_PKEY* key = X509_get0_pubkey(get());
  if (key == nullptr || EVP_PKEY_is_a(key, algorithm->key) != 1 ||
      (algorithm->curve != nullptr && !is_on_curve(key, algorithm->curve)))
    return fail(ErrorCode::attestation_algorithm_mismatch);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = algorithm->digest == nullptr ? nullptr : algorithm->digest();
  if (!context || EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key) != 1 ||
      (algorithm->pss && !use_pss(parameters)) ||
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) != 1)
    return fail(ErrorCode::attestation_signature_invalid);
  return {};
}

Result<std::vector<Certificate>> parse_chain(const core::CborItem& x5c) {
  if (x5c.kind != core::CborItem::Kind::array || x5c.items.empty() || x5c.items.size() > kMaxCertificates)
    return fail(ErrorCode::attestation_statement_malformed, "x5c");
  std::vector<Certificate> chain;
  for (const core::CborItem& item : x5c.items) {
    if (item.kind != core::CborItem::Kind::bytes) return fail(ErrorCode::attestation_statement_malformed, "x5c");
    auto certificate = Certificate::parse(item.bytes);
    if (!certificate) return tl::unexpected(certificate.error());
    chain.push_back(std::move(*certificate));
  }
  return chain;
}

Result<bool> check_chain(const std::vector<Certificate>& chain, const AttestationPolicy& policy) {
  std::string why;
  for (const Bytes& der : policy.trust_roots) {
    const auto root = Certificate::parse(der);
    if (!root) return fail(ErrorCode::trust_root_malformed);
    why = leads_to(chain, *root, policy.now_s);
    if (why.empty()) return true;
  }
  if (policy.trust_roots.empty()) return false;
  return fail(ErrorCode::certificate_chain_untrusted, why);
}

}  // namespace community::webauthn
