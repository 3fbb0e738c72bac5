// SPDX-License-Identifier: Apache-2.0
// Why a person's request was not done: the rule, and what the person's program needs to go on.
#pragma once
#include <cstdint>
#include <optional>

#include "community/core/fail.hpp"
#include "community/core/rules.hpp"

namespace community::users {

#define COMMUNITY_USERS_ERRORS(X)                                                               \
  X(field_invalid)        /* see `field` */                                                     \
  X(code_wrong)           /* see `attempts_left` */                                             \
  X(registration_expired) /* unknown, used up or too late */                                    \
  X(already_registered)   /* the address has an account, or is getting one */                   \
  X(passkey_refused)      /* the message names the rule of a registration, never of a log-in */ \
  X(not_logged_in)                                                                              \
  X(not_found) /* no such thing of this person */                                               \
  X(too_many_wallets)                                                                           \
  X(too_many_passkeys)                                                                          \
  X(passkey_in_use)    /* a wallet takes it, or it is the last one */                           \
  X(too_many_requests) /* see `retry_after_s` */                                                \
  X(core_refused)      /* see `refusal` */                                                      \
  X(core_unavailable)  /* the trusted core is away or busy; to be tried again */                \
  X(database_unavailable)

COMMUNITY_RULES(ErrorCode, COMMUNITY_USERS_ERRORS)

struct Error {
  ErrorCode code{};
  // For developers; never a secret, an address or what somebody typed.
  std::string message;
  // JSON pointer into the request (RFC 6901), of field_invalid.
  std::string field;
  std::optional<int> attempts_left;
  std::optional<std::int64_t> retry_after_s;
  // The trusted core's own name of its rule.
  std::string refusal;
};

template <class T>
using Result = tl::expected<T, Error>;

inline constexpr core::Fail<Error> fail{};
inline constexpr core::FailField<Error> fail_field{};

}  // namespace community::users
