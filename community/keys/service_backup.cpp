// SPDX-License-Identifier: Apache-2.0
// Requests about backups: this core's own, the shares of others that it keeps, and the restore of an empty one.
#include "community/infra/api/log.hpp"
#include "community/keys/messages.hpp"
#include "community/keys/service.hpp"

namespace community::keys {

using protocol::Command;

namespace {

protocol::SignedBackupOrder to_protocol(const SignedMessage& order) { return {order.message, order.signature}; }

Result<SentShare> read_share(const Result<Bytes>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  const auto reply = std::make_unique<protocol::SharePackageReply>();
  if (!protocol::decode(*answer, *reply))
    return fail(ErrorCode::protocol_violation, "an answer of the trusted core is malformed");
  return SentShare{encode_message(reply->evidence), encode_message(reply->package)};
}

// Nothing when the bytes are no package; the core then never sees them.
std::optional<protocol::SharePackage> read_package(const Bytes& bytes) {
  protocol::SharePackage package;
  if (!protocol::decode(bytes, package)) return std::nullopt;
  return package;
}

}  // namespace

// --- this core and its own backup ------------------------------------------------------------------------------------

Task<Result<Bytes32>> Service::peer_challenge() {
  const auto answer = co_await call(Command::peer_challenge, {});
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::PeerChallengeReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return reply->challenge;
}

Task<Result<Bytes>> Service::evidence(Bytes32 challenge) {
  const auto attested = co_await attest(challenge);
  if (!attested) co_return tl::unexpected(attested.error());
  const auto evidence = std::make_unique<protocol::Evidence>();
  evidence->statement = attested->statement;
  if (attested->quotes) {
    evidence->quoted = 1;
    evidence->application = attested->quotes->first;
    evidence->system = attested->quotes->second;
  }
  co_return encode_message(*evidence);
}

Task<Result<MadeBackup>> Service::create_backup(SignedMessage order) {
  const auto answer = co_await call(Command::backup_create, encode_message(to_protocol(order)));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::BackupCreateReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return MadeBackup{core::to_bytes(reply->description), reply->signature};
}

Task<Result<SentShare>> Service::backup_share(Bytes description, std::uint8_t index, Bytes32 challenge,
                                              Bytes evidence) {
  const protocol::BackupShareRequest request{description, index, challenge, evidence};
  const auto answer = co_await call(Command::backup_share, encode_message(request));
  co_return read_share(answer);
}

Task<Result<Bytes>> Service::checkpoint() {
  const auto answer = co_await call(Command::checkpoint, {});
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::CheckpointReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  co_return core::to_bytes(reply->checkpoint);
}

Task<Result<protocol::FenceCertificate>> Service::fence_certificate() {
  const auto answer = co_await call(Command::fence_certificate, {});
  if (!answer) co_return tl::unexpected(answer.error());
  co_return decode_message<protocol::FenceCertificate>(*answer);
}

Task<Result<void>> Service::fence(protocol::FenceCertificate certificate) {
  const auto answer = co_await call(Command::fence, encode_message(certificate));
  if (!answer) co_return tl::unexpected(answer.error());
  infra::log_error("keys: this trusted core was fenced; another device goes on as it",
                   {{"identity_key", core::to_plain_hex(certificate.identity_key)}});
  // The next connection finds a fenced core, and whoever keeps it running learns that it is over.
  channel_->close("the trusted core was fenced");
  co_return Result<void>{};
}

// --- shares of others ------------------------------------------------------------------------------------------------

Task<Result<RecordId>> Service::keep_share(SignedMessage order, Bytes description, Bytes evidence, Bytes package) {
  if (!read_package(package)) co_return refuse(protocol::Error::package_malformed);
  auto change = std::make_shared<Change>();
  change->command = Command::share_keep;
  change->kind = RecordKind::share;
  change->build = [order = std::move(order), description = std::move(description), evidence = std::move(evidence),
                   package = std::move(package)](const protocol::TreePath& path, core::ByteView) {
    protocol::ShareKeepRequest request;
    request.path = path;
    request.order = to_protocol(order);
    request.description = description;
    request.evidence = evidence;
    request.package = *read_package(package);
    return encode_message(request);
  };
  const auto answer = co_await submit(change);
  shares_.reset();
  share_changes_++;
  if (!answer) co_return tl::unexpected(answer.error());
  const auto committed = decode_message<protocol::ShareCommitted>(*answer);
  if (!committed) co_return tl::unexpected(committed.error());
  co_return committed->share_id;
}

Task<Result<void>> Service::keep_checkpoint(RecordId share, Bytes checkpoint,
                                            std::optional<protocol::FenceCertificate> certificate) {
  auto change = std::make_shared<Change>();
  change->command = Command::checkpoint_keep;
  change->kind = RecordKind::share;
  change->record = share;
  change->build = [checkpoint = std::move(checkpoint), certificate](const protocol::TreePath& path,
                                                                    core::ByteView sealed) {
    protocol::CheckpointKeepRequest request;
    request.record = {sealed, path};
    request.checkpoint = checkpoint;
    if (certificate) {
      request.has_certificate = 1;
      request.certificate = *certificate;
    }
    return encode_message(request);
  };
  const auto answer = co_await submit(change);
  shares_.reset();
  share_changes_++;
  if (!answer) co_return tl::unexpected(answer.error());
  co_return Result<void>{};
}

Task<Result<std::vector<protocol::ShareDescribeReply>>> Service::shares() {
  if (shares_) co_return *shares_;
  const std::uint64_t changes = share_changes_;
  const auto ids = co_await store_.shares();
  if (!ids) co_return tl::unexpected(ids.error());
  std::vector<protocol::ShareDescribeReply> found;
  for (const RecordId& id : *ids) {
    const auto answer =
        co_await ask(Command::share_describe, id, [](const auto& proof) { return encode_message(proof); });
    if (!answer) co_return tl::unexpected(answer.error());
    const auto share = decode_message<protocol::ShareDescribeReply>(*answer);
    if (!share) co_return tl::unexpected(share.error());
    found.push_back(*share);
  }
  if (changes == share_changes_) shares_ = found;
  co_return found;
}

Task<Result<SentShare>> Service::release_share(RecordId share, SignedMessage order, Bytes32 challenge, Bytes evidence) {
  const auto answer = co_await ask(Command::share_release, share, [&](const protocol::RecordProof& proof) {
    return encode_message(protocol::ShareReleaseRequest{proof, to_protocol(order), challenge, evidence});
  });
  co_return read_share(answer);
}

// --- a new device ----------------------------------------------------------------------------------------------------

Task<Result<RestoreOutcome>> Service::restore(SignedMessage order, Bytes description,
                                              std::vector<ShareContribution> contributions) {
  const auto request = std::make_unique<protocol::RestoreRequest>();
  request->order = to_protocol(order);
  request->description = description;
  if (contributions.size() > request->contributions.size()) co_return refuse(protocol::Error::malformed_request);
  for (const ShareContribution& given : contributions) {
    protocol::Contribution& contribution = request->contributions[request->contribution_count++];
    contribution.index = given.index;
    contribution.evidence = given.evidence;
    const auto package = read_package(given.package);
    if (!package) co_return refuse(protocol::Error::package_malformed);
    contribution.package = *package;
  }
  const auto answer = co_await call(Command::restore, encode_message(*request));
  if (!answer) co_return tl::unexpected(answer.error());
  const auto reply = decode_message<protocol::RestoreReply>(*answer);
  if (!reply) co_return tl::unexpected(reply.error());
  RestoreOutcome outcome;
  outcome.result = static_cast<protocol::Error>(reply->result);
  outcome.revision = reply->revision;
  outcome.contributions.assign(reply->contributions.begin(), reply->contributions.begin() + reply->contribution_count);
  const auto core = co_await status();
  if (!core) co_return tl::unexpected(core.error());
  outcome.database_matches = core->root == tree_.root();
  co_return outcome;
}

}  // namespace community::keys
