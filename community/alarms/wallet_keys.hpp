// SPDX-License-Identifier: Apache-2.0
// Which wallet's server key an account on chain has, and which of its keys: the core knows the keys, only the chain
// knows the choice. What a wallet says of itself decides nothing, because any wallet may adopt any address.
#pragma once
#include "community/alarms/alarm_store.hpp"

namespace community::alarms {

// A binding names each rotation of a server key in turn; more than these are not tried, latest first.
inline constexpr std::uint32_t kMaxServerKeysTried = 64;

struct WalletKeysOnChain {
  protocol::WalletDescribeReply wallet;
  protocol::AccountBinding binding;
  // Of the key with the binding's last index.
  Address last_server_key{};
  // Of `on_chain`; nothing when it is none of the wallet's keys for this account.
  std::optional<std::uint32_t> server_key_index;
};

// keys_failed when the core does not answer; account_unknown when the wallet is not bound to the account on this chain.
Task<Result<WalletKeysOnChain>> find_server_key(keys::WalletKeys& keys, keys::RecordId wallet, std::uint64_t chain_id,
                                                Address account, Address on_chain);

struct AccountWallet {
  Follower follower;
  WalletKeysOnChain keys;
};

// The follower whose server key is `on_chain`. Where there is none, keys.server_key_index is nothing and the wallet is
// the one that Alarms::difference names. `followers` as AlarmStore::followers orders them.
// keys_failed when the core did not answer about one that could be it; account_unknown when none is bound to the
// account on this chain.
Task<Result<AccountWallet>> find_account_wallet(keys::WalletKeys& keys, std::vector<Follower> followers,
                                                std::uint64_t chain_id, Address account, Address on_chain);

}  // namespace community::alarms
