// SPDX-License-Identifier: Apache-2.0
// What waits in an account, read back from the call that started it (the event ItemStarted): who carries it out needs
// the same content again, and who is asked to agree must see it.
#pragma once
#include "community/accounts/api/self_calls.hpp"

namespace community::accounts {

struct StartedAction {
  Action action;
  Stamp stamp;
};
using StartedItem = std::variant<StartedAction, Queued>;

// action_invalid when the call starts nothing that waits. A chain's server could answer anything: compare item_id with
// the item's.
Result<StartedItem> read_started_item(ByteView call);
Bytes32 item_id(const AccountOnChain& where, std::uint32_t key_epoch, const StartedItem& item);

// The grant in a call of createGrant (the event GrantCreated); grant_invalid. Compare grant_id with the event's.
Result<Grant> read_grant(ByteView call);

// The calls of a queued spend; calls_invalid.
Result<std::vector<Call>> read_calls(ByteView encoded);

}  // namespace community::accounts
