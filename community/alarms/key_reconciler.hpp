// SPDX-License-Identifier: Apache-2.0
// Compares the core's record of a wallet with its accounts on chain when something may have changed either, remembers
// when they agreed, and tells when they stop to.
#pragma once
#include <map>
#include <set>

#include "community/alarms/alarm_store.hpp"
#include "community/chain/api/execution_client.hpp"

namespace community::alarms {

struct KeyReconcilerDependencies {
  AlarmStore& store;
  accounts::AccountWatcher& watcher;
  chain::ExecutionClient& chain;
  keys::WalletKeys& keys;
  infra::Metrics* metrics = nullptr;
};

class KeyReconciler {
 public:
  KeyReconciler(KeyReconcilerDependencies dependencies, std::uint64_t chain_id);

  // Errors of Alarms::difference.
  Task<Result<KeyDifference>> difference(Address account);
  // Whether the account's server key on chain, or before it is deployed the init data of its address, is this wallet's.
  // chain_failed, account_unreadable, keys_failed, account_unknown: the wallet is not bound to it on this chain.
  Task<Result<bool>> is_named(Address account, keys::RecordId wallet);

  // By the next check().
  void look_at_all() { all_ = true; }
  void look_at(const Address& account) { changed_.insert(account); }
  // An account whose keys, or a waiting change of them, may be others than before.
  void heard(const accounts::AccountEvent& event);
  void reorganised(std::uint64_t ancestor);
  // Looks at what may have changed. What fails is looked at again at the next call.
  Task<void> check();

 private:
  // Whether a change of keys waits on chain.
  Task<Result<bool>> change_waits(Address account);
  void tell(const KeyDifference& difference);

  KeyReconcilerDependencies d_;
  const std::uint64_t chain_id_;
  bool all_ = false;
  std::set<Address> changed_;
  // Block of the last event of an account's keys, for reorganisations that take it back.
  std::map<Address, std::uint64_t> key_blocks_;
  // Accounts where something is to be done.
  std::map<Address, KeyStep> open_;
};

}  // namespace community::alarms
