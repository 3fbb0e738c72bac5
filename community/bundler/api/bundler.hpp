// SPDX-License-Identifier: Apache-2.0
// Takes waiting operations from the pool and brings them on chain with the executors' keys; follows its transactions
// until they are final. A signed transaction is on disk before it is sent, so nothing is lost or sent twice by a crash.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "community/bundler/api/error.hpp"
#include "community/core/json.hpp"
#include "community/infra/api/task.hpp"
#include "community/validation/api/gas.hpp"

namespace community::bundler {

using core::Address;
using core::Bytes32;
using core::Uint256;
using infra::Task;

struct BundlerLimits {
  // The smaller of EIP-7825 and the trusted core's bundle_gas_cap.
  std::uint64_t gas = validation::kMaxTransactionGas;
  std::size_t bytes = validation::kMaxBundleBytes;
  // Operations of one bundle; simulation time grows with it.
  std::size_t operations = 200;
  // wei; the trusted core's fee_cap. Bumps stop there.
  Uint256 max_fee_per_gas;
  // A bundle is sent when this many operations wait, or after `gather`.
  std::size_t batch_size = 10;
  infra::Milliseconds gather{50};
  // Blocks without inclusion after which fees are raised.
  std::uint64_t stuck_blocks = 3;
  // At least 12.5 %: execution clients refuse smaller replacements (10 % in most, 12.5 % where fees are compared
  // alone).
  unsigned bump_permille = 125;
  // Blocks after which an inclusion counts as final.
  std::uint64_t final_depth = 12;
  // Blocks in which an operation fails, in a simulation or in a bundle that reverts on chain, before it is dropped.
  std::uint32_t max_failures = 3;
  // An operation that cannot be included for so long (its fees are below the base fee) is dropped.
  infra::Milliseconds max_waiting{3'600'000};
  // wei; below it the executor is reported by health.
  Uint256 low_balance;
};

struct ExecutorState {
  Address address{};
  Uint256 balance;
  std::uint64_t nonce = 0;
  // Transactions sent and not included yet.
  std::size_t outstanding = 0;
};

class Bundler {
 public:
  virtual ~Bundler() = default;
  // Picks up what a former run left, then works until stop(). Joined by its owner.
  virtual Task<void> run() = 0;
  // Ends after the step in progress; what was sent is followed again after the next start.
  virtual void stop() = 0;
  virtual std::vector<ExecutorState> executors() const = 0;
  // The receipt of a bundle transaction as the execution client gave it; not_found until it is included.
  virtual Task<Result<core::json::object>> transaction_receipt(Bytes32 transaction_hash) = 0;
};

}  // namespace community::bundler
