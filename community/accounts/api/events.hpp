// SPDX-License-Identifier: Apache-2.0
// What a CommunityAccount tells the chain, read: for the page's activity, the command line and the watcher.
#pragma once
#include "community/accounts/api/actions.hpp"
#include "community/chain/api/types.hpp"
#include "community/core/abi.hpp"

namespace community::accounts {

// How loud an event is for the account's owner: what follows from every day; what is worth a line in a message; what
// could be somebody else, so that the owner must hear of it while there is time to answer.
#define COMMUNITY_LOUDNESS(X) X(quiet) X(notice) X(alarm)
COMMUNITY_RULES(Loudness, COMMUNITY_LOUDNESS)

// What waits, by the contract's numbers.
enum class ItemKind : std::uint8_t {
  none,
  done,
  unfreeze,
  change_keys,
  change_rules,
  escape,
  recover,
  upgrade,
  queued
};

struct EventField {
  std::string name;
  core::AbiType type;
  core::AbiValue value;
};

struct AccountEvent {
  // As in the contract: "ItemStarted".
  std::string name;
  Loudness loudness = Loudness::quiet;
  Address account{};
  std::vector<EventField> fields;
  std::uint64_t block_number = 0;
  Bytes32 block_hash{};
  Bytes32 transaction_hash{};
  std::uint64_t log_index = 0;

  // Null when the event has no such field.
  const core::AbiValue* field(std::string_view name) const;
};

// Topics of all events below, for a log filter.
const std::vector<Bytes32>& account_event_topics();

// Nothing for a log that is no event of an account: another topic, or not the shape of its event.
std::optional<AccountEvent> read_account_event(const chain::Log& log);

// {"event", "loudness", "account", "block", "transaction", and the fields}: numbers in decimal, bytes in hex.
core::json::object to_json(const AccountEvent& event);

}  // namespace community::accounts
