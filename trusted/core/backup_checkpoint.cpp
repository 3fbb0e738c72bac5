// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what a core needs to go on elsewhere, under the backup key.
#include "trusted/core/backup.hpp"

namespace community::trusted {
namespace {

constexpr std::size_t kTag = 16;

void checkpoint_key(const Bytes32& backup_key, const protocol::CheckpointHeader& header, Bytes32& key) {
  constexpr std::string_view kDomain = "community backup checkpoint";
  std::array<std::uint8_t, kDomain.size() + 4> info{};
  base::copy(info, base::view(kDomain));
  base::store_be(info.data() + kDomain.size(), header.generation);
  base::hkdf<base::Sha256>(backup_key, header.core_id, info, key);
}

void raise(Uint256& value, const Uint256& least) {
  if (least > value) value = least;
}

void gather(const State& state, const protocol::Configuration& configuration, CheckpointContents& contents) {
  contents.root_key_count = state.root_key_count;
  contents.root_keys = state.root_keys;
  contents.records_counted = state.records_counted;
  contents.epoch = state.epoch;
  contents.root = state.root;
  contents.configuration_sequence = configuration.sequence;
  if (state.configuration_floor > configuration.sequence) contents.configuration_sequence = state.configuration_floor;
  contents.spent_count = state.spent_count;
  contents.spent = state.spent;
  // What will be signed until a restore nobody will know; it cannot be more than this.
  for (std::size_t k = 0; k < contents.spent_count; k++) {
    Spent& spent = contents.spent[k];
    for (std::size_t i = 0; i < configuration.chain_count; i++) {
      if (configuration.chains[i].chain_id != spent.chain_id) continue;
      raise(spent.executor, configuration.chains[i].executor_budget);
      raise(spent.sponsor, configuration.chains[i].sponsor_budget);
    }
    for (std::size_t i = 0; i < configuration.treasury_count; i++)
      if (configuration.treasuries[i].chain_id == spent.chain_id)
        raise(spent.treasury, configuration.treasuries[i].budget);
  }
  contents.operator_key = state.operator_key;
  contents.fence_secret = state.fence_secret;
  contents.order_sequence = state.order_sequence;
}

}  // namespace

Error seal_checkpoint(const Port& port, const State& state, const protocol::Configuration& configuration,
                      MutableByteView out, ByteView& sealed) {
  protocol::Checkpoint checkpoint;
  checkpoint.header = {state.core_id, state.backup_generation, state.recovery_count, state.revision};
  if (!port.random(port.context, checkpoint.nonce)) return Error::random_failed;
  CheckpointContents contents;
  gather(state, configuration, contents);
  base::Secret<protocol::kMaxCheckpoint> buffer;
  const ByteView plain = protocol::encode(contents, buffer.bytes);
  if (plain.empty() || plain.size() + kTag > buffer.bytes.size()) return Error::checkpoint_malformed;
  std::array<std::uint8_t, protocol::kCheckpointHeader> header;
  protocol::encode(checkpoint.header, header);
  base::Secret<32> key;
  checkpoint_key(state.backup_key, checkpoint.header, key.bytes);
  // In place.
  const MutableByteView cipher = MutableByteView(buffer.bytes).first(plain.size() + kTag);
  if (!port.aes_gcm_seal(port.context, key.bytes, checkpoint.nonce.data(), header, plain, cipher.first(plain.size()),
                         cipher.data() + plain.size()))
    return Error::crypto_failed;
  checkpoint.cipher = cipher;
  // First without its signature, which is over all before it.
  const std::size_t size = protocol::encode(checkpoint, out).size();
  if (size == 0 || size > protocol::kMaxCheckpoint) return Error::checkpoint_malformed;
  const ByteView before = ByteView(out).first(size - protocol::kCheckpointSignature);
  const Error error = sign_as_identity(port, state, protocol::kCheckpoint, before, checkpoint.signature);
  if (error == Error::ok) sealed = protocol::encode(checkpoint, out);
  return error;
}

Error read_checkpoint(ByteView sealed, const RecordId& core_id, std::uint32_t generation,
                      protocol::Checkpoint& checkpoint) {
  if (sealed.size() > protocol::kMaxCheckpoint || !protocol::decode(sealed, checkpoint) ||
      checkpoint.cipher.size() < kTag)
    return Error::checkpoint_malformed;
  const bool ours = checkpoint.header.core_id == core_id && checkpoint.header.generation == generation;
  return ours ? Error::ok : Error::checkpoint_other_backup;
}

Error open_checkpoint(const Port& port, const Bytes32& backup_key, ByteView sealed,
                      const protocol::Checkpoint& checkpoint, CheckpointContents& contents) {
  base::Secret<32> key;
  checkpoint_key(backup_key, checkpoint.header, key.bytes);
  base::Secret<protocol::kMaxCheckpoint> buffer;
  const std::size_t size = checkpoint.cipher.size() - kTag;
  const MutableByteView plain = MutableByteView(buffer.bytes).first(size);
  const bool opened =
      port.aes_gcm_open(port.context, key.bytes, checkpoint.nonce.data(), sealed.first(protocol::kCheckpointHeader),
                        checkpoint.cipher.first(size), checkpoint.cipher.data() + size, plain);
  if (!opened) return Error::checkpoint_not_opened;
  return protocol::decode(ByteView(plain), contents) ? Error::ok : Error::checkpoint_malformed;
}

}  // namespace community::trusted
