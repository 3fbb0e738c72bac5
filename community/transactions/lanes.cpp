// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/lanes.hpp"

#include <algorithm>

namespace community::transactions {

std::uint64_t missing_before(std::uint64_t next, const std::set<std::uint64_t>& live, std::uint64_t sequence) {
  if (sequence <= next) return 0;
  const auto filled = static_cast<std::uint64_t>(std::distance(live.lower_bound(next), live.lower_bound(sequence)));
  return sequence - next - filled;
}

Standing standing_of(std::uint64_t next, const std::set<std::uint64_t>& live, std::uint64_t sequence) {
  if (sequence < next) return Standing::past;
  if (sequence == next) return Standing::next;
  return missing_before(next, live, sequence) == 0 ? Standing::behind : Standing::gap;
}

std::optional<NoncePlace> place_of(const Uint256& nonce) {
  if ((nonce.limb[2] | nonce.limb[3]) != 0 || nonce.limb[1] >= kMaxLanes) return std::nullopt;
  return NoncePlace{nonce.limb[1], nonce.limb[0]};
}

std::optional<std::uint64_t> LaneBook::reserve(const Account& account, const std::string& id, std::int64_t until_ms,
                                               std::int64_t now_ms, const std::function<bool(std::uint64_t)>& is_busy) {
  Holders& holders = lanes_[account];
  std::erase_if(holders, [now_ms](const auto& holder) { return holder.second.until_ms <= now_ms; });
  for (std::uint64_t lane = 0; lane < kMaxLanes; lane++) {
    if (!is_free(account, lane, now_ms) || is_busy(lane)) continue;
    holders[id] = {lane, until_ms};
    return lane;
  }
  if (holders.empty()) lanes_.erase(account);
  return std::nullopt;
}

void LaneBook::share(const Account& account, const std::string& id, std::uint64_t lane, std::int64_t until_ms) {
  lanes_[account][id] = {lane, until_ms};
}

void LaneBook::hold(const Account& account, const std::string& id) {
  const auto holders = lanes_.find(account);
  if (holders == lanes_.end()) return;
  const auto holder = holders->second.find(id);
  if (holder != holders->second.end()) holder->second.until_ms = INT64_MAX;
}

void LaneBook::release(const Account& account, const std::string& id) {
  const auto holders = lanes_.find(account);
  if (holders == lanes_.end()) return;
  holders->second.erase(id);
  if (holders->second.empty()) lanes_.erase(holders);
}

bool LaneBook::is_free(const Account& account, std::uint64_t lane, std::int64_t now_ms) const {
  const auto holders = lanes_.find(account);
  if (holders == lanes_.end()) return true;
  return std::none_of(holders->second.begin(), holders->second.end(), [&](const auto& holder) {
    return holder.second.lane == lane && holder.second.until_ms > now_ms;
  });
}

void LaneBook::note_next(const Account& account, const NoncePlace& next) {
  if (next.lane >= kMaxLanes) return;
  if (next_.size() >= kMaxRemembered && !next_.contains(account)) next_.clear();
  next_[account][next.lane] = next.sequence;
}

std::optional<std::uint64_t> LaneBook::likely_next(const Account& account, std::uint64_t lane) const {
  const auto lanes = next_.find(account);
  if (lanes == next_.end()) return std::nullopt;
  const auto next = lanes->second.find(lane);
  if (next == lanes->second.end()) return std::nullopt;
  return next->second;
}

}  // namespace community::transactions
