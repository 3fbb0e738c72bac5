// SPDX-License-Identifier: Apache-2.0
// Root keys: rotation, re-sealing under the newest, retirement of one that no record needs, and the numbers of records
// that decide about it (docs/adr/0014-counted-root-keys.md).
#include "trusted/core/core.hpp"

namespace community::trusted {

namespace {

// Height of a block's node above its leaves.
constexpr std::size_t kBlockHeight = std::bit_width(protocol::kCountBlock) - 1;
static_assert(std::size_t{1} << kBlockHeight == protocol::kCountBlock);

// Nothing stands on the right of the block.
bool is_last_block(const protocol::TreePath& path) { return (path.present & ~path.leaf) == 0; }

}  // namespace

Error Core::read_order(ByteView body, std::string_view what, protocol::RootKeyOrder& order) const {
  protocol::RootKeyOrderRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const Error signature = check_operator(what, request.order, request.signature);
  if (signature != Error::ok) return signature;
  if (!protocol::decode(request.order, order)) return Error::root_key_order_malformed;
  return order.core_id == state_.core_id ? Error::ok : Error::configuration_foreign;
}

// Changes that are pending keep the key they were sealed under; it stays, so they may be committed.
Error Core::rotate_root_key(ByteView body, Writer& reply) {
  protocol::RootKeyOrder order;
  Error error = read_order(body, "root key rotation", order);
  if (error != Error::ok) return error;
  const std::uint32_t newest = state_.active_root_key().version;
  // The same order again makes no other key: a host that lost the answer may repeat.
  if (order.version == newest) {
    reply.number(newest);
    return Error::ok;
  }
  if (order.version != newest + 1 || order.version == 0) return Error::root_key_out_of_order;
  if (state_.root_key_count == kMaxRootKeys) return Error::too_many_root_keys;
  RootKey& made = state_.root_keys[state_.root_key_count];
  made.version = order.version;
  made.records = 0;
  if (!port_.random(port_.context, made.key)) {
    base::wipe(made.key);
    made = {};
    return Error::random_failed;
  }
  state_.root_key_count++;
  error = save_state(port_, state_);
  if (error != Error::ok) {
    // Nothing was sealed under the key yet, so it does not matter whether the write took place after all.
    state_.root_key_count--;
    base::wipe(made.key);
    made = {};
    return error;
  }
  reply.number(order.version);
  return Error::ok;
}

Error Core::retire_root_key(ByteView body) {
  protocol::RootKeyOrder order;
  const Error error = read_order(body, "root key retirement", order);
  if (error != Error::ok) return error;
  const std::uint32_t newest = state_.active_root_key().version;
  if (order.version == newest) return Error::root_key_is_newest;
  if (order.version == 0 || order.version > newest) return Error::root_key_out_of_order;
  RootKey* retired = state_.find_root_key(order.version);
  // Retired already. The order may be repeated because its second write failed.
  if (retired == nullptr) return save_state(port_, state_);
  if (state_.records_counted == 0) return Error::records_not_counted;
  if (retired->records != 0) return Error::root_key_in_use;
  // A change that was sealed under it before a rotation may still be committed.
  for (std::size_t i = 0; i < pending_.count; i++)
    if (pending_.changes[i].root_after == order.version) return Error::root_key_in_use;
  return drop_root_key(*retired);
}

Error Core::drop_root_key(RootKey& retired) {
  opened_keys_.forget();
  auto before = state_.root_keys;
  for (RootKey* key = &retired; key + 1 != state_.root_keys.data() + state_.root_key_count; key++) *key = key[1];
  RootKey& last = state_.root_keys[--state_.root_key_count];
  base::wipe(last.key);
  last = {};
  const Error error = save_state(port_, state_);
  if (error != Error::ok) {
    state_.root_keys = before;
    state_.root_key_count++;
  }
  for (RootKey& key : before) base::wipe(key.key);
  // A body keeps the state of before beside the present one; the second write takes the key out of that as well.
  return error == Error::ok ? save_state(port_, state_) : error;
}

// The inside is carried over byte for byte and the revision stays: nothing that a person may have signed changes.
Error Core::reseal(Session& session, const protocol::Frame& frame, Writer& reply) {
  protocol::RecordProof proof;
  if (!protocol::decode(frame.body, proof)) return Error::malformed_request;
  Bytes32 root;
  Error error = change_base(session, root);
  if (error != Error::ok) return error;
  RecordHeader header;
  error = read_header(state_, proof.sealed, header);
  if (error != Error::ok) return error;
  base::Secret<kMaxRecordPlain> plain;
  std::size_t size = 0;
  error = open_bytes(port_, state_, proof.sealed, header.type, header, plain.bytes, size);
  if (error == Error::ok) error = check_current(proof, header, root);
  if (error != Error::ok) return error;
  // Sealing it again would cost a place in the batch and a write, and gain nothing.
  if (header.root_version == state_.active_root_key().version) return Error::record_under_newest_root;
  std::size_t sealed_size = 0;
  error = seal_bytes(port_, state_, header, ByteView(plain).first(size), sealed_buffer_, sealed_size);
  if (error != Error::ok) return error;
  return enter_sealed(session, frame, proof.path, header, ByteView(sealed_buffer_).first(sealed_size), {}, reply);
}

void Core::count_change(const PendingChange& change) {
  const bool counted = state_.records_counted != 0;
  // What is on the right of a count on its way is counted when its block comes.
  if (!counted && (!counting_.active || change.leaf >= counting_.next_leaf)) return;
  for (std::size_t i = 0; i < state_.root_key_count; i++) {
    std::uint32_t& records = counted ? state_.root_keys[i].records : counting_.records[i];
    const std::uint32_t version = state_.root_keys[i].version;
    if (version == change.root_after) records++;
    if (version != change.root_before) continue;
    // The tree holds the records that were counted and no others, so there is one to take away. Were it not so, no
    // number could be believed.
    if (records == 0) {
      state_.records_counted = 0;
      counting_ = {};
      return;
    }
    records--;
  }
}

// Each step proves the whole content of one block under the committed root, so no record can be left out. Steps may be
// of different roots: what changes in a counted block is entered at its COMMIT.
Error Core::count_records(ByteView body, Writer& reply) {
  protocol::CountRecordsRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  protocol::CountRecordsReply answer;
  if (state_.records_counted != 0) {
    answer.counted = 1;
    answer.fields(reply);
    return Error::ok;
  }
  // The first block begins anew.
  if (request.path.leaf == 0) counting_ = {};
  if (request.path.leaf != counting_.next_leaf) return Error::count_out_of_order;

  std::array<Bytes32, protocol::kCountBlock> nodes{};
  std::array<std::uint32_t, kMaxRootKeys> found{};
  for (std::size_t i = 0; i < request.record_count; i++) {
    const protocol::CountedRecord& record = request.records[i];
    RecordHeader header;
    const Error error = read_header(state_, record.sealed, header);
    if (error != Error::ok) return error;
    nodes[record.place] = protocol::leaf_hash(header.id, header.revision, record.sealed);
    // One under a key that was retired, which only a recovery brings back, opens no more and is nobody's need.
    for (std::size_t k = 0; k < state_.root_key_count; k++)
      if (state_.root_keys[k].version == header.root_version) found[k]++;
  }
  for (std::size_t width = nodes.size(); width > 1; width /= 2)
    for (std::size_t i = 0; i < width / 2; i++) nodes[i] = protocol::node_hash(nodes[2 * i], nodes[2 * i + 1]);
  const Error error = check_root(protocol::root_above(request.path, kBlockHeight, nodes[0]), state_.root);
  if (error != Error::ok) return error;

  const Counting before = counting_;
  counting_.active = true;
  counting_.next_leaf = request.path.leaf + static_cast<std::uint32_t>(protocol::kCountBlock);
  for (std::size_t k = 0; k < state_.root_key_count; k++) counting_.records[k] += found[k];
  answer.next_leaf = counting_.next_leaf;
  if (is_last_block(request.path)) {
    for (std::size_t k = 0; k < state_.root_key_count; k++) state_.root_keys[k].records = counting_.records[k];
    state_.records_counted = 1;
    const Error saved = save_state(port_, state_);
    if (saved != Error::ok) {
      state_.records_counted = 0;
      counting_ = before;
      return saved;
    }
    counting_ = {};
    answer = {1, 0};
  }
  answer.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
