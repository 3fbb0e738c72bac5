// SPDX-License-Identifier: Apache-2.0
// Why an operation is not sponsored. Values are named after the rule that was applied.
#pragma once
#include "community/core/rules.hpp"

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

COMMUNITY_ERRORS(COMMUNITY_PAYMASTER_ERRORS)

}  // namespace community::paymaster
