// SPDX-License-Identifier: Apache-2.0
// Restore: a new device becomes the core that was backed up, from as many shares as it takes and the newest checkpoint.
#include "trusted/base/shamir.hpp"
#include "trusted/core/backup.hpp"
#include "trusted/core/core.hpp"

namespace community::trusted {

using protocol::BackupDescription;
using protocol::Contribution;

namespace {

// Shares that were found good, by their index.
struct GoodShares {
  std::size_t count = 0;
  std::array<std::uint8_t, protocol::kMaxHolders> indices{};
  std::array<Bytes32, protocol::kMaxHolders> shares{};

  GoodShares() = default;
  GoodShares(const GoodShares&) = delete;
  GoodShares& operator=(const GoodShares&) = delete;
  ~GoodShares() { base::wipe(this, sizeof *this); }

  bool has(std::uint8_t index) const {
    for (std::size_t i = 0; i < count; i++)
      if (indices[i] == index) return true;
    return false;
  }
  void add(const protocol::KeptShare& share) {
    indices[count] = share.index;
    shares[count++] = share.share;
  }
};

// The sender is the holder of this index, by evidence and signature. Of an offline holder there is neither.
Error check_sender(const Port& port, const PeerChallenges& challenges, const protocol::Holder& holder,
                   const Contribution& contribution) {
  if (!holder.is_core()) return contribution.evidence.empty() ? Error::ok : Error::malformed_request;
  protocol::Evidence evidence;
  if (!protocol::decode(contribution.evidence, evidence)) return Error::malformed_request;
  const Error error = check_evidence(port, challenges, holder.peer, evidence);
  if (error != Error::ok) return error;
  return check_package(port, protocol::kShareRelease, holder.peer.identity_key, evidence.statement,
                       contribution.package);
}

// Judges one contribution and takes its share when it is good.
Error take_share(const Port& port, const State& state, const BackupDescription& description, const Bytes32& digest,
                 const Contribution& contribution, GoodShares& good) {
  base::Secret<protocol::kMaxSharePackage> plain;
  protocol::ShareContents contents;
  Error error = open_package(port, state, protocol::kShareRelease, contribution.package, plain, contents);
  if (error != Error::ok) return error;
  if (contents.share.index != contribution.index) return Error::share_other_backup;
  error = check_share(description, digest, contents.share);
  if (error == Error::ok) good.add(contents.share);
  return error;
}

// The newest checkpoint so far.
struct Newest {
  bool found = false;
  protocol::CheckpointHeader header;
  CheckpointContents contents;
};

// Opens the checkpoint that came with a good share, and takes it when it is newer than the newest so far.
Error take_checkpoint(const Port& port, const State& state, const BackupDescription& description,
                      const Bytes32& backup_key, const Contribution& contribution, Newest& newest) {
  base::Secret<protocol::kMaxSharePackage> plain;
  protocol::ShareContents share;
  Error error = open_package(port, state, protocol::kShareRelease, contribution.package, plain, share);
  if (error != Error::ok || share.checkpoint.empty()) return error;
  protocol::Checkpoint checkpoint;
  error = read_checkpoint(share.checkpoint, description.core_id, description.generation, checkpoint);
  if (error != Error::ok) return error;
  CheckpointContents contents;
  error = open_checkpoint(port, backup_key, share.checkpoint, checkpoint, contents);
  if (error != Error::ok) return error;
  if (newest.found && !checkpoint.header.is_newer_than(newest.header)) return Error::ok;
  newest.found = true;
  newest.header = checkpoint.header;
  newest.contents.assign(contents);
  return Error::ok;
}

}  // namespace

bool Core::is_empty() const {
  return state_.epoch == 0 && base::is_zero(state_.root) && state_.configuration_size == 0 &&
         state_.recovery_count == 0 && state_.backup_generation == 0 && pending_.count == 0;
}

Error Core::check_restore(const protocol::SignedBackupOrder& request, ByteView description_bytes,
                          const BackupDescription& description, protocol::RestoreOrder& order) const {
  const Bytes32 digest = protocol::operator_digest("restore", request.order);
  if (!port_.secp256k1_verify(port_.context, description.operator_key.data(), digest, request.signature.data()))
    return Error::operator_signature_invalid;
  if (!protocol::decode(request.order, order)) return Error::backup_order_malformed;
  if (order.core_id != description.core_id || order.generation != description.generation ||
      order.description != base::sha256(description_bytes))
    return Error::backup_description_wrong;
  const bool named = order.device.core_id == state_.core_id && order.device.identity_key == state_.identity_key &&
                     order.device.hpke_key == state_.hpke_key &&
                     order.device.body == static_cast<std::uint8_t>(port_.body);
  return named ? Error::ok : Error::restore_other_device;
}

Error Core::restore(ByteView body, Writer& reply) {
  protocol::RestoreRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  if (!is_empty()) return Error::core_not_empty;
  BackupDescription description;
  if (!protocol::decode(request.description, description)) return Error::backup_description_wrong;
  protocol::RestoreOrder order;
  Error error = check_restore(request.order, request.description, description, order);
  if (error != Error::ok) return error;

  protocol::RestoreReply answer;
  answer.contribution_count = request.contribution_count;
  GoodShares good;
  for (std::size_t i = 0; i < request.contribution_count; i++) {
    const Contribution& contribution = request.contributions[i];
    const std::uint8_t index = contribution.index;
    Error verdict = Error::ok;
    if (index == 0 || index > description.holder_count) verdict = Error::holder_unknown;
    if (verdict == Error::ok && good.has(index)) verdict = Error::share_twice;
    if (verdict == Error::ok)
      verdict = check_sender(port_, challenges_, description.holders[index - 1u].holder, contribution);
    if (verdict == Error::ok) verdict = take_share(port_, state_, description, order.description, contribution, good);
    answer.contributions[i] = {index, static_cast<std::uint16_t>(verdict)};
  }
  Error result = good.count < description.threshold ? Error::too_few_shares : Error::ok;
  if (result == Error::ok) {
    base::Secret<32> backup_key;
    base::shamir_combine(good.indices.data(), good.shares.data(), description.threshold, backup_key.bytes);
    Newest newest;
    for (std::size_t i = 0; i < request.contribution_count; i++) {
      if (answer.contributions[i].error != 0) continue;
      const Error verdict =
          take_checkpoint(port_, state_, description, backup_key.bytes, request.contributions[i], newest);
      answer.contributions[i].error = static_cast<std::uint16_t>(verdict);
    }
    if (newest.found) {
      error = take_over(order, backup_key.bytes, newest.header, newest.contents);
      answer.revision = newest.header.revision;
    } else {
      result = Error::checkpoint_missing;
    }
  }
  answer.result = static_cast<std::uint16_t>(result);
  answer.fields(reply);
  return error;
}

Error Core::take_over(const protocol::RestoreOrder& order, const Bytes32& backup_key,
                      const protocol::CheckpointHeader& header, const CheckpointContents& contents) {
  state_.core_id = header.core_id;
  state_.operator_key = contents.operator_key;
  state_.root_key_count = contents.root_key_count;
  state_.root_keys = contents.root_keys;
  // The numbers are those of the root that comes with them.
  state_.records_counted = contents.records_counted;
  state_.epoch = contents.epoch + 1;
  state_.root = contents.root;
  state_.recovery_count = header.recovery_count + 1;
  state_.spent_count = contents.spent_count;
  state_.spent = contents.spent;
  state_.configuration_floor = order.configuration_floor;
  if (contents.configuration_sequence > order.configuration_floor)
    state_.configuration_floor = contents.configuration_sequence;
  state_.order_sequence = order.order_floor;
  if (contents.order_sequence > order.order_floor) state_.order_sequence = contents.order_sequence;
  state_.backup_generation = header.generation;
  state_.backup_key = backup_key;
  state_.backup_description = order.description;
  state_.fence_secret = contents.fence_secret;
  state_.revision = header.revision;
  opened_keys_.forget();
  old_roots_ = {};
  counting_ = {};
  const Error error = save_state(port_, state_);
  // Whether the write took place is unknown: only a restart, which reads the store, can tell.
  if (error != Error::ok) ready_ = false;
  return error;
}

}  // namespace community::trusted
