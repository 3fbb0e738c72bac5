// SPDX-License-Identifier: Apache-2.0
// Why the pool does not keep an operation. Values are named after the rule that was broken.
#pragma once
#include "community/core/rules.hpp"

namespace community::pool {

#define COMMUNITY_POOL_ERRORS(X)                                                                      \
  X(already_known)           /* the same operation is waiting or was included */                      \
  X(replacement_in_progress) /* another operation with this nonce is just being written */            \
  X(replacement_underpriced) /* both fees must grow by 10 % */                                        \
  X(replacement_too_late)    /* the operation it would replace is in a transaction already */         \
  X(sender_limit)                                                                                     \
  X(paymaster_limit)                                                                                  \
  X(paymaster_deposit) /* the deposit does not cover what waits already and this one */               \
  X(sender_is_entity)  /* ERC-7562, STO-040: the sender is a factory or paymaster of a waiting one */ \
  X(entity_is_sender)  /* ERC-7562, STO-040, the other way round */                                   \
  X(pool_full)                                                                                        \
  X(storage) /* the database failed; nothing was kept */                                              \
  X(not_found)

COMMUNITY_ERRORS(COMMUNITY_POOL_ERRORS)

}  // namespace community::pool
