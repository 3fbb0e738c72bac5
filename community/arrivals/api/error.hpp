// SPDX-License-Identifier: Apache-2.0
// Why an account did not come, or a file's history was not kept.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "community/core/fail.hpp"
#include "community/core/rules.hpp"

namespace community::arrivals {

#define COMMUNITY_ARRIVALS_ERRORS(X)                                                  \
  X(field_invalid)     /* see `field` */                                              \
  X(not_found)         /* no such arrival or import of this person */                 \
  X(chain_unknown)     /* the node does not serve it */                               \
  X(too_many_arrivals) /* as many as may be on their way */                           \
  X(too_many_wallets)                                                                 \
  X(already_arrived) /* nothing is left to do, or to take back */                     \
  X(not_expected)    /* the passkey has not agreed yet */                             \
  X(challenge_stale) /* the wallet changed since the challenge was told; ask again */ \
  X(passkey_refused) /* the assertion has no form that the trusted core reads */      \
  X(call_refused)    /* no call that brings these keys to the account */              \
  X(would_revert)    /* `revert` has the contract's words */                          \
  X(refused_by_node) /* the courier; see the message */                               \
  X(import_invalid)  /* the message says what is wrong, `field` where in the file */  \
  X(too_many_imports)                                                                 \
  X(too_many_entries)                                                                 \
  X(too_many_requests) /* see `retry_after_s` */                                      \
  X(core_refused)      /* see `refusal` */                                            \
  X(core_unavailable)                                                                 \
  X(chain_unavailable)                                                                \
  X(database_unavailable)

COMMUNITY_RULES(ErrorCode, COMMUNITY_ARRIVALS_ERRORS)

struct Error {
  ErrorCode code{};
  // For developers; never what somebody typed.
  std::string message;
  // JSON pointer (RFC 6901) into the request, of field_invalid; into the file, of import_invalid.
  std::string field;
  // The contract's words, cleaned.
  std::string revert;
  // The trusted core's own name of its rule.
  std::string refusal;
  std::optional<std::int64_t> retry_after_s;
};

template <class T>
using Result = tl::expected<T, Error>;

inline constexpr core::Fail<Error> fail{};
inline constexpr core::FailField<Error> fail_field{};

}  // namespace community::arrivals
