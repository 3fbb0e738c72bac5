// SPDX-License-Identifier: Apache-2.0
// The freshness tree: a Merkle tree of 2^30 leaves over (record id, revision, digest). The core keeps its root, the
// host keeps its nodes and sends the path with each record; hashing is defined here once for both.
#pragma once
#include "trusted/base/sha2.hpp"
#include "trusted/protocol/protocol.hpp"
#include "trusted/protocol/wire.hpp"

namespace community::protocol {

using RecordId = std::array<std::uint8_t, 16>;

// An empty leaf, and every node below which all leaves are empty, is 32 zero bytes.
inline constexpr Bytes32 kEmptyNode{};

inline Bytes32 leaf_hash(const RecordId& id, std::uint64_t revision, ByteView sealed_record) {
  static constexpr std::array<std::uint8_t, 1> kLeaf{0x00};
  std::array<std::uint8_t, 8> number;
  base::store_be(number.data(), revision);
  return base::sha256({kLeaf, id, number, base::sha256(sealed_record)});
}

// What stands at a record's leaf; a record that was deleted is empty, and so is its leaf.
inline Bytes32 leaf_value(const RecordId& id, std::uint64_t revision, ByteView sealed_record) {
  return sealed_record.empty() ? kEmptyNode : leaf_hash(id, revision, sealed_record);
}

inline Bytes32 node_hash(const Bytes32& left, const Bytes32& right) {
  if (left == kEmptyNode && right == kEmptyNode) return kEmptyNode;
  static constexpr std::array<std::uint8_t, 1> kNode{0x01};
  return base::sha256({kNode, left, right});
}

// The siblings from a leaf up to the root. Bit i of `present` says whether the sibling at height i is sent; those
// that are not are empty.
struct TreePath {
  std::uint32_t leaf = 0;
  std::uint32_t present = 0;
  // `present` has as many bits as there are 32-byte siblings here, lowest height first.
  ByteView siblings;

  template <class Codec>
  void fields(Codec& codec) {
    codec.number(leaf).number(present).bytes(siblings, kTreeDepth * 32);
    if (leaf >> kTreeDepth != 0 || present >> kTreeDepth != 0) codec.fail();
    std::size_t count = 0;
    for (std::uint32_t bits = present; bits != 0; bits &= bits - 1) count++;
    if (siblings.size() != 32 * count) codec.fail();
  }
};

// The root that follows when `value` stands at `height` on the way up from the path's leaf; the siblings are those from
// that height on. The path has passed its field checks.
inline Bytes32 root_above(const TreePath& path, std::size_t height, const Bytes32& value) {
  Bytes32 node = value;
  std::size_t used = 0;
  for (; height < kTreeDepth; height++) {
    Bytes32 sibling = kEmptyNode;
    if ((path.present >> height & 1) != 0) {
      base::copy(sibling, path.siblings.subspan(used, 32));
      used += 32;
    }
    node = (path.leaf >> height & 1) != 0 ? node_hash(sibling, node) : node_hash(node, sibling);
  }
  return node;
}

// The root that follows when `leaf_value` stands at the path's leaf. The path has passed its field checks.
inline Bytes32 root_of(const TreePath& path, const Bytes32& leaf_value) { return root_above(path, 0, leaf_value); }

}  // namespace community::protocol
