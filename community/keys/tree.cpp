// SPDX-License-Identifier: Apache-2.0
#include "community/keys/tree.hpp"

#include <cassert>

namespace community::keys {

void Chunk::set(std::uint32_t place, const Bytes32& value) {
  nodes_[place] = value;
  for (unsigned level = 1; level < kChunkLevels; level++) {
    place >>= 1;
    nodes_[offset(level) + place] = protocol::node_hash(node(level - 1, 2 * place), node(level - 1, 2 * place + 1));
  }
}

Bytes Chunk::encode() const {
  std::size_t used = kBottom;
  while (used > 0 && nodes_[used - 1] == protocol::kEmptyNode) used--;
  Bytes bytes;
  bytes.reserve(used * 32);
  for (std::size_t i = 0; i < used; i++) core::append(bytes, nodes_[i]);
  return bytes;
}

bool Chunk::decode(core::ByteView bytes, Chunk& chunk) {
  if (bytes.size() % 32 != 0 || bytes.size() / 32 > kBottom) return false;
  chunk = Chunk();
  for (std::size_t i = 0; i < bytes.size() / 32; i++) base::copy(chunk.nodes_[i], bytes.subspan(i * 32, 32));
  for (unsigned level = 1; level < kChunkLevels; level++)
    for (std::uint32_t place = 0; place < kBottom >> level; place++)
      chunk.nodes_[offset(level) + place] =
          protocol::node_hash(chunk.node(level - 1, 2 * place), chunk.node(level - 1, 2 * place + 1));
  return true;
}

void Tree::reset(const Bytes32& root) {
  root_ = root;
  chunks_.clear();
  order_.clear();
  drop_pending();
}

std::vector<ChunkId> Tree::missing(std::uint32_t leaf) const {
  std::vector<ChunkId> ids;
  for (std::uint8_t group = 0; group < kChunkGroups; group++) {
    const ChunkId id = ChunkId::of(group, leaf);
    if (!chunks_.contains(id)) ids.push_back(id);
  }
  return ids;
}

void Tree::insert(ChunkId id, const Chunk& chunk) {
  if (const auto known = chunks_.find(id); known != chunks_.end()) {
    known->second.chunk = chunk;
    order_.splice(order_.begin(), order_, known->second.used);
    return;
  }
  while (chunks_.size() >= capacity_ && !order_.empty()) {
    chunks_.erase(order_.back());
    order_.pop_back();
  }
  order_.push_front(id);
  chunks_.emplace(id, Cached{chunk, order_.begin()});
}

const Chunk& Tree::at(ChunkId id, bool with_pending) {
  if (with_pending) {
    const auto pending = pending_chunks_.find(id);
    if (pending != pending_chunks_.end()) return pending->second;
  }
  const auto known = chunks_.find(id);
  assert(known != chunks_.end());
  order_.splice(order_.begin(), order_, known->second.used);
  return known->second.chunk;
}

OwnedPath Tree::path(std::uint32_t leaf, bool with_pending) { return path_from(leaf, 0, with_pending); }

OwnedPath Tree::path_above(std::uint32_t leaf, unsigned height) { return path_from(leaf, height, false); }

OwnedPath Tree::path_from(std::uint32_t leaf, unsigned height, bool with_pending) {
  OwnedPath owned;
  owned.path.leaf = leaf;
  for (; height < protocol::kTreeDepth; height++) {
    const auto group = static_cast<std::uint8_t>(height / kChunkLevels);
    const unsigned level = height % kChunkLevels;
    const std::uint32_t places = static_cast<std::uint32_t>(Chunk::kBottom) >> level;
    const Bytes32& sibling =
        at(ChunkId::of(group, leaf), with_pending).node(level, (leaf >> height ^ 1) & (places - 1));
    if (sibling == protocol::kEmptyNode) continue;
    owned.path.present |= 1u << height;
    core::append(owned.siblings, sibling);
  }
  owned.path.siblings = owned.siblings;
  return owned;
}

void Tree::set_pending(std::uint32_t leaf, const Bytes32& value) {
  Bytes32 node = value;
  for (std::uint8_t group = 0; group < kChunkGroups; group++) {
    const ChunkId id = ChunkId::of(group, leaf);
    Chunk chunk = at(id, true);
    chunk.set(leaf >> (kChunkLevels * group) & (Chunk::kBottom - 1), node);
    node = chunk.top();
    pending_chunks_[id] = chunk;
  }
  pending_root_ = node;
}

void Tree::drop_pending() { pending_chunks_.clear(); }

std::map<ChunkId, Chunk> Tree::commit_pending() {
  if (!pending_chunks_.empty()) root_ = pending_root_;
  for (const auto& [id, chunk] : pending_chunks_) insert(id, chunk);
  return std::exchange(pending_chunks_, {});
}

}  // namespace community::keys
