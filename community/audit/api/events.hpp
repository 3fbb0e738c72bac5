// SPDX-License-Identifier: Apache-2.0
// Names of what the audit log tells. The first nine are those of the product's founders, letter by letter. A name that
// was ever written is never renamed or used for something else: it is part of what the chain commits to.
#pragma once
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace community::audit {

#define COMMUNITY_AUDIT_EVENTS(X)                                                          \
  X(user_registered, UserRegistered)                                                       \
  X(user_authenticated, UserAuthenticated)                                                 \
  X(wallet_created, WalletCreated)                                                         \
  X(wallet_used, WalletUsed)                                                               \
  X(biometric_setup, BiometricSetup)                                                       \
  X(security_violation, SecurityViolation) /* the member `type` of the payload names it */ \
  X(transaction_initiated, TransactionInitiated)                                           \
  X(transaction_signed, TransactionSigned)                                                 \
  X(transaction_broadcast, TransactionBroadcast)                                           \
  X(registration_repeated, RegistrationRepeated) /* of an address that has an account */   \
  X(session_revoked, SessionRevoked)                                                       \
  X(passkey_added, PasskeyAdded)                                                           \
  X(passkey_removed, PasskeyRemoved)                                                       \
  X(wallet_changed, WalletChanged) /* alias, primary */                                    \
  X(address_derived, AddressDerived)                                                       \
  X(account_deployed, AccountDeployed)                                                     \
  X(account_frozen, AccountFrozen)                                                         \
  X(account_unfrozen, AccountUnfrozen)                                                     \
  X(change_queued, ChangeQueued)       /* keys, rules, limits, a large spend, new code */  \
  X(change_confirmed, ChangeConfirmed) /* what was queued was carried out */               \
  X(change_cancelled, ChangeCancelled)                                                     \
  X(rules_changed, RulesChanged)                                                           \
  X(grant_created, GrantCreated)                                                           \
  X(grant_revoked, GrantRevoked)                                                           \
  X(escape_started, EscapeStarted)                                                         \
  X(recovery_started, RecoveryStarted)                                                     \
  X(recovery_finished, RecoveryFinished)                                                   \
  X(account_moved, AccountMoved) /* to another node, or in from one */                     \
  X(phrase_exported, PhraseExported)                                                       \
  X(message_signed, MessageSigned)                                                         \
  X(profile_changed, ProfileChanged)                                                       \
  X(push_subscribed, PushSubscribed)                                                       \
  X(push_unsubscribed, PushUnsubscribed)                                                   \
  X(data_exported, DataExported)                                                           \
  X(payloads_erased, PayloadsErased) /* of this subject; written by the log itself */      \
  X(user_deleted, UserDeleted)                                                             \
  X(transaction_included, TransactionIncluded) /* done, in a block */                      \
  X(transaction_failed, TransactionFailed)     /* it failed in a block, or was dropped */  \
  X(app_connected, AppConnected)               /* it may ask for signatures of a wallet */ \
  X(app_disconnected, AppDisconnected)                                                     \
  X(app_token_issued, AppTokenIssued) /* it brings calls of a grant by itself */           \
  X(multisig_kept, MultisigKept)      /* in the person's list at this node */              \
  X(multisig_renamed, MultisigRenamed)                                                     \
  X(multisig_forgotten, MultisigForgotten)                                                 \
  X(wallet_arrived, WalletArrived) /* an account came here from another node */

#define COMMUNITY_AUDIT_VALUE(value, word) value,
#define COMMUNITY_AUDIT_WORD(value, word) #word,

enum class EventName : std::uint8_t { COMMUNITY_AUDIT_EVENTS(COMMUNITY_AUDIT_VALUE) };

inline constexpr std::string_view kEventWords[] = {COMMUNITY_AUDIT_EVENTS(COMMUNITY_AUDIT_WORD)};
inline constexpr std::size_t kEventNames = std::size(kEventWords);

#undef COMMUNITY_AUDIT_VALUE
#undef COMMUNITY_AUDIT_WORD

// "UserRegistered".
constexpr std::string_view name(EventName event) { return kEventWords[static_cast<std::size_t>(event)]; }

constexpr std::optional<EventName> parse_event_name(std::string_view word) {
  for (std::size_t i = 0; i < kEventNames; i++)
    if (kEventWords[i] == word) return static_cast<EventName>(i);
  return std::nullopt;
}

}  // namespace community::audit
