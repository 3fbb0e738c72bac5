// SPDX-License-Identifier: Apache-2.0
// Attestation: what this core says of itself, bound to a challenge and quoted by the body that measures its code.
#include "trusted/core/core.hpp"

namespace community::trusted {

void Core::describe_self(const Bytes32& challenge, protocol::AttestationStatement& statement) const {
  statement.challenge = challenge;
  statement.core_id = state_.core_id;
  statement.identity_key = state_.identity_key;
  statement.hpke_key = state_.hpke_key;
  statement.configuration_digest = configuration_digest_;
  statement.epoch = state_.epoch;
  statement.recovery_count = state_.recovery_count;
  statement.root_key_version = state_.active_root_key().version;
  statement.body = static_cast<std::uint8_t>(port_.body);
  statement.protection = static_cast<std::uint8_t>(port_.protection);
}

Error Core::make_quote(protocol::QuoteKind kind, const protocol::AttestationStatement& statement,
                       protocol::Quote& quote) const {
  const Bytes32 report = protocol::attestation_report(kind, statement);
  if (!port_.quote(port_.context, kind, report, quote)) return Error::quote_failed;
  // A body that measures with another key than RSA-3072 would be refused by every verifier; better here and by name.
  return quote.signature_size == protocol::kQuoteKeyBytes ? Error::ok : Error::quote_failed;
}

Error Core::attest(ByteView body, Writer& reply) const {
  protocol::AttestRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::AttestReply answer;
  describe_self(request.challenge, answer.statement);
  if (port_.quote != nullptr) {
    const auto kind = static_cast<protocol::QuoteKind>(request.kind);
    const Error error = make_quote(kind, answer.statement, answer.quote);
    if (error != Error::ok) return error;
    answer.kind = request.kind;
  }
  answer.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
