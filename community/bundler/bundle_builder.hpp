// SPDX-License-Identifier: Apache-2.0
// Chooses operations for one transaction and proves them together. Inside of the module.
#pragma once
#include <set>

#include "community/bundler/factory.hpp"

namespace community::bundler {

struct Bundle {
  const chain::EntryPoint* entry_point = nullptr;
  std::vector<pool::UseropPtr> userops;
  core::Bytes call_data;
  std::uint64_t gas_limit = 0;
};

// An operation that did not go through, and what to do with it.
struct Misfit {
  Bytes32 hash{};
  std::string reason;
  // It fails alone too; otherwise it may go through in another bundle.
  bool hopeless = false;
};

struct Selection {
  std::vector<pool::UseropPtr> candidates;
  // Of the block the bundle is for.
  Uint256 base_fee;
  // Senders with operations in transactions that are not mined, and operations set aside until the next block.
  const std::set<Address>* busy_senders = nullptr;
  const std::set<Bytes32>* parked = nullptr;
};

class BundleBuilder {
 public:
  BundleBuilder(validation::Simulator& simulator, const BundlerOptions& options)
      : simulator_(simulator), options_(options) {}

  // Whether it fits a bundle of its own.
  bool fits_alone(const pool::PooledUserop& userop) const;
  // Within the limits of gas, bytes and number; one nonce key of a sender. What was in a bundle that reverted goes
  // alone.
  std::vector<pool::UseropPtr> select(const Selection& selection) const;

  struct Outcome {
    // Without operations when nothing is left.
    Bundle bundle;
    std::vector<Misfit> misfits;
  };
  // Simulates all together with the transaction's own gas limit and takes out what fails until the rest goes through.
  // chain_unavailable when the simulation could not be done.
  Task<Result<Outcome>> prove(const chain::EntryPoint& entry_point, std::vector<pool::UseropPtr> userops,
                              Address executor);

 private:
  Task<validation::Result<validation::ValidationTrace>> simulate(const Bundle& bundle, Address executor);
  Task<Result<Misfit>> judge(const chain::EntryPoint& entry_point, pool::UseropPtr userop, std::string reason,
                             bool alone, Address executor);
  // Which operation makes handleOps revert without naming one.
  Task<Result<std::size_t>> find_fault(const Bundle& bundle, Address executor);
  Result<void> encode(Bundle& bundle, const Address& executor) const;

  validation::Simulator& simulator_;
  const BundlerOptions& options_;
};

}  // namespace community::bundler
