// SPDX-License-Identifier: Apache-2.0
// Challenges of log-ins: made here, good once, for five minutes. They are of a type: the image of a random number under
// a hash that names its purpose. Nothing else that a passkey signs (an operation's hash, an action's digest) can be
// one, because nobody finds a number that leads to a given image.
#pragma once
#include <deque>
#include <set>

#include "community/core/bytes.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/random.hpp"

namespace community::users {

class ChallengeBook {
 public:
  ChallengeBook(infra::Clock& clock, infra::Random& random, infra::Milliseconds life, std::size_t most)
      : clock_(clock), random_(random), life_(life), most_(most) {}

  core::Bytes32 issue();
  // True once for each challenge that was issued and is not too old.
  bool redeem(const core::Bytes32& challenge);
  std::size_t size() const { return open_.size(); }

 private:
  void drop_expired();

  struct Issued {
    core::Bytes32 challenge{};
    infra::SteadyTime until;
  };
  infra::Clock& clock_;
  infra::Random& random_;
  const infra::Milliseconds life_;
  const std::size_t most_;
  // In the order they came; redeemed ones stay here until they are too old, so that both have at most `most_`.
  std::deque<Issued> issued_;
  std::set<core::Bytes32> open_;
};

}  // namespace community::users
