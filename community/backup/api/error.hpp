// SPDX-License-Identifier: Apache-2.0
// Why a step of a backup did not happen. `rule` is the name of what was broken where somebody else has it: a document's
// rule, the other node's, the trusted core's.
#pragma once
#include "community/core/rules.hpp"
#include "community/keys/api/error.hpp"

namespace community::backup {

#define COMMUNITY_BACKUP_ERRORS(X)                                                            \
  X(document)    /* not a document of this kind; the rule is attestation::ErrorCode's */      \
  X(unreachable) /* the other node does not answer */                                         \
  X(refused)     /* the other node said no; the rule is the one that it names */              \
  X(malformed)   /* an answer that no node of this version gives */                           \
  X(keys)        /* this node's trusted core said no or is away */                            \
  X(not_genuine) /* what the other side showed is not what the operator, or the quote says */ \
  X(not_opened)  /* a package that is not for this key, or is damaged */                      \
  X(io)

COMMUNITY_RULES(ErrorCode, COMMUNITY_BACKUP_ERRORS)

struct Error {
  ErrorCode code{};
  // Empty where the code says all.
  std::string rule;
  // For a person; never a secret.
  std::string message;

  std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string rule = {}) {
  return tl::unexpected<Error>(Error{code, std::move(rule), std::move(message)});
}
tl::unexpected<Error> fail(const keys::Error& error);

}  // namespace community::backup
