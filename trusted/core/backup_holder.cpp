// SPDX-License-Identifier: Apache-2.0
// The holder's side of a backup: a share of another core, its newest checkpoint, and their release to a new device.
#include "trusted/core/backup.hpp"
#include "trusted/core/core.hpp"

namespace community::trusted {

using protocol::Evidence;

namespace {

// Whether the package holds the share that the description says this core, `state`, is to have.
Error check_kept(const State& state, ByteView description_bytes, const protocol::KeptShare& share) {
  protocol::BackupDescription description;
  if (!protocol::decode(description_bytes, description)) return Error::backup_description_wrong;
  const Error error = check_share(description, base::sha256(description_bytes), share);
  if (error != Error::ok) return error;
  const protocol::Holder& holder = description.holders[share.index - 1u].holder;
  const bool named = holder.is_core() && holder.peer.core_id == state.core_id &&
                     holder.peer.identity_key == state.identity_key && holder.peer.hpke_key == state.hpke_key;
  return named ? Error::ok : Error::holder_unknown;
}

// Lets the record follow the device that the certificate names.
Error follow(const Port& port, const protocol::FenceCertificate& certificate, ShareRecord& record) {
  if (certificate.core_id != record.share.core_id) return Error::fence_certificate_foreign;
  const Bytes32 digest = protocol::fence_digest(certificate);
  if (!port.secp256k1_verify(port.context, record.share.fence_key.data(), digest, certificate.signature.data()))
    return Error::fence_certificate_invalid;
  // Shown before.
  if (certificate.identity_key == record.followed_identity &&
      certificate.recovery_count == record.followed_recovery_count)
    return Error::ok;
  protocol::Checkpoint kept;
  const bool has_kept = protocol::decode(record.checkpoint(), kept);
  // An operator who had the old device recover after the backup was made must say which of the two goes on.
  const bool newer = certificate.recovery_count > record.followed_recovery_count &&
                     (!has_kept || certificate.identity_key == record.followed_identity ||
                      certificate.recovery_count > kept.header.recovery_count);
  if (!newer) return Error::fence_certificate_not_newer;
  record.followed_identity = certificate.identity_key;
  record.followed_recovery_count = certificate.recovery_count;
  return Error::ok;
}

// Puts a checkpoint into the record, if it is one of the device that is followed and newer than what is there.
Error keep_checkpoint(const Port& port, ByteView sealed, ShareRecord& record) {
  protocol::Checkpoint checkpoint, kept;
  const Error error = read_checkpoint(sealed, record.share.core_id, record.share.generation, checkpoint);
  if (error != Error::ok) return error;
  const ByteView before = sealed.first(sealed.size() - protocol::kCheckpointSignature);
  if (!identity_verifies(port, record.followed_identity, protocol::kCheckpoint, before, checkpoint.signature))
    return Error::checkpoint_signature_invalid;
  const bool newer = checkpoint.header.recovery_count >= record.followed_recovery_count &&
                     (!protocol::decode(record.checkpoint(), kept) || checkpoint.header.is_newer_than(kept.header));
  if (!newer) return Error::checkpoint_not_newer;
  record.set_checkpoint(sealed);
  return Error::ok;
}

}  // namespace

Error Core::share_keep(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::ShareKeepRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  Error error = check_operator("keep share", request.order.order, request.order.signature);
  if (error != Error::ok) return error;
  protocol::KeepOrder order;
  if (!protocol::decode(request.order.order, order)) return Error::backup_order_malformed;
  if (order.core_id != state_.core_id) return Error::configuration_foreign;
  Evidence evidence;
  if (!protocol::decode(request.evidence, evidence)) return Error::malformed_request;
  error = check_evidence(port_, challenges_, order.source, evidence);
  if (error == Error::ok)
    error = check_package(port_, protocol::kShareKeep, order.source.identity_key, evidence.statement, request.package);
  if (error != Error::ok) return error;

  base::Secret<protocol::kMaxSharePackage> plain;
  protocol::ShareContents contents;
  error = open_package(port_, state_, protocol::kShareKeep, request.package, plain, contents);
  if (error != Error::ok) return error;
  if (contents.share.core_id != order.source.core_id) return Error::share_other_backup;
  if (contents.share.generation < order.generation) return Error::backup_out_of_order;
  error = check_kept(state_, request.description, contents.share);
  if (error != Error::ok) return error;

  ShareRecord record;
  record.share.assign(contents.share);
  record.followed_identity = order.source.identity_key;
  record.followed_recovery_count = evidence.statement.recovery_count;
  protocol::ShareCommitted committed;
  if (!port_.random(port_.context, committed.share_id)) return Error::random_failed;
  std::array<std::uint8_t, protocol::kMaxChangeReply> answer;
  return enter_new(session, frame, request.path, RecordType::share, committed.share_id, record,
                   protocol::encode(committed, answer), reply);
}

Error Core::checkpoint_keep(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::CheckpointKeepRequest request;
  if (!protocol::decode(frame.body, request)) return Error::malformed_request;
  Bytes32 root;
  Error error = change_base(session, root);
  if (error != Error::ok) return error;
  ShareRecord record;
  RecordHeader header;
  error = open_under(root, request.record, RecordType::share, header, record);
  if (error == Error::ok && request.has_certificate == 1) error = follow(port_, request.certificate, record);
  if (error == Error::ok) error = keep_checkpoint(port_, request.checkpoint, record);
  if (error != Error::ok) return error;
  return enter(session, frame, request.record.path, header, record, {}, reply);
}

Error Core::share_describe(ByteView body, Writer& reply) {
  protocol::RecordProof proof;
  if (!protocol::decode(body, proof)) return Error::malformed_request;
  ShareRecord record;
  RecordHeader header;
  const Error error = open_under(state_.root, proof, RecordType::share, header, record);
  if (error != Error::ok) return error;
  protocol::ShareDescribeReply answer;
  answer.share_id = header.id;
  answer.core_id = record.share.core_id;
  answer.generation = record.share.generation;
  answer.threshold = record.share.threshold;
  answer.index = record.share.index;
  answer.operator_key = record.share.operator_key;
  answer.followed_identity = record.followed_identity;
  answer.followed_recovery_count = record.followed_recovery_count;
  answer.fence_key = record.share.fence_key;
  answer.description = record.share.description;
  protocol::Checkpoint kept;
  if (protocol::decode(record.checkpoint(), kept)) {
    answer.has_checkpoint = 1;
    answer.recovery_count = kept.header.recovery_count;
    answer.revision = kept.header.revision;
  }
  answer.fields(reply);
  return Error::ok;
}

Error Core::share_release(ByteView body, Writer& reply) {
  protocol::ShareReleaseRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  ShareRecord record;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::share, header, record);
  if (error != Error::ok) return error;
  // The operator of the source when the backup was made; this core's own has no say.
  const Bytes32 digest = protocol::operator_digest("restore", request.order.order);
  if (!port_.secp256k1_verify(port_.context, record.share.operator_key.data(), digest, request.order.signature.data()))
    return Error::operator_signature_invalid;
  protocol::RestoreOrder order;
  if (!protocol::decode(request.order.order, order)) return Error::backup_order_malformed;
  if (order.core_id != record.share.core_id || order.generation != record.share.generation ||
      order.description != record.share.description)
    return Error::share_other_backup;
  Evidence evidence;
  if (!protocol::decode(request.evidence, evidence)) return Error::malformed_request;
  error = check_evidence(port_, challenges_, order.device, evidence);
  if (error != Error::ok) return error;

  protocol::SharePackageReply answer;
  answer.package.recipient_statement = statement_digest(evidence.statement);
  error = make_evidence(request.challenge, answer.evidence);
  if (error != Error::ok) return error;
  answer.package.sender_statement = statement_digest(answer.evidence.statement);
  protocol::ShareContents contents;
  contents.share.assign(record.share);
  contents.checkpoint = record.checkpoint();
  std::array<std::uint8_t, protocol::kMaxSharePackage> cipher;
  error = seal_package(port_, state_, protocol::kShareRelease, order.device.hpke_key, contents, cipher, answer.package);
  answer.fields(reply);
  return error;
}

}  // namespace community::trusted
