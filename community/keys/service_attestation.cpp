// SPDX-License-Identifier: Apache-2.0
// Attestation: two requests to the core that together are one answer.
#include "community/keys/messages.hpp"
#include "community/keys/service.hpp"

namespace community::keys {

using protocol::AttestReply;
using protocol::QuoteKind;

namespace {

// The two requests leave together, so a COMMIT comes between them only when it was on its way already.
constexpr int kAttempts = 4;
// An RSA key of 3,072 bits takes five seconds usually, and a minute on a busy machine now and then.
constexpr infra::Milliseconds kAttestationKeyTimeout{300'000};

bool same_statement(const protocol::AttestationStatement& a, const protocol::AttestationStatement& b) {
  std::array<std::uint8_t, protocol::kAttestationStatement> first, second;
  return base::equal(protocol::encode(a, first), protocol::encode(b, second));
}

}  // namespace

Task<Result<AttestReply>> Service::attest_kind(Bytes32 challenge, QuoteKind kind) {
  const auto answer = co_await call(
      protocol::Command::attest, encode_message(protocol::AttestRequest{challenge, static_cast<std::uint8_t>(kind)}));
  if (!answer) co_return tl::unexpected(answer.error());
  auto reply = decode_message<AttestReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  const bool of_this_kind =
      reply->kind == static_cast<std::uint8_t>(kind) || reply->kind == static_cast<std::uint8_t>(QuoteKind::none);
  if (reply->statement.challenge != challenge || !of_this_kind)
    co_return fail(ErrorCode::protocol_violation, "the attestation answers another request");
  co_return std::move(*reply);
}

Task<Result<Attestation>> Service::attest(Bytes32 challenge) {
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    auto [application, system] =
        co_await infra::both(attest_kind(challenge, QuoteKind::application), attest_kind(challenge, QuoteKind::system));
    if (!application) co_return tl::unexpected(application.error());
    if (!system) co_return tl::unexpected(system.error());
    const bool quoted = application->kind != 0;
    if (quoted != (system->kind != 0))
      co_return fail(ErrorCode::protocol_violation, "the trusted core has one kind of quote and not the other");
    Attestation attestation;
    attestation.statement = application->statement;
    if (!quoted) co_return attestation;
    if (!same_statement(application->statement, system->statement)) continue;
    if (application->quote.modulus != system->quote.modulus || application->quote.exponent != system->quote.exponent)
      co_return fail(ErrorCode::protocol_violation, "the two quotes are by two keys");
    attestation.quotes.emplace(application->quote, system->quote);
    co_return attestation;
  }
  co_return fail(ErrorCode::unavailable, "the trusted core was too busy with changes to attest one state");
}

Task<Result<Bytes32>> Service::provision(std::string socket_path, std::array<std::uint8_t, 64> operator_public_key) {
  co_return co_await Channel::provision(std::move(socket_path), operator_public_key, dependencies_.random);
}

// On a connection of its own: the service is not connected yet, and no other call may take this long.
Task<Result<void>> Service::make_attestation_key(ChannelOptions options) {
  options.calls.timeout = kAttestationKeyTimeout;
  auto channel = co_await Channel::connect(std::move(options), dependencies_.random);
  if (!channel) co_return tl::unexpected(channel.error());
  protocol::AttestRequest request;
  dependencies_.random.fill(request.challenge);
  request.kind = static_cast<std::uint8_t>(QuoteKind::application);
  Bytes body = encode_message(request);
  const auto quoted = co_await (*channel)->call(protocol::Command::attest, std::move(body));
  (*channel)->close("the attestation key is made");
  if (!quoted) co_return tl::unexpected(quoted.error());
  co_return Result<void>{};
}

}  // namespace community::keys
