// SPDX-License-Identifier: Apache-2.0
// Ethereum addresses: their checksummed text (EIP-55) and how contracts get theirs (CREATE, CREATE2 of EIP-1014).
#pragma once
#include "community/core/uint256.hpp"

namespace community::core {

// 40 digits with or without "0x". All lower or all upper case is taken as it is; mixed case must carry the checksum.
// hex_wrong_length, hex_bad_digit, address_bad_checksum.
Result<Address> parse_address(std::string_view text, HexPrefix prefix = HexPrefix::required);
// "0x" and the digits with their checksum.
std::string format_address(const Address& address);

// The last 20 bytes of a word; the caller has checked that the first 12 are zero where that matters.
Address address_from_word(const Bytes32& word);
Bytes32 word_from_address(const Address& address);

// Address of the contract that `sender` creates with its transaction number `nonce`.
Address create_address(const Address& sender, std::uint64_t nonce);
Address create2_address(const Address& sender, const Bytes32& salt, const Bytes32& init_code_hash);

}  // namespace community::core
