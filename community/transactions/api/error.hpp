// SPDX-License-Identifier: Apache-2.0
// Why what a person wants to do with an account was not prepared, signed or brought on chain: the rule, and what the
// person's program needs to go on.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "community/core/fail.hpp"
#include "community/core/rules.hpp"

namespace community::transactions {

#define COMMUNITY_TRANSACTIONS_ERRORS(X)                                                                            \
  X(field_invalid) /* see `field` */                                                                                \
  X(not_found)     /* no such wallet, transaction or item of this person */                                         \
  X(chain_unknown) /* the wallet has no account on this chain, or the node does not serve it */                     \
  X(calls_invalid)                                                                                                  \
  X(account_not_deployed) /* plain functions need an account on chain */                                            \
  X(account_deploying)    /* another operation of it brings it on chain; prepare this one behind that */            \
  X(account_frozen)                                                                                                 \
  X(account_not_frozen)                                                                                             \
  X(account_elsewhere)        /* its server key is none of this wallet: it moved to another node */                 \
  X(passkey_not_accounts)     /* the account knows no passkey of this person, or not this one */                    \
  X(passkey_started_item)     /* what one vote started another one cancels */                                       \
  X(passkey_voted)            /* a second vote comes from another passkey */                                        \
  X(escape_key_has_no_vote)   /* here: where one vote is asked for it is a passkey's */                             \
  X(escape_key_voted)         /* a second vote comes from a passkey */                                              \
  X(escape_signature_refused) /* `message` names the rule */                                                        \
  X(passkey_known)            /* the account has it already */                                                      \
  X(votes_missing)            /* more votes than the person's passkeys and recovery file have */                    \
  X(item_kind)                /* queued items are confirmed, other ones finished */                                 \
  X(item_not_ready)           /* see `retry_after_s` */                                                             \
  X(would_revert)             /* `revert` has the contract's words */                                               \
  X(over_limit)               /* of the account; `queue` is the way */                                              \
  X(insufficient_funds)                                                                                             \
  X(gas_cost_over_cap) /* nobody sponsors it, and the account pays less than it may cost */                         \
  X(domain_not_listed) /* the account signs for listed domains alone; `domain_separator` is this one's */           \
  X(message_refused)   /* see `refusal`: the trusted core's name of the rule that it would refuse by */             \
  X(phrase_missing)    /* the wallet has no phrase yet */                                                           \
  X(nonce_taken)       /* another transaction of the key was signed under its number meanwhile; prepare it again */ \
  X(phrase_exists)                                                                                                  \
  X(grant_over)          /* its time, or the keys that it was made under */                                         \
  X(sponsor_missing)     /* a session is paid by a paymaster alone; the message has its word */                     \
  X(too_many_under_way)  /* every nonce key of the account has an operation that is not over */                     \
  X(not_prepared)        /* it was signed, discarded or given up before */                                          \
  X(not_signed)          /* nothing to bring on chain */                                                            \
  X(transaction_expired) /* prepare it again */                                                                     \
  X(digest_differs)      /* not what was prepared */                                                                \
  X(passkey_refused)     /* the message names the rule of WebAuthn */                                               \
  X(transaction_limit)   /* security.transaction_daily_limit */                                                     \
  X(policy_refused)      /* the operator's policy; see the message */                                               \
  X(too_many_requests)   /* see `retry_after_s` */                                                                  \
  X(not_replaceable)     /* only an operation that waits is replaced */                                             \
  X(too_late)            /* it is in a transaction already, or over */                                              \
  X(refused_by_node)     /* validation or pool refused what was signed; the message has their words */              \
  X(funds_given)         /* development funds were given to this person lately; see `retry_after_s` */              \
  X(core_refused)        /* see `refusal` */                                                                        \
  X(core_unavailable)                                                                                               \
  X(chain_unavailable)                                                                                              \
  X(database_unavailable)

COMMUNITY_RULES(ErrorCode, COMMUNITY_TRANSACTIONS_ERRORS)

struct Error {
  ErrorCode code{};
  // For developers; never a secret nor what somebody typed.
  std::string message;
  // JSON pointer into the request (RFC 6901), of field_invalid.
  std::string field;
  // The contract's words, cleaned: of would_revert and over_limit.
  std::string revert;
  // The trusted core's own name of its rule.
  std::string refusal;
  std::optional<std::int64_t> retry_after_s;
  // Of domain_not_listed; zero stands for personal messages.
  std::optional<std::array<std::uint8_t, 32>> domain_separator;
};

template <class T>
using Result = tl::expected<T, Error>;

inline constexpr core::Fail<Error> fail{};
inline constexpr core::FailField<Error> fail_field{};
// By the rule that the trusted core would refuse it by.
inline tl::unexpected<Error> fail_as_core(ErrorCode code, std::string_view refusal, std::string message = {}) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.refusal = refusal;
  return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> fail_until(ErrorCode code, std::int64_t retry_after_s, std::string message = {}) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.retry_after_s = retry_after_s;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace community::transactions
