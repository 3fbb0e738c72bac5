// SPDX-License-Identifier: Apache-2.0
// Why an export or a deletion was not done.
#pragma once
#include "community/core/rules.hpp"

namespace community::privacy {

#define COMMUNITY_PRIVACY_ERRORS(X)                               \
  X(not_found)        /* no such person */                        \
  X(too_many_exports) /* as many are written as may be at once */ \
  X(database_unavailable)

COMMUNITY_ERRORS(COMMUNITY_PRIVACY_ERRORS)

}  // namespace community::privacy
