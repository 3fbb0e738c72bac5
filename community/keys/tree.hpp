// SPDX-License-Identifier: Apache-2.0
// The node's copy of the freshness tree, in chunks of five levels: what a path needs lies in six chunks, each one row
// of the database, so a million records cost no memory. Pure: loading and storing rows is the caller's.
#pragma once
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

#include "community/core/bytes.hpp"
#include "trusted/protocol/tree.hpp"

namespace community::keys {

using core::Bytes;
using core::Bytes32;

// Levels in a chunk; six chunks make the 30 levels of the tree.
inline constexpr unsigned kChunkLevels = 5;
inline constexpr unsigned kChunkGroups = protocol::kTreeDepth / kChunkLevels;
static_assert(kChunkLevels * kChunkGroups == protocol::kTreeDepth);

// Group g holds the nodes of heights 5g to 5g + 4; index i the subtree of 32 bottom nodes that begins at node 32i of
// height 5g.
struct ChunkId {
  std::uint8_t group = 0;
  std::uint32_t index = 0;
  auto operator<=>(const ChunkId&) const = default;

  static ChunkId of(std::uint8_t group, std::uint32_t leaf) {
    return {group, static_cast<std::uint32_t>(std::uint64_t{leaf} >> (kChunkLevels * (group + 1u)))};
  }
};

class Chunk {
 public:
  static constexpr std::size_t kBottom = 1u << kChunkLevels;

  const Bytes32& node(unsigned level, std::uint32_t place) const { return nodes_[offset(level) + place]; }
  const Bytes32& bottom(std::size_t place) const { return nodes_[place]; }
  // Sets a bottom node and all above it.
  void set(std::uint32_t place, const Bytes32& value);
  // The node above the chunk.
  Bytes32 top() const { return protocol::node_hash(node(kChunkLevels - 1, 0), node(kChunkLevels - 1, 1)); }

  // The bottom nodes up to the last that is not empty; the others follow from them.
  Bytes encode() const;
  // False when it is not whole nodes, or too many.
  static bool decode(core::ByteView bytes, Chunk& chunk);

 private:
  static constexpr std::size_t offset(unsigned level) { return 2 * kBottom - ((2 * kBottom) >> level); }
  // 32 + 16 + 8 + 4 + 2
  std::array<Bytes32, 2 * kBottom - 2> nodes_{};
};

struct OwnedPath {
  protocol::TreePath path;
  Bytes siblings;
};

// Chunks at hand, and the changes of one batch on top of them that are not committed yet.
class Tree {
 public:
  // 1,024 chunks of 2 kB: all inner groups of a million records and the leaves of 30,000 of them.
  explicit Tree(std::size_t cached_chunks = 1'024) : capacity_(cached_chunks) {}

  const Bytes32& root() const { return root_; }
  Bytes32 pending_root() const { return pending_chunks_.empty() ? root_ : pending_root_; }

  // Starts over from what the database holds: only the root, chunks come as they are needed.
  void reset(const Bytes32& root);

  // Chunks of the leaf's path that are not at hand.
  std::vector<ChunkId> missing(std::uint32_t leaf) const;
  void insert(ChunkId id, const Chunk& chunk);

  // The path of a leaf as of the last commit, or with the pending changes. All its chunks are at hand.
  OwnedPath path(std::uint32_t leaf, bool with_pending);

  // The same of the last commit, without the siblings below `height`.
  OwnedPath path_above(std::uint32_t leaf, unsigned height);

  // Enters a leaf's new value among the pending changes. All its chunks are at hand.
  void set_pending(std::uint32_t leaf, const Bytes32& value);
  void drop_pending();
  // Makes the pending changes the state and hands out the chunks to store.
  std::map<ChunkId, Chunk> commit_pending();

 private:
  struct Cached {
    Chunk chunk;
    std::list<ChunkId>::iterator used;
  };
  struct Hash {
    std::size_t operator()(const ChunkId& id) const {
      return std::hash<std::uint64_t>()(std::uint64_t{id.group} << 32 | id.index);
    }
  };

  const Chunk& at(ChunkId id, bool with_pending);
  OwnedPath path_from(std::uint32_t leaf, unsigned height, bool with_pending);

  std::size_t capacity_;
  Bytes32 root_{};
  std::unordered_map<ChunkId, Cached, Hash> chunks_;
  // Most recently used first.
  std::list<ChunkId> order_;
  std::map<ChunkId, Chunk> pending_chunks_;
  Bytes32 pending_root_{};
};

}  // namespace community::keys
