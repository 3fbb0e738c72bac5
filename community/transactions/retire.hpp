// SPDX-License-Identifier: Apache-2.0
// Which passkeys log nobody in any more, because no account of their person has them.
#pragma once
#include <map>
#include <set>

#include "community/accounts/api/state.hpp"
#include "community/transactions/store.hpp"

namespace community::transactions {

// What the accounts of one person are, each in a block that is final and in the latest one.
struct HeldKeys {
  // Of any account in either block.
  std::set<std::array<std::uint8_t, 64>> public_keys;
  // By chain and address: the lower of the two.
  std::map<std::pair<std::uint64_t, Address>, std::uint32_t> key_epochs;

  void add(std::uint64_t chain_id, const Address& account, const accounts::AccountState& state);
};

// Ids of the passkeys to retire: active ones that no account has and that no signed change of keys could still bring
// to one (its epoch is over). Nothing where no account has any of the person's passkeys: the accounts have left for
// another node then, and whoever reads, exports or deletes what is kept here has no other key. Pure.
std::vector<std::string> choose_retired(const std::vector<OwnedPasskey>& own, const HeldKeys& held,
                                        const std::vector<Stored>& signed_changes);

}  // namespace community::transactions
