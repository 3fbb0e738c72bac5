// SPDX-License-Identifier: Apache-2.0
// Why an operation is not sponsored. Values are named after the rule that was applied.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace community::paymaster {

#define COMMUNITY_PAYMASTER_ERRORS(X)                                              \
  X(disabled)                                                                      \
  X(chain_unsupported)                                                             \
  X(entry_point_unsupported)                                                       \
  X(field_invalid)                                                                 \
  X(cost_over_limit)  /* maximum cost of one operation */                          \
  X(sender_limit)     /* too many open approvals of one sender */                  \
  X(approvals_limit)  /* too many open approvals altogether */                     \
  X(budget_exhausted) /* the trusted core's budget of signed maximum cost */       \
  X(refused_by_core)  /* another rule of the trusted core; the message names it */ \
  X(keys_unavailable) /* the trusted core does not answer */

enum class ErrorCode : std::uint8_t {
#define X(rule) rule,
  COMMUNITY_PAYMASTER_ERRORS(X)
#undef X
};

std::string_view name(ErrorCode code);

struct Error {
  ErrorCode code{};
  // For a person; never a secret.
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace community::paymaster
