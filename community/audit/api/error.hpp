// SPDX-License-Identifier: Apache-2.0
// The expected failures of the audit log.
#pragma once
#include "community/core/rules.hpp"

namespace community::audit {

#define COMMUNITY_AUDIT_ERRORS(X)                                             \
  X(subject_syntax)         /* neither empty nor a UUID in lower case */      \
  X(payload_too_large)      /* more than kMaxPayloadBytes as JSON */          \
  X(payload_personal_data)  /* a text in it looks like an e-mail address */   \
  X(violation_without_type) /* a SecurityViolation whose `type` is no word */ \
  X(event_reserved)         /* PayloadsErased is written by erase() alone */  \
  X(head_syntax)                                                              \
  X(page_size)       /* 1 to kMaxPage entries */                              \
  X(entry_malformed) /* the table holds what this program did not write */    \
  X(storage_failed)

COMMUNITY_ERRORS(COMMUNITY_AUDIT_ERRORS)

}  // namespace community::audit
