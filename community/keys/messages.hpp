// SPDX-License-Identifier: Apache-2.0
// Between the service's own values and the messages of the trusted core.
#pragma once
#include "community/keys/api/key_service.hpp"
#include "trusted/protocol/frame.hpp"

namespace community::keys {

// Most requests take under 4 KiB; only a bundle needs a whole frame.
template <class Message>
Bytes encode_message(const Message& message) {
  for (const std::size_t capacity : {std::size_t{4'096}, std::size_t{32'768}, protocol::kMaxBody}) {
    Bytes buffer(capacity);
    const core::ByteView encoded = protocol::encode(message, buffer);
    if (encoded.empty()) continue;
    buffer.resize(encoded.size());
    return buffer;
  }
  // A limit is broken: the core answers malformed_request by name.
  return {};
}

template <class Message>
Result<Message> decode_message(core::ByteView bytes) {
  Message message;
  if (!protocol::decode(bytes, message))
    return fail(ErrorCode::protocol_violation, "an answer of the trusted core is malformed");
  return message;
}

inline protocol::Assertion to_protocol(const Assertion& assertion) {
  return {base::sha256(assertion.credential_id), assertion.client_data, assertion.authenticator_data,
          assertion.signature};
}

inline Signature to_signature(const protocol::Signature65& bytes) {
  Signature signature;
  base::copy(signature.r, core::ByteView(bytes).first(32));
  base::copy(signature.s, core::ByteView(bytes).subspan(32, 32));
  signature.y_parity = bytes[64];
  return signature;
}

}  // namespace community::keys
