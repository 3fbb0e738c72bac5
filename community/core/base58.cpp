// SPDX-License-Identifier: Apache-2.0
// Base conversion by schoolbook division; a leading zero byte is a leading '1'.
#include "community/core/base58.hpp"

#include "trusted/base/sha2.hpp"

namespace community::core {

namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

std::array<std::uint8_t, 4> checksum(ByteView payload) {
  const Bytes32 digest = base::sha256(base::sha256(payload));
  return {digest[0], digest[1], digest[2], digest[3]};
}

}  // namespace

std::string base58check_encode(ByteView payload) {
  Bytes bytes = to_bytes(payload);
  append(bytes, checksum(payload));
  // Digits of the number, least significant first.
  std::vector<std::uint8_t> digits;
  for (std::uint8_t byte : bytes) {
    unsigned carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += digit * 256u;
      digit = static_cast<std::uint8_t>(carry % 58);
      carry /= 58;
    }
    for (; carry != 0; carry /= 58) digits.push_back(static_cast<std::uint8_t>(carry % 58));
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size() && bytes[i] == 0; i++) text += kAlphabet[0];
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) text += kAlphabet[*digit];
  return text;
}

Result<Bytes> base58check_decode(std::string_view text) {
  if (text.size() > kMaxBase58Text) return fail(ErrorCode::base58_too_long);
  // Bytes of the number, least significant first.
  Bytes bytes;
  for (char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return fail(ErrorCode::base58_bad_digit);
    auto carry = static_cast<unsigned>(digit);
    for (std::uint8_t& byte : bytes) {
      carry += byte * 58u;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    for (; carry != 0; carry >>= 8) bytes.push_back(static_cast<std::uint8_t>(carry));
  }
  for (std::size_t i = 0; i < text.size() && text[i] == kAlphabet[0]; i++) bytes.push_back(0);
  std::reverse(bytes.begin(), bytes.end());
  if (bytes.size() < 4) return fail(ErrorCode::base58_bad_checksum);
  const ByteView payload = ByteView(bytes).first(bytes.size() - 4);
  if (!base::equal(checksum(payload), ByteView(bytes).last(4))) return fail(ErrorCode::base58_bad_checksum);
  bytes.resize(bytes.size() - 4);
  return bytes;
}

}  // namespace community::core
