// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/quote_maker.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>

#include "trusted/base/sha2.hpp"

namespace community::trusted::testing {
namespace {

struct Free {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1;
}

Key public_key(const protocol::Quote& quote) {
  std::array<std::uint8_t, protocol::kQuoteKeyBytes> modulus = quote.modulus;
  // The library takes numbers in the byte order of this machine.
  std::reverse(modulus.begin(), modulus.end());
  std::uint32_t exponent = quote.exponent;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
                             OSSL_PARAM_construct_uint32(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    std::abort();
  return Key(made);
}

}  // namespace

QuoteMaker::QuoteMaker() : key_(EVP_RSA_gen(protocol::kQuoteKeyBytes * 8)) {
  if (key_ == nullptr) std::abort();
}

QuoteMaker::~QuoteMaker() { EVP_PKEY_free(key_); }

Bytes32 QuoteMaker::measurement(protocol::QuoteKind kind) {
  return base::sha256(base::view(kind == protocol::QuoteKind::application ? "an application" : "a TEE core"));
}

bool QuoteMaker::quote(protocol::QuoteKind kind, const Bytes32& report, protocol::Quote& out) {
  requests.push_back({kind, report});
  if (fail) return false;
  out.measurement = measurement(kind);
  const Bytes32 digest = base::sha256({report, out.measurement});
  const Context context(EVP_PKEY_CTX_new(key_, nullptr));
  std::size_t size = out.signature.size();
  BIGNUM *n = nullptr, *e = nullptr;
  const bool made = EVP_PKEY_sign_init(context.get()) == 1 && use_pss(context.get()) &&
                    EVP_PKEY_sign(context.get(), out.signature.data(), &size, digest.data(), digest.size()) == 1 &&
                    EVP_PKEY_get_bn_param(key_, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                    EVP_PKEY_get_bn_param(key_, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                    BN_bn2binpad(n, out.modulus.data(), static_cast<int>(out.modulus.size())) > 0;
  if (!made) std::abort();
  out.signature_size = static_cast<std::uint32_t>(size);
  out.exponent = static_cast<std::uint32_t>(BN_get_word(e));
  BN_free(n);
  BN_free(e);
  if (bend) bend(out);
  return true;
}

Bytes32 QuoteMaker::fingerprint() const {
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key_, &der);
  if (size <= 0) std::abort();
  const Bytes32 hash = base::sha256(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return hash;
}

bool QuoteMaker::verifies(const Bytes32& report, const protocol::Quote& quote) const {
  return EVP_PKEY_eq(key_, public_key(quote).get()) == 1 && quote_verifies(report, quote);
}

bool quote_verifies(const Bytes32& report, const protocol::Quote& quote) {
  const Bytes32 digest = base::sha256({report, quote.measurement});
  const Key key = public_key(quote);
  const Context context(EVP_PKEY_CTX_new(key.get(), nullptr));
  return EVP_PKEY_verify_init(context.get()) == 1 && use_pss(context.get()) &&
         EVP_PKEY_verify(context.get(), quote.signature.data(), quote.signature_size, digest.data(), digest.size()) ==
             1;
}

}  // namespace community::trusted::testing
