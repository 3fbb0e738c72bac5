// SPDX-License-Identifier: Apache-2.0
// Why an operation is not taken. Values are named after the rule that was broken; the gateway maps them to the codes of
// ERC-7769.
#pragma once
#include "community/core/bytes.hpp"
#include "community/core/rules.hpp"

namespace community::validation {

#define COMMUNITY_VALIDATION_ERRORS(X)                                                    \
  X(entry_point_unknown)                                                                  \
  X(field_invalid)                                                                        \
  X(userop_too_large)                                                                     \
  X(eip7702_not_supported)                                                                \
  X(call_gas_too_low)                                                                     \
  X(verification_gas_too_high)                                                            \
  X(gas_over_bundle) /* fits no transaction: EIP-7825 or the configured cap */            \
  X(pre_verification_gas_too_low)                                                         \
  X(fee_too_low)                                                                          \
  X(priority_fee_above_max_fee)                                                           \
  X(account_rejected)   /* AA1x, AA2x, or what else the EntryPoint says of the account */ \
  X(paymaster_rejected) /* AA3x */                                                        \
  X(nonce_invalid)      /* AA25 */                                                        \
  X(opcode_or_storage)  /* ERC-7562, OP and STO rules */                                  \
  X(outside_time_range) /* AA22, AA32 */                                                  \
  X(reputation)         /* ERC-7562, throttled or banned */                               \
  X(stake)              /* ERC-7562, stake or its delay too low */                        \
  X(aggregator_unsupported)                                                               \
  X(signature_invalid)         /* AA24, AA34 */                                           \
  X(paymaster_deposit_too_low) /* AA31 */                                                 \
  X(execution_reverted)                                                                   \
  X(estimation_failed) /* no limits were found under which the operation goes through */  \
  X(bundle_reverted)   /* handleOps reverted without naming an operation */               \
  X(chain_unavailable) /* the execution client did not answer, or not in the form it promises */

COMMUNITY_RULES(ErrorCode, COMMUNITY_VALIDATION_ERRORS)

struct Error {
  ErrorCode code{};
  // For a person; holds the EntryPoint's own words ("AA25 invalid account nonce"), which clients search for.
  std::string message;
  // Rule of ERC-7562 or code of the EntryPoint, "OP-011", "AA25"; empty when there is none.
  std::string rule;
  // Bytes that a contract reverted with.
  core::Bytes revert;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string rule = {}, core::Bytes revert = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(rule), std::move(revert)});
}

}  // namespace community::validation
