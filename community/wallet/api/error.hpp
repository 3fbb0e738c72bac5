// SPDX-License-Identifier: Apache-2.0
// Why something a person asked of their account was not done. The message says what to do next; it holds no secret.
#pragma once
#include "community/core/rules.hpp"

namespace community::wallet {

#define COMMUNITY_WALLET_ERRORS(X)                                                               \
  X(file_unreadable)                                                                             \
  X(file_malformed)    /* no JSON, a member missing, unknown or wrong */                         \
  X(file_kind)         /* another kind of file, or a newer form of it */                         \
  X(file_inconsistent) /* its parts do not belong together: changed, cut, or mixed from two */   \
  X(file_exists)       /* never written over: it holds keys */                                   \
  X(account_other)     /* two files of different accounts */                                     \
  X(account_missing)   /* not deployed on this chain */                                          \
  X(vote_missing)      /* no key at hand that the account knows and the action asks for */       \
  X(gate_missing)      /* the action needs the server key: the node, or a keys file */           \
  X(argument)          /* what was asked for makes no sense; the message says why */             \
  X(not_found)         /* no such item, grant or proposal */                                     \
  X(too_early)         /* the item waits still; the message says how long */                     \
  X(chain)             /* the chain's node did not answer, or said no */                         \
  X(reverted)          /* the contract refused; the message names its rule */                    \
  X(funds)             /* who pays has too little */                                             \
  X(node)              /* this community node did not answer, or refused */                      \
  X(hash_differs)      /* somebody computes another hash of the operation: nothing was signed */ \
  X(not_included)      /* accepted, and not seen in a block in time */                           \
  X(invalid_signature) /* the server key's signature is not one of the key on chain */

COMMUNITY_ERRORS(COMMUNITY_WALLET_ERRORS)

}  // namespace community::wallet
