// SPDX-License-Identifier: Apache-2.0
// What a cancellation on chain means for those who log in here.
#pragma once
#include "community/infra/api/database.hpp"
#include "community/transactions/factory.hpp"
#include "community/transactions/store.hpp"

namespace community::transactions {

// Of a change of keys that `row` cancelled: the passkeys that it would have added log nobody in any more, as far as no
// other wallet of the person takes them. The trusted core took them in when the change was signed, and nothing takes
// them out of its record again without a passkey's word. But the account will not have them, and they may be a thief's,
// whose change the owner cancelled. Nothing for other items, and the second time. database_unavailable,
// core_unavailable.
Task<Result<void>> retire_cancelled(infra::Database& database, People& people, const Stored& row);
// The same for an item of this person's that the chain told of, wherever its cancellation came from.
Task<Result<void>> retire_item(infra::Database& database, People& people, std::string user_id, Bytes32 item);

}  // namespace community::transactions
