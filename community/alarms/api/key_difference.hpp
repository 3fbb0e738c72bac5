// SPDX-License-Identifier: Apache-2.0
// Where the trusted core's record of a wallet and an account on chain disagree about keys, and what to do next. The
// core commits a change of keys before its signature leaves (spec/trusted-core-protocol.md); whether the chain ever
// sees it is another matter, and an escape or a recovery never asks the core.
#pragma once
#include "community/accounts/api/state.hpp"
#include "community/core/rules.hpp"
#include "trusted/protocol/messages.hpp"

namespace community::alarms {

using core::Address;
using core::Bytes32;

#define COMMUNITY_ALARMS_ERRORS(X)                                             \
  X(account_unknown)  /* nobody said that it is this node's */                 \
  X(too_many_wallets) /* and the chain names none of this one's keys for it */ \
  X(alarm_unknown)                                                             \
  X(limit_out_of_range)                                                        \
  X(chain_failed)                                                              \
  X(account_unreadable)                                                        \
  X(keys_failed)                                                               \
  X(storage_failed)

COMMUNITY_ERRORS(COMMUNITY_ALARMS_ERRORS)

#define COMMUNITY_KEY_STEPS(X)                                                                          \
  X(agreed)       /* nothing to do */                                                                   \
  X(not_deployed) /* nothing to compare with yet */                                                     \
  X(wait)         /* a change of keys waits on chain: finish it when it is ripe, or cancel it */        \
  X(repeat)       /* the core has changed keys and the chain has not: submit the change again, or       \
                     sign one anew when its deadline or key epoch has passed */                         \
  X(chain_moved)  /* the chain's keys changed without the core (escape, recovery), and the server       \
                     key is still the wallet's: the owner brings the wallet's passkeys in line */       \
  X(not_arrived)  /* the core has taken the account in, or brought it home, and the chain has not given \
                     it this wallet's server key yet: finish the move on chain */                       \
  X(account_left) /* the server key on chain is none of this wallet's: nothing to repeat, this node     \
                     cannot sign for the account */

COMMUNITY_RULES(KeyStep, COMMUNITY_KEY_STEPS)

// What to do next, in a sentence for people.
std::string_view describe(KeyStep step);

struct CorePasskey {
  // SHA-256 of the credential id
  Bytes32 credential_hash{};
  accounts::InitPasskey key;
};

// When both agreed last; at first, what the account was bound and created with.
struct KeyAgreement {
  std::uint32_t key_epoch = 0;
  // Last server key that the core had named.
  std::uint32_t server_key_index = 0;

  bool operator==(const KeyAgreement&) const = default;
};

// Of one account on one chain and of the wallet that Alarms::difference chose for it; a wallet's passkeys are the same
// for all its accounts.
struct KeyDifference {
  std::uint64_t chain_id = 0;
  Address account{};
  protocol::RecordId wallet{};
  KeyStep next = KeyStep::agreed;
  // Everything below only when the account is deployed.
  std::vector<CorePasskey> only_in_core;
  std::vector<accounts::ChainPasskey> only_on_chain;
  // The account's, and the one that it would have after everything the core has signed: a key of the wallet, or the
  // foreign one that the account was moved to. The core does not know which of its earlier keys the account has, so
  // while it has named no newer one, each of them is right.
  Address server_key{}, server_key_in_core{};
  // Which of the wallet's server keys the account's is; nothing when it is none of them.
  std::optional<std::uint32_t> server_key_index;
  // The account's now.
  std::uint32_t key_epoch = 0;
  KeyAgreement agreed;

  bool server_key_differs() const { return server_key != server_key_in_core; }
};

core::json::object to_json(const KeyDifference& difference);

// What decides, apart from where it comes from.
struct KeyFacts {
  protocol::WalletDescribeReply wallet;
  protocol::AccountBinding binding;
  // Of the key with the binding's last index.
  Address last_server_key{};
  accounts::AccountState account;
  std::optional<std::uint32_t> server_key_index;
  KeyAgreement agreed;
  // A change of keys waits on chain.
  bool change_waits = false;
};
// Pure.
KeyDifference compare_keys(const KeyFacts& facts);

}  // namespace community::alarms
