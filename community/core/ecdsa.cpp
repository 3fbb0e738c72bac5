// SPDX-License-Identifier: Apache-2.0
// Strict DER reader and OpenSSL's P-256 verification.
#include "community/core/ecdsa.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

namespace community::core {

namespace {

constexpr std::uint8_t kSequence = 0x30, kInteger = 0x02;

// Takes one element of the expected type from the front; lengths of 128 and more do not occur in these signatures.
Result<ByteView> take_element(ByteView& in, std::uint8_t tag) {
  if (in.size() < 2 || in[0] != tag || in[1] >= 0x80) return fail(ErrorCode::der_syntax);
  const std::size_t size = in[1];
  if (in.size() - 2 < size) return fail(ErrorCode::der_syntax);
  const ByteView content = in.subspan(2, size);
  in = in.subspan(2 + size);
  return content;
}

Result<Bytes32> take_number(ByteView& in) {
  auto content = take_element(in, kInteger);
  if (!content) return tl::unexpected(content.error());
  ByteView number = *content;
  if (number.empty() || number[0] >= 0x80) return fail(ErrorCode::der_syntax);
  if (number[0] == 0) {
    if (number.size() == 1) return fail(ErrorCode::signature_out_of_range);
    if (number[1] < 0x80) return fail(ErrorCode::der_syntax);
    number = number.subspan(1);
  }
  if (number.size() > 32) return fail(ErrorCode::signature_out_of_range);
  Bytes32 word{};
  std::copy(number.begin(), number.end(), word.end() - static_cast<std::ptrdiff_t>(number.size()));
  return word;
}

// The inverse of take_number for a verifier that takes DER.
void append_number(Bytes& out, const Bytes32& word) {
  std::size_t first = 0;
  while (first < 31 && word[first] == 0) first++;
  const ByteView digits = ByteView(word).subspan(first);
  const bool pad = digits[0] >= 0x80;
  out.push_back(kInteger);
  out.push_back(static_cast<std::uint8_t>(digits.size() + pad));
  if (pad) out.push_back(0);
  append(out, digits);
}

struct FreeKey {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKey>;

Key load_p256(const std::array<std::uint8_t, 64>& key) {
  std::array<std::uint8_t, 65> point{4};
  std::copy(key.begin(), key.end(), point.begin() + 1);
  char group[] = "P-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group - 1),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()), OSSL_PARAM_END};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* raw = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters)) != 1)
    return nullptr;
  return Key(raw);
}

}  // namespace

Result<EcdsaSignature> parse_der_signature(ByteView der) {
  auto content = take_element(der, kSequence);
  if (!content || !der.empty()) return fail(ErrorCode::der_syntax);
  const auto r = take_number(*content);
  if (!r) return tl::unexpected(r.error());
  const auto s = take_number(*content);
  if (!s) return tl::unexpected(s.error());
  if (!content->empty()) return fail(ErrorCode::der_syntax);
  return EcdsaSignature{*r, *s};
}

Result<EcdsaSignature> parse_p1363_signature(ByteView bytes) {
  if (bytes.size() != 64) return fail(ErrorCode::signature_length);
  EcdsaSignature signature;
  std::copy_n(bytes.begin(), 32, signature.r.begin());
  std::copy_n(bytes.begin() + 32, 32, signature.s.begin());
  return signature;
}

// OpenSSL checks that the point is on the curve while it loads the key.
bool is_p256_point(const std::array<std::uint8_t, 64>& key) { return load_p256(key) != nullptr; }

bool verify_p256(const std::array<std::uint8_t, 64>& key, ByteView digest, const EcdsaSignature& signature) {
  const Key loaded = load_p256(key);
  if (!loaded) return false;
  Bytes numbers;
  append_number(numbers, signature.r);
  append_number(numbers, signature.s);
  Bytes der{kSequence, static_cast<std::uint8_t>(numbers.size())};
  append(der, numbers);
  const KeyContext context(EVP_PKEY_CTX_new(loaded.get(), nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
}

}  // namespace community::core
