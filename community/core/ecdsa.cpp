// SPDX-License-Identifier: Apache-2.0
// Strict DER reader, and P-256 in the arithmetic that the trusted core has: a verification takes no allocation and no
// setting up of a key, which with OpenSSL's providers take longer than the curve.
#include "community/core/ecdsa.hpp"

#include <algorithm>

#include "trusted/p256/p256.hpp"

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

bool is_p256_point(const std::array<std::uint8_t, 64>& key) { return trusted::p256::public_key_valid(key); }

bool verify_p256(const std::array<std::uint8_t, 64>& key, const Bytes32& digest, const EcdsaSignature& signature) {
  std::array<std::uint8_t, 64> numbers;
  base::copy(numbers, signature.r);
  base::copy(base::MutableByteView(numbers).subspan(32), signature.s);
  return trusted::p256::verify(key, digest, numbers);
}

}  // namespace community::core
