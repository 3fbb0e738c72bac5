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

core::Bytes32 ChallengeBook::issue(std::string_view whom) {
  core::Bytes32 number;
  random_.fill(number);
  const core::Bytes32 challenge = base::sha256(
      {base::view("community-node challenge v2\n"), base::view(purpose_), base::view("\n"), base::view(whom), number});
  issued_.push_back({challenge, clock_.steady() + life_});
  open_.emplace(challenge, whom);
  drop_expired();
  return challenge;
}

bool ChallengeBook::redeem(const core::Bytes32& challenge, std::string_view whom) {
  drop_expired();
  const auto found = open_.find(challenge);
  if (found == open_.end() || found->second != whom) return false;
  open_.erase(found);
  return true;
}

}  // namespace community::users
