// SPDX-License-Identifier: Apache-2.0
// Token buckets for whoever asks: each fills at a steady rate up to its size and is emptied by requests. Buckets lie in
// memory, in the order of their last use; the one that was not used for longest goes when there is no room, and would
// have been full again in most cases.
#pragma once
#include <list>
#include <string>
#include <unordered_map>

#include "community/infra/api/clock.hpp"

namespace community::users {

struct Rate {
  // Tokens that come in `per`; also what a bucket holds.
  double tokens = 0;
  infra::Milliseconds per{60'000};
};

class RateLimits {
 public:
  // About 200 bytes each: 65,536 of them are 13 MB.
  explicit RateLimits(std::size_t max_buckets = 65'536) : max_buckets_(max_buckets) {}

  // Takes a token from the bucket of this name, which is made full. 0: taken; otherwise the seconds until there is one,
  // at least 1. A name belongs to one rate.
  std::int64_t take(const std::string& name, const Rate& rate, infra::SteadyTime now);
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::string name;
    double tokens = 0;
    infra::SteadyTime filled;
  };
  const std::size_t max_buckets_;
  // Latest use first.
  std::list<Bucket> order_;
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> buckets_;
};

}  // namespace community::users
