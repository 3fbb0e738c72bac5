// SPDX-License-Identifier: Apache-2.0
// Why a multisig was not kept in a person's list, or could not be shown.
#pragma once
#include <string>

#include "community/core/fail.hpp"
#include "community/core/rules.hpp"

namespace community::multisigs {

#define COMMUNITY_MULTISIGS_ERRORS(X)                                                           \
  X(field_invalid)      /* see `field` */                                                       \
  X(not_found)          /* no such entry in this person's list */                               \
  X(chain_unknown)      /* the node does not serve it */                                        \
  X(init_data_invalid)  /* breaks a rule of spec/multisig.md, section 1, 4 or 5 */              \
  X(not_deployed)       /* nothing is at the address; only its init data shows what would be */ \
  X(not_a_multisig)     /* what is at the address is other code than this node's factory makes, \
                           or answers otherwise */                                              \
  X(already_kept)       /* the person's list has it */                                          \
  X(too_many_multisigs) /* as many as one keeps */                                              \
  X(chain_unavailable)                                                                          \
  X(database_unavailable)

COMMUNITY_RULES(ErrorCode, COMMUNITY_MULTISIGS_ERRORS)

struct Error {
  ErrorCode code{};
  // For developers; never what somebody typed.
  std::string message;
  // JSON pointer into the request (RFC 6901), of field_invalid.
  std::string field;
};

template <class T>
using Result = tl::expected<T, Error>;

inline constexpr core::Fail<Error> fail{};
inline constexpr core::FailField<Error> fail_field{};

}  // namespace community::multisigs
