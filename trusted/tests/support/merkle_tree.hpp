// SPDX-License-Identifier: Apache-2.0
// The freshness tree as the host keeps it: only nodes that are not empty.
#pragma once
#include <map>
#include <utility>

#include "trusted/protocol/tree.hpp"
#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {

// A path that owns its siblings.
struct OwnedPath {
  std::uint32_t leaf = 0;
  std::uint32_t present = 0;
  Bytes siblings;
  protocol::TreePath view() const { return {leaf, present, siblings}; }
};

class MerkleTree {
 public:
  Bytes32 root() const { return node(protocol::kTreeDepth, 0); }

  OwnedPath path(std::uint32_t leaf) const {
    OwnedPath path;
    path.leaf = leaf;
    for (std::size_t height = 0; height < protocol::kTreeDepth; height++) {
      const Bytes32 sibling = node(height, leaf >> height ^ 1);
      if (sibling == protocol::kEmptyNode) continue;
      path.present |= 1u << height;
      append(path.siblings, sibling);
    }
    return path;
  }

  void set(std::uint32_t leaf, const Bytes32& value) {
    nodes_[{0, leaf}] = value;
    for (std::size_t height = 1; height <= protocol::kTreeDepth; height++) {
      const std::uint32_t index = static_cast<std::uint32_t>(std::uint64_t{leaf} >> height);
      const Bytes32 hash = protocol::node_hash(node(height - 1, index * 2), node(height - 1, index * 2 + 1));
      if (hash == protocol::kEmptyNode) {
        nodes_.erase({height, index});
      } else {
        nodes_[{height, index}] = hash;
      }
    }
  }

 private:
  Bytes32 node(std::size_t height, std::uint32_t index) const {
    const auto found = nodes_.find({height, index});
    return found == nodes_.end() ? protocol::kEmptyNode : found->second;
  }

  std::map<std::pair<std::size_t, std::uint32_t>, Bytes32> nodes_;
};

}  // namespace community::trusted::testing
