// SPDX-License-Identifier: Apache-2.0
// The expected failures of telling people something.
#pragma once
#include "community/core/rules.hpp"

namespace community::notifications {

#define COMMUNITY_NOTIFICATIONS_ERRORS(X)                                              \
  X(address_syntax)         /* no address that RFC 5321 lets through a plain server */ \
  X(address_needs_smtputf8) /* its local part is not ASCII (RFC 6531) */               \
  X(language_unknown)                                                                  \
  X(value_missing)                                                                     \
  X(value_superfluous)                                                                 \
  X(value_malformed) /* not of its placeholder's kind */                               \
  X(mail_expired)    /* nobody wants it any more */                                    \
  X(outbox_full)                                                                       \
  X(option_malformed) /* of the configuration */                                       \
  X(secret_unreadable)                                                                 \
  X(streams_of_user_full)                                                              \
  X(streams_full)                                                                      \
  X(endpoint_syntax)                                                                   \
  X(endpoint_not_allowed) /* its host is no push service of the configuration */       \
  X(subscription_key)     /* no uncompressed P-256 point */                            \
  X(subscription_auth)    /* not 16 bytes */                                           \
  X(subscriptions_full)                                                                \
  X(payload_too_large)                                                                 \
  X(key_file)                                                                          \
  X(storage_failed)

COMMUNITY_ERRORS(COMMUNITY_NOTIFICATIONS_ERRORS)

}  // namespace community::notifications
