// SPDX-License-Identifier: Apache-2.0
// Why the bundler could not do what it was asked. Values are named after the rule that was broken.
#pragma once
#include "community/core/rules.hpp"

namespace community::bundler {

#define COMMUNITY_BUNDLER_ERRORS(X)                                      \
  X(no_executor) /* the trusted core has none for this chain */          \
  X(chain_unavailable)                                                   \
  X(keys_refused) /* a rule of the trusted core; the message names it */ \
  X(keys_unavailable)                                                    \
  X(storage)                                                             \
  X(not_found)

COMMUNITY_ERRORS(COMMUNITY_BUNDLER_ERRORS)

}  // namespace community::bundler
