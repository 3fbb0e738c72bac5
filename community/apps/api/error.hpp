// SPDX-License-Identifier: Apache-2.0
// Why an app was not connected, got no token, or brought nothing on chain: the rule.
#pragma once
#include <optional>

#include "community/core/fail.hpp"
#include "community/transactions/api/error.hpp"

namespace community::apps {

#define COMMUNITY_APPS_ERRORS(X)                                                      \
  X(field_invalid)     /* see `field` */                                              \
  X(not_found)         /* no such permission, grant or calls of this person or app */ \
  X(too_many_apps)     /* kMaxPermissions */                                          \
  X(too_many_requests) /* see `retry_after_s` */                                      \
  X(token_invalid)     /* unknown, or over: ask the person again */                   \
  X(origin_wrong)      /* the token belongs to another origin */                      \
  X(refused)           /* `cause` says why the transaction was */                     \
  X(database_unavailable)

COMMUNITY_RULES(ErrorCode, COMMUNITY_APPS_ERRORS)

struct Error {
  ErrorCode code{};
  // For developers; never a secret.
  std::string message;
  // JSON pointer into the request (RFC 6901), of field_invalid.
  std::string field;
  std::optional<std::int64_t> retry_after_s;
  // Of refused.
  std::optional<transactions::Error> cause;
};

template <class T>
using Result = tl::expected<T, Error>;

inline constexpr core::Fail<Error> fail{};
inline constexpr core::FailField<Error> fail_field{};

}  // namespace community::apps
