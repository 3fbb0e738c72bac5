// SPDX-License-Identifier: Apache-2.0
// From a document of eth_signTypedData_v4 to the form that the trusted core reads, whose JSON it never sees.
#pragma once
#include "community/core/json.hpp"
#include "community/keys/api/phrase_keys.hpp"

namespace community::keys {

struct TypedDocument {
  TypedMessage message;
  // keccak256(0x19 0x01 || domain separator || struct hash): what is signed, and what a passkey's challenge is.
  core::Bytes32 digest{};
  core::Bytes32 domain_separator{};
  // hashStruct of the message.
  core::Bytes32 contents{};
};

// Of {domain, types, primaryType, message}. The digest is computed twice, from the document and from the message, and
// must agree. Errors of core::hash_typed_data; eip712_type_syntax for a domain that is not of the standard's members in
// its order, eip712_too_large for what the core would find too complex.
core::Result<TypedDocument> typed_document(const core::json::object& document);

}  // namespace community::keys
