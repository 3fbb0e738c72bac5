// SPDX-License-Identifier: Apache-2.0
#include "community/users/api/rate_limits.hpp"

#include <algorithm>
#include <cmath>

namespace community::users {

std::int64_t RateLimits::take(const std::string& name, const Rate& rate, infra::SteadyTime now) {
  const double per_second = rate.tokens / std::chrono::duration<double>(rate.per).count();
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_buckets_) {
      buckets_.erase(order_.back().name);
      order_.pop_back();
    }
    order_.push_front({name, rate.tokens, now});
    found = buckets_.emplace(order_.front().name, order_.begin()).first;
  } else {
    order_.splice(order_.begin(), order_, found->second);
  }
  Bucket& bucket = *found->second;
  const double passed = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(rate.tokens, bucket.tokens + std::max(0.0, passed) * per_second);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / per_second)));
}

}  // namespace community::users
