// SPDX-License-Identifier: Apache-2.0
#include "community/backup/api/exchange.hpp"

namespace community::backup {

using infra::Task;

namespace {

// The holder's evidence for a challenge of the source.
Task<Result<Bytes>> ask_evidence(keys::BackupKeys& source, PeerClient& holder) {
  const auto challenge = co_await source.peer_challenge();
  if (!challenge) co_return fail(challenge.error());
  const auto text = co_await holder.quote(*challenge);
  if (!text) co_return tl::unexpected(text.error());
  const auto document = attestation::parse_quote(*text);
  if (!document)
    co_return fail(ErrorCode::document, holder.url() + ": " + document.error().message,
                   std::string(name(document.error().code)));
  const auto evidence = to_evidence(*document);
  if (!evidence)
    co_return fail(ErrorCode::malformed, holder.url() + ": its attestation key is not RSA-3072",
                   "attestation_key_not_rsa_3072");
  co_return *evidence;
}

}  // namespace

Task<Result<void>> give_share(keys::BackupKeys& source, PeerClient& holder, Bytes description, std::uint8_t index) {
  const auto challenge = co_await holder.challenge();
  if (!challenge) co_return tl::unexpected(challenge.error());
  const auto evidence = co_await ask_evidence(source, holder);
  if (!evidence) co_return tl::unexpected(evidence.error());
  const auto sent = co_await source.backup_share(description, index, *challenge, *evidence);
  if (!sent) co_return fail(sent.error());
  Share share{description, *sent};
  co_return co_await holder.keep_share(std::move(share));
}

Task<Result<Share>> make_offline_share(keys::BackupKeys& source, infra::Random& random, Bytes description,
                                       std::uint8_t index) {
  Bytes32 challenge;
  random.fill(challenge);
  const Bytes none;
  const auto sent = co_await source.backup_share(description, index, challenge, none);
  if (!sent) co_return fail(sent.error());
  co_return Share{description, *sent};
}

Task<Result<ShareContribution>> collect_share(keys::BackupKeys& device, PeerClient& holder, keys::SignedMessage order) {
  const auto theirs = co_await holder.challenge();
  if (!theirs) co_return tl::unexpected(theirs.error());
  const auto own = co_await device.peer_challenge();
  if (!own) co_return fail(own.error());
  const auto evidence = co_await device.evidence(*theirs);
  if (!evidence) co_return fail(evidence.error());
  Release release{std::move(order), *own, *evidence};
  co_return co_await holder.release(std::move(release));
}

}  // namespace community::backup
