// SPDX-License-Identifier: Apache-2.0
// What the node's operator may do about people: see that there are any, lock one out, end sessions. Not: read what they
// wrote about themselves, act for them, or move anything of theirs.
#pragma once
#include "community/infra/api/task.hpp"
#include "community/users/api/error.hpp"

namespace community::users {

using infra::Task;

inline constexpr std::size_t kMaxPeoplePage = 1'000;

// Numbers and times: no address, name or network.
struct PersonSummary {
  std::string user_id;
  std::int64_t created_ms = 0;
  bool is_active = true;
  std::size_t passkeys = 0, wallets = 0, sessions = 0;
  // Of the sessions that there are; 0: none.
  std::int64_t last_used_ms = 0;
};

class UsersOperator {
 public:
  virtual ~UsersOperator() = default;

  // By id, those behind `after`; 1 to kMaxPeoplePage of them. field_invalid.
  virtual Task<Result<std::vector<PersonSummary>>> list(std::string after, std::size_t limit) = 0;
  // not_found.
  virtual Task<Result<PersonSummary>> show(std::string user_id) = 0;
  // Of whoever has this address, compared as registrations compare it. field_invalid, not_found.
  virtual Task<Result<std::string>> find(std::string email) = 0;

  // A person who is locked is logged in nowhere and logs in nowhere; their account on chain and their recovery file are
  // out of the operator's reach. Told to the person's audit log. not_found.
  virtual Task<Result<void>> set_active(std::string user_id, bool is_active) = 0;
  // How many there were. not_found.
  virtual Task<Result<std::size_t>> end_sessions(std::string user_id) = 0;
};

}  // namespace community::users
