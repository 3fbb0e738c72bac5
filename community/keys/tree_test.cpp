// SPDX-License-Identifier: Apache-2.0
// The chunked tree against the definition in trusted/protocol/tree.hpp.
#include "community/keys/tree.hpp"

#include <gtest/gtest.h>

#include <random>

namespace community::keys {
namespace {

Bytes32 value_of(std::uint32_t number) {
  Bytes32 value{};
  base::store_be(value.data() + 28, number);
  value[0] = 1;
  return value;
}

// A tree whose missing chunks are empty: nothing was stored elsewhere.
void load(Tree& tree, std::uint32_t leaf) {
  for (const ChunkId id : tree.missing(leaf)) tree.insert(id, Chunk());
}

TEST(Tree, EveryPathLeadsToTheRoot) {
  Tree tree;
  std::mt19937 random(1);
  std::map<std::uint32_t, Bytes32> leaves;
  for (std::uint32_t i = 0; i < 300; i++) {
    const std::uint32_t leaf = i < 100 ? i : random() & ((1u << protocol::kTreeDepth) - 1);
    load(tree, leaf);
    tree.set_pending(leaf, value_of(i));
    leaves[leaf] = value_of(i);
  }
  const Bytes32 pending = tree.pending_root();
  tree.commit_pending();
  EXPECT_EQ(tree.root(), pending);
  for (const auto& [leaf, value] : leaves) {
    const OwnedPath path = tree.path(leaf, false);
    EXPECT_EQ(protocol::root_of(path.path, value), tree.root()) << leaf;
    EXPECT_NE(protocol::root_of(path.path, value_of(999)), tree.root()) << leaf;
  }
}

TEST(Tree, PendingChangesShowOnlyWhereAskedAndCanBeDropped) {
  Tree tree;
  load(tree, 5);
  tree.set_pending(5, value_of(1));
  EXPECT_EQ(tree.root(), protocol::kEmptyNode);
  EXPECT_EQ(protocol::root_of(tree.path(5, false).path, protocol::kEmptyNode), tree.root());
  EXPECT_EQ(protocol::root_of(tree.path(4, true).path, protocol::kEmptyNode), tree.pending_root());
  tree.drop_pending();
  EXPECT_EQ(tree.pending_root(), protocol::kEmptyNode);
}

TEST(Tree, ChunksSurviveEncodingAndAreFoundAgain) {
  Tree tree;
  for (std::uint32_t leaf = 0; leaf < 70; leaf++) {
    load(tree, leaf);
    tree.set_pending(leaf, value_of(leaf));
  }
  const auto stored = tree.commit_pending();
  Tree other;
  other.reset(tree.root());
  for (const ChunkId id : other.missing(69)) {
    Chunk chunk;
    ASSERT_TRUE(Chunk::decode(stored.at(id).encode(), chunk));
    other.insert(id, chunk);
  }
  EXPECT_EQ(protocol::root_of(other.path(69, false).path, value_of(69)), tree.root());
}

TEST(Tree, DamagedChunksAreRefused) {
  Chunk chunk;
  EXPECT_FALSE(Chunk::decode(Bytes(31), chunk));
  EXPECT_FALSE(Chunk::decode(Bytes(33 * 32), chunk));
  EXPECT_TRUE(Chunk::decode(Bytes(), chunk));
  EXPECT_EQ(chunk.top(), protocol::kEmptyNode);
}

TEST(Tree, APathOfAMillionRecordsStaysUnderAKilobyte) {
  Tree tree;
  // The tree's left part is full up to a million when every inner chunk above the leaf has all its nodes.
  for (std::uint32_t leaf = 0; leaf < 1u << 20; leaf += 1u << 15) {
    load(tree, leaf);
    tree.set_pending(leaf, value_of(leaf));
  }
  tree.commit_pending();
  load(tree, (1u << 20) - 1);
  EXPECT_LT(4 + 4 + 4 + tree.path((1u << 20) - 1, false).siblings.size(), 1'024u);
  EXPECT_LE(12 + protocol::kTreeDepth * 32, 1'024u);
}

}  // namespace
}  // namespace community::keys
