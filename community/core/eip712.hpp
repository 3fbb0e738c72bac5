// SPDX-License-Identifier: Apache-2.0
// Typed structured data (EIP-712): nested structs, arrays of fixed and free length, every elementary type. A document
// is refused when its message has a member that the types do not name: such a member would be shown but not signed.
#pragma once
#include "community/core/json.hpp"

namespace community::core {

inline constexpr std::size_t kMaxTypedDataStructs = 128;
inline constexpr std::size_t kMaxTypedDataMembers = 1024;
// Structs and arrays inside each other.
inline constexpr unsigned kMaxTypedDataDepth = 64;

struct TypedDataHashes {
  // keccak256(0x19 0x01 || domain separator || struct hash).
  Bytes32 digest{};
  Bytes32 domain_separator{};
  // hashStruct of the message; zero when the primary type is EIP712Domain itself.
  Bytes32 message_hash{};
  // typeHash || encodeData of the message.
  Bytes encoded;
};

// `types` maps struct names to [{name, type}]. Without EIP712Domain in it the domain's type is made of the standard
// members (name, version, chainId, verifyingContract, salt) that the domain has. An empty primary type means the one
// struct that no other refers to.
// eip712_type_missing, eip712_type_syntax, eip712_too_deep, eip712_too_large, eip712_member_missing,
// eip712_member_unknown, eip712_value (the message names member and cause).
Result<TypedDataHashes> hash_typed_data(const json::object& domain, const json::object& types,
                                        std::string_view primary_type, const json::object& message);
// A document {domain, types, primaryType, message}, as eth_signTypedData_v4 takes it.
Result<TypedDataHashes> hash_typed_data(const json::object& document);
// encodeType of the struct: "Mail(Person from,Person to)Person(string name)".
Result<std::string> typed_data_type_text(const json::object& types, std::string_view name);

}  // namespace community::core
