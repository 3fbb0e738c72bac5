// SPDX-License-Identifier: Apache-2.0
// EIP-55: the case of each letter is a bit of the Keccak-256 digest of the lower-case text.
#include "community/core/address.hpp"

#include "community/core/rlp.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {

namespace {

// `digits` are 40 lower-case hex digits; letters whose digest nibble is 8 or more become upper case.
void apply_checksum(char* digits) {
  const Bytes32 digest = base::keccak256(base::view(std::string_view(digits, 40)));
  for (std::size_t i = 0; i < 40; i++) {
    const unsigned nibble = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15u;
    if (digits[i] >= 'a' && nibble >= 8) digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
  }
}

}  // namespace

Result<Address> parse_address(std::string_view text, HexPrefix prefix) {
  auto address = parse_hex_array<20>(text, prefix);
  if (!address) return address;
  const std::string_view digits = text.substr(text.size() - 40);
  const bool has_lower = std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'a' && c <= 'f'; });
  const bool has_upper = std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  if (has_lower && has_upper && format_address(*address).substr(2) != digits)
    return fail(ErrorCode::address_bad_checksum);
  return address;
}

std::string format_address(const Address& address) {
  std::string text = to_hex(address);
  apply_checksum(text.data() + 2);
  return text;
}

Address address_from_word(const Bytes32& word) {
  Address address;
  std::copy(word.begin() + 12, word.end(), address.begin());
  return address;
}

Bytes32 word_from_address(const Address& address) {
  Bytes32 word{};
  std::copy(address.begin(), address.end(), word.begin() + 12);
  return word;
}

Address create_address(const Address& sender, std::uint64_t nonce) {
  RlpWriter rlp;
  const std::size_t list = rlp.begin_list();
  rlp.add(sender);
  rlp.add(Uint256(nonce));
  rlp.end_list(list);
  return address_from_word(base::keccak256(rlp.bytes()));
}

Address create2_address(const Address& sender, const Bytes32& salt, const Bytes32& init_code_hash) {
  static constexpr std::uint8_t kPrefix[1] = {0xff};
  return address_from_word(base::keccak256({kPrefix, sender, salt, init_code_hash}));
}

}  // namespace community::core
