// SPDX-License-Identifier: Apache-2.0
// Challenges of log-ins and of what a person confirms: made here, good once, for five minutes. They are of a type: the
// image of a random number under a hash that names the purpose and whom it is for. Nothing else that a passkey signs
// (an operation's hash, an action's digest, a challenge of another purpose) can be one, because nobody finds a number
// that leads to a given image.
#pragma once
#include <deque>
#include <map>
#include <string>

#include "community/core/bytes.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/random.hpp"

namespace community::users {

class ChallengeBook {
 public:
  // `purpose`: "log-in", …; part of the hash.
  ChallengeBook(infra::Clock& clock, infra::Random& random, infra::Milliseconds life, std::size_t most,
                std::string_view purpose)
      : clock_(clock), random_(random), life_(life), most_(most), purpose_(purpose) {}

  // `whom`: the person's id; empty before anybody is known.
  core::Bytes32 issue(std::string_view whom = {});
  // True once for each challenge that was issued for them and is not too old.
  bool redeem(const core::Bytes32& challenge, std::string_view whom = {});
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
  const std::string purpose_;
  // In the order they came; redeemed ones stay here until they are too old, so that both have at most `most_`.
  std::deque<Issued> issued_;
  // Each with whom it is for.
  std::map<core::Bytes32, std::string> open_;
};

}  // namespace community::users
