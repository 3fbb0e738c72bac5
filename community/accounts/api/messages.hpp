// SPDX-License-Identifier: Apache-2.0
// Messages that an account's isValidSignature is asked about (spec/account.md, section 5): what is signed, nested by
// ERC-7739 into the account's own domain, and the signature as the account takes it. Pure.
#pragma once
#include "community/accounts/api/actions.hpp"
#include "community/core/json.hpp"

namespace community::accounts {

// The document whose digest both keys sign: TypedDataSign around the message of `document` (domain, types, primaryType,
// message), under the application's domain. The document's hash was computed before: it is well formed.
core::json::object nested_typed_data(const AccountOnChain& where, const core::json::object& document);
// PersonalSign under the account's domain, around the message with the prefix of EIP-191.
core::json::object nested_personal(const AccountOnChain& where, ByteView message);

// What isValidSignature takes for a typed message: the dual signature, the application's domain separator, hashStruct
// of the message, and the types' text, from which the account computes what was signed. `types` as encodeType writes
// each, ascending by name; `primary` is the message's own. signature_part_too_long: 65,535 bytes of types.
Result<Bytes> encode_typed_signature(ByteView dual, const Bytes32& domain_separator, const Bytes32& contents,
                                     const std::vector<std::string>& types, std::size_t primary);

}  // namespace community::accounts
