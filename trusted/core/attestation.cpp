// SPDX-License-Identifier: Apache-2.0
// Attestation: what this core says of itself, bound to a challenge and quoted by the body that measures its code.
#include "trusted/core/core.hpp"

namespace community::trusted {

Error Core::attest(ByteView body, Writer& reply) const {
  protocol::AttestRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::AttestReply answer;
  protocol::AttestationStatement& statement = answer.statement;
  statement.challenge = request.challenge;
  statement.core_id = state_.core_id;
  statement.identity_key = state_.identity_key;
  statement.hpke_key = state_.hpke_key;
  statement.configuration_digest = configuration_digest_;
  statement.epoch = state_.epoch;
  statement.recovery_count = state_.recovery_count;
  statement.root_key_version = state_.active_root_key().version;
  statement.body = static_cast<std::uint8_t>(port_.body);
  statement.protection = static_cast<std::uint8_t>(port_.protection);
  if (port_.quote != nullptr) {
    const auto kind = static_cast<protocol::QuoteKind>(request.kind);
    const Bytes32 report = protocol::attestation_report(kind, statement);
    if (!port_.quote(port_.context, kind, report, answer.quote)) return Error::quote_failed;
    // A body that measures with another key than RSA-3072 would be refused by every verifier; better here and by name.
    if (answer.quote.signature_size != protocol::kQuoteKeyBytes) return Error::quote_failed;
    answer.kind = request.kind;
  }
  answer.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
