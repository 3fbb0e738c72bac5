// SPDX-License-Identifier: Apache-2.0
// The expected failures of the infrastructure. One enum for the module: callers decide by code, people read the words.
#pragma once
#include "community/core/rules.hpp"

namespace community::infra {

#define COMMUNITY_INFRA_ERRORS(X)                                                                    \
  X(timeout)                                                                                         \
  X(cancelled)                                                                                       \
  X(queue_full) /* a bounded queue has no room: shed load or try later */                            \
  X(closed)     /* the component was stopped before the work was done */                             \
  X(transport)  /* name resolution, connection, TLS, or a peer that hung up */                       \
  X(malformed)  /* the peer's bytes do not follow the protocol */                                    \
  X(too_large)                                                                                       \
  X(io)              /* file system */                                                               \
  X(locked)          /* another process holds the lock */                                            \
  X(constraint)      /* a constraint of the database refused the row */                              \
  X(outcome_unknown) /* the connection was lost while a write was committed: it is written or not */ \
  X(database)                                                                                        \
  X(migration_history) /* the database's history is not the one this program knows */                \
  X(config_syntax)                                                                                   \
  X(config_unknown_key)                                                                              \
  X(config_type)                                                                                     \
  X(config_value)                                                                                    \
  X(process) /* a child process could not be started or died */

COMMUNITY_ERRORS(COMMUNITY_INFRA_ERRORS)

}  // namespace community::infra
