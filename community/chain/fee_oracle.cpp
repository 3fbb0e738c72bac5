// SPDX-License-Identifier: Apache-2.0
// Fees from what recent blocks paid (eth_feeHistory), or from the node's own suggestion where it keeps no history.
#include "community/chain/api/fee_oracle.hpp"

#include <algorithm>

namespace community::chain {
namespace {

// base * percent / 100, saturating: a fee beyond 256 bits is refused later by every node.
Uint256 scale(const Uint256& base, std::uint64_t percent) {
  const auto product = multiply(base, Uint256(percent));
  return product ? divide(*product, 100).quotient : Uint256::max();
}

Uint256 sum(const Uint256& a, const Uint256& b) { return add(a, b).value_or(Uint256::max()); }

// The middle one of the blocks that paid anything: empty blocks report zero and say nothing.
Uint256 median_paid(const FeeHistory& history, std::size_t column) {
  std::vector<Uint256> paid;
  for (std::size_t i = 0; i < history.rewards.size(); i++) {
    const bool empty = i < history.gas_used_ratio.size() && history.gas_used_ratio[i] <= 0;
    if (!empty && column < history.rewards[i].size()) paid.push_back(history.rewards[i][column]);
  }
  if (paid.empty()) return {};
  const auto middle = paid.begin() + static_cast<std::ptrdiff_t>(paid.size() / 2);
  std::nth_element(paid.begin(), middle, paid.end());
  return *middle;
}

}  // namespace

Uint256 raised_fee(const Uint256& fee, unsigned permille) {
  const auto product = base::multiply(fee, Uint256(1'000 + permille));
  if (!product) return Uint256::max();
  return *base::add(base::divide(*product, 1'000).quotient, Uint256(1));
}

FeeOracle::FeeOracle(ExecutionClient& client, infra::Clock& clock, FeeOracleOptions options)
    : client_(client), clock_(clock), options_(options) {}

void FeeOracle::invalidate() { kept_until_ = {}; }

Task<ChainResult<FeeSuggestion>> FeeOracle::suggest() {
  const bool shares = asking_;
  while (asking_) {
    answered_.reset();
    co_await answered_.wait();
  }
  // Each asking anew would make the last of many wait for as many time-outs.
  if (shares && failure_) co_return tl::unexpected(*failure_);
  if (kept_ && clock_.steady() < kept_until_) co_return *kept_;
  struct Asking {
    FeeOracle& oracle;
    ~Asking() {
      oracle.asking_ = false;
      oracle.answered_.set();
    }
  } asking{*this};
  asking_ = true;
  failure_.reset();
  auto suggestion = co_await ask();
  if (suggestion) {
    kept_ = *suggestion;
    kept_until_ = clock_.steady() + options_.keep;
  } else {
    failure_ = suggestion.error();
  }
  co_return suggestion;
}

Task<ChainResult<FeeSuggestion>> FeeOracle::ask() {
  std::vector<double> percentiles(3);
  percentiles[0] = options_.slow_percentile;
  percentiles[1] = options_.standard_percentile;
  percentiles[2] = options_.fast_percentile;
  auto history = co_await client_.fee_history(options_.blocks, BlockRef::latest(), std::move(percentiles));
  if (!history && history.error().kind == ChainErrorKind::rpc) co_return co_await ask_without_history();
  if (!history) co_return tl::unexpected(std::move(history.error()));
  if (history->base_fees.empty()) co_return co_await ask_without_history();
  co_return make(history->base_fees.back(), median_paid(*history, 0), median_paid(*history, 1),
                 median_paid(*history, 2));
}

Task<ChainResult<FeeSuggestion>> FeeOracle::ask_without_history() {
  auto priority = co_await client_.max_priority_fee();
  if (!priority) co_return tl::unexpected(std::move(priority.error()));
  auto latest = co_await client_.block(BlockRef::latest());
  if (!latest) co_return tl::unexpected(std::move(latest.error()));
  if (!*latest) co_return chain_fail(ChainErrorKind::malformed, "the node knows no latest block");
  // The next base fee is at most an eighth higher.
  co_return make(scale((*latest)->base_fee, 113), scale(*priority, 90), *priority, scale(*priority, 120));
}

FeeSuggestion FeeOracle::make(const Uint256& base_fee, const Uint256& slow, const Uint256& standard,
                              const Uint256& fast) const {
  const Uint256 floor(options_.min_priority_fee);
  FeeSuggestion suggestion;
  suggestion.base_fee = base_fee;
  const Uint256 priority_slow = std::max(slow, floor);
  // Percentiles of different blocks may cross; offers do not.
  const Uint256 priority_standard = std::max(standard, priority_slow);
  const Uint256 priority_fast = std::max(fast, priority_standard);
  suggestion.slow = {sum(scale(base_fee, options_.slow_headroom), priority_slow), priority_slow};
  suggestion.standard = {sum(scale(base_fee, options_.standard_headroom), priority_standard), priority_standard};
  suggestion.fast = {sum(scale(base_fee, options_.fast_headroom), priority_fast), priority_fast};
  return suggestion;
}

}  // namespace community::chain
