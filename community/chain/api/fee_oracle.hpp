// SPDX-License-Identifier: Apache-2.0
// What a transaction should offer. Asked at most once for each head.
#pragma once
#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/clock.hpp"

namespace community::chain {

struct FeeOffer {
  Uint256 max_fee_per_gas;
  Uint256 max_priority_fee_per_gas;
};

struct FeeSuggestion {
  // Of the next block.
  Uint256 base_fee;
  FeeOffer slow;
  FeeOffer standard;
  FeeOffer fast;
};

struct FeeOracleOptions {
  // Blocks looked at.
  std::uint64_t blocks = 10;
  // Percentiles of the priority fees paid in them.
  double slow_percentile = 20, standard_percentile = 50, fast_percentile = 80;
  // Head-room over the next base fee, in percent. A full block raises it by 12.5 percent (EIP-1559): 120 survives one
  // and a half full blocks, 150 three, 200 nearly six.
  std::uint64_t slow_headroom = 120, standard_headroom = 150, fast_headroom = 200;
  // Never less priority than this, in wei.
  std::uint64_t min_priority_fee = 1'000'000;
  // An answer is used this long, unless a new block comes; longer than most chains take for one.
  Milliseconds keep{15'000};
};

// What a replacement offers that adds `permille` per mille: rounded up, so that one wei becomes two; saturating.
Uint256 raised_fee(const Uint256& fee, unsigned permille);

class FeeOracle {
 public:
  FeeOracle(ExecutionClient& client, infra::Clock& clock, FeeOracleOptions options = {});
  // Concurrent callers share one question and its outcome.
  Task<ChainResult<FeeSuggestion>> suggest();
  // Forgets the kept answer: a new block came.
  void invalidate();

 private:
  Task<ChainResult<FeeSuggestion>> ask();
  Task<ChainResult<FeeSuggestion>> ask_without_history();
  FeeSuggestion make(const Uint256& base_fee, const Uint256& slow, const Uint256& standard, const Uint256& fast) const;

  ExecutionClient& client_;
  infra::Clock& clock_;
  FeeOracleOptions options_;
  std::optional<FeeSuggestion> kept_;
  infra::SteadyTime kept_until_{};
  // Of the last question.
  std::optional<ChainError> failure_;
  bool asking_ = false;
  infra::Event answered_;
};

}  // namespace community::chain
