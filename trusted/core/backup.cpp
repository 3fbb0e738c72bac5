// SPDX-License-Identifier: Apache-2.0
// The source's side of a backup: the key and its shares, checkpoints, and the fence that stops a device which another
// one has taken over from.
#include "trusted/core/backup.hpp"

#include "trusted/core/core.hpp"

namespace community::trusted {

using protocol::BackupDescription;
using protocol::BackupOrder;
using protocol::Command;
using protocol::Holder;

namespace {

// Holders whose keys are keys, no two alike, none of them the source.
Error check_holders(const Port& port, const State& state, const BackupOrder& order) {
  for (std::size_t i = 0; i < order.holder_count; i++) {
    const Holder& holder = order.holders[i];
    if (!is_hpke_key(port, holder.hpke_key())) return Error::hpke_key_invalid;
    if (holder.hpke_key() == state.hpke_key) return Error::backup_order_malformed;
    for (std::size_t k = 0; k < i; k++)
      if (order.holders[k].hpke_key() == holder.hpke_key()) return Error::backup_order_malformed;
  }
  return Error::ok;
}

bool fence_public_key(const Port& port, const State& state, std::array<std::uint8_t, 64>& key) {
  return port.secp256k1_public_key(port.context, state.fence_secret, key.data());
}

// Of the backup whose key is in the state; nothing when a primitive failed.
ByteView describe(const Port& port, const State& state, const BackupOrder& order, MutableByteView out) {
  BackupDescription description;
  description.core_id = order.core_id;
  description.generation = order.generation;
  description.threshold = order.threshold;
  description.source_identity = state.identity_key;
  description.operator_key = state.operator_key;
  if (!fence_public_key(port, state, description.fence_key)) return {};
  description.holder_count = order.holder_count;
  for (std::size_t i = 0; i < order.holder_count; i++) {
    const auto index = static_cast<std::uint8_t>(i + 1);
    base::Secret<32> share;
    make_share(state, order.threshold, index, share.bytes);
    description.holders[i] = {order.holders[i],
                              protocol::share_commitment(order.core_id, order.generation, index, share.bytes)};
  }
  return protocol::encode(description, out);
}

}  // namespace

Error Core::backup(Session& session, const protocol::Frame& frame, Writer& reply) {
  switch (static_cast<Command>(frame.command)) {
    case Command::peer_challenge:
      return peer_challenge(frame.body, reply);
    case Command::backup_create:
      return backup_create(frame.body, reply);
    case Command::backup_share:
      return backup_share(frame.body, reply);
    case Command::checkpoint:
      return checkpoint(frame.body, reply);
    case Command::share_keep:
      return share_keep(session, frame, reply);
    case Command::checkpoint_keep:
      return checkpoint_keep(session, frame, reply);
    case Command::share_describe:
      return share_describe(frame.body, reply);
    case Command::share_release:
      return share_release(frame.body, reply);
    case Command::restore:
      return restore(frame.body, reply);
    case Command::fence_certificate:
      return fence_certificate(frame.body, reply);
    case Command::fence:
      return fence(frame.body);
    default:
      return Error::unknown_command;
  }
}

Error Core::peer_challenge(ByteView body, Writer& reply) {
  if (!body.empty()) return Error::malformed_request;
  protocol::PeerChallengeReply answer;
  const Error error = challenges_.make(port_, answer.challenge);
  answer.fields(reply);
  return error;
}

Error Core::backup_create(ByteView body, Writer& reply) {
  protocol::SignedBackupOrder request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  Error error = check_operator("backup", request.order, request.signature);
  if (error != Error::ok) return error;
  BackupOrder order;
  if (!protocol::decode(request.order, order)) return Error::backup_order_malformed;
  if (order.core_id != state_.core_id) return Error::configuration_foreign;
  error = check_holders(port_, state_, order);
  if (error != Error::ok) return error;

  const bool again = order.generation == state_.backup_generation;
  if (!again && order.generation != state_.backup_generation + 1) return Error::backup_out_of_order;
  if (!again) {
    error = make_backup(order);
    if (error != Error::ok) return error;
  }
  const ByteView description = describe(port_, state_, order, sealed_buffer_);
  if (description.empty()) return Error::crypto_failed;
  // Another order for the present generation: its shares are given out already.
  if (base::sha256(description) != state_.backup_description) return Error::backup_out_of_order;
  protocol::BackupCreateReply answer;
  answer.description = description;
  error = sign_as_identity(port_, state_, protocol::kBackupDescription, description, answer.signature);
  answer.fields(reply);
  return error;
}

// Puts the keys of the next generation into the state, durably or not at all.
Error Core::make_backup(const BackupOrder& order) {
  base::Secret<32> key_before;
  key_before.bytes = state_.backup_key;
  const Bytes32 description_before = state_.backup_description;
  const bool first = state_.backup_generation == 0;
  state_.backup_generation++;
  Error error = port_.random(port_.context, state_.backup_key) ? Error::ok : Error::random_failed;
  if (error == Error::ok && first) error = make_fence_key();
  if (error == Error::ok) {
    const ByteView description = describe(port_, state_, order, sealed_buffer_);
    state_.backup_description = base::sha256(description);
    error = description.empty() ? Error::crypto_failed : save_state(port_, state_);
  }
  if (error == Error::ok) return error;
  // No share was made of it yet, so it does not matter whether the write took place after all.
  state_.backup_generation--;
  state_.backup_key = key_before.bytes;
  state_.backup_description = description_before;
  if (first) base::wipe(state_.fence_secret);
  return error;
}

Error Core::make_fence_key() {
  std::array<std::uint8_t, 64> unused{};
  // Outside the range of a secret once in 2^128 times; a generator that gives it again is broken.
  for (int attempt = 0; attempt < 4; attempt++) {
    if (!port_.random(port_.context, state_.fence_secret)) break;
    if (fence_public_key(port_, state_, unused)) return Error::ok;
  }
  return Error::random_failed;
}

Error Core::make_evidence(const Bytes32& challenge, protocol::Evidence& evidence) const {
  describe_self(challenge, evidence.statement);
  if (port_.quote == nullptr) return Error::ok;
  evidence.quoted = 1;
  const Error error = make_quote(protocol::QuoteKind::application, evidence.statement, evidence.application);
  return error == Error::ok ? make_quote(protocol::QuoteKind::system, evidence.statement, evidence.system) : error;
}

Error Core::backup_share(ByteView body, Writer& reply) {
  protocol::BackupShareRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  if (state_.backup_generation == 0) return Error::backup_missing;
  BackupDescription description;
  if (base::sha256(request.description) != state_.backup_description ||
      !protocol::decode(request.description, description))
    return Error::backup_description_wrong;
  if (request.index == 0 || request.index > description.holder_count) return Error::holder_unknown;
  const Holder& holder = description.holders[request.index - 1u].holder;
  protocol::SharePackageReply answer;
  if (holder.is_core()) {
    protocol::Evidence evidence;
    if (!protocol::decode(request.evidence, evidence)) return Error::malformed_request;
    const Error error = check_evidence(port_, challenges_, holder.peer, evidence);
    if (error != Error::ok) return error;
    answer.package.recipient_statement = statement_digest(evidence.statement);
  } else if (!request.evidence.empty()) {
    return Error::malformed_request;
  }
  Error error = make_evidence(request.challenge, answer.evidence);
  if (error != Error::ok) return error;
  answer.package.sender_statement = statement_digest(answer.evidence.statement);

  protocol::ShareContents contents;
  protocol::KeptShare& share = contents.share;
  share.core_id = description.core_id;
  share.generation = description.generation;
  share.threshold = description.threshold;
  share.index = request.index;
  make_share(state_, share.threshold, share.index, share.share);
  share.operator_key = description.operator_key;
  share.source_identity = description.source_identity;
  share.fence_key = description.fence_key;
  share.description = state_.backup_description;
  std::array<std::uint8_t, protocol::kMaxSharePackage> cipher;
  error = seal_package(port_, state_, protocol::kShareKeep, holder.hpke_key(), contents, cipher, answer.package);
  answer.fields(reply);
  return error;
}

Error Core::checkpoint(ByteView body, Writer& reply) {
  if (!body.empty()) return Error::malformed_request;
  if (state_.backup_generation == 0) return Error::backup_missing;
  protocol::CheckpointReply answer;
  const Error error = seal_checkpoint(port_, state_, configuration_, sealed_buffer_, answer.checkpoint);
  answer.fields(reply);
  return error;
}

Error Core::fence_certificate(ByteView body, Writer& reply) {
  if (!body.empty()) return Error::malformed_request;
  if (state_.recovery_count == 0 || state_.backup_generation == 0) return Error::fence_without_recovery;
  protocol::FenceCertificate certificate{state_.core_id, state_.recovery_count, state_.identity_key, {}};
  std::array<std::uint8_t, 65> signature{};
  if (!port_.secp256k1_sign(port_.context, state_.fence_secret, protocol::fence_digest(certificate), signature.data()))
    return Error::crypto_failed;
  base::copy(certificate.signature, ByteView(signature).first(64));
  certificate.fields(reply);
  return Error::ok;
}

Error Core::fence(ByteView body) {
  protocol::FenceCertificate certificate;
  if (!protocol::decode(body, certificate)) return Error::malformed_request;
  if (state_.backup_generation == 0) return Error::backup_missing;
  if (certificate.core_id != state_.core_id) return Error::fence_certificate_foreign;
  std::array<std::uint8_t, 64> key{};
  if (!fence_public_key(port_, state_, key)) return Error::crypto_failed;
  const Bytes32 digest = protocol::fence_digest(certificate);
  if (!port_.secp256k1_verify(port_.context, key.data(), digest, certificate.signature.data()))
    return Error::fence_certificate_invalid;
  if (certificate.identity_key == state_.identity_key) return Error::fence_certificate_is_own;
  if (certificate.recovery_count <= state_.recovery_count) return Error::fence_certificate_not_newer;

  for (RootKey& root : state_.root_keys) base::wipe(root.key);
  for (Bytes32* secret : {&state_.backup_key, &state_.fence_secret, &state_.hpke_secret, &state_.identity_secret})
    base::wipe(*secret);
  opened_keys_.forget();
  // What waits for its COMMIT may hold signatures that were not to leave yet.
  for (PendingChange& change : pending_.changes) base::wipe(change.reply);
  pending_.count = 0;
  pending_.order_sequence = 0;
  pending_.owner = nullptr;
  state_.fenced = 1;
  // A body keeps the state of before beside the present one; the second write takes the secrets out of that as well.
  Error error = save_state(port_, state_);
  if (error == Error::ok) error = save_state(port_, state_);
  // Whether the writes took place is unknown: only a restart can tell. Until then nothing is signed either way.
  if (error != Error::ok) ready_ = false;
  return error;
}

}  // namespace community::trusted
