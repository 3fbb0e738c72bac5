// SPDX-License-Identifier: Apache-2.0
// A million wallets: what the trusted core holds for them, how long a proof is, and what opening one record costs.
#include <benchmark/benchmark.h>

#include "trusted/core/record.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

// The nodes of a full tree over the first 2^height leaves, level by level, as a node's database holds them.
class FullTree {
 public:
  explicit FullTree(std::vector<Bytes32> leaves) : levels_{std::move(leaves)} {
    while (levels_.back().size() > 1) {
      const auto& below = levels_.back();
      std::vector<Bytes32> level(below.size() / 2);
      for (std::size_t i = 0; i < level.size(); i++) level[i] = protocol::node_hash(below[2 * i], below[2 * i + 1]);
      levels_.push_back(std::move(level));
    }
  }
  OwnedPath path(std::uint32_t leaf) const {
    OwnedPath path;
    path.leaf = leaf;
    for (std::size_t height = 0; height + 1 < levels_.size(); height++) {
      path.present |= 1u << height;
      append(path.siblings, levels_[height][leaf >> height ^ 1]);
    }
    return path;
  }

 private:
  std::vector<std::vector<Bytes32>> levels_;
};

constexpr std::size_t kWallets = 1u << 20;

void open_and_check_one_of_a_million(benchmark::State& state) {
  World world;
  const Port port = world.host.store.port();
  // A million records of the size of the real one; each has its own id. They are sealed by the core's own key.
  std::vector<Bytes> sealed(kWallets);
  std::vector<protocol::RecordId> ids(kWallets);
  std::vector<Bytes32> leaves(kWallets);
  WalletRecord wallet;
  wallet.passkey_count = 2;
  wallet.account_count = 2;
  Random random(1);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kWallets; i++) {
    base::copy(ids[i], random.bytes(16));
    sealed[i].resize(1'024);
    std::size_t size = 0;
    if (seal_record(port, world.host.core().state(), {RecordType::wallet, ids[i], 1}, wallet, sealed[i], size) !=
        Error::ok)
      std::abort();
    sealed[i].resize(size);
    sealed[i].shrink_to_fit();
    leaves[i] = protocol::leaf_hash(ids[i], 1, sealed[i]);
    bytes += size;
  }
  const FullTree tree(std::move(leaves));
  const Bytes32 root = protocol::root_of(tree.path(0).view(), protocol::leaf_hash(ids[0], 1, sealed[0]));
  std::size_t longest = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::size_t i = random.below(kWallets);
    const OwnedPath path = tree.path(static_cast<std::uint32_t>(i));
    longest = std::max(longest, path.siblings.size() + 12);
    state.ResumeTiming();
    RecordHeader header;
    WalletRecord opened;
    if (open_record(port, world.host.core().state(), sealed[i], RecordType::wallet, header, opened) != Error::ok ||
        protocol::root_of(path.view(), protocol::leaf_hash(header.id, header.revision, sealed[i])) != root)
      std::abort();
  }
  state.counters["record_bytes"] = static_cast<double>(bytes / kWallets);
  state.counters["proof_bytes"] = static_cast<double>(longest);
  state.counters["store_bytes"] = static_cast<double>(world.host.store.contents().size());
  state.counters["core_bytes"] = static_cast<double>(sizeof(Core));
}
BENCHMARK(open_and_check_one_of_a_million)->Unit(benchmark::kMicrosecond)->Iterations(20'000);

}  // namespace
}  // namespace community::trusted::testing
