// SPDX-License-Identifier: Apache-2.0
#include "community/users/challenge_book.hpp"

#include "trusted/base/sha2.hpp"

namespace community::users {

void ChallengeBook::drop_expired() {
  while (!issued_.empty() && (issued_.front().until <= clock_.steady() || issued_.size() > most_)) {
    open_.erase(issued_.front().challenge);
    issued_.pop_front();
  }
}

core::Bytes32 ChallengeBook::issue() {
  core::Bytes32 number;
  random_.fill(number);
  const core::Bytes32 challenge = base::sha256({base::view("community-node log-in challenge v1"), number});
  issued_.push_back({challenge, clock_.steady() + life_});
  open_.insert(challenge);
  drop_expired();
  return challenge;
}

bool ChallengeBook::redeem(const core::Bytes32& challenge) {
  drop_expired();
  return open_.erase(challenge) == 1;
}

}  // namespace community::users
