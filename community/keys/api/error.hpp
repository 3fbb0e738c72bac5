// SPDX-License-Identifier: Apache-2.0
// Why a key did not sign. `refused` carries the trusted core's own reason, which names the rule.
#pragma once
#include "community/core/rules.hpp"
#include "trusted/protocol/protocol.hpp"

namespace community::keys {

#define COMMUNITY_KEYS_ERRORS(X)                                                                 \
  X(refused)            /* the trusted core applied a rule: see `refusal` */                     \
  X(unavailable)        /* no connection to the trusted core; it is being restarted */           \
  X(timeout)            /* the core did not answer in time; the connection was dropped */        \
  X(protocol_violation) /* an answer that no correct core gives */                               \
  X(not_found)          /* no such wallet or key in this node's database */                      \
  X(queue_full)                                                                                  \
  X(too_many_keys) /* of a kind that a node keeps a limited number of */                         \
  X(storage)       /* the node's database failed */                                              \
  X(state_forked)  /* database and core disagree beyond one change: `keys recover` or restore */ \
  X(fenced)        /* another device goes on as this core; it signs nothing any more */          \
  X(process)       /* the key process could not be started */

COMMUNITY_RULES(ErrorCode, COMMUNITY_KEYS_ERRORS)

struct Error {
  ErrorCode code{};
  // Only with `refused`.
  protocol::Error refusal = protocol::Error::ok;
  // For a person; never a secret.
  std::string message;

  std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, protocol::Error::ok, std::move(message)});
}
inline tl::unexpected<Error> refuse(protocol::Error refusal) {
  return tl::unexpected<Error>(Error{ErrorCode::refused, refusal, std::string(protocol::name(refusal))});
}

}  // namespace community::keys
