// SPDX-License-Identifier: Apache-2.0
// Which of a wallet's server keys an account on chain has: the core knows the keys, only the chain knows the choice.
#pragma once
#include "community/alarms/api/alarms.hpp"

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

}  // namespace community::alarms
